import { type Config, databaseOptions, loadConfig } from '../config.ts'
import { type Database, openDatabase } from '../store/db.ts'
import { migrate, openMigrations } from '../store/migrate.ts'

/** Opens the database of the settings, up to date, for as long as `work` takes. */
export function withDatabase<T>(
  work: (db: Database, context: { config: Config; applied: string[] }) => Promise<T>,
): Promise<T> {
  return withOpen(async (db, config) => work(db, { config, applied: await migrate(db) }))
}

/** As `withDatabase`, but changes nothing. @throws Error where the database is not up to date */
export function withDatabaseAsIs<T>(work: (db: Database) => Promise<T>): Promise<T> {
  return withOpen(async (db) => {
    const [open] = await openMigrations(db)
    if (open)
      throw new Error(
        `The database lacks ${open.name} of this release. Run \`microchatter migrate\`, or the release that it is of`,
      )
    return work(db)
  })
}

async function withOpen<T>(work: (db: Database, config: Config) => Promise<T>): Promise<T> {
  const { config } = loadConfig()
  const db = await openDatabase(databaseOptions(config))
  try {
    return await work(db, config)
  } finally {
    await db.close()
  }
}
