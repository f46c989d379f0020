/** The load of a bench, as a process of its own: users, messages in flight, figures. */
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { cpuUs, cpuUsWithChildren } from './cpu.ts'
import { type Figures, Meter } from './meter.ts'
import { talkByRest } from './talk-rest.ts'
import { talkOverXmpp } from './talk-xmpp.ts'
import { type Talk, talkInGroup, talkInPairs, type TalkEvents } from './talk.ts'

export interface Plan {
  url: string
  /** All nodes of the server, where there are several. */
  urls?: readonly string[]
  /** Signs the tokens of the users; '': a server that asks for none. */
  secret: string
  /** Users, each with a socket; by REST they share as many connections as messages are in flight. */
  sockets: number
  /** Messages in flight, one run for each; at most so many in an open loop. */
  windows: readonly number[]
  /** Makes it an open loop: messages per second. */
  rate?: number
  /** They write in pairs over Socket.IO, over XMPP, by REST, or one of them to all in a chat. */
  talk?: 'xmpp' | 'rest' | { chatId: string }
  warmUpMs: number
  measureMs: number
  /** The server's database in PostgreSQL, where it has one. */
  databaseUrl?: string | undefined
  /** Whose CPU time is told. */
  watch?: { server: readonly number[]; postmaster: number | undefined }
}
export type Report = { kind: 'second' } | { kind: 'figures'; window: number; figures: Figures }

const STALL_MS = 10_000

class Load {
  readonly #plan: Plan
  readonly #talk: Talk
  #meter: Meter | undefined
  #failure: Error | undefined

  constructor(plan: Plan) {
    this.#plan = plan
    this.#talk = talkOf(plan, {
      acknowledged: (number) => this.#meter?.acknowledged(number),
      arrived: (number) => this.#meter?.arrived(number),
      failed: (text) => this.#fail(text),
    })
  }

  async open(): Promise<void> {
    await this.#talk.open()
    const { databaseUrl } = this.#plan
    if (databaseUrl !== undefined) await analyze(databaseUrl)
  }

  /** Warms up, measures, and lets what is on its way arrive. */
  async run(window: number, onSecond: () => void): Promise<Figures> {
    const { warmUpMs, measureMs } = this.#plan
    const { copies, send } = this.#talk
    const meter = new Meter({ slots: window, copies, send })
    this.#meter = meter
    const stop = this.#begin(meter)
    try {
      await this.#watch(meter, { forMs: warmUpMs, onSecond })
      const before = this.#cpuUs()
      meter.measure()
      await this.#watch(meter, { forMs: measureMs, onSecond })
      meter.finish()
      const after = this.#cpuUs()
      await stop()
      await this.#drain(meter)
      const figures = meter.figures()
      return { ...figures, cpuUs: differences(before, after, figures.messages) }
    } finally {
      await stop()
    }
  }

  #begin(meter: Meter): () => Promise<unknown> {
    const { rate } = this.#plan
    if (rate !== undefined) return this.#pace(meter, 1_000 / rate)
    meter.fill()
    return async () => undefined
  }

  #pace(meter: Meter, intervalMs: number): () => Promise<unknown> {
    const startAt = clockMs() + intervalMs
    const offset = performance.now() - clockMs()
    const thread = new Worker(new URL('pace.mjs', import.meta.url), {
      workerData: { startAt, intervalMs },
      execArgv: [],
    })
    thread.on('error', (error) => this.#fail(error.message))
    thread.on('message', (number: number) => {
      if (!meter.sendAt(number, startAt + number * intervalMs + offset))
        this.#fail('the server does not keep up: too many messages are in flight')
    })
    return () => thread.terminate()
  }

  async #drain(meter: Meter): Promise<void> {
    const until = performance.now() + STALL_MS
    while (meter.open > 0 && performance.now() < until) await sleep(5)
    if (this.#failure) throw this.#failure
    if (meter.open > 0) throw new Error(`${meter.open} messages never came`)
  }

  #cpuUs(): Figures['cpuUs'] {
    const { user, system } = process.cpuUsage()
    const { server, postmaster } = this.#plan.watch ?? {}
    const ofServer = server && cpuUs(server)
    const ofDatabase = postmaster === undefined ? undefined : cpuUsWithChildren(postmaster)
    return {
      ...(ofServer !== undefined && { server: ofServer }),
      ...(ofDatabase !== undefined && { database: ofDatabase }),
      generator: user + system,
    }
  }

  #fail(text: string): void {
    this.#failure ??= new Error(text)
  }

  async #watch(meter: Meter, { forMs, onSecond }: { forMs: number; onSecond: () => void }) {
    const end = performance.now() + forMs
    let moved = { completed: meter.completed, at: performance.now() }
    for (let left = forMs; left > 0; left = end - performance.now()) {
      await sleep(Math.min(left, 1_000))
      if (this.#failure) throw this.#failure
      if (meter.completed > moved.completed)
        moved = { completed: meter.completed, at: performance.now() }
      if (performance.now() - moved.at > STALL_MS) throw new Error('no message came for 10 s')
      onSecond()
    }
  }
}

function talkOf(plan: Plan, on: TalkEvents): Talk {
  const { url, urls = [url], secret, sockets, talk, windows } = plan
  const options = { urls, secret, users: sockets, on }
  if (talk === 'xmpp') return talkOverXmpp(options)
  if (talk === 'rest') return talkByRest(options, Math.max(...windows))
  return talk === undefined ? talkInPairs(options) : talkInGroup(options, talk.chatId)
}

/**
 * As autovacuum does within minutes: a server whose plans go by statistics would read whole tables
 * until then, and be measured for it.
 */
async function analyze(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query('VACUUM (ANALYZE)')
  await client.end()
}

/** The clock of pace.mjs. */
function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function differences(before: Figures['cpuUs'], after: Figures['cpuUs'], messages: number) {
  const each: Figures['cpuUs'] = {}
  for (const who of ['server', 'database', 'generator'] as const) {
    const [from, to] = [before[who], after[who]]
    if (from !== undefined && to !== undefined) each[who] = (to - from) / messages
  }
  return each
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function report(message: Report): void {
  process.send?.(message)
}

async function work(plan: Plan): Promise<void> {
  const load = new Load(plan)
  await load.open()
  for (const window of plan.windows) {
    const figures = await load.run(window, () => report({ kind: 'second' }))
    report({ kind: 'figures', window, figures })
  }
}

process.once('message', (plan: Plan) => {
  work(plan).then(
    () => process.disconnect(),
    (error: Error) => {
      process.stderr.write(`${error.message}\n`)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => process.exit(0))
