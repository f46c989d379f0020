import { type Config, databaseOptions, loadConfig } from '../config.ts'
import { type Database, openDatabase } from '../store/db.ts'
import { migrate } from '../store/migrate.ts'

/** Opens the database of the settings, up to date, for as long as `work` takes. */
export async function withDatabase<T>(
  work: (db: Database, context: { config: Config; applied: string[] }) => Promise<T>,
): Promise<T> {
  const { config } = loadConfig()
  const db = await openDatabase(databaseOptions(config))
  try {
    const applied = await migrate(db)
    return await work(db, { config, applied })
  } finally {
    await db.close()
  }
}
