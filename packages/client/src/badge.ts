/**
 * The badge [READ-5]. The server counts now and then; what comes in between is counted here, of the chats that are
 * known. What was unread in others stays until it counts again.
 */
import type { Chat, Unread } from './protocol.ts'
import { Source } from './value.ts'

type Counts = Required<Unread>
const KEYS = ['total', 'chats', 'requests'] as const
const NONE = each(() => 0)

export class Badge {
  readonly value = new Source<Unread>({ total: 0, chats: 0 })
  #elsewhere = NONE

  /** By the server, while these chats were known. */
  told(unread: Unread, chats: ReadonlyMap<string, Chat>): void {
    // What it counted may be older than what is known here: then there is nothing elsewhere.
    const here = countOf(chats)
    this.#elsewhere = each((key) => Math.max(0, (unread[key] ?? 0) - here[key]))
    this.show(chats)
  }

  show(chats: ReadonlyMap<string, Chat>): void {
    const here = countOf(chats)
    const { requests, ...counts } = each((key) => here[key] + this.#elsewhere[key])
    const shown: Unread = requests > 0 ? { ...counts, requests } : counts
    const last = this.value.getSnapshot()
    if (KEYS.some((key) => last[key] !== shown[key])) this.value.set(shown)
  }

  clear(): void {
    this.told(NONE, new Map())
  }
}

function each(count: (key: keyof Counts) => number): Counts {
  return Object.fromEntries(KEYS.map((key) => [key, count(key)])) as unknown as Counts
}

function countOf(chats: ReadonlyMap<string, Chat>): Counts {
  const counted = { ...NONE }
  for (const { unread, muted, request } of chats.values()) {
    if (unread === 0 || muted) continue
    if (request === 'pending') counted.requests += 1
    else {
      counted.total += unread
      counted.chats += 1
    }
  }
  return counted
}
