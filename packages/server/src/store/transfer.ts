/** Copies a whole schema, table by table. All values travel as PostgreSQL's own text. */
import type { Db } from './db.ts'

/** What is moved, with the key that its pages go by. Heartbeats and old answers are not. */
export const TABLES = [
  { table: 'users', key: ['id'] },
  { table: 'erased', key: ['username_hash'] },
  { table: 'sessions', key: ['id'] },
  { table: 'blocks', key: ['blocker_id', 'blocked_id'] },
  { table: 'chats', key: ['id'] },
  { table: 'members', key: ['chat_id', 'user_id'] },
  { table: 'messages', key: ['chat_id', 'seq'] },
  { table: 'audit', key: ['id'] },
] as const
export type MovedTable = (typeof TABLES)[number]

export interface Column extends Record<string, unknown> {
  name: string
  type: string
}

/** Those of the target, so that a later migration needs no change here. */
export async function selectColumns(db: Db, schema: string, table: string): Promise<Column[]> {
  return db.query<Column>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum`,
    [schema, table],
  )
}

export type TextRow = Record<string, string | null>

/** The rows after `after`, in the order of the key. */
export async function selectPage(
  db: Db,
  { table, key }: MovedTable,
  { columns, after, limit }: { columns: Column[]; after: TextRow | undefined; limit: number },
): Promise<TextRow[]> {
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  const keyset = key.map((name, index) => `$${index + 2}::${types.get(name)}`).join(', ')
  return db.query<TextRow>(
    `SELECT ${columns.map(({ name }) => `"${name}"::text AS "${name}"`).join(', ')} FROM ${table}
     ${after ? `WHERE (${key.join(', ')}) > (${keyset})` : ''}
     ORDER BY ${key.join(', ')} LIMIT $1`,
    [limit, ...(after ? key.map((name) => after[name]) : [])],
  )
}

export async function insertPage(
  db: Db,
  table: string,
  { columns, rows }: { columns: Column[]; rows: TextRow[] },
): Promise<void> {
  const names = columns.map(({ name }) => `"${name}"`).join(', ')
  const values = columns.map(({ name, type }) => `"${name}"::${type}`).join(', ')
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(', ')
  await db.query(
    `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE
     SELECT ${values} FROM unnest(${arrays}) AS r(${names})`,
    columns.map(({ name }) => rows.map((row) => row[name])),
  )
}

export async function countRows(db: Db, table: string): Promise<number> {
  const [row] = await db.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)
  return row?.n ?? 0
}

/** What must be the same on both sides beside the counts. */
export async function selectSums(db: Db): Promise<string> {
  const [row] = await db.query<{ sums: string }>(
    `SELECT concat_ws(' ',
       (SELECT coalesce(sum(last_seq), 0) FROM chats), (SELECT coalesce(sum(seq), 0) FROM messages),
       (SELECT coalesce(sum(octet_length(body)), 0) FROM messages),
       (SELECT coalesce(sum(read_seq), 0) FROM members)) AS sums`,
  )
  return row?.sums ?? ''
}

/** The next id follows the largest. */
export async function setIdentity(db: Db, schema: string, table: 'users' | 'audit'): Promise<void> {
  await db.query(
    `SELECT setval(pg_get_serial_sequence($1, 'id'), greatest(1, (SELECT max(id) FROM ${table})))`,
    [`"${schema}".${table}`],
  )
}

export async function isEmpty(db: Db): Promise<boolean> {
  const [row] = await db.query<{ taken: boolean }>(
    `SELECT EXISTS (SELECT FROM chats) OR EXISTS (SELECT FROM messages)
       OR EXISTS (SELECT FROM users WHERE username IS DISTINCT FROM 'system') AS taken`,
  )
  return row?.taken === false
}

/** The built-in user comes with the others, under the id that it had. */
export async function deleteBuiltIn(db: Db): Promise<void> {
  await db.query(`DELETE FROM users WHERE username = 'system'`)
}

export async function liftTimeouts(db: Db): Promise<void> {
  await db.query(
    'SET LOCAL statement_timeout TO 0; SET LOCAL idle_in_transaction_session_timeout TO 0',
  )
}
