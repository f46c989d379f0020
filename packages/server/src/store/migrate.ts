/** Raw, numbered, forward-only SQL files, applied in order; two nodes that start at once do it once. */
import { readdir, readFile } from 'node:fs/promises'
import type { Database, Db } from './db.ts'

const FOLDER = new URL('../../migrations/', import.meta.url)
const BUNDLED = new URL('../migrations/', import.meta.url)

export interface Migration {
  number: number
  name: string
  sql: string
}

class SchemaTooNew extends Error {}

async function readMigrations(): Promise<Migration[]> {
  const folder = import.meta.url.endsWith('.ts') ? FOLDER : BUNDLED
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => ({
      number: Number.parseInt(name, 10),
      name,
      sql: await readFile(new URL(name, folder), 'utf8'),
    })),
  )
}

/** Returns the names of what it applied. @throws SchemaTooNew where a newer release has been here. */
export async function migrate(db: Database): Promise<string[]> {
  // Most starts find all done, and need no lock.
  if ((await openMigrations(db)).length === 0) return []
  await createSchema(db)
  return db.transaction(
    async (tx) => {
      await tx.query("SET LOCAL lock_timeout TO '60s'; SET LOCAL statement_timeout TO 0")
      await tx.query('LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE')
      const open = await openMigrations(tx)
      for (const { number, name, sql } of open) {
        await tx.query(sql)
        await tx.query('INSERT INTO migrations (number, name) VALUES ($1, $2)', [number, name])
      }
      return open.map(({ name }) => name)
    },
    { maxMs: Infinity },
  )
}

/** What is not applied yet. @throws SchemaTooNew */
export async function openMigrations(db: Db): Promise<Migration[]> {
  const migrations = await readMigrations()
  const done = await appliedMigrations(db).catch(noTable)
  refuseNewer(done, migrations)
  return migrations.filter(({ number }) => !done.has(number))
}

async function appliedMigrations(db: Db): Promise<Set<number>> {
  const rows = await db.query<{ number: number }>('SELECT number FROM migrations')
  return new Set(rows.map(({ number }) => number))
}

function refuseNewer(done: Set<number>, migrations: Migration[]): void {
  const newest = Math.max(0, ...migrations.map(({ number }) => number))
  const unknown = [...done].filter((number) => number > newest)
  if (unknown.length === 0) return
  throw new SchemaTooNew(
    `The database has migration ${Math.max(...unknown)}, this release knows ${newest} at most. Start the newer release, or restore the backup from before it.`,
  )
}

/** `IF NOT EXISTS` can still collide when two sessions create at the same moment: then it exists. */
async function createSchema(db: Database): Promise<void> {
  const [found] = await db.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [db.schema])
  if (!found) await ignoreExisting(db.query(`CREATE SCHEMA IF NOT EXISTS "${db.schema}"`))
  await ignoreExisting(
    db.query(`CREATE TABLE IF NOT EXISTS migrations (
      number integer PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now())`),
  )
}

async function ignoreExisting(work: Promise<unknown>): Promise<void> {
  await work.catch((error: { code?: string }) => {
    if (!['42P06', '42P07', '23505'].includes(error.code ?? '')) throw error
  })
}

/** 42P01: nothing was ever applied. Anything else is for the caller. */
function noTable(error: Error & { code?: string }): Set<number> {
  if (error.code !== '42P01') throw error
  return new Set()
}
