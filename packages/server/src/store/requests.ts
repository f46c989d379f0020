/** members.request: whether a member wants a direct chat that a stranger has begun. */
import type { Db } from './db.ts'
import { CHANGED_DAY } from './members.ts'

interface Of {
  chatId: string
  userId: number
}

/** Before the first message; [CHAT-3] the member does not know of the chat yet, and no time tells of it. */
export async function askMember(db: Db, { chatId, userId }: Of, ask: boolean): Promise<void> {
  await db.query('UPDATE members SET request = $3 WHERE chat_id = $1 AND user_id = $2', [
    chatId,
    userId,
    ask ? 'pending' : null,
  ])
}

/** false: there was nothing to accept. The caller holds the chat's lock. */
export async function acceptRequest(db: Db, { chatId, userId }: Of): Promise<boolean> {
  const rows = await db.query(
    `UPDATE members SET request = NULL, changed_at = now(), ${CHANGED_DAY}
     WHERE chat_id = $1 AND user_id = $2 AND request IS NOT NULL RETURNING user_id`,
    [chatId, userId],
  )
  return rows.length === 1
}

/** false: it does not wait for an answer. The caller holds the chat's lock. */
export async function declineRequest(db: Db, { chatId, userId }: Of): Promise<boolean> {
  const rows = await db.query(
    `UPDATE members SET request = 'declined', changed_at = now(), ${CHANGED_DAY}
     WHERE chat_id = $1 AND user_id = $2 AND request = 'pending' RETURNING user_id`,
    [chatId, userId],
  )
  return rows.length === 1
}
