import type { Db } from './db.ts'

export interface FirstCall extends Record<string, unknown> {
  request_hash: Buffer
  /** null while the first call is still at work. */
  status: number | null
  answer: unknown
}

/** Claims the key for this call; where it is taken, returns the first call's row. */
export async function claimKey(
  db: Db,
  { userId, key, hash }: { userId: number; key: string; hash: Buffer },
): Promise<FirstCall | undefined> {
  // A claim without an answer after a minute belongs to a process that died.
  const claimed = await db.query(
    `INSERT INTO idempotency AS i (user_id, key, request_hash) VALUES ($1, $2, $3)
     ON CONFLICT (user_id, key) DO UPDATE SET created_at = now(), request_hash = $3
       WHERE i.status IS NULL AND i.created_at < now() - interval '1 minute'
     RETURNING user_id`,
    [userId, key, hash],
  )
  if (claimed.length === 1) return undefined
  const [first] = await db.query<FirstCall>(
    'SELECT request_hash, status, answer FROM idempotency WHERE user_id = $1 AND key = $2',
    [userId, key],
  )
  return first ?? { request_hash: hash, status: null, answer: null }
}

export async function storeAnswer(
  db: Db,
  { userId, key, status, answer }: { userId: number; key: string; status: number; answer: unknown },
): Promise<void> {
  await db.query(
    'UPDATE idempotency SET status = $3, answer = $4 WHERE user_id = $1 AND key = $2',
    [userId, key, status, JSON.stringify(answer)],
  )
}

export async function releaseKey(db: Db, userId: number, key: string): Promise<void> {
  await db.query('DELETE FROM idempotency WHERE user_id = $1 AND key = $2 AND status IS NULL', [
    userId,
    key,
  ])
}

export async function deleteOldKeys(db: Db): Promise<void> {
  await db.query(`DELETE FROM idempotency WHERE created_at < now() - interval '48 hours'`)
}
