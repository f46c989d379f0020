/** Addresses of files, asked for together, and again when their time is nearly over [FILE-4]. */
import type { FileLink, FileLinks, FileLinksBody } from './protocol.ts'
import { PAGE } from './limits.ts'

type Key = FileLinksBody['files'][number]

const SOON_MS = 10
/** So long an address has to be good for still: a player asks for ranges for a while. */
const LEFT_MS = 60_000
const KEPT = 1_000

export class Links {
  readonly #ask: (body: FileLinksBody) => Promise<FileLinks>
  readonly #known = new Map<string, FileLink>()
  #keys: Key[] = []
  #asked: Promise<ReadonlyMap<string, FileLink>> | undefined

  constructor(ask: (body: FileLinksBody) => Promise<FileLinks>) {
    this.#ask = ask
  }

  /** undefined: I may not see it, or not any more. */
  async of(key: Key): Promise<FileLink | undefined> {
    const name = nameOf(key)
    const known = this.#known.get(name)
    if (known && Date.parse(known.expiresAt) - Date.now() > LEFT_MS) return known
    this.#keys.push(key)
    this.#asked ??= this.#askAll()
    return (await this.#asked).get(name)
  }

  clear(): void {
    this.#known.clear()
  }

  async #askAll(): Promise<ReadonlyMap<string, FileLink>> {
    await new Promise((resolve) => setTimeout(resolve, SOON_MS))
    const keys = this.#keys
    this.#keys = []
    this.#asked = undefined
    const found = new Map<string, FileLink>()
    for (let at = 0; at < keys.length; at += PAGE)
      for (const link of (await this.#ask({ files: keys.slice(at, at + PAGE) })).items) {
        found.set(nameOf(link), link)
        this.#keep(nameOf(link), link)
      }
    return found
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
