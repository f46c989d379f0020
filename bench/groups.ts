/** Groups of the generator's users, made by SQL: thousands of calls would take longer than the bench. */
import pg from 'pg'

/**
 * user0, user1, … are its members, and user0 owns it; as if all had been in it since before today's
 * first message.
 */
export async function makeGroup(
  connectionString: string,
  { chatId, members }: { chatId: string; members: number },
): Promise<void> {
  const client = new pg.Client({ connectionString, options: '-c search_path=microchatter' })
  await client.connect()
  try {
    await client.query(
      `INSERT INTO users (username) SELECT 'user' || n FROM generate_series(0, $1::int - 1) n
       ON CONFLICT DO NOTHING`,
      [members],
    )
    await client.query(
      `WITH chat AS (
         INSERT INTO chats (id, kind, title, active_day, member_count)
         VALUES ($2, 'group', 'Group', current_date, $1) RETURNING id)
       INSERT INTO members (chat_id, user_id, role, active_day)
       SELECT chat.id, u.id, CASE n WHEN 0 THEN 'owner' ELSE 'member' END, current_date
       FROM chat, generate_series(0, $1::int - 1) n JOIN users u ON u.username = 'user' || n`,
      [members, chatId],
    )
    await client.query('ANALYZE')
  } finally {
    await client.end()
  }
}
