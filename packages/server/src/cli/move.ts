/** `microchatter move`: all that the embedded database has, into an empty PostgreSQL, or nothing of it. */
import { isDeepStrictEqual } from 'node:util'
import type { Database, Db } from '../store/db.ts'
import {
  deleteBuiltInUser,
  insertRows,
  prepareTarget,
  selectFilled,
  selectPage,
  selectTables,
  selectTotals,
  setSequences,
  type Table,
  type TextRow,
  type Totals,
} from '../store/transfer.ts'
import { showProgress } from './progress.ts'

interface Streams {
  err: NodeJS.WritableStream
}

/**
 * Both databases are migrated, and nobody else uses the source. One transaction of the target, which is
 * committed only where the rows and a checksum over all values of every table are the same on both
 * sides. Heartbeats of nodes and first answers under an Idempotency-Key are not moved.
 *
 * @throws Error where the target is not empty, or not the same release, or something arrived otherwise
 */
export async function moveDatabase(
  source: Database,
  target: Database,
  { err }: Streams,
): Promise<void> {
  const tables = await selectTables(target)
  if (!isDeepStrictEqual(await selectTables(source), tables))
    throw new Error(
      'The two databases have different tables. Run `microchatter migrate` of the same release on both, and move again',
    )
  await target.transaction(
    async (tx) => {
      await prepareTarget(tx, tables)
      await refuseFilled(tx, tables)
      await deleteBuiltInUser(tx)
      for (const table of tables) await moveTable(source, tx, { table, err })
      await setSequences(tx, target.schema, tables)
    },
    { maxMs: Infinity },
  )
  err.write('Not moved: nodes (heartbeats), idempotency (first answers of the last 48 hours)\n')
}

async function refuseFilled(tx: Db, tables: Table[]): Promise<void> {
  const filled = await selectFilled(tx, tables)
  if (filled.length === 0) return
  throw new Error(
    `The target is not empty: there are rows in ${filled.join(', ')}. Move into a new database, or into a schema of its own (MICROCHATTER_SCHEMA)`,
  )
}

async function moveTable(
  source: Db,
  tx: Db,
  { table, err }: { table: Table } & Streams,
): Promise<void> {
  const there = await selectTotals(source, table)
  await copyRows(source, tx, { table, err, total: there.rows })
  compare(table, there, await selectTotals(tx, table))
  err.write(`${table.name}: ${there.rows.toLocaleString('en')} rows\n`)
}

async function copyRows(
  source: Db,
  tx: Db,
  { table, err, total }: { table: Table; total: number } & Streams,
): Promise<void> {
  const progress = showProgress(err, { label: table.name, unit: 'rows', total })
  try {
    let rows: TextRow[] = await selectPage(source, table)
    while (rows.length > 0) {
      await insertRows(tx, table, rows)
      progress.add(rows.length)
      rows = await selectPage(source, table, rows.at(-1))
    }
  } finally {
    progress.stop()
  }
}

function compare({ name }: Table, there: Totals, here: Totals): void {
  const wrong =
    there.rows === here.rows
      ? there.checksum !== here.checksum && 'not all values are as they were'
      : `${here.rows} of ${there.rows} rows arrived`
  if (wrong)
    throw new Error(
      `${name}: ${wrong}. Nothing was moved. Look for triggers or rules on the tables of the target, and try again`,
    )
}
