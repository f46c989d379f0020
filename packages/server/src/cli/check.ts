/** `microchatter check`: every number that the tables keep, against the rows that it is of. */
import {
  type Check,
  CHAT_CHECKS,
  type Counts,
  type Drift,
  FIRST_ID,
  OTHER_CHECKS,
  prepareCheck,
  type Range,
  selectCounts,
  selectDrifts,
  selectRangeEnd,
} from '../store/check.ts'
import type { Database, Db } from '../store/db.ts'
import { withDatabaseAsIs } from './open.ts'
import { type Progress, showProgress } from './progress.ts'

export interface CheckResult extends Counts {
  drifts: Drift[]
  /** Drifts that were found beside those. */
  more: number
}

/** More drifts than these are only counted. */
const MAX_REPORTED = 100
/** Looked at together: so many that a statement is worth it, so few that its memory is bounded. */
const RANGE_CHATS = 1_000

/** The exit code tells a script whether there is drift. */
export async function printCheck({ json }: { json: boolean }): Promise<void> {
  const result = await withDatabaseAsIs((db) => checkDatabase(db, { err: process.stderr }))
  process.stdout.write(`${json ? JSON.stringify(result) : toLines(result).join('\n')}\n`)
  if (result.drifts.length > 0) process.exitCode = 1
}

/** Reads one snapshot, and holds no lock that a running server would wait for. */
export function checkDatabase(
  db: Database,
  { err }: { err: NodeJS.WritableStream },
): Promise<CheckResult> {
  return db.transaction(
    async (tx) => {
      await prepareCheck(tx)
      const counts = await selectCounts(tx)
      const options = { label: 'Chats', unit: 'rows', total: counts.chats } as const
      const progress = showProgress(err, options)
      try {
        return { ...counts, ...(await findDrifts(tx, progress)) }
      } finally {
        progress.stop()
      }
    },
    { maxMs: Infinity },
  )
}

type Found = Pick<CheckResult, 'drifts' | 'more'>

async function findDrifts(tx: Db, progress: Progress): Promise<Found> {
  const found: Found = { drifts: [], more: 0 }
  for (let from: string | undefined = FIRST_ID; from !== undefined; ) {
    const to: string | undefined = await selectRangeEnd(tx, from, RANGE_CHATS)
    await findIn(tx, found, { checks: CHAT_CHECKS, range: [from, to] })
    progress.add(RANGE_CHATS)
    from = to
  }
  await findIn(tx, found, { checks: OTHER_CHECKS })
  return found
}

async function findIn(
  tx: Db,
  found: Found,
  { checks, range }: { checks: readonly Check[]; range?: Range },
): Promise<void> {
  for (const check of checks) {
    const { total, drifts } = await selectDrifts(tx, check, range)
    const room = MAX_REPORTED - found.drifts.length
    found.drifts.push(...drifts.slice(0, room))
    found.more += Math.max(0, total - room)
  }
}

function toLines({ drifts, more, chats, messages, members }: CheckResult): string[] {
  const all = drifts.length + more
  const looked = [count(chats, 'chat'), count(messages, 'message'), count(members, 'member')]
  return [
    ...drifts.map(toLine),
    ...(more > 0 ? [`and ${more.toLocaleString('en')} more`] : []),
    `Checked ${looked.join(', ')}: ${all === 0 ? 'no drift' : count(all, 'drift')}.`,
  ]
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}

function toLine({ check, chatId, userId, username, found, due }: Drift): string {
  const user = username === undefined ? `user #${userId}` : `user ${JSON.stringify(username)}`
  const where = [
    ...(chatId === undefined ? [] : [`chat ${chatId}`]),
    ...(userId === undefined ? [] : [user]),
  ]
  return `${check}: ${where.length === 0 ? '' : `${where.join(', ')}: `}${found}; should be ${due}`
}
