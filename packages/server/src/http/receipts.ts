import type { ReceiptsQuery } from '@microchatter/protocol'
import { getReceipts } from '../domain/receipts.ts'
import type { MessageParams } from './messages.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onGetReceipts(
  call: Call<{ params: MessageParams; query: ReceiptsQuery }>,
): Promise<Answer> {
  return ok(await getReceipts(call.core, call.actor, call.params, call.query))
}
