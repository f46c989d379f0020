/** How PostgreSQL carries out the statements of the store: their plans, with what was really read. */
import assert from 'node:assert/strict'
import pg from 'pg'
import type { Database, Db, Row } from '../../src/store/db.ts'

export interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

interface Explained {
  text: string
  plan: Plan
}

/** Runs `work` and undoes it; gives the plan of every statement that it made. */
export async function explain(
  db: Database,
  work: (tx: Db) => Promise<unknown>,
): Promise<Explained[]> {
  const explained: Explained[] = []
  const undo = new Error('undone')
  const attempt = db.transaction(async (tx) => {
    await work({
      async query<R extends Row>(text: string, values: readonly unknown[] = []) {
        explained.push({ text, plan: await explainOne(tx, text, values) })
        await tx.query('ROLLBACK TO SAVEPOINT before_explain')
        return tx.query<R>(text, values)
      },
    })
    throw undo
  })
  await attempt.catch((error: unknown) => {
    if (error !== undo) throw error
  })
  return explained
}

/** By EXECUTE, as what is prepared is planned: for any values. */
async function explainOne(tx: Db, text: string, values: readonly unknown[]): Promise<Plan> {
  await tx.query('SAVEPOINT before_explain')
  await tx.query(`PREPARE explained AS ${text}`)
  const list = values.map(toLiteral).join(', ')
  const call = list === '' ? 'explained' : `explained(${list})`
  const [row] = await tx.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE ${call}`,
  )
  await tx.query('DEALLOCATE explained')
  const [top] = row?.['QUERY PLAN'] ?? []
  if (!top) throw new Error('There is no plan')
  return top.Plan
}

function toLiteral(value: unknown): string {
  return value === null || value === undefined ? 'NULL' : pg.escapeLiteral(toText(value))
}

function toText(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `{${value.map((item) => JSON.stringify(item)).join(',')}}`
  return String(value)
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}

/** All rows that a scan has looked at, those that it threw away too. */
function rowsRead(node: Plan): number {
  const thrownAway =
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return (node['Actual Rows'] + thrownAway) * node['Actual Loops']
}

export interface Bounds {
  /** Rows that the statement returns or writes; each scan may read four times as many. */
  rows: number
  sorted?: number
  read?: number
}

/** Fails where a statement reads what it need not. */
export function judge(
  { text, plan }: Explained,
  { rows, sorted = rows, read = 4 * rows }: Bounds,
): void {
  for (const node of nodesOf(plan)) {
    const type = node['Node Type']
    const where = `${node['Relation Name'] ?? type}, in\n${text}`
    if (type === 'Seq Scan') assert.fail(`It reads all of ${where}`)
    if (type.includes('Scan') && node['Relation Name'] !== undefined)
      assert(rowsRead(node) <= read, `It reads ${rowsRead(node)} rows of ${where}`)
    const [input] = node.Plans ?? []
    if (type.includes('Sort') && input)
      assert(rowsRead(input) <= sorted, `It sorts ${rowsRead(input)} rows, in\n${text}`)
  }
}
