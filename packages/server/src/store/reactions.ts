import type { Db } from './db.ts'

interface Key {
  chatId: string
  seq: number
  emoji: string
  userId: number
}

/** false where it stood already. The caller holds the chat's lock. */
export async function insertReaction(db: Db, { chatId, seq, emoji, userId }: Key) {
  const rows = await db.query(
    `INSERT INTO reactions (chat_id, seq, emoji, user_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING RETURNING seq`,
    [chatId, seq, emoji, userId],
  )
  return rows.length === 1
}

export async function deleteReaction(db: Db, { chatId, seq, emoji, userId }: Key) {
  const rows = await db.query(
    `DELETE FROM reactions WHERE chat_id = $1 AND seq = $2 AND emoji = $3 AND user_id = $4
     RETURNING seq`,
    [chatId, seq, emoji, userId],
  )
  return rows.length === 1
}

/** All of a message. */
export async function deleteReactions(db: Db, chatId: string, seq: number): Promise<void> {
  await db.query('DELETE FROM reactions WHERE chat_id = $1 AND seq = $2', [chatId, seq])
}

/** Different ones on a message. */
export async function selectEmoji(db: Db, chatId: string, seq: number): Promise<string[]> {
  const rows = await db.query<{ emoji: string }>(
    'SELECT DISTINCT emoji FROM reactions WHERE chat_id = $1 AND seq = $2',
    [chatId, seq],
  )
  return rows.map(({ emoji }) => emoji)
}

export interface ReactorRow extends Record<string, unknown> {
  emoji: string
  user_id: number
  username: string
  created_at: Date
}

/** Who reacted, by emoji and then by user; after that pair. */
export async function selectReactors(
  db: Db,
  {
    chatId,
    seq,
    after,
    limit,
  }: {
    chatId: string
    seq: number
    after: { emoji: string; userId: number } | undefined
    limit: number
  },
): Promise<ReactorRow[]> {
  return db.query<ReactorRow>(
    `SELECT r.emoji, r.user_id, u.username, r.created_at
     FROM reactions r JOIN users u ON u.id = r.user_id
     WHERE r.chat_id = $1 AND r.seq = $2 AND u.username IS NOT NULL
       AND ($3::text IS NULL OR (r.emoji, r.user_id) > ($3, $4::bigint))
     ORDER BY r.emoji, r.user_id LIMIT $5`,
    [chatId, seq, after?.emoji, after?.userId, limit],
  )
}
