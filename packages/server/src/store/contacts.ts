/** Who sees whom. */
import { LIMITS } from '@microchatter/protocol'
import type { Db } from './db.ts'

/** The chats that this user is in. */
export async function selectChatIdsOf(db: Db, userId: number): Promise<string[]> {
  const rows = await db.query<{ chat_id: string }>(
    'SELECT chat_id FROM members WHERE user_id = $1',
    [userId],
  )
  return rows.map((row) => row.chat_id)
}

/** The chats that show any of these users as a member: a large group shows none. */
export async function selectShowingChatIds(db: Db, userIds: number[]): Promise<string[]> {
  const rows = await db.query<{ chat_id: string }>(
    `SELECT DISTINCT m.chat_id FROM members m JOIN chats c ON c.id = m.chat_id
     WHERE m.user_id = ANY($1::bigint[]) AND c.member_count <= $2`,
    [userIds, LIMITS.shownMembers],
  )
  return rows.map((row) => row.chat_id)
}

/**
 * Who sees this user in a chat, of those that show all of their members. [CHAT-3] Without those who
 * have not seen the chat with this user.
 */
export async function selectContactIds(db: Db, userId: number, limit: number): Promise<number[]> {
  const rows = await db.query<{ user_id: number }>(
    `WITH shown AS MATERIALIZED (
       SELECT c.id FROM members m JOIN chats c ON c.id = m.chat_id
       WHERE m.user_id = $1 AND c.member_count <= $3)
     SELECT DISTINCT o.user_id FROM shown CROSS JOIN LATERAL (
       SELECT * FROM members WHERE chat_id = shown.id OFFSET 0) o
     WHERE o.user_id <> $1
       AND NOT (o.active_day IS NULL AND o.changed_at = '-infinity') LIMIT $2`,
    [userId, limit, LIMITS.shownMembers],
  )
  return rows.map((row) => row.user_id)
}
