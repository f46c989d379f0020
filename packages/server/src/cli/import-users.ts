import { withDatabase } from './open.ts'
import { importUsersFile } from './users-import.ts'

export async function importUsers(
  file: string,
  { format, dryRun }: { format?: string; dryRun: boolean },
): Promise<void> {
  if (format !== undefined && format !== 'csv' && format !== 'ndjson')
    throw new Error('--format must be csv or ndjson')
  const { bad } = await withDatabase((db) =>
    importUsersFile(db, { file, format, dryRun, out: process.stdout, err: process.stderr }),
  )
  // What was good is in; the exit code tells a script that not all was.
  if (bad > 0) process.exitCode = 1
}
