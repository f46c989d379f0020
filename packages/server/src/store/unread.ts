/** What members have not read yet. */
import type { Db, Nth } from './db.ts'
import { CHANGED_DAY, NO_REQUEST } from './members.ts'

export interface UnreadRow extends Nth {
  total: number
  chats: number
  requests: number
}

/** Of each user, without muted chats and what is not on the list; requests are counted by themselves. */
export async function selectUnread(db: Db, userIds: readonly number[]) {
  return db.query<UnreadRow>(
    `SELECT u.nth::int AS nth,
       coalesce(sum(c.last_seq - m.read_seq) FILTER (WHERE ${NO_REQUEST}), 0)::bigint AS total,
       count(*) FILTER (WHERE ${NO_REQUEST}) AS chats,
       count(*) FILTER (WHERE m.request = 'pending') AS requests
     FROM unnest($1::bigint[]) WITH ORDINALITY AS u(id, nth)
     JOIN members m ON m.user_id = u.id JOIN chats c ON c.id = m.chat_id
     WHERE m.active_day IS NOT NULL AND c.last_seq > m.read_seq
       AND (m.muted_until IS NULL OR m.muted_until <= now())
     GROUP BY u.nth`,
    [userIds],
    'select_unread',
  )
}

/** The chats of this user that have something unread, by their ids. */
export async function selectUnreadIds(db: Db, userId: number, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT c.id FROM members m JOIN chats c ON c.id = m.chat_id
     WHERE m.user_id = $1 AND m.active_day IS NOT NULL AND ${NO_REQUEST}
       AND c.last_seq > m.read_seq ORDER BY c.id LIMIT $2`,
    [userId, limit],
  )
  return rows.map(({ id }) => id)
}

/** [MAIL-4] Of these chats, up to their last messages. The caller holds their locks. */
export async function readChats(db: Db, userId: number, chatIds: readonly string[]) {
  return db.query<{ id: string; last_seq: number }>(
    `UPDATE members m SET read_seq = k.last_seq, changed_at = now(), ${CHANGED_DAY}
     FROM (SELECT c.id, c.last_seq, m.user_id FROM unnest($2::uuid[]) AS w(id)
           JOIN chats c ON c.id = w.id CROSS JOIN LATERAL (
             SELECT * FROM members WHERE chat_id = c.id AND user_id = $1 LIMIT 1) m
           WHERE m.active_day IS NOT NULL AND ${NO_REQUEST} AND c.last_seq > m.read_seq) k
     WHERE m.chat_id = k.id AND m.user_id = k.user_id RETURNING k.id, k.last_seq`,
    [userId, chatIds],
  )
}
