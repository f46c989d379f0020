import type { Db } from './db.ts'

export interface ReminderRow extends Record<string, unknown> {
  chat_id: string
  seq: number
  due_at: Date
  note: string | null
  told: boolean
}

export interface DueRow extends ReminderRow {
  user_id: number
  /** null: the account was deleted. */
  username: string | null
}

const COLUMNS = 'r.chat_id, r.seq, r.due_at, r.note, r.told'

export interface ReminderKey {
  userId: number
  chatId: string
  seq: number
}

/** In place of the one that the message had. */
export async function upsertReminder(
  db: Db,
  { userId, chatId, seq, dueAt, note }: ReminderKey & { dueAt: Date; note: string | undefined },
): Promise<ReminderRow> {
  const [row] = await db.query<ReminderRow>(
    `INSERT INTO reminders AS r (user_id, chat_id, seq, due_at, note) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (user_id, chat_id, seq) DO UPDATE SET due_at = $4, note = $5, told = false
     RETURNING ${COLUMNS}`,
    [userId, chatId, seq, dueAt, note],
  )
  if (!row) throw new Error('A reminder was not stored')
  return row
}

/** Without the one of this message. */
export async function countOtherReminders(db: Db, { userId, chatId, seq }: ReminderKey) {
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*) AS count FROM reminders
     WHERE user_id = $1 AND NOT (chat_id = $2 AND seq = $3)`,
    [userId, chatId, seq],
  )
  return row?.count ?? 0
}

/** false: there was none. */
export async function deleteReminder(db: Db, { userId, chatId, seq }: ReminderKey) {
  const rows = await db.query(
    'DELETE FROM reminders WHERE user_id = $1 AND chat_id = $2 AND seq = $3 RETURNING seq',
    [userId, chatId, seq],
  )
  return rows.length === 1
}

/** Of a user whose account goes. */
export async function deleteRemindersOf(db: Db, userId: number): Promise<void> {
  await db.query('DELETE FROM reminders WHERE user_id = $1', [userId])
}

/** The soonest first. */
export async function selectReminders(
  db: Db,
  userId: number,
  {
    after,
    limit,
  }: { after: { dueAt: Date; chatId: string; seq: number } | undefined; limit: number },
): Promise<ReminderRow[]> {
  return db.query<ReminderRow>(
    `SELECT ${COLUMNS} FROM reminders r WHERE r.user_id = $1
       AND ($2::timestamptz IS NULL OR (r.due_at, r.chat_id, r.seq) > ($2, $3::uuid, $4::int))
     ORDER BY r.due_at, r.chat_id, r.seq LIMIT $5`,
    [userId, after?.dueAt, after?.chatId, after?.seq, limit],
  )
}

/** Those whose time has come: they are this node's to tell, and no other's. */
export async function takeReminders(db: Db, limit: number): Promise<DueRow[]> {
  return db.query<DueRow>(
    `WITH due AS MATERIALIZED (
       SELECT user_id, chat_id, seq FROM reminders WHERE NOT told AND due_at <= now()
       ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     UPDATE reminders r SET told = true
     FROM due, users u
     WHERE r.user_id = due.user_id AND r.chat_id = due.chat_id AND r.seq = due.seq
       AND u.id = r.user_id
     RETURNING ${COLUMNS}, r.user_id, u.username`,
    [limit],
    'take_reminders',
  )
}
