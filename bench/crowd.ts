/** Thousands of sockets that are held: by a process of its own, since they cost memory and time. */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Round } from './bench.ts'

export interface CrowdPlan {
  url: string
  /** Signs the tokens of user0, user1, …; '': a server that asks for none. */
  secret: string
  /** They come back with a sync, and have their events held until then. */
  sync?: true
}
export type Order =
  | { do: 'open'; sockets: number }
  /** Each learns its cursor. */
  | { do: 'sync' }
  /** All are dropped at once and return at once. */
  | { do: 'storm' }
export interface Outcome {
  /** Until the last one was done. */
  ms: number
  failed: number
  /** Of the first that failed. */
  reason?: string
}
export type FromCrowd = { outcome: Outcome } | { error: string }

/** A socket is a file; these are for everything else. */
const OTHER_FILES = 200
const ORDER_MS = 120_000
const PROCESS = fileURLToPath(new URL('crowd-process.ts', import.meta.url))

export interface Crowd {
  open(sockets: number): Promise<Outcome>
  sync(): Promise<Outcome>
  storm(): Promise<Outcome>
  close(): void
}

export function gather(round: Round, plan: CrowdPlan): Crowd {
  const child = fork(PROCESS, [JSON.stringify(plan)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const close = () => void child.kill('SIGKILL')
  process.once('exit', close)
  child.once('exit', () => process.off('exit', close))
  round.defer(close)
  const must = async (order: Order) => {
    const outcome = await obey(child, order)
    if (outcome.failed === 0) return outcome
    throw new Error(`${outcome.failed} sockets failed: ${outcome.reason}`)
  }
  return {
    open: (sockets) => {
      assertFiles(sockets)
      return must({ do: 'open', sockets })
    },
    sync: () => must({ do: 'sync' }),
    storm: () => obey(child, { do: 'storm' }),
    close,
  }
}

function obey(child: ChildProcess, order: Order): Promise<Outcome> {
  return new Promise<Outcome>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no end of: ${order.do}`)), ORDER_MS)
    child.once('message', (message: FromCrowd) => {
      clearTimeout(timer)
      if ('outcome' in message) resolve(message.outcome)
      else reject(new Error(message.error))
    })
    child.send(order)
  })
}

/** Node raises its soft limit to the hard one by itself. */
function assertFiles(sockets: number): void {
  const limit = hardLimit()
  if (limit >= sockets + OTHER_FILES) return
  throw new Error(
    `A process may have ${limit} open files here, and ${sockets} sockets need more: ulimit -Hn`,
  )
}

function hardLimit(): number {
  try {
    const [, hard] =
      /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
