import { withDatabase } from './open.ts'

export async function migrateOnly(): Promise<void> {
  const applied = await withDatabase(async (_db, { applied: names }) => names)
  const done = applied.length === 0 ? 'The schema is up to date' : `Applied ${applied.join(', ')}`
  process.stdout.write(`${done}.\n`)
}
