import type { Db } from './db.ts'

export interface EditRow extends Record<string, unknown> {
  change: number
  body: string
  edited_by: string | null
  edited_at: Date
}

/** Keeps what the message is before its change with this number. The caller holds the chat's lock. */
export async function insertEdit(
  db: Db,
  { chatId, seq, change, userId }: { chatId: string; seq: number; change: number; userId: number },
): Promise<void> {
  await db.query(
    `INSERT INTO message_edits (chat_id, seq, change, body, content, edited_by)
     SELECT chat_id, seq, $3, body, content, $4 FROM messages WHERE chat_id = $1 AND seq = $2`,
    [chatId, seq, change, userId],
  )
}

/** The oldest first. */
export async function selectEdits(
  db: Db,
  { chatId, seq, after, limit }: { chatId: string; seq: number; after: number; limit: number },
): Promise<EditRow[]> {
  return db.query<EditRow>(
    `SELECT e.change, e.body, u.username AS edited_by, e.edited_at
     FROM message_edits e JOIN users u ON u.id = e.edited_by
     WHERE e.chat_id = $1 AND e.seq = $2 AND e.change > $3 ORDER BY e.change LIMIT $4`,
    [chatId, seq, after, limit],
  )
}
