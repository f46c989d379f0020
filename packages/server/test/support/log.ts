/** One chat as a server has it, and what it tells to one of its members, `me`, of each change. */
import type { Changes, Chat, History, Message, My, SyncResult } from '@microchatter/protocol'
import type { Mailbox } from '../../../client/src/merge/mailbox.ts'

export type Who = 'me' | 'bob'
export type Step =
  | { does: 'send'; by: Who; here: boolean; to?: 'thread' | 'reply' | 'mention' }
  | { does: 'change'; by: Who; here: boolean; share: number }
  | { does: 'star'; here: boolean; share: number }
  | { does: 'read'; by: Who; here: boolean; share: number }
  | { does: 'deliver'; by: Who; share: number }
  | { does: 'pin' | 'archive' | 'delete' | 'open' | 'others' }

/** What comes to the client. `here`: to the device itself, as an answer. */
export interface Delivery {
  label: string
  apply(state: Mailbox): void
}

const PAGE = 3

export class Log {
  readonly chatId = 'chat'
  readonly messages: Message[] = []
  readonly readSeq: Record<Who, number> = { me: 0, bob: 0 }
  /** What was delivered stays so, also where it is marked as unread. */
  readonly #deliveredSeq: Record<Who, number> = { me: 0, bob: 0 }
  #rev = 0
  #changes = 0
  readonly #my = new Map<number, My>()
  #clearedSeq = 0
  #pinned = false
  #archived = false
  isListed = false
  /** The next message looks at the settings of all members. */
  #touches = true

  get lastSeq(): number {
    return this.messages.length
  }

  get changes(): number {
    return this.#changes
  }

  /** What a change tells; nothing where it cannot be made, or is of no concern to me. */
  run(step: Step): Delivery[] {
    if (step.does === 'send') return this.#send(step)
    if (step.does === 'change') return this.#change(step)
    if (step.does === 'star') return this.#star(step)
    if (step.does === 'read') return this.#read(step.by, step)
    if (step.does === 'deliver') return this.#deliver(step.by, step.share)
    if (step.does === 'open' ? this.isListed : !this.isListed && step.does !== 'others') return []
    this.#rev += 1
    if (step.does === 'others') return []
    if (step.does === 'delete') return this.#delete()
    if (step.does === 'pin') this.#pinned = !this.#pinned
    else this.#touches = true
    if (step.does === 'archive') this.#archived = !this.#archived
    this.isListed = true
    return [this.#viewEvent()]
  }

  #send({
    by,
    here,
    to,
  }: {
    by: Who
    here: boolean
    to?: 'thread' | 'reply' | 'mention'
  }): Delivery[] {
    const seq = this.lastSeq + 1
    const first = this.messages[0]
    const message: Message = {
      chatId: this.chatId,
      seq,
      sender: by,
      body: `${seq}`,
      createdAt: new Date(seq).toISOString(),
      clientId: `${seq}`,
      ...(first && to === 'thread' ? { thread: 1 } : {}),
      ...(to === 'mention' ? { mentions: ['me'] } : {}),
      ...(first && to === 'reply' ? { reply: quoteOf(first) } : {}),
    }
    this.messages.push(message)
    if (first && to === 'thread')
      first.replies = { count: (first.replies?.count ?? 0) + 1, lastSeq: seq }
    this.#moveRead(by, seq)
    const touches = this.#touches
    const appears = touches && (!this.isListed || this.#archived)
    if (touches) {
      this.isListed = true
      this.#archived = false
    }
    this.#touches = false
    const now = structuredClone(message)
    const told = by === 'me' && here ? answerOf(now) : eventOf('message.created', now, seq)
    return appears ? [told, this.#viewEvent()] : [told]
  }

  /** A message that I can see gets another text. */
  #change({ by, here, share }: { by: Who; here: boolean; share: number }): Delivery[] {
    const message = this.messages[Math.ceil(share * this.lastSeq) - 1]
    if (!message) return []
    this.#rev += 1
    this.#changes += 1
    message.body = `${message.body}+`
    message.change = this.#changes
    for (const one of this.messages)
      if (one.reply?.seq === message.seq) one.reply = quoteOf(message)
    const now = structuredClone(message)
    const label = `change ${this.#changes} of ${message.seq}`
    if (by === 'me' && here) return [{ label, apply: (state) => state.changed(now) }]
    return [eventOf('message.updated', { ...now, rev: this.#rev }, label)]
  }

  #star({ here, share }: { here: boolean; share: number }): Delivery[] {
    const seq = Math.ceil(share * this.lastSeq)
    if (!this.isListed || seq <= this.#clearedSeq) return []
    this.#rev += 1
    const { chatId } = this
    const my = { rev: this.#rev, starredAt: `${this.#rev}` }
    this.#my.set(seq, my)
    if (!here) return [eventOf('my.updated', { chatId, seq, my }, seq)]
    return [{ label: `answer: star ${seq}`, apply: (state) => state.my({ chatId, seq, my }) }]
  }

  #read(by: Who, { here, share }: { here: boolean; share: number }): Delivery[] {
    if (by === 'me' && !this.isListed) return []
    const seq = Math.max(by === 'me' ? this.#clearedSeq : 0, Math.round(share * this.lastSeq))
    this.#moveRead(by, seq)
    this.#rev += 1
    const { chatId, lastSeq } = this
    const rev = this.#rev
    const unread = lastSeq - seq
    const counts = this.#mentions()
    if (by === 'me' && here)
      return [
        {
          label: `answer: read ${seq}`,
          apply: (state) => state.read({ chatId, seq, rev, unread, ...counts }),
        },
      ]
    const own = by === 'me' ? { unread, ...counts } : {}
    return [eventOf('read.updated', { chatId, username: by, seq, rev, lastSeq, ...own }, seq)]
  }

  #moveRead(by: Who, seq: number): void {
    this.readSeq[by] = seq
    this.#deliveredSeq[by] = Math.max(this.#deliveredSeq[by], seq)
  }

  #deliver(by: Who, share: number): Delivery[] {
    const { chatId, lastSeq } = this
    const seq = Math.round(share * lastSeq)
    if (seq <= this.#deliveredSeq[by]) return []
    this.#deliveredSeq[by] = seq
    this.#rev += 1
    const data = { chatId, username: by, seq, rev: this.#rev, lastSeq }
    return [eventOf('delivered.updated', data, seq)]
  }

  #delete(): Delivery[] {
    const { chatId, lastSeq } = this
    this.#clearedSeq = lastSeq
    this.#moveRead('me', lastSeq)
    this.#pinned = false
    this.#archived = false
    this.isListed = false
    this.#touches = true
    return [eventOf('chat.removed', { chatId, rev: this.#rev }, this.#rev)]
  }

  #changed(change: number | undefined) {
    if (change === undefined) return { changes: this.#changes }
    const { items, changes } = this.changesAfter(change)
    return { changed: items, changes }
  }

  #viewEvent(): Delivery {
    return eventOf('chat.updated', this.view(), `${this.#rev}/${this.lastSeq}`)
  }

  view(): Chat {
    const { lastSeq, readSeq } = this
    const last = this.messages.at(-1)
    return {
      id: this.chatId,
      kind: 'direct',
      members: [
        { username: 'me', readSeq: readSeq.me, deliveredSeq: this.#deliveredSeq.me },
        { username: 'bob', readSeq: readSeq.bob, deliveredSeq: this.#deliveredSeq.bob },
      ],
      ...(last && last.seq > this.#clearedSeq ? { lastMessage: this.#withMy(last) } : {}),
      unread: lastSeq - readSeq.me,
      ...this.#mentions(),
      lastSeq,
      readSeq: readSeq.me,
      ...(this.#clearedSeq > 0 ? { clearedSeq: this.#clearedSeq } : {}),
      rev: this.#rev,
      ...(this.#changes > 0 ? { changes: this.#changes } : {}),
      updatedAt: new Date(lastSeq).toISOString(),
      ...(this.#pinned ? { pinned: true } : {}),
      ...(this.#archived ? { archived: true } : {}),
    }
  }

  #mentions(): { mentions?: number } {
    const some = this.messages.filter((one) => one.mentions && one.seq > this.readSeq.me)
    return some.length > 0 ? { mentions: some.length } : {}
  }

  /** What I may read. */
  visible(after = 0): Message[] {
    const seen = this.messages.filter(({ seq }) => seq > after && seq > this.#clearedSeq)
    return seen.map((message) => this.#withMy(message))
  }

  #withMy(message: Message): Message {
    const my = this.#my.get(message.seq)
    const { reply } = message
    const isGone = reply !== undefined && reply.seq <= this.#clearedSeq
    const shown = isGone ? { ...message, reply: { seq: reply.seq, body: '' } } : message
    return structuredClone(my ? { ...shown, my } : shown)
  }

  /** What changed after this change, of what I may read. */
  changesAfter(change: number): Changes {
    const items = this.messages.filter(
      (one) => (one.change ?? 0) > change && one.seq > this.#clearedSeq,
    )
    items.sort((one, two) => (one.change ?? 0) - (two.change ?? 0))
    return { items: structuredClone(items), changes: this.#changes, hasAfter: false }
  }

  page(after: number): History {
    const all = this.visible(after)
    return {
      items: all.slice(0, PAGE),
      hasBefore: false,
      hasAfter: all.length > PAGE,
      changes: this.#changes,
    }
  }

  /** `kept` undefined: the client has no messages. */
  sync({ kept, change, reset }: Kept): SyncResult {
    const { chatId, isListed } = this
    const { items, hasAfter } = this.page(kept ?? 0)
    return {
      cursor: `${this.#rev}/${this.lastSeq}`,
      ...(reset ? { reset } : {}),
      chats: isListed ? [this.view()] : [],
      removed: isListed || reset ? [] : [{ chatId, rev: this.#rev }],
      messages: kept === undefined ? [] : [{ chatId, items, hasAfter, ...this.#changed(change) }],
      ...(reset ? {} : { my: [...this.#my].map(([seq, my]) => ({ chatId, seq, my })) }),
      unread: { total: 0, chats: 0 },
    }
  }
}

interface Kept {
  kept: number | undefined
  change?: number | undefined
  reset: boolean
}

function quoteOf({ seq, sender = '', body, change }: Message): NonNullable<Message['reply']> {
  return { seq, sender, body, ...(change === undefined ? {} : { change }) }
}

function eventOf(name: string, data: object, at: number | string): Delivery {
  return { label: `${name} ${at}`, apply: (state) => state.apply(name, structuredClone(data)) }
}

function answerOf(message: Message): Delivery {
  return { label: `answer: sent ${message.seq}`, apply: (state) => void state.message(message) }
}
