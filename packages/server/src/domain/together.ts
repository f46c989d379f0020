/**
 * Reads that arrive together are one statement, as sends are: when thousands come back at once, the
 * database is asked tens of times instead of thousands. Nothing waits where nothing is under way.
 */
import { ChatError } from './errors.ts'

const BATCH = 256
/** Keys that wait before more are refused. */
const QUEUE = 65_536

interface Waiting<K, V> {
  key: K
  resolve: (value: V) => void
  reject: (error: unknown) => void
}

export class Together<K, V> {
  readonly #read: (keys: K[]) => Promise<V[]>
  #queue: Waiting<K, V>[] = []
  #running = false

  /** `read` answers all keys, in their order. */
  constructor(read: (keys: K[]) => Promise<V[]>) {
    this.#read = read
  }

  load(key: K): Promise<V> {
    if (this.#queue.length >= QUEUE) return Promise.reject(busy())
    return new Promise((resolve, reject) => {
      this.#queue.push({ key, resolve, reject })
      if (this.#running) return
      this.#running = true
      setImmediate(() => void this.#run())
    })
  }

  loadAll(keys: readonly K[]): Promise<V[]> {
    return Promise.all(keys.map((key) => this.load(key)))
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH)
      await this.#answer(batch)
    }
    this.#running = false
  }

  async #answer(batch: Waiting<K, V>[]): Promise<void> {
    try {
      const values = await this.#read(batch.map(({ key }) => key))
      for (const [index, { resolve }] of batch.entries()) resolve(values[index] as V)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

function busy(): ChatError {
  return new ChatError('busy', {
    detail: 'More is asked for than can be read; try again in a second',
    retryAfterMs: 1_000,
  })
}
