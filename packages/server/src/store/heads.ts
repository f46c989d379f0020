import type { Db } from './db.ts'

/** The head of a chat, and whether one of its members has it on the list. */
export interface HeadRow extends Record<string, unknown> {
  user_id: number
  chat_id: string
  last_seq: number
  rev: number
  listed: boolean
  /** A group that this user has left; last_seq is 0. */
  departed: boolean
}

/** Chats in which anything changed for any of these users since then; days are indexed, times are not. */
export async function selectHeads(db: Db, userIds: readonly number[], since: Date) {
  return db.query<HeadRow>(
    `SELECT m.user_id, m.chat_id, c.last_seq, c.rev, m.active_day IS NOT NULL AS listed,
       false AS departed
     FROM unnest($1::bigint[]) AS w(user_id)
     CROSS JOIN LATERAL (
       SELECT chat_id FROM members WHERE user_id = w.user_id AND active_day >= $2::date
       UNION
       SELECT chat_id FROM members WHERE user_id = w.user_id AND changed_day >= $2::date) k
     CROSS JOIN LATERAL (
       SELECT * FROM members WHERE chat_id = k.chat_id AND user_id = w.user_id LIMIT 1) m
     JOIN chats c ON c.id = m.chat_id
     WHERE greatest(c.last_at, c.changed_at, m.changed_at) >= $2
       AND NOT (m.active_day IS NULL AND m.changed_at = '-infinity')
     UNION ALL
     SELECT d.user_id, d.chat_id, 0, d.rev, false, true
     FROM unnest($1::bigint[]) AS w(user_id) CROSS JOIN LATERAL (
       SELECT * FROM departures WHERE user_id = w.user_id AND left_at >= $2) d`,
    [userIds, since],
    'select_heads',
  )
}

/** Whose own part in the chat has changed in the last `ms`: what was read or set, or deleted for them. */
export async function selectChangedMembers(db: Db, chatId: string, ms: number): Promise<number[]> {
  const rows = await db.query<{ user_id: number }>(
    `SELECT user_id FROM members
     WHERE chat_id = $1 AND changed_at > now() - $2 * interval '1 millisecond'`,
    [chatId, ms],
    'select_changed_members',
  )
  return rows.map(({ user_id }) => user_id)
}
