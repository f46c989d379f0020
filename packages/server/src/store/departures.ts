/** Who is no longer in a group: devices that were away hear of it, and the removed do not come back. */
import type { Db, Nth } from './db.ts'
import type { ChangesKey } from './members.ts'

export interface Departure {
  chatId: string
  userId: number
  /** Of the chat, as it was left. */
  rev: number
  banned: boolean
}

export async function insertDeparture(tx: Db, { chatId, userId, rev, banned }: Departure) {
  await tx.query(
    `INSERT INTO departures (user_id, chat_id, rev, banned) VALUES ($1, $2, $3, $4)
     ON CONFLICT (user_id, chat_id) DO UPDATE
     SET rev = excluded.rev, banned = excluded.banned, left_at = now()`,
    [userId, chatId, rev, banned],
  )
}

export async function isBanned(tx: Db, chatId: string, userId: number): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM departures WHERE user_id = $1 AND chat_id = $2 AND banned',
    [userId, chatId],
  )
  return rows.length > 0
}

export interface DepartureRow extends Nth {
  chat_id: string
  rev: number
}

/** For each key the groups that this user has left since then, at most `limit`. */
export async function selectDepartures(db: Db, keys: readonly ChangesKey[], limit: number) {
  return db.query<DepartureRow>(
    `SELECT w.nth::int AS nth, d.chat_id, d.rev
     FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS w(user_id, since, nth), LATERAL (
       SELECT * FROM departures WHERE user_id = w.user_id AND left_at >= w.since
       ORDER BY left_at DESC LIMIT $3) d`,
    [keys.map(({ userId }) => userId), keys.map(({ since }) => since), limit],
    'select_departures',
  )
}

/** The account is gone. */
export async function deleteDepartures(tx: Db, userId: number): Promise<void> {
  await tx.query('DELETE FROM departures WHERE user_id = $1', [userId])
}

/** Whoever was away for longer starts fresh [SYNC-2]. */
export async function deleteOldDepartures(db: Db): Promise<void> {
  await db.query(`DELETE FROM departures WHERE NOT banned AND left_at < now() - interval '91 days'`)
}
