import type { Db } from './db.ts'

interface KeyOf {
  userId: number
  key: string
}

interface FirstAnswer extends Record<string, unknown> {
  request_hash: Buffer
  answer: unknown
}

/** false while another transaction has it. It is free at the end of this one, however that ends. */
export async function lockKey(tx: Db, { userId, key }: KeyOf): Promise<boolean> {
  const [row] = await tx.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1)) AS locked',
    [userId, key],
  )
  return row?.locked === true
}

export async function selectAnswer(
  tx: Db,
  { userId, key }: KeyOf,
): Promise<FirstAnswer | undefined> {
  const [first] = await tx.query<FirstAnswer>(
    'SELECT request_hash, answer FROM idempotency WHERE user_id = $1 AND key = $2',
    [userId, key],
  )
  return first
}

export async function insertAnswer(
  tx: Db,
  { userId, key, hash, answer }: KeyOf & { hash: Buffer; answer: unknown },
): Promise<void> {
  await tx.query(
    'INSERT INTO idempotency (user_id, key, request_hash, answer) VALUES ($1, $2, $3, $4)',
    [userId, key, hash, JSON.stringify(answer)],
  )
}

export async function deleteOldKeys(db: Db): Promise<void> {
  await db.query(`DELETE FROM idempotency WHERE created_at < now() - interval '48 hours'`)
}
