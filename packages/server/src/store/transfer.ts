/**
 * Reading and writing whole tables, for a move between databases. What tables, columns and keys there
 * are is asked of the database, so that a later migration needs no change here. All values travel as
 * PostgreSQL's own text, cast on both sides, so that none is rounded or reinterpreted on the way.
 */
import type { Database, Db } from './db.ts'

/** `nodes` and `idempotency` live for seconds and hours; `migrations` tells of the target itself. */
const NOT_MOVED = ['migrations', 'nodes', 'idempotency']

export interface Column {
  name: string
  /** To cast to, quoted. */
  type: string
  /** The database numbers it. */
  identity: boolean
}

interface Found extends Column, Record<string, unknown> {
  table: string
  /** Its place in the primary key, from 0. */
  keyed: number | null
}

export interface Table {
  name: string
  columns: Column[]
  /** The columns of the primary key. */
  key: Column[]
}

/** A row as texts, by column. */
export type TextRow = Record<string, string | null>

const PAGE_ROWS = 5_000
/** 5,000 of the longest messages would be 160 MB: a page ends before. */
const PAGE_BYTES = 8_388_608

/** In the order of their names. */
export async function selectTables(db: Database): Promise<Table[]> {
  const rows = await db.query<Found>(
    `SELECT c.table_name AS table, c.column_name AS name, c.is_identity = 'YES' AS identity,
       quote_ident(c.udt_schema) || '.' || quote_ident(c.udt_name) AS type,
       array_position(i.indkey::int2[], c.ordinal_position::int2) AS keyed
     FROM information_schema.columns c
     JOIN information_schema.tables t USING (table_schema, table_name)
     LEFT JOIN pg_index i ON i.indisprimary
       AND i.indrelid = format('%I.%I', c.table_schema, c.table_name)::regclass
     WHERE c.table_schema = $1 AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
       AND NOT c.table_name = ANY($2::text[])
     ORDER BY c.table_name, c.ordinal_position`,
    [db.schema, NOT_MOVED],
  )
  return [...new Set(rows.map(({ table }) => table))].map((name) => {
    const own = rows.filter(({ table }) => table === name)
    const keyed = own.filter((row) => row.keyed !== null)
    keyed.sort((a, b) => Number(a.keyed) - Number(b.keyed))
    return { name, columns: own.map(toColumn), key: keyed.map(toColumn) }
  })
}

function toColumn({ name, type, identity }: Column): Column {
  return { name, type, identity }
}

/** The next rows by the key after those of `after`: at most 5,000, of about 8 MB; none at the end. */
export async function selectPage(db: Db, table: Table, after?: TextRow): Promise<TextRow[]> {
  const { columns, key } = table
  return db.query<TextRow>(
    `SELECT ${list(columns, (name) => `page.${name}::text AS ${name}`)}
     FROM (${pageOf(table, after)}) page ORDER BY ${list(key, (name) => `page.${name}`)}`,
    valuesOf(table, after),
  )
}

export interface Totals {
  rows: number
  /** The sum of a hash of every row, all its values in it. */
  checksum: bigint
}

/** Page by page, so that no statement takes long. */
export async function selectTotals(db: Db, table: Table): Promise<Totals> {
  const totals: Totals = { rows: 0, checksum: 0n }
  let after: TextRow | undefined
  do {
    const found: TextRow[] = await db.query<TextRow>(totalsOf(table, after), valuesOf(table, after))
    after = found[0]
    totals.rows += Number(after?.['page rows'] ?? 0)
    totals.checksum += BigInt(after?.['page checksum'] ?? 0)
  } while (after)
  return totals
}

/** The sums of one page, with its last key; no row where there is no page. */
function totalsOf(table: Table, after: TextRow | undefined): string {
  const { columns, key } = table
  const row = `ROW(${list(columns, (name) => `page.${name}`)})::text`
  const hash = `encode(sha256(convert_to(${row}, 'UTF8')), 'hex')`
  return `WITH page AS (${pageOf(table, after)})
    SELECT sums.*, ${list(key, (name) => `page.${name}::text AS ${name}`)}
    FROM page, (
      SELECT count(*)::text AS "page rows",
        sum(('x' || left(${hash}, 15))::bit(60)::bigint)::text AS "page checksum" FROM page) sums
    ORDER BY ${list(key, (name) => `page.${name} DESC`)} LIMIT 1`
}

/** A window keeps the rows before which there are less than PAGE_BYTES: always the first. */
function pageOf({ name, columns, key }: Table, after: TextRow | undefined): string {
  const order = list(key, (column) => column)
  const from = list(key, (_column, type, at) => `$${at}::${type}`)
  // The length of a text or bytea is known without reading it.
  const bytes = columns.map((column) => `coalesce(${lengthOf(column)}, 0)`).join(' + ')
  return `SELECT * FROM (
      SELECT *, sum("row bytes") OVER (
        ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS "bytes before"
      FROM (SELECT *, ${bytes} AS "row bytes" FROM ${quote(name)}
        ${after ? `WHERE (${order}) > (${from})` : ''} ORDER BY ${order} LIMIT ${PAGE_ROWS}) sized
    ) summed WHERE coalesce("bytes before", 0) < ${PAGE_BYTES}`
}

function lengthOf({ name, type }: Column): string {
  const plain = ['pg_catalog.text', 'pg_catalog.bytea'].includes(type)
  return `${plain ? 'octet_length' : 'pg_column_size'}(${quote(name)})`
}

function valuesOf({ key }: Table, after: TextRow | undefined): (string | null | undefined)[] {
  return after ? key.map(({ name }) => after[name]) : []
}

/** Under the ids that they have. */
export async function insertRows(db: Db, { name, columns }: Table, rows: TextRow[]): Promise<void> {
  const names = list(columns, (column) => column)
  await db.query(
    `INSERT INTO ${quote(name)} (${names}) OVERRIDING SYSTEM VALUE
     SELECT ${list(columns, (column, type) => `sent.${column}::${type}`)}
     FROM unnest(${list(columns, (_column, _type, at) => `$${at}::text[]`)}) AS sent (${names})`,
    columns.map((column) => rows.map((row) => row[column.name])),
  )
}

/**
 * Nobody else writes from here on; the transaction may take as long as it takes; text has one form.
 * @throws where another session holds one of the tables for longer than the lock timeout
 */
export async function prepareTarget(tx: Db, tables: Table[]): Promise<void> {
  await tx.query(`SET LOCAL statement_timeout TO 0; SET LOCAL idle_in_transaction_session_timeout TO 0;
    SET LOCAL datestyle TO 'ISO, YMD'; SET LOCAL intervalstyle TO 'postgres';
    SET LOCAL bytea_output TO 'hex'; SET LOCAL extra_float_digits TO 1`)
  const names = tables.map(({ name }) => quote(name)).join(', ')
  await tx.query(`LOCK TABLE ${names} IN EXCLUSIVE MODE`)
}

/** Those that have rows; the built-in user `system` does not count. */
export async function selectFilled(db: Db, tables: Table[]): Promise<string[]> {
  const filled: string[] = []
  for (const { name } of tables) {
    const where = name === 'users' ? `WHERE username IS DISTINCT FROM 'system'` : ''
    const [row] = await db.query(`SELECT 1 FROM ${quote(name)} ${where} LIMIT 1`)
    if (row) filled.push(name)
  }
  return filled
}

/** It comes with the others, under the id that it has there: messages name it. */
export async function deleteBuiltInUser(tx: Db): Promise<void> {
  await tx.query(`DELETE FROM users WHERE username = 'system'`)
}

/** What the database numbers itself goes on after the highest number that is there. */
export async function setSequences(tx: Db, schema: string, tables: Table[]): Promise<void> {
  for (const { name, columns } of tables)
    for (const column of columns.filter(({ identity }) => identity))
      await tx.query(
        `SELECT setval(pg_get_serial_sequence($1, $2), max(${quote(column.name)}))
         FROM ${quote(name)} HAVING max(${quote(column.name)}) IS NOT NULL`,
        [`${quote(schema)}.${quote(name)}`, column.name],
      )
}

function list(columns: Column[], item: (name: string, type: string, at: number) => string): string {
  return columns.map(({ name, type }, index) => item(quote(name), type, index + 1)).join(', ')
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
