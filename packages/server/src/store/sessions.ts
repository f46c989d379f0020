import type { Db } from './db.ts'

export interface SessionRow extends Record<string, unknown> {
  id: string
  user_id: number
  created_at: Date
  last_used_at: Date
  expires_at: Date
  address: string | null
  user_agent: string | null
}

const COLUMNS = 'id, user_id, created_at, last_used_at, expires_at, address, user_agent'

export interface NewSession {
  id: string
  tokenHash: Buffer
  userId: number
  expiresAt: Date
  address: string | undefined
  userAgent: string | undefined
}

export async function insertSession(db: Db, session: NewSession): Promise<void> {
  const { id, tokenHash, userId, expiresAt, address, userAgent } = session
  await db.query(
    `INSERT INTO sessions (id, token_hash, user_id, expires_at, address, user_agent)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, tokenHash, userId, expiresAt, address, userAgent],
  )
}

/** Of more than `keep` sessions the longest unused go. */
export async function trimSessions(db: Db, userId: number, keep: number): Promise<void> {
  await db.query(
    `DELETE FROM sessions WHERE id IN (
       SELECT id FROM sessions WHERE user_id = $1 ORDER BY last_used_at DESC OFFSET $2)`,
    [userId, keep],
  )
}

export async function selectSession(db: Db, tokenHash: Buffer): Promise<SessionRow | undefined> {
  const rows = await db.query<SessionRow>(
    `SELECT ${COLUMNS} FROM sessions WHERE token_hash = $1`,
    [tokenHash],
    'select_session',
  )
  return rows[0]
}

export async function selectSessions(db: Db, userId: number): Promise<SessionRow[]> {
  return db.query<SessionRow>(
    `SELECT ${COLUMNS} FROM sessions WHERE user_id = $1 AND expires_at > now()
     ORDER BY created_at DESC, id`,
    [userId],
  )
}

export async function touchSession(db: Db, id: string): Promise<void> {
  await db.query('UPDATE sessions SET last_used_at = now() WHERE id = $1', [id])
}

/** false where the user has no such session. */
export async function deleteSession(db: Db, userId: number, id: string): Promise<boolean> {
  const rows = await db.query('DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING id', [
    userId,
    id,
  ])
  return rows.length === 1
}

export async function deleteSessions(db: Db, userId: number): Promise<void> {
  await db.query('DELETE FROM sessions WHERE user_id = $1', [userId])
}

export async function deleteSessionsBut(db: Db, userId: number, keep: string | undefined) {
  await db.query('DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2', [
    userId,
    keep,
  ])
}

export async function deleteExpiredSessions(db: Db, idleDays: number): Promise<void> {
  await db.query(
    `DELETE FROM sessions
     WHERE expires_at < now() OR last_used_at < now() - make_interval(days => $1)`,
    [idleDays],
  )
}

/** Which of these sessions are still there. */
export async function selectLivingSessions(db: Db, ids: string[]): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>(
    'SELECT id FROM sessions WHERE id = ANY($1::uuid[])',
    [ids],
  )
  return new Set(rows.map((row) => row.id))
}
