import { closed, Cursor, Limit, opt, Username } from '@microchatter/protocol'
import type { Static } from 'typebox'
import { blockUser, listBlocks, unblockUser } from '../domain/blocks.ts'
import { type Answer, type Call, NOTHING, ok } from './route.ts'

export const BlockParams = closed({ username: Username })
export type BlockParams = Static<typeof BlockParams>
export const ListBlocksQuery = closed({ limit: opt(Limit), cursor: opt(Cursor) })
export type ListBlocksQuery = Static<typeof ListBlocksQuery>

export async function onBlockUser(call: Call<{ params: BlockParams }>): Promise<Answer> {
  await blockUser(call.core, call.actor, call.params.username)
  return NOTHING
}

export async function onUnblockUser(call: Call<{ params: BlockParams }>): Promise<Answer> {
  await unblockUser(call.core, call.actor, call.params.username)
  return NOTHING
}

export async function onListBlocks(call: Call<{ query: ListBlocksQuery }>): Promise<Answer> {
  return ok(await listBlocks(call.core, call.actor, call.query))
}
