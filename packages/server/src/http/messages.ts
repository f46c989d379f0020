import {
  closed,
  type HistoryQuery,
  type SendBody,
  type SendToUserBody,
  Username,
} from '@microchatter/protocol'
import type { Static } from 'typebox'
import { getHistory, sendMessage, sendToUser } from '../domain/messages.ts'
import type { ChatParams } from './chats.ts'
import { type Answer, type Call, created, ok } from './route.ts'

export const RecipientParams = closed({ username: Username })
export type RecipientParams = Static<typeof RecipientParams>

export async function onGetHistory(
  call: Call<{ params: ChatParams; query: HistoryQuery }>,
): Promise<Answer> {
  return ok(await getHistory(call.core, call.actor, call.params.chatId, call.query))
}

export async function onSendMessage({
  core,
  actor,
  params,
  body,
}: Call<{ params: ChatParams; body: SendBody }>): Promise<Answer> {
  return created(await sendMessage(core, actor, { ...body, chatId: params.chatId }))
}

export async function onSendToUser(
  call: Call<{ params: RecipientParams; body: SendToUserBody }>,
): Promise<Answer> {
  return created(await sendToUser(call.core, call.actor, call.params.username, call.body))
}
