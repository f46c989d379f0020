/** Everything is read [MAIL-4]. */
import type { ReadAll } from '@microchatter/protocol'
import { touchChats } from '../store/chats.ts'
import { readChats, selectUnreadIds } from '../store/unread.ts'
import { doubting, tell } from './changing.ts'
import { publishUnread, tellDevices } from './chats.ts'
import { tellRead } from './receipts.ts'
import type { Actor, Core } from './core.ts'
import { afterCommit } from './errors.ts'

/** Of one transaction, which holds the locks of so many. */
const BATCH = 200
const CHATS_PER_CALL = 5_000

export async function markAllRead(core: Core, actor: Actor): Promise<ReadAll> {
  const ids = await selectUnreadIds(core.db, actor.id, CHATS_PER_CALL + 1)
  const wanted = ids.slice(0, CHATS_PER_CALL)
  let chats = 0
  for (let at = 0; at < wanted.length; at += BATCH)
    chats += await readBatch(core, actor, wanted.slice(at, at + BATCH))
  if (chats > 0) await afterCommit(publishUnread(core, actor))
  return { chats, ...(ids.length > wanted.length ? { more: true } : {}) }
}

async function readBatch(core: Core, actor: Actor, ids: readonly string[]): Promise<number> {
  const { read, revs } = await doubting(core, ids, () =>
    core.db.transaction(async (tx) => {
      const revs = await touchChats(tx, [...ids])
      return { read: await readChats(tx, actor.id, ids), revs }
    }),
  )
  await tell(core, ids, async () => {
    await core.writer.preload(read.map(({ id }) => id))
    for (const { id: chatId, last_seq: lastSeq } of read) {
      const mark = { chatId, seq: lastSeq, rev: revs.get(chatId)?.rev ?? 0, lastSeq }
      const data = await tellRead(core, actor, mark)
      tellDevices(core, actor, 'read.updated', { ...data, unread: 0 })
    }
  })
  return read.length
}
