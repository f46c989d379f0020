import type { Db } from './db.ts'

/** The secret of this name that all nodes share: `fresh`, where there is none yet. */
export async function shareKey(db: Db, name: string, fresh: Uint8Array): Promise<Buffer> {
  await db.query('INSERT INTO keys (name, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    name,
    fresh,
  ])
  const [row] = await db.query<{ secret: Buffer }>('SELECT secret FROM keys WHERE name = $1', [
    name,
  ])
  if (!row) throw new Error(`The key "${name}" is missing`)
  return row.secret
}
