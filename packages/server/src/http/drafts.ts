import type { NewDraft } from '@microchatter/protocol'
import { setDraft } from '../domain/drafts.ts'
import type { ChatParams } from './chats.ts'
import { type Answer, type Call, NOTHING } from './route.ts'

export async function onSetDraft(
  call: Call<{ params: ChatParams; body: NewDraft }>,
): Promise<Answer> {
  await setDraft(call.core, call.actor, call.params.chatId, call.body)
  return NOTHING
}

export async function onDeleteDraft(call: Call<{ params: ChatParams }>): Promise<Answer> {
  await setDraft(call.core, call.actor, call.params.chatId, null)
  return NOTHING
}
