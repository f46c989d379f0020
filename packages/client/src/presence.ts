/** Who is there, of those that somebody looks at; the server tells of these alone [PRES-4]. */
import { WATCHED } from './limits.ts'
import type { Presence } from './protocol.ts'
import { Source, type Value } from './value.ts'

const SOON_MS = 50

export class Watch {
  readonly #watch: (usernames: string[]) => Promise<readonly Presence[]>
  readonly #sources = new Map<string, Source<Presence | undefined>>()
  readonly #watched = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `watch` asks to be told of these and no others. */
  constructor(watch: (usernames: string[]) => Promise<readonly Presence[]>) {
    this.#watch = watch
  }

  of(username: string): Value<Presence | undefined> {
    const source = this.#source(username)
    return {
      getSnapshot: source.getSnapshot,
      subscribe: (listener) => {
        const end = source.subscribe(listener)
        this.#count(username, 1)
        return () => {
          end()
          this.#count(username, -1)
        }
      },
    }
  }

  told(presence: Presence): void {
    this.#source(presence.username).set(presence)
  }

  /** After a new connection the server knows of none. */
  again(): void {
    if (this.#watched.size > 0) this.#soon()
  }

  /** Without a connection nobody is known to be there. */
  lost(): void {
    for (const source of this.#sources.values()) source.set(undefined)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #count(username: string, by: number): void {
    const count = (this.#watched.get(username) ?? 0) + by
    if (count > 0) this.#watched.set(username, count)
    else this.#watched.delete(username)
    if (count === 0 || (count === 1 && by > 0)) this.#soon()
  }

  /** A page that is drawn begins and ends many at once. */
  #soon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), SOON_MS)
  }

  async #ask(): Promise<void> {
    const usernames = [...this.#watched.keys()].slice(-WATCHED)
    const found = await this.#watch(usernames).catch(() => [])
    for (const presence of found) this.told(presence)
  }

  #source(username: string): Source<Presence | undefined> {
    const source = this.#sources.get(username) ?? new Source<Presence | undefined>(undefined)
    this.#sources.set(username, source)
    return source
  }
}
