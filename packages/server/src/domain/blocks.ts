import type { Block } from '@microchatter/protocol'
import {
  type BlockRow,
  deleteBlock,
  hasBlocked,
  insertBlock,
  lockShared,
  selectBlocks,
  touchBlocks,
} from '../store/blocks.ts'
import { bumpAllRights, bumpRev, bumpRights } from '../store/chats.ts'
import { touchMember } from '../store/members.ts'
import { change, tell } from './changing.ts'
import { publishChat, tellDevices, viewChat } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { decodeCursor, type Paging, toPage } from './cursor.ts'
import { pairChat } from './direct.ts'
import { ChatError } from './errors.ts'
import { forbidden, SYSTEM } from './rights.ts'
import { userNotFound } from './users.ts'
import { toProfile } from './views.ts'

/** [SEND-4] From its commit on, no message of the blocked comes in. Twice is once. */
export function blockUser(core: Core, actor: Actor, username: string): Promise<void> {
  return setBlock(core, actor, username, true)
}

export function unblockUser(core: Core, actor: Actor, username: string): Promise<void> {
  return setBlock(core, actor, username, false)
}

async function setBlock(core: Core, actor: Actor, username: string, block: boolean) {
  const other = await core.identity.user(username)
  if (!other) throw userNotFound()
  if (other.id === actor.id) throw new ChatError('invalid', { detail: 'You cannot block yourself' })
  if (username === SYSTEM) throw forbidden('The system cannot be blocked; mute its chat')
  if ((await hasBlocked(core.db, actor.id, other.id)) === block) return
  // The pair's chat is the lock that orders a block among the sends, so there has to be one.
  const id = await pairChat(core, { userId: actor.id, otherId: other.id })
  const between: [number, number] = [actor.id, other.id]
  const { changed, chat, isListed, groups } = await change(core, id, async (tx) => {
    const shared = await lockShared(tx, { chatId: id, userIds: between })
    await bumpRights(tx, id)
    await bumpAllRights(tx, shared)
    for (const chatId of shared) await bumpRev(tx, chatId)
    for (const chatId of [id, ...shared]) await touchMember(tx, chatId, actor.id)
    const set = block ? insertBlock : deleteBlock
    const isChange = await set(tx, ...between)
    await touchBlocks(tx, actor.id)
    return { changed: isChange, groups: shared, ...(await viewChat(tx, id, actor.id)) }
  })
  for (const chatId of [id, ...groups]) core.bus.publish({ kind: 'rights', chatId, between })
  if (!changed) return
  if (isListed) tellDevices(core, actor, 'chat.updated', chat)
  tellDevices(core, actor, 'block.updated', { username, blocked: block })
  // What of them is the last message comes, or goes.
  await tell(core, groups, async () => {
    for (const chatId of groups) await publishChat(core, chatId, [actor.id], 'chat.updated')
  })
}

export async function listBlocks(core: Core, actor: Actor, { limit = 50, cursor }: Paging) {
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  const rows = await selectBlocks(core.db, actor.id, { after, limit: limit + 1 })
  return toPage<BlockRow, Block>(rows, {
    limit,
    item: (row) => ({ ...toProfile(row), createdAt: row.created_at.toISOString() }),
    key: (row) => [row.username],
  })
}
