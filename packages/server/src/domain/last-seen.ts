/** When users went: written together, every few seconds. */
import { LRUCache } from 'lru-cache'
import { type Database, DatabaseAway, isRace } from '../store/db.ts'
import { updateLastSeen } from '../store/presence.ts'
import { startRounds } from './rounds.ts'

const EVERY_MS = 2_000
const BATCH = 1_000
/** Users that wait while the database is away; of more the first are given up. */
const QUEUE = 100_000
/** Whose time is told before it is written, by whichever node. */
const KEPT = 10_000

export class LastSeen {
  readonly #db: Database
  readonly #onProblem: (error: unknown) => void
  readonly #waiting = new Map<number, Date>()
  readonly #recent = new LRUCache<number, Date>({ max: KEPT })
  readonly #endRounds: () => Promise<void>

  constructor(db: Database, onProblem: (error: unknown) => void) {
    this.#db = db
    this.#onProblem = onProblem
    this.#endRounds = startRounds(EVERY_MS, () => this.#write())
  }

  /** A user went; other nodes write down their own. */
  note(userId: number, at: Date, { isOurs }: { isOurs: boolean }): void {
    this.#recent.set(userId, at)
    if (!isOurs) return
    this.#waiting.set(userId, at)
    const [first] = this.#waiting.keys()
    if (this.#waiting.size > QUEUE && first !== undefined) this.#waiting.delete(first)
  }

  /** Later than what the database says, where that is not written yet. */
  of(userId: number, stored: Date | null): Date | undefined {
    const recent = this.#recent.get(userId)
    return recent && (!stored || recent > stored) ? recent : (stored ?? undefined)
  }

  /** Writes what waits. */
  async stop(): Promise<void> {
    await this.#endRounds()
    await this.#write()
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.size > 0) await this.#writeSome()
    } catch (error) {
      // The next round tries again.
      if (!(error instanceof DatabaseAway) && !isRace(error)) this.#onProblem(error)
    }
  }

  /** In the order of ids: two nodes do not get in each other's way. */
  async #writeSome(): Promise<void> {
    const batch = [...this.#waiting].slice(0, BATCH).sort(([one], [other]) => one - other)
    await updateLastSeen(this.#db, batch)
    // Who went once more meanwhile stays.
    for (const [userId, at] of batch)
      if (this.#waiting.get(userId) === at) this.#waiting.delete(userId)
  }
}
