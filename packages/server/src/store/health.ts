import type { Db } from './db.ts'

export async function ping(db: Db): Promise<void> {
  await db.query('SELECT 1')
}

/** What the operator of the database has to answer for, in words; empty where all is well. */
export async function selectRisks(db: Db): Promise<string[]> {
  const [row] = await db.query<Record<string, string | boolean>>(
    `SELECT current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser`,
  )
  if (!row) return []
  const risks = ['fsync', 'full_page_writes', 'synchronous_commit']
    .filter((name) => row[name] === 'off')
    .map(
      (name) =>
        `PostgreSQL has ${name} off, so acknowledged messages may be lost; turn it on (ALTER SYSTEM SET ${name} TO on, then reload)`,
    )
  if (row.superuser === true)
    risks.push(
      'The database role is a superuser; make one without special rights that owns the schema (docs/operations.md), and put it into DATABASE_URL',
    )
  return risks
}

/** true: the clocks of this host and of the database differ by more than 5 s. */
export async function hasOtherClock(db: Db): Promise<boolean> {
  const [row] = await db.query<{ differs: boolean }>(
    'SELECT abs(extract(epoch FROM clock_timestamp()) - $1::float8) > 5 AS differs',
    [Date.now() / 1_000],
  )
  return row?.differs === true
}
