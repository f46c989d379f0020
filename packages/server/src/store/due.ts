import type { Db } from './db.ts'

/** Milliseconds until the next of each is due, 0 or less where it is; null: there is none. */
export interface Waits {
  expiring: number | null
  scheduled: number | null
  reminders: number | null
}

export async function selectWaits(db: Db): Promise<Waits> {
  const wait = (due: string) => `ceil(extract(epoch FROM ${due} - now()) * 1000)::float8`
  const [row] = await db.query<Waits & Record<string, unknown>>(
    `SELECT (SELECT ${wait('min(expires_at)')} FROM expiring) AS expiring,
       (SELECT ${wait('min(try_at)')} FROM scheduled WHERE failed IS NULL) AS scheduled,
       (SELECT ${wait('min(due_at)')} FROM reminders WHERE NOT told) AS reminders`,
    [],
    'select_waits',
  )
  return row ?? { expiring: null, scheduled: null, reminders: null }
}
