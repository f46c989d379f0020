import type { Block } from '@microchatter/protocol'
import { type BlockRow, deleteBlock, insertBlock, selectBlocks } from '../store/blocks.ts'
import { bumpRights } from '../store/chats.ts'
import { touchMember } from '../store/members.ts'
import { change } from './changing.ts'
import { tellDevices, viewChat } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { decodeCursor, toPage } from './cursor.ts'
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
  // The pair's chat is the lock that orders a block among the sends, so there has to be one.
  const id = await pairChat(core, { userId: actor.id, otherId: other.id })
  const { changed, chat, isListed } = await change(core, id, async (tx) => {
    await bumpRights(tx, id)
    await touchMember(tx, id, actor.id)
    const set = block ? insertBlock : deleteBlock
    const isChange = await set(tx, actor.id, other.id)
    return { changed: isChange, ...(await viewChat(tx, id, actor.id)) }
  })
  core.bus.publish({ kind: 'rights', chatId: id, between: [actor.id, other.id] })
  if (changed && isListed) tellDevices(core, actor, 'chat.updated', chat)
}

export async function listBlocks(
  core: Core,
  actor: Actor,
  { limit = 50, cursor }: { limit?: number | undefined; cursor?: string | undefined },
) {
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  const rows = await selectBlocks(core.db, actor.id, { after, limit: limit + 1 })
  return toPage<BlockRow, Block>(rows, {
    limit,
    item: (row) => ({ ...toProfile(row), createdAt: row.created_at.toISOString() }),
    key: (row) => [row.username],
  })
}
