/**
 * Brings what was written into the index of words, a moment later and beside the sends [SEARCH-2].
 *
 *   event of a message → its chat waits → (each second) 32 chats, in one statement → the next 32
 *     one that fails stands alone in the end, is told of, and does not hold up the others
 *   at the start, every ten minutes, and where too many wait: all chats are looked through
 *
 * It takes a sixtieth of the time at most while messages come, so that they do not wait for it (measured: with a
 * tenth, sends were 6 % slower); the index then falls behind, and catches up. Each node does so; of one chat, one
 * at a time.
 */
import type { Bus } from '../bus/bus.ts'
import { DatabaseAway, type Database } from '../store/db.ts'
import { indexChats, selectUnindexed } from '../store/findable.ts'

const PAUSE_MS = 1_000
const CHATS = 32
/** Messages and changes of one chat at once: together well within the time that a statement has. */
const LIMIT = 20
/** Chats that wait; beyond them all are looked through. */
const WAITING = 10_000
const BUSY_SHARE = 59
const PROBLEM_MS = 5_000
const LOOK_MS = 600_000

export interface IndexerOptions {
  language: string
  onProblem: (error: unknown) => void
}

export class Indexer {
  readonly #db: Database
  readonly #options: IndexerOptions
  readonly #waiting = new Set<string>()
  readonly #unsubscribe: () => void
  /** All chats are to be looked through at that time of performance.now(), or now. */
  #lookAt = 0
  #hasNews = false
  #isStopped = false
  #wake: () => void = () => undefined
  #running: Promise<void> | undefined

  constructor(db: Database, bus: Bus, options: IndexerOptions) {
    this.#db = db
    this.#options = options
    this.#unsubscribe = bus.subscribe('deliver', ({ name, data }) => {
      if (name.startsWith('message.')) this.#note((data as { chatId: string }).chatId)
    })
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#isStopped = true
    this.#wake()
    await this.#running
  }

  #note(chatId: string): void {
    this.#hasNews = true
    if (this.#waiting.size < WAITING) this.#waiting.add(chatId)
    else this.#lookAt = 0
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const pauseMs = await this.#round().then(
        () => PAUSE_MS,
        (error: unknown) => {
          this.#lookAt = 0
          if (!(error instanceof DatabaseAway)) this.#options.onProblem(error)
          return PROBLEM_MS
        },
      )
      await this.#pause(pauseMs)
    }
  }

  async #round(): Promise<void> {
    if (performance.now() >= this.#lookAt) {
      this.#lookAt = performance.now() + LOOK_MS
      await this.#lookThrough()
    }
    while (this.#waiting.size > 0 && !this.#isStopped) {
      const some = [...this.#waiting].slice(0, CHATS)
      for (const chatId of some) this.#waiting.delete(chatId)
      await this.#index(some)
    }
  }

  async #lookThrough(): Promise<void> {
    const { language } = this.#options
    let after: string | undefined
    while (!this.#isStopped) {
      const rows = await selectUnindexed(this.#db, { language, after, limit: CHATS })
      if (rows.length === 0) return
      await this.#index(rows.map(({ id }) => id))
      after = rows.at(-1)?.id
    }
  }

  /** As often as it takes, with as long a pause after each as the sends are to have. */
  async #index(chatIds: string[]): Promise<void> {
    const { language } = this.#options
    for (let isPartial = true; isPartial && !this.#isStopped; ) {
      const began = performance.now()
      this.#hasNews = false
      try {
        isPartial = await indexChats(this.#db, chatIds, { language, limit: LIMIT })
      } catch (error) {
        if (error instanceof DatabaseAway) throw error
        if (chatIds.length === 1) return this.#options.onProblem(error)
        for (const chatId of chatIds) await this.#index([chatId])
        return
      }
      const tookMs = performance.now() - began
      if (this.#hasNews) await this.#pause(BUSY_SHARE * tookMs)
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
