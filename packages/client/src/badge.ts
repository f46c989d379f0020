/**
 * The badge [READ-5]. The server counts now and then; what comes in between is counted here, of the chats that are
 * known. What was unread in others stays until it counts again.
 */
import type { Chat, Unread } from './protocol.ts'
import { Source } from './value.ts'

type Counts = Required<Unread>
const NONE: Counts = { total: 0, chats: 0, requests: 0 }

export class Badge {
  readonly value = new Source<Unread>({ total: 0, chats: 0 })
  #elsewhere = NONE

  /** By the server, while these chats were known. */
  told(unread: Unread, chats: ReadonlyMap<string, Chat>): void {
    const here = countOf(chats)
    // What it counted may be older than what is known here: then there is nothing elsewhere.
    const elsewhere = (key: keyof Counts) => Math.max(0, (unread[key] ?? 0) - here[key])
    this.#elsewhere = {
      total: elsewhere('total'),
      chats: elsewhere('chats'),
      requests: elsewhere('requests'),
    }
    this.show(chats)
  }

  show(chats: ReadonlyMap<string, Chat>): void {
    const here = countOf(chats)
    const requests = here.requests + this.#elsewhere.requests
    const shown: Unread = {
      total: here.total + this.#elsewhere.total,
      chats: here.chats + this.#elsewhere.chats,
      ...(requests > 0 ? { requests } : {}),
    }
    const last = this.value.getSnapshot()
    const isSame = last.total === shown.total && last.chats === shown.chats
    if (!isSame || last.requests !== shown.requests) this.value.set(shown)
  }

  clear(): void {
    this.#elsewhere = NONE
    this.show(new Map())
  }
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
