/** The messages of one chat, each in the newest version that was seen [MERGE-10, MERGE-11]. */
import type { Message, My } from '../protocol.ts'
import { pick } from '../pick.ts'

export class Versions {
  /** Up to this change, nothing is missing. */
  followed = 0
  /** The largest change that was heard of. */
  last = 0
  readonly #messages = new Map<number, Message>()
  /** Messages that mention me. */
  readonly #mentions = new Set<number>()
  /** What came as I have it who has deleted it: the place alone, of which quotes show nothing. */
  readonly #places = new Map<number, Message>()
  /** By the message that a thread hangs on: the messages in it that were seen. */
  readonly #threads = new Map<number, Set<number>>()
  readonly #my = new Map<number, My>()
  /** Changes that came before the ones in front of them. */
  readonly #early = new Set<number>()

  /** Each as it is shown: the same object until something in it changes. */
  readonly #shown = new Map<number, Message | undefined>()
  /** By the message that is quoted: those that quote it. */
  readonly #quoting = new Map<number, Set<number>>()

  constructor(readonly username: string) {}

  mentionsAfter(seq: number): number {
    return [...this.#mentions].filter((one) => one > seq).length
  }

  get lacks(): boolean {
    return this.followed < this.last
  }

  /** Of two versions the one with the larger change is the newer; `my` has its own rev. */
  add({ my, ...message }: Message): void {
    const { seq, reply } = message
    this.#touch(seq)
    if (reply) this.#quoting.set(reply.seq, (this.#quoting.get(reply.seq) ?? new Set()).add(seq))
    if (my) this.own(seq, my)
    const known = this.#messages.get(seq)
    if (message.mentionAll || message.mentions?.includes(this.username)) this.#mentions.add(seq)
    if (message.thread !== undefined) {
      this.#threadOf(message.thread).add(seq)
      this.#touch(message.thread)
    }
    this.seen(message.change ?? 0)
    if (my?.deleted) return this.#place(message)
    if (known && (known.change ?? 0) > (message.change ?? 0)) this.#replies(known, message)
    else {
      this.#messages.set(seq, message)
      if (known) this.#replies(message, known)
    }
  }

  #place(message: Message): void {
    const { seq, change = 0 } = message
    if (change >= (this.#places.get(seq)?.change ?? 0)) this.#places.set(seq, message)
  }

  own(seq: number, my: My): void {
    this.#touch(seq)
    if (my.rev >= (this.#my.get(seq)?.rev ?? 0)) this.#my.set(seq, my)
  }

  seen(change: number): void {
    this.last = Math.max(this.last, change)
  }

  /** The messages are no longer kept. */
  close(): void {
    this.followed = 0
  }

  /** An event of this change. */
  follow(change: number): void {
    this.seen(change)
    this.#early.add(change)
    this.#advance()
  }

  /** All changes up to this one are in. */
  reach(changes: number): void {
    this.seen(changes)
    this.followed = Math.max(this.followed, changes)
    this.#advance()
  }

  #advance(): void {
    while (this.#early.delete(this.followed + 1)) this.followed += 1
  }

  newest(seq: number): Message | undefined {
    if (!this.#shown.has(seq)) this.#shown.set(seq, this.#made(seq))
    return this.#shown.get(seq)
  }

  /** It is made anew, and so are those that quote it. */
  #touch(seq: number): void {
    this.#shown.delete(seq)
    for (const quoting of this.#quoting.get(seq) ?? []) this.#shown.delete(quoting)
  }

  #made(seq: number): Message | undefined {
    const message = this.#messages.get(seq)
    // [MERGE-11] Of what is deleted for all there is nothing that is mine.
    if (message?.deletedAt !== undefined) return { ...message, ...this.#counted(message) }
    const my = this.#my.get(seq)
    if (my?.deleted) return this.#bare(seq, my)
    if (!message) return undefined
    const { reply } = message
    return {
      ...message,
      ...(reply ? { reply: this.#quote(reply) } : {}),
      ...this.#counted(message),
      ...(my ? { my } : {}),
    }
  }

  #bare(seq: number, my: My): Message | undefined {
    const [place, message] = [this.#places.get(seq), this.#messages.get(seq)]
    const isNewer = place && (place.change ?? 0) >= (message?.change ?? 0)
    const newest = isNewer ? place : message
    return newest && { ...pick(newest, BARE), body: '', my }
  }

  /** A quote is a version of the message that it quotes. */
  #quote(reply: NonNullable<Message['reply']>): NonNullable<Message['reply']> {
    const known = this.#messages.get(reply.seq)
    if (!known || (known.change ?? 0) < (reply.change ?? 0)) return reply
    const { body, files } = known
    return {
      ...pick(known, QUOTED),
      body: [...body].slice(0, 200).join(''),
      ...(files?.[0] ? { fileKind: files[0].kind } : {}),
    }
  }

  #threadOf(seq: number): Set<number> {
    const known = this.#threads.get(seq) ?? new Set()
    this.#threads.set(seq, known)
    return known
  }

  /** What was counted when the message was read, and those that came after. */
  #counted({ seq, replies }: Message): Pick<Message, 'replies'> {
    const later = [...this.#threadOf(seq)].filter((one) => one > (replies?.lastSeq ?? 0))
    const count = (replies?.count ?? 0) + later.length
    if (count === 0) return {}
    return { replies: { count, lastSeq: Math.max(replies?.lastSeq ?? 0, ...later) } }
  }

  /** The larger count of its thread stays, whichever version is the newer. */
  #replies(kept: Message, other: Message): void {
    if (other.replies && other.replies.lastSeq > (kept.replies?.lastSeq ?? 0))
      kept.replies = other.replies
  }
}

const QUOTED = 'seq sender kind deletedAt change'
/** Of what is deleted for me. */
const BARE = 'chatId seq sender createdAt clientId thread change'
