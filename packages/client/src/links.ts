/** Addresses of files, asked for together, and again when their time is nearly over [FILE-4]. */
import { type FileLink, type FileLinks, type FileLinksBody, LIMITS } from './protocol.ts'

type Key = FileLinksBody['files'][number]

interface Waiting {
  key: Key
  resolve(link: FileLink | undefined): void
  reject(error: unknown): void
}

const SOON_MS = 10
/** So long an address has to be good for still: a player asks for ranges for a while. */
const LEFT_MS = 60_000
const KEPT = 1_000

export class Links {
  readonly #ask: (body: FileLinksBody) => Promise<FileLinks>
  readonly #known = new Map<string, FileLink>()
  #waiting: Waiting[] = []

  constructor(ask: (body: FileLinksBody) => Promise<FileLinks>) {
    this.#ask = ask
  }

  /** undefined: I may not see it, or not any more. */
  async of(key: Key): Promise<FileLink | undefined> {
    const known = this.#known.get(nameOf(key))
    if (known && Date.parse(known.expiresAt) - Date.now() > LEFT_MS) return known
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#waiting.length === 1) setTimeout(() => void this.#askAll(), SOON_MS)
    })
  }

  clear(): void {
    this.#known.clear()
  }

  async #askAll(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (let at = 0; at < waiting.length; at += LIMITS.page)
      await this.#askSome(waiting.slice(at, at + LIMITS.page))
  }

  async #askSome(waiting: Waiting[]): Promise<void> {
    try {
      const { items } = await this.#ask({ files: waiting.map(({ key }) => key) })
      const found = new Map(items.map((link) => [nameOf(link), link]))
      for (const [name, link] of found) this.#keep(name, link)
      for (const { key, resolve } of waiting) resolve(found.get(nameOf(key)))
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }

  #keep(name: string, link: FileLink): void {
    this.#known.delete(name)
    this.#known.set(name, link)
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value ?? '')
  }
}

function nameOf({ chatId, seq, fileId }: Key): string {
  return `${chatId} ${seq} ${fileId}`
}
