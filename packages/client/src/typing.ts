/** Who writes in which chat; an event that nobody repeats ends by itself [TYPE-1]. */
import type { EventData } from './protocol.ts'
import { Source, type Value } from './value.ts'

const NOBODY: readonly string[] = []
/** The server repeats it while it lasts, and ends it after 6 s. */
const LASTS_MS = 8_000
const REPEAT_MS = 3_000

export class Typists {
  readonly #sources = new Map<string, Source<readonly string[]>>()
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()
  /** Of my own: when I have last said so. */
  readonly #said = new Map<string, number>()
  readonly #say: (chatId: string, typing: boolean) => void

  constructor(say: (chatId: string, typing: boolean) => void) {
    this.#say = say
  }

  of(chatId: string): Value<readonly string[]> {
    return this.#source(chatId)
  }

  told({ chatId, username, typing }: EventData<'typing'>): void {
    const key = `${chatId} ${username}`
    clearTimeout(this.#timers.get(key))
    this.#timers.delete(key)
    const source = this.#source(chatId)
    const others = source.getSnapshot().filter((name) => name !== username)
    source.set(typing ? [...others, username] : others.length > 0 ? others : NOBODY)
    if (typing)
      this.#timers.set(
        key,
        setTimeout(() => this.told({ chatId, username, typing: false }), LASTS_MS),
      )
  }

  /** At each key: said now and then while it lasts, and once when it ends. */
  mine(chatId: string, typing: boolean): void {
    const last = this.#said.get(chatId) ?? Number.NEGATIVE_INFINITY
    if (typing && performance.now() - last < REPEAT_MS) return
    if (!typing && !this.#said.has(chatId)) return
    if (typing) this.#said.set(chatId, performance.now())
    else this.#said.delete(chatId)
    this.#say(chatId, typing)
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  #source(chatId: string): Source<readonly string[]> {
    const source = this.#sources.get(chatId) ?? new Source(NOBODY)
    this.#sources.set(chatId, source)
    return source
  }
}
