import type { Db } from './db.ts'

/** They are counted up to here. */
const MOST = 100

export interface Mentioned {
  id: string
  user_id: number
  read_seq: number
  is_mentioned: boolean
  mentions?: number
}

/** How many unread messages mention the members whose chats say that there may be some. */
export async function addMentions<R extends Mentioned>(db: Db, rows: R[]): Promise<R[]> {
  const some = rows.filter(({ is_mentioned }) => is_mentioned)
  if (some.length === 0) return rows
  const counted = await db.query<{ nth: number; mentions: number }>(
    `SELECT k.nth::int AS nth, (SELECT count(*) FROM (
       SELECT FROM mentions n WHERE n.chat_id = k.id AND n.user_id IN (k.user_id, 0)
         AND n.seq > k.read_seq LIMIT ${MOST}) n)::int AS mentions
     FROM unnest($1::uuid[], $2::bigint[], $3::int[]) WITH ORDINALITY AS k(id, user_id, read_seq, nth)`,
    [
      some.map(({ id }) => id),
      some.map(({ user_id }) => user_id),
      some.map(({ read_seq }) => read_seq),
    ],
    'select_mentions',
  )
  for (const { nth, mentions } of counted) {
    const row = some[nth - 1]
    if (row) row.mentions = mentions
  }
  return rows
}
