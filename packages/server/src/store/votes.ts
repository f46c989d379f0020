import type { Db } from './db.ts'

/** What this user has chosen, from 0, in order. */
export async function selectVotes(db: Db, chatId: string, seq: number, userId: number) {
  const rows = await db.query<{ option: number }>(
    'SELECT option FROM votes WHERE chat_id = $1 AND seq = $2 AND user_id = $3 ORDER BY option',
    [chatId, seq, userId],
  )
  return rows.map(({ option }) => option)
}

/** In place of what it had chosen before. The caller holds the chat's lock. */
export async function replaceVotes(
  db: Db,
  {
    chatId,
    seq,
    userId,
    options,
  }: {
    chatId: string
    seq: number
    userId: number
    options: number[]
  },
): Promise<void> {
  await db.query('DELETE FROM votes WHERE chat_id = $1 AND seq = $2 AND user_id = $3', [
    chatId,
    seq,
    userId,
  ])
  await db.query(
    `INSERT INTO votes (chat_id, seq, user_id, option)
     SELECT $1, $2, $3, unnest($4::smallint[])`,
    [chatId, seq, userId, options],
  )
}

/** All of a message. */
export async function deleteVotes(db: Db, chatId: string, seq: number): Promise<void> {
  await db.query('DELETE FROM votes WHERE chat_id = $1 AND seq = $2', [chatId, seq])
}
