import type { UserSettings } from '@microchatter/protocol'
import type { Db } from './db.ts'

export interface UserRow extends Record<string, unknown> {
  id: number
  /** null: the account was deleted. */
  username: string | null
  display_name: string | null
  picture: string | null
  role: 'user' | 'admin'
  active: boolean
  created_at: Date
  tokens_valid_after: Date | null
  claims_at: Date | null
  /** null: as the site says. */
  write_from: UserSettings['writeFrom'] | null
  last_seen_to: UserSettings['lastSeenTo'] | null
  receipts: boolean
}
export type UserWithPassword = UserRow & { password: string | null }

const COLUMNS = `id, username, display_name, picture, role, active, created_at, tokens_valid_after,
  claims_at, write_from, last_seen_to, receipts`

export async function selectUser(db: Db, username: string): Promise<UserWithPassword | undefined> {
  const rows = await db.query<UserWithPassword>(
    `SELECT ${COLUMNS}, password FROM users WHERE username = $1`,
    [username],
    'select_user',
  )
  return rows[0]
}

export async function selectUserById(db: Db, id: number): Promise<UserRow | undefined> {
  const rows = await db.query<UserRow>(`SELECT ${COLUMNS} FROM users WHERE id = $1`, [id])
  return rows[0]
}

export interface NewUser {
  username: string
  password?: string | undefined
  displayName?: string | undefined
  picture?: string | undefined
  role?: 'user' | 'admin' | undefined
  claimsAt?: Date | undefined
}

const ERASED_AT = `SELECT erased_at FROM erased WHERE username_hash = sha256(convert_to($1, 'UTF8'))`

/** When the last user of this name was deleted; undefined: there was none within the last year. */
export async function selectErasedAt(db: Db, username: string): Promise<Date | undefined> {
  const [row] = await db.query<{ erased_at: Date }>(ERASED_AT, [username])
  return row?.erased_at
}

/** No token lives for a year, unless it has no end at all. */
export async function deleteOldErased(db: Db): Promise<void> {
  await db.query(`DELETE FROM erased WHERE erased_at < now() - interval '1 year'`)
}

/** undefined where the username is taken. */
export async function insertUser(db: Db, user: NewUser): Promise<UserRow | undefined> {
  const { username, password, displayName, picture, role, claimsAt } = user
  const rows = await db.query<UserRow>(
    `INSERT INTO users (username, password, display_name, picture, role, claims_at, tokens_valid_after)
     VALUES ($1, $2, $3, $4, $5, $6, (${ERASED_AT})) ON CONFLICT (username) DO NOTHING RETURNING ${COLUMNS}`,
    [username, password ?? null, displayName ?? null, picture ?? null, role ?? 'user', claimsAt],
  )
  return rows[0]
}

export interface UserPatch {
  displayName?: string | null | undefined
  picture?: string | null | undefined
  role?: 'user' | 'admin' | undefined
  active?: boolean | undefined
  password?: string | undefined
  claimsAt?: Date | undefined
}

/** What is undefined stays as it is. */
export async function updateUser(db: Db, id: number, patch: UserPatch) {
  const { displayName, picture, role, active, password, claimsAt } = patch
  const rows = await db.query<UserRow>(
    `UPDATE users SET updated_at = now(),
       display_name = CASE WHEN $2 THEN $3 ELSE display_name END,
       picture = CASE WHEN $4 THEN $5 ELSE picture END,
       role = coalesce($6, role), active = coalesce($7, active),
       password = coalesce($8, password),
       password_at = CASE WHEN $8::text IS NULL THEN password_at ELSE now() END, claims_at = coalesce($9, claims_at)
     WHERE id = $1 AND username IS NOT NULL RETURNING ${COLUMNS}`,
    [
      id,
      displayName !== undefined,
      displayName,
      picture !== undefined,
      picture,
      role,
      active,
      password,
      claimsAt,
    ],
  )
  return rows[0]
}

export interface SettingsPatch {
  writeFrom?: UserSettings['writeFrom'] | null | undefined
  lastSeenTo?: UserSettings['lastSeenTo'] | null | undefined
  receipts?: boolean | undefined
}

/** What is undefined stays as it is; null: as the site says. */
export async function updateSettings(db: Db, id: number, patch: SettingsPatch) {
  const { writeFrom, lastSeenTo, receipts } = patch
  const [row] = await db.query<UserRow>(
    `UPDATE users SET updated_at = now(),
       write_from = CASE WHEN $2 THEN $3 ELSE write_from END,
       last_seen_to = CASE WHEN $4 THEN $5 ELSE last_seen_to END,
       receipts = coalesce($6, receipts)
     WHERE id = $1 AND username IS NOT NULL RETURNING ${COLUMNS}`,
    [id, writeFrom !== undefined, writeFrom, lastSeenTo !== undefined, lastSeenTo, receipts],
  )
  return row
}

/** Compare and swap: a password that was changed meanwhile stays. */
export async function swapPassword(db: Db, id: number, old: string, upgraded: string) {
  const rows = await db.query(
    'UPDATE users SET password = $3 WHERE id = $1 AND password = $2 RETURNING id',
    [id, old, upgraded],
  )
  return rows.length === 1
}

/** Until the end of the transaction nobody else has it. false: the account was deleted. */
export async function lockUser(tx: Db, id: number): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM users WHERE id = $1 AND username IS NOT NULL FOR UPDATE',
    [id],
  )
  return rows.length === 1
}

/** Personal data go; the row stays for the messages that name it. */
export async function eraseUser(db: Db, id: number): Promise<void> {
  await db.query(
    `INSERT INTO erased (username_hash)
     SELECT sha256(convert_to(username, 'UTF8')) FROM users WHERE id = $1 AND username IS NOT NULL
     ON CONFLICT (username_hash) DO UPDATE SET erased_at = now()`,
    [id],
  )
  await db.query(
    `UPDATE users SET username = NULL, password = NULL, display_name = NULL, picture = NULL,
       role = 'user', active = false, tokens_valid_after = now(), updated_at = now(),
       write_from = NULL, last_seen_to = NULL, receipts = true, last_seen_at = NULL, blocks_at = NULL
     WHERE id = $1`,
    [id],
  )
}

/** Tokens issued up to now are refused from now on. Returns that time. */
export async function refuseOlderTokens(db: Db, id: number): Promise<Date> {
  const [row] = await db.query<{ tokens_valid_after: Date }>(
    'UPDATE users SET tokens_valid_after = now() WHERE id = $1 RETURNING tokens_valid_after',
    [id],
  )
  return row?.tokens_valid_after ?? new Date()
}

export async function selectLoginState(db: Db, ids: number[]) {
  return db.query<
    Pick<UserRow, 'id' | 'username' | 'active' | 'tokens_valid_after'> & {
      password_at: Date | null
    }
  >(
    `SELECT id, username, active, tokens_valid_after, password_at FROM users
     WHERE id = ANY($1::bigint[])`,
    [ids],
  )
}

export async function selectReceiptFlags(db: Db, ids: readonly number[]) {
  return db.query<{ id: number; receipts: boolean }>(
    'SELECT id, receipts FROM users WHERE id = ANY($1::bigint[])',
    [ids],
    'select_receipt_flags',
  )
}

export interface UserFilter {
  search?: string | undefined
  active?: boolean | undefined
  /** The last username of the page before. */
  after?: string | undefined
  limit: number
}

/** By username, without the built-in `system`. */
export async function selectUsers(db: Db, filter: UserFilter): Promise<UserRow[]> {
  const { search, active, after, limit } = filter
  const prefix = search === undefined ? null : `${escapeLike(search.toLowerCase())}%`
  return db.query<UserRow>(
    `SELECT ${COLUMNS} FROM users
     WHERE username IS NOT NULL AND username <> 'system'
       AND ($1::text IS NULL OR lower(username) LIKE $1 OR lower(display_name) LIKE $1)
       AND ($2::boolean IS NULL OR active = $2)
       AND ($3::text IS NULL OR username > $3)
     ORDER BY username LIMIT $4`,
    [prefix, active, after, limit],
  )
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

export async function selectRawMd5s(db: Db, limit: number) {
  return db.query<{ id: number; password: string }>(
    `SELECT id, password FROM users WHERE password ~ '^[0-9a-fA-F]{32}$' ORDER BY id LIMIT $1`,
    [limit],
  )
}

export interface ImportedUser {
  username: string
  password: string | null
  displayName: string | null
  picture: string | null
  role: 'user' | 'admin'
}

/** Where a row of the file says something new of a user that is there. */
const NEWS = `(u.password IS NULL AND excluded.password IS NOT NULL)
  OR (excluded.display_name IS NOT NULL AND excluded.display_name IS DISTINCT FROM u.display_name)
  OR (excluded.picture IS NOT NULL AND excluded.picture IS DISTINCT FROM u.picture)
  OR (excluded.role = 'admin' AND u.role <> 'admin')`

const IMPORTED = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
  AS excluded (username, password, display_name, picture, role)`

function importedColumns(users: ImportedUser[]): unknown[][] {
  const keys = ['username', 'password', 'displayName', 'picture', 'role'] as const
  return keys.map((key) => users.map((user) => user[key]))
}

/**
 * New users are added. Of known ones name and picture are set where the file has them, a password only
 * where there is none (it may have been changed since), and an admin stays one: a second run changes
 * nothing. `users` name nobody twice. Returns how many are new, and the ids of those that changed.
 */
export async function importUsers(db: Db, users: ImportedUser[]) {
  const rows = await db.query<{ id: number; added: boolean }>(
    `INSERT INTO users AS u (username, password, display_name, picture, role, tokens_valid_after)
     SELECT excluded.*, e.erased_at FROM ${IMPORTED}
     LEFT JOIN erased e ON e.username_hash = sha256(convert_to(username, 'UTF8'))
     ORDER BY username
     ON CONFLICT (username) DO UPDATE SET
       password = coalesce(u.password, excluded.password),
       display_name = coalesce(excluded.display_name, u.display_name),
       picture = coalesce(excluded.picture, u.picture),
       role = CASE WHEN u.role = 'admin' THEN u.role ELSE excluded.role END, updated_at = now()
     WHERE ${NEWS}
     RETURNING id, (xmax = 0) AS added`,
    importedColumns(users),
  )
  const updated = rows.filter((row) => !row.added).map((row) => row.id)
  return { added: rows.length - updated.length, updated }
}

/** What importUsers would do, as counts; nothing is written. */
export async function previewImport(db: Db, users: ImportedUser[]) {
  const [row] = await db.query<{ added: number; updated: number }>(
    `SELECT count(*) FILTER (WHERE u.id IS NULL) AS added,
       count(*) FILTER (WHERE u.id IS NOT NULL AND (${NEWS})) AS updated
     FROM ${IMPORTED} LEFT JOIN users u USING (username)`,
    importedColumns(users),
  )
  return { added: row?.added ?? 0, updated: row?.updated ?? 0 }
}
