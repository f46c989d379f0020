import {
  ChatId,
  closed,
  type DeliveredBody,
  type ListChatsQuery,
  type OpenChatBody,
  type ReadBody,
  type UpdateChatBody,
} from '@microchatter/protocol'
import type { Static } from 'typebox'
import { deleteChat, getChat, listChats, markRead } from '../domain/chats.ts'
import { markDelivered } from '../domain/delivered.ts'
import { findChatWith, openChat } from '../domain/direct.ts'
import { createGroup, updateChat } from '../domain/groups.ts'
import { type Answer, type Call, created, NOTHING, ok } from './route.ts'

export const ChatParams = closed({ chatId: ChatId })
export type ChatParams = Static<typeof ChatParams>

export async function onListChats({
  core,
  actor,
  query,
}: Call<{ query: ListChatsQuery }>): Promise<Answer> {
  if (query.with === undefined) return ok(await listChats(core, actor, query))
  const chat = await findChatWith(core, actor, query.with)
  return ok({ items: chat ? [chat] : [] })
}

export async function onOpenChat({
  core,
  actor,
  body,
  once,
}: Call<{ body: OpenChatBody }>): Promise<Answer> {
  if (body.kind === 'group') return created(await createGroup(core, actor, body, once))
  const { chat, created: isNew } = await openChat(core, actor, body, once)
  return isNew ? created(chat) : ok(chat)
}

export async function onGetChat(call: Call<{ params: ChatParams }>): Promise<Answer> {
  return ok(await getChat(call.core, call.actor, call.params.chatId))
}

export async function onEditChat(
  call: Call<{ params: ChatParams; body: UpdateChatBody }>,
): Promise<Answer> {
  return ok(await updateChat(call.core, call.actor, call.params.chatId, call.body))
}

export async function onDeleteChat(call: Call<{ params: ChatParams }>): Promise<Answer> {
  await deleteChat(call.core, call.actor, call.params.chatId)
  return NOTHING
}

export async function onMarkRead(
  call: Call<{ params: ChatParams; body: ReadBody }>,
): Promise<Answer> {
  return ok(await markRead(call.core, call.actor, call.params.chatId, call.body))
}

export async function onMarkDelivered({
  core,
  actor,
  params,
  body,
}: Call<{ params: ChatParams; body: DeliveredBody }>): Promise<Answer> {
  await markDelivered(core, actor, { ...params, ...body })
  return ok({})
}
