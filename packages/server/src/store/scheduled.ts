/** Messages to be sent later. */
import type { Db } from './db.ts'

export interface ScheduledRow extends Record<string, unknown> {
  id: string
  user_id: number
  chat_id: string
  /** null: it needs no text, or passes one on. */
  body: string | null
  extras: Record<string, unknown>
  due_at: Date
  created_at: Date
  failed: string | null
}

export interface ClaimedRow extends ScheduledRow {
  /** null: the account was deleted. */
  username: string | null
  active: boolean
  role: 'user' | 'admin'
}

const COLUMNS = 's.id, s.user_id, s.chat_id, s.body, s.extras, s.due_at, s.created_at, s.failed'
/** What was begun and is not known to be sent is tried again then. */
const AGAIN = `interval '5 seconds'`

export interface NewScheduled {
  id: string
  userId: number
  chatId: string
  body: string | undefined
  extras: object
  dueAt: Date
}

export async function insertScheduled(db: Db, scheduled: NewScheduled): Promise<ScheduledRow> {
  const { id, userId, chatId, body, extras, dueAt } = scheduled
  const [row] = await db.query<ScheduledRow>(
    `INSERT INTO scheduled AS s (id, user_id, chat_id, body, extras, due_at, try_at)
     VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING ${COLUMNS}`,
    [id, userId, chatId, body, JSON.stringify(extras), dueAt],
  )
  if (!row) throw new Error('A scheduled message was not stored')
  return row
}

export async function countScheduled(db: Db, userId: number): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    'SELECT count(*) AS count FROM scheduled WHERE user_id = $1',
    [userId],
  )
  return row?.count ?? 0
}

/** The soonest first. */
export async function selectScheduled(
  db: Db,
  userId: number,
  { after, limit }: { after: { dueAt: Date; id: string } | undefined; limit: number },
): Promise<ScheduledRow[]> {
  return db.query<ScheduledRow>(
    `SELECT ${COLUMNS} FROM scheduled s WHERE s.user_id = $1
       AND ($2::timestamptz IS NULL OR (s.due_at, s.id) > ($2, $3::uuid))
     ORDER BY s.due_at, s.id LIMIT $4`,
    [userId, after?.dueAt, after?.id, limit],
  )
}

export interface ScheduledKey {
  id: string
  userId: number
}

/** `taken`: it is being sent. undefined: there is none, or it is another's. */
export async function selectScheduledOne(db: Db, { id, userId }: ScheduledKey) {
  const [row] = await db.query<ScheduledRow & { taken: boolean }>(
    `SELECT ${COLUMNS}, s.taken FROM scheduled s WHERE s.id = $1 AND s.user_id = $2 FOR UPDATE`,
    [id, userId],
  )
  return row
}

/** Of one that no node has taken. */
export async function updateScheduled(
  db: Db,
  id: string,
  { body, dueAt }: { body?: string | undefined; dueAt?: Date | undefined },
): Promise<ScheduledRow | undefined> {
  const [row] = await db.query<ScheduledRow>(
    `UPDATE scheduled s SET body = coalesce($2, s.body), due_at = coalesce($3, s.due_at),
       try_at = coalesce($3, s.try_at), failed = CASE WHEN $3::timestamptz IS NULL THEN s.failed END
     WHERE s.id = $1 RETURNING ${COLUMNS}`,
    [id, body, dueAt],
  )
  return row
}

/** false: it was gone already. */
export async function deleteScheduled(db: Db, id: string): Promise<boolean> {
  const rows = await db.query('DELETE FROM scheduled WHERE id = $1 RETURNING id', [id])
  return rows.length === 1
}

/** Of a user whose account goes. */
export async function deleteScheduledOf(db: Db, userId: number): Promise<void> {
  await db.query('DELETE FROM scheduled WHERE user_id = $1', [userId])
}

/** Those whose time has come, with who sends them. Until they are tried again no other node has them. */
export async function takeScheduled(db: Db, limit: number): Promise<ClaimedRow[]> {
  return db.query<ClaimedRow>(
    `WITH due AS MATERIALIZED (
       SELECT id FROM scheduled WHERE failed IS NULL AND try_at <= now()
       ORDER BY try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     UPDATE scheduled s SET taken = true, try_at = now() + ${AGAIN}
     FROM due, users u WHERE s.id = due.id AND u.id = s.user_id
     RETURNING ${COLUMNS}, u.username, u.active, u.role`,
    [limit],
    'take_scheduled',
  )
}

/** It is not sent yet: it waits so much longer. */
export async function postponeScheduled(db: Db, id: string, ms: number): Promise<void> {
  await db.query(
    `UPDATE scheduled SET taken = false, try_at = now() + make_interval(secs => $2::float8 / 1000)
     WHERE id = $1`,
    [id, ms],
  )
}

/** undefined: it was sent or has failed meanwhile. */
export async function failScheduled(db: Db, id: string, code: string) {
  const [row] = await db.query<ScheduledRow>(
    `UPDATE scheduled s SET taken = false, failed = $2 WHERE s.id = $1 AND s.failed IS NULL
     RETURNING ${COLUMNS}`,
    [id, code],
  )
  return row
}
