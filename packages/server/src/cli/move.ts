/** `microchatter move`: the embedded database becomes a PostgreSQL, all of it or nothing. */
import type { Database, Db } from '../store/db.ts'
import {
  countRows,
  deleteBuiltIn,
  insertPage,
  isEmpty,
  liftTimeouts,
  type MovedTable,
  selectColumns,
  selectPage,
  selectSums,
  setIdentity,
  TABLES,
  type TextRow,
} from '../store/transfer.ts'
import { startProgress } from './progress.ts'

const PAGE = 2_000

/** Both are migrated; the target has no users, chats or messages yet. Nothing is committed unless all counts agree. */
export async function moveDatabase(
  source: Database,
  target: Database,
  { err }: { err: NodeJS.WritableStream },
): Promise<void> {
  if (!(await isEmpty(target)))
    throw new Error(
      `The schema ${target.schema} of the target has users or chats already; move into an empty one (MICROCHATTER_SCHEMA), or drop it first`,
    )
  await target.transaction(async (tx) => {
    await liftTimeouts(tx)
    await deleteBuiltIn(tx)
    for (const moved of TABLES) await moveTable(source, tx, { schema: target.schema, moved, err })
    await setIdentity(tx, target.schema, 'users')
    await setIdentity(tx, target.schema, 'audit')
    await verify(source, tx, err)
  })
}

async function moveTable(
  source: Db,
  target: Db,
  { schema, moved, err }: { schema: string; moved: MovedTable; err: NodeJS.WritableStream },
): Promise<void> {
  const columns = await selectColumns(target, schema, moved.table)
  const total = await countRows(source, moved.table)
  const progress = startProgress(err, { total, label: moved.table.padEnd(10) })
  let done = 0
  let after: TextRow | undefined
  for (;;) {
    const rows = await selectPage(source, moved, { columns, after, limit: PAGE })
    if (rows.length > 0) await insertPage(target, moved.table, { columns, rows })
    done += rows.length
    progress.update(done)
    after = rows.at(-1)
    if (rows.length < PAGE) break
  }
  progress.stop()
}

async function verify(source: Db, target: Db, err: NodeJS.WritableStream): Promise<void> {
  for (const { table } of TABLES) {
    const [from, to] = [await countRows(source, table), await countRows(target, table)]
    if (from !== to)
      throw new Error(`Of ${table}, ${to} rows arrived and not ${from}; nothing was moved`)
    err.write(`${table.padEnd(10)} ${to} rows\n`)
  }
  if ((await selectSums(source)) !== (await selectSums(target)))
    throw new Error('The messages or read marks that arrived are not the same; nothing was moved')
}
