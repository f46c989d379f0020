import type { RequestBody } from '@microchatter/protocol'
import { answerRequest } from '../domain/requests.ts'
import type { ChatParams } from './chats.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onAnswerRequest(
  call: Call<{ params: ChatParams; body: RequestBody }>,
): Promise<Answer> {
  return ok(await answerRequest(call.core, call.actor, call.params.chatId, call.body))
}
