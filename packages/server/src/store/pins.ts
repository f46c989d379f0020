import type { Db } from './db.ts'

/** The caller holds the chat's lock. */
export async function insertPin(db: Db, chatId: string, seq: number, userId: number) {
  await db.query(
    `INSERT INTO pins (chat_id, seq, pinned_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [chatId, seq, userId],
  )
}

export async function deletePin(db: Db, chatId: string, seq: number): Promise<void> {
  await db.query('DELETE FROM pins WHERE chat_id = $1 AND seq = $2', [chatId, seq])
}

export async function countPins(db: Db, chatId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM pins WHERE chat_id = $1',
    [chatId],
  )
  return row?.count ?? 0
}

/** The newest pin first. */
export async function selectPins(db: Db, chatId: string): Promise<number[]> {
  const rows = await db.query<{ seq: number }>(
    'SELECT seq FROM pins WHERE chat_id = $1 ORDER BY pinned_at DESC, seq DESC',
    [chatId],
  )
  return rows.map(({ seq }) => seq)
}
