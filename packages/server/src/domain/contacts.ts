import type { Db } from '../store/db.ts'
import { bumpAllRights, touchChats } from '../store/chats.ts'
import { selectChatIdsOf } from '../store/members.ts'

/** A user's name or picture changed: so did every chat that shows it. */
export async function touchUserChats(tx: Db, userId: number): Promise<void> {
  await touchChats(tx, await selectChatIdsOf(tx, [userId]))
}

/** A user is gone: nobody can write to it any more. Returns the chats. */
export async function bumpUserChats(tx: Db, userId: number): Promise<string[]> {
  const chatIds = await selectChatIdsOf(tx, [userId])
  await touchChats(tx, chatIds)
  await bumpAllRights(tx, chatIds)
  return chatIds
}
