/**
 * What is due at a time, and done once, whichever nodes look: messages that disappear, messages that
 * were scheduled, reminders. Each is claimed in the database, so a node that goes away leaves it to
 * the others. A node sleeps until the next of them is due; what comes in sooner wakes it.
 */
import type { Bus } from '../bus/bus.ts'
import { DatabaseAway } from '../store/db.ts'
import { selectWaits, type Waits } from '../store/due.ts'
import type { Core } from './core.ts'
import { expireMessages } from './expiring.ts'
import { tellReminders } from './reminders.ts'
import { sendScheduled } from './scheduled.ts'

/** Another node that has gone away may have been the only one to know. */
const IDLE_MS = 30_000
/** What comes due in between is done together. */
const GAP_MS = 500
const AWAY_MS = 1_000
const PROBLEM_MS = 5_000

/** Each does a batch of what is due; true: there may be more. */
const JOBS: Record<keyof Waits, (core: Core) => Promise<boolean>> = {
  expiring: expireMessages,
  scheduled: sendScheduled,
  reminders: tellReminders,
}

export class Clock {
  readonly #onProblem: (error: unknown) => void
  readonly #unsubscribe: () => void
  /** What was heard of since the database was asked, in ms of performance.now(), which never jumps. */
  #expectedAt = Number.POSITIVE_INFINITY
  #wake: () => void = () => undefined
  #running: Promise<void> | undefined
  #stopped = false

  constructor(bus: Bus, { onProblem }: { onProblem: (error: unknown) => void }) {
    this.#onProblem = onProblem
    this.#unsubscribe = bus.subscribe('due', ({ at }) => this.expect(at - Date.now()))
  }

  /** What is overdue is done at once. */
  start(core: Core): void {
    this.#running ??= this.#run(core)
  }

  /** Something is due in so many milliseconds. */
  expect(inMs: number): void {
    const at = performance.now() + inMs
    if (at >= this.#expectedAt) return
    this.#expectedAt = at
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#stopped = true
    this.#wake()
    await this.#running
  }

  async #run(core: Core): Promise<void> {
    while (!this.#stopped) {
      const startedAt = performance.now()
      this.#expectedAt = Number.POSITIVE_INFINITY
      const waitMs = await this.#round(core)
      await this.#sleep({ least: startedAt + GAP_MS, most: performance.now() + waitMs })
    }
  }

  /** Returns how long there is nothing to do, as far as the database knows. */
  async #round(core: Core): Promise<number> {
    try {
      const waits = await selectWaits(core.db)
      const due = NAMES.filter((name) => (waits[name] ?? IDLE_MS) <= 0)
      const done = await Promise.allSettled(due.map((name) => this.#work(core, name)))
      for (const result of done) if (result.status === 'rejected') throw result.reason
      if (due.length > 0) return 0
      return Math.min(IDLE_MS, ...NAMES.map((name) => waits[name] ?? IDLE_MS))
    } catch (error) {
      if (error instanceof DatabaseAway) return AWAY_MS
      this.#onProblem(error)
      return PROBLEM_MS
    }
  }

  async #work(core: Core, name: keyof Waits): Promise<void> {
    while (!this.#stopped) if (!(await JOBS[name](core))) return
  }

  /** Until then, or until what is expected; but not less. */
  async #sleep({ least, most }: { least: number; most: number }): Promise<void> {
    for (;;) {
      const until = Math.max(least, Math.min(most, this.#expectedAt))
      const waitMs = until - performance.now()
      if (this.#stopped || waitMs <= 0) return
      await new Promise<void>((resolve) => {
        // One millisecond later it is certainly due.
        const timer = setTimeout(resolve, Math.min(waitMs + 1, IDLE_MS))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

const NAMES = Object.keys(JOBS) as (keyof Waits)[]
