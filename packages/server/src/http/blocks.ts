import { closed, Username } from '@microchatter/protocol'
import type { Static } from 'typebox'
import { blockUser, listBlocks, unblockUser } from '../domain/blocks.ts'
import type { PageQuery } from './messages.ts'
import { type Answer, type Call, NOTHING, ok } from './route.ts'

export const BlockParams = closed({ username: Username })
export type BlockParams = Static<typeof BlockParams>

export async function onBlockUser(call: Call<{ params: BlockParams }>): Promise<Answer> {
  await blockUser(call.core, call.actor, call.params.username)
  return NOTHING
}

export async function onUnblockUser(call: Call<{ params: BlockParams }>): Promise<Answer> {
  await unblockUser(call.core, call.actor, call.params.username)
  return NOTHING
}

export async function onListBlocks(call: Call<{ query: PageQuery }>): Promise<Answer> {
  return ok(await listBlocks(call.core, call.actor, call.query))
}
