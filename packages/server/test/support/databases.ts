import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../src/store/db.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createDatabase, hasPostgres } from './postgres.ts'

export interface TestDatabase {
  db: Database
  /** For settings: DATABASE_URL and MICROCHATTER_DATA_DIR of another process or server. */
  url: string
  dataDir: string
  drop(): Promise<void>
}

export const engines = ['postgres', 'embedded'] as const
export type Engine = (typeof engines)[number]

/** Why tests on this engine cannot run here; false: they can. */
export function skipOf(engine: Engine): string | false {
  return engine === 'postgres' && !hasPostgres() ? 'needs PostgreSQL' : false
}

/** A fresh, migrated database of its own. */
export async function freshDatabase(engine: Engine): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'microchatter-test-'))
  const postgres = engine === 'postgres' ? await createDatabase() : undefined
  const url = postgres?.url ?? ''
  const db = await openDatabase({ ...OPTIONS, url, dataDir })
  await migrate(db)
  return {
    db,
    url,
    dataDir,
    async drop() {
      await db.close()
      await postgres?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const OPTIONS = {
  schema: `t_${randomBytes(4).toString('hex')}`,
  poolSize: 10,
  connectTimeoutMs: 2_000,
  queryTimeoutMs: 5_000,
}
