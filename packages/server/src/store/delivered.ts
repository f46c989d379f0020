import { LIMITS } from '@microchatter/protocol'
import type { Db } from './db.ts'

export interface DeliveredKey {
  chatId: string
  userId: number
  seq: number
}

export interface DeliveredRow extends Record<string, unknown> {
  chat_id: string
  user_id: number
  delivered_seq: number
  last_seq: number
  /** null: the chat is too large for its members to be told. */
  rev: number | null
}

/**
 * [RECEIPT-1] Forward only, and not past the last message; `keys` name no member twice. Where all is
 * there already nothing is locked or written. The chats' locks are taken first, in order. In a large
 * chat it is nobody's view that changes, so its rev stays. Returns what it moved.
 */
export async function updateDelivered(db: Db, keys: readonly DeliveredKey[]) {
  // On the first change of a day members.changed_day of all members moves, as in touchChats. Each part
  // is computed once: where a row of members has moved on meanwhile, PostgreSQL looks at its new version
  // with the same row of `s`; a part that is merged into the UPDATE would be read anew, and lose some.
  return db.query<DeliveredRow>(
    `WITH k AS MATERIALIZED (
       SELECT k.chat_id, k.user_id, k.seq
       FROM unnest($1::uuid[], $2::bigint[], $3::int[]) AS k(chat_id, user_id, seq)
       JOIN members m ON m.chat_id = k.chat_id AND m.user_id = k.user_id
       JOIN chats c ON c.id = k.chat_id
       WHERE greatest(m.delivered_seq, m.read_seq) < least(k.seq, c.last_seq)),
     old AS MATERIALIZED (
       SELECT c.id, c.last_seq, c.changed_day, c.member_count <= ${LIMITS.shownMembers} AS is_told
       FROM (SELECT DISTINCT chat_id FROM k) d JOIN chats c ON c.id = d.chat_id
       ORDER BY c.id FOR UPDATE OF c),
     c AS (
       UPDATE chats SET rev = chats.rev + 1, changed_at = now(),
         changed_day = greatest(old.changed_day, current_date)
       FROM old WHERE chats.id = old.id AND old.is_told
       RETURNING chats.id, chats.rev, old.changed_day),
     s AS MATERIALIZED (
       SELECT old.id, old.last_seq, c.rev, k.user_id, k.seq
       FROM old LEFT JOIN c ON c.id = old.id JOIN k ON k.chat_id = old.id
       UNION ALL
       SELECT old.id, old.last_seq, NULL, o.user_id, 0
       FROM c JOIN old ON old.id = c.id JOIN members o ON o.chat_id = c.id
       WHERE c.changed_day < current_date
         AND NOT EXISTS (SELECT FROM k WHERE k.chat_id = c.id AND k.user_id = o.user_id)),
     m AS (
       UPDATE members m SET delivered_seq = greatest(m.delivered_seq, least(s.seq, s.last_seq)),
         changed_day = CASE WHEN s.rev IS NULL AND s.seq > 0 THEN m.changed_day
           ELSE greatest(m.changed_day, current_date) END
       FROM s WHERE m.chat_id = s.id AND m.user_id = s.user_id
       RETURNING m.chat_id, m.user_id, m.delivered_seq, s.last_seq, s.rev, s.seq)
     SELECT chat_id, user_id, delivered_seq, last_seq, rev FROM m WHERE seq > 0`,
    [
      keys.map(({ chatId }) => chatId),
      keys.map(({ userId }) => userId),
      keys.map(({ seq }) => seq),
    ],
    'update_delivered',
  )
}

export interface ReceiptRow extends Record<string, unknown> {
  read: number
  delivered: number
  /** null: the page is empty. */
  username: string | null
  has_read: boolean | null
}

/**
 * [RECEIPT-4] Who has this message, without its sender, who keeps it to oneself, who has not accepted the
 * chat, and who came later and cannot see it; by username, those after `after`. Each row has the counts.
 */
export async function selectReceipts(
  db: Db,
  {
    chatId,
    seq,
    after,
    limit,
  }: { chatId: string; seq: number; after: string | undefined; limit: number },
): Promise<ReceiptRow[]> {
  return db.query<ReceiptRow>(
    `WITH r AS MATERIALIZED (
       SELECT u.username, m.read_seq >= $2 AS has_read
       FROM messages l JOIN members m ON m.chat_id = l.chat_id AND m.user_id <> l.sender_id
       JOIN users u ON u.id = m.user_id
       WHERE l.chat_id = $1 AND l.seq = $2 AND greatest(m.read_seq, m.delivered_seq) >= $2
         AND u.receipts AND u.username IS NOT NULL AND m.request IS NULL
         AND m.joined_at <= l.created_at)
     SELECT n.read, n.delivered, p.username, p.has_read
     FROM (SELECT count(*) FILTER (WHERE has_read) AS read, count(*) AS delivered FROM r) n
     LEFT JOIN LATERAL (
       SELECT * FROM r WHERE $3::text IS NULL OR username > $3 ORDER BY username LIMIT $4) p ON true
     ORDER BY p.username`,
    [chatId, seq, after, limit],
  )
}
