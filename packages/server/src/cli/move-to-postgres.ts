import { ConfigError, databaseOptions } from '../config.ts'
import { openDatabase } from '../store/db.ts'
import { migrate } from '../store/migrate.ts'
import { moveDatabase } from './move.ts'
import { withDatabase } from './open.ts'

export async function moveToPostgres(url: string): Promise<void> {
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new Error('Say where to: microchatter move postgres://role:password@host:5432/database')
  await withDatabase(async (source, { config }) => {
    if (source.engine !== 'embedded')
      throw new ConfigError([
        'DATABASE_URL is set, so the embedded database would not be the one that is moved; unset it for this command',
      ])
    const target = await openDatabase(databaseOptions(config, url))
    try {
      await migrate(target)
      await moveDatabase(source, target, { err: process.stderr })
    } finally {
      await target.close()
    }
    process.stdout.write('Moved. Set DATABASE_URL and start.\n')
  })
}
