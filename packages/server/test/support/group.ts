/** A group as rows, where a test is not about how one comes about. */
import { randomUUID } from 'node:crypto'
import type { Db } from '../../src/store/db.ts'

/** Its members in the order of their names; `extra` more are users that nobody logs in as. */
export async function insertGroup(
  db: Db,
  usernames: readonly string[],
  extra = 0,
): Promise<{ chatId: string; others: string[] }> {
  const chatId = randomUUID()
  const others = Array.from({ length: extra }, (_, index) => `${chatId}-${index}`)
  await db.query('INSERT INTO users (username) SELECT unnest($1::text[])', [others])
  const all = [...usernames, ...others]
  await db.query(
    `INSERT INTO chats (id, kind, title, member_count) VALUES ($1, 'group', 'Group', $2)`,
    [chatId, all.length],
  )
  await db.query(
    `INSERT INTO members (chat_id, user_id, active_day, changed_at)
     SELECT $1, id, current_date, now() FROM users WHERE username = ANY($2::text[])`,
    [chatId, all],
  )
  return { chatId, others }
}
