/** Messages that disappear. */
import type { Db } from './db.ts'
import { releaseFiles } from './files.ts'

interface Due extends Record<string, unknown> {
  chat_id: string
  seq: number
}

/** Those whose time has come, the oldest first. */
export async function selectExpired(db: Db, limit: number): Promise<Due[]> {
  return db.query<Due>(
    `SELECT chat_id, seq FROM expiring WHERE expires_at <= now() ORDER BY expires_at LIMIT $1`,
    [limit],
    'select_expired',
  )
}

/** Takes those that are still to be erased. The caller holds the chat's lock, so one node has them. */
export async function takeExpired(db: Db, chatId: string, seqs: number[]): Promise<number[]> {
  const rows = await db.query<{ seq: number }>(
    `DELETE FROM expiring WHERE chat_id = $1 AND seq = ANY($2::int[]) AND expires_at <= now()
     RETURNING seq`,
    [chatId, seqs],
  )
  return rows.map(({ seq }) => seq).sort((a, b) => a - b)
}

/** What is beside the messages; who was mentioned stays, until it is read, and who had deleted it. */
export async function eraseBeside(db: Db, chatId: string, seqs: number[]): Promise<void> {
  for (const table of ['reactions', 'votes', 'pins', 'message_edits'])
    await db.query(`DELETE FROM ${table} WHERE chat_id = $1 AND seq = ANY($2::int[])`, [
      chatId,
      seqs,
    ])
  await releaseFiles(db, chatId, seqs)
  await db.query(
    `DELETE FROM marks k USING members m
     WHERE m.chat_id = $1 AND m.has_marks AND k.user_id = m.user_id AND k.chat_id = $1
       AND k.seq = ANY($2::int[]) AND NOT k.deleted`,
    [chatId, seqs],
  )
}

/** Of these messages those that nobody has deleted; the others are done with. */
export async function settleDeleted(db: Db, chatId: string, seqs: number[]): Promise<number[]> {
  await db.query(
    `UPDATE messages SET content = content - 'expiresAt'
     WHERE chat_id = $1 AND seq = ANY($2::int[]) AND content ? 'deletedAt'`,
    [chatId, seqs],
  )
  const rows = await db.query<{ seq: number }>(
    `SELECT seq FROM messages
     WHERE chat_id = $1 AND seq = ANY($2::int[]) AND NOT coalesce(content ? 'deletedAt', false)
     ORDER BY seq`,
    [chatId, seqs],
  )
  return rows.map(({ seq }) => seq)
}

/** The first of them is the change after `changes`, and so on. */
export async function eraseMessages(
  db: Db,
  { chatId, seqs, changes }: { chatId: string; seqs: number[]; changes: number },
): Promise<void> {
  await db.query(
    `UPDATE messages m SET body = '', change = $3 + n.nth, content = jsonb_strip_nulls(
       jsonb_build_object('deletedAt', m.content -> 'expiresAt', 'thread', m.content -> 'thread',
         'threaded', m.content -> 'threaded', 'mentions', m.content -> 'mentions',
         'mentionAll', m.content -> 'mentionAll'))
     FROM unnest($2::int[]) WITH ORDINALITY AS n(seq, nth)
     WHERE m.chat_id = $1 AND m.seq = n.seq`,
    [chatId, seqs, changes],
  )
}

/** Of a chat that is not there. */
export async function deleteExpiring(db: Db, chatId: string): Promise<void> {
  await db.query('DELETE FROM expiring WHERE chat_id = $1', [chatId])
}
