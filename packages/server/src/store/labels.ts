/** members.labels: the folders of a user. */
import type { LabelCount } from '@microchatter/protocol'
import type { Db } from './db.ts'
import { NO_REQUEST } from './members.ts'
import { lockUser } from './users.ts'

/** By name. */
export async function selectLabels(db: Db, userId: number): Promise<LabelCount[]> {
  return db.query<LabelCount & Record<string, unknown>>(
    `SELECT l.label, count(*) AS chats, coalesce(sum(c.last_seq - m.read_seq)
         FILTER (WHERE m.muted_until IS NULL OR m.muted_until <= now()), 0)::bigint AS unread
     FROM members m JOIN chats c ON c.id = m.chat_id, unnest(m.labels) AS l(label)
     WHERE m.user_id = $1 AND m.labels IS NOT NULL AND m.active_day IS NOT NULL AND ${NO_REQUEST}
     GROUP BY l.label ORDER BY l.label COLLATE "C"`,
    [userId],
  )
}

/** Takes the user's lock: of two calls at once, the second one counts what the first has added. */
export async function countLabels(tx: Db, userId: number): Promise<number> {
  await lockUser(tx, userId)
  const [row] = await tx.query<{ labels: number }>(
    `SELECT count(DISTINCT l.label) AS labels FROM members m, unnest(m.labels) AS l(label)
     WHERE m.user_id = $1 AND m.labels IS NOT NULL`,
    [userId],
  )
  return row?.labels ?? 0
}

/** What a deleted account had for itself. */
export async function eraseMailbox(tx: Db, userId: number): Promise<void> {
  await tx.query(
    `UPDATE members SET draft = NULL, labels = NULL
     WHERE user_id = $1 AND (draft IS NOT NULL OR labels IS NOT NULL)`,
    [userId],
  )
}
