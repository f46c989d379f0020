/** One chat as a server has it, and what it tells to one of its members, `me`, of each change. */
import type { Chat, History, Message, SyncResult } from '@microchatter/protocol'
import type { ClientState } from './client.ts'

export type Who = 'me' | 'bob'
export type Step =
  | { does: 'send'; by: Who; here: boolean }
  | { does: 'read'; by: Who; here: boolean; share: number }
  | { does: 'pin' | 'archive' | 'delete' | 'open' | 'others' }

/** What comes to the client. `here`: to the device itself, as an answer. */
export interface Delivery {
  label: string
  apply(state: ClientState): void
}

const PAGE = 3

export class Log {
  readonly chatId = 'chat'
  readonly messages: Message[] = []
  readonly readSeq: Record<Who, number> = { me: 0, bob: 0 }
  #rev = 0
  #clearedSeq = 0
  #pinned = false
  #archived = false
  isListed = false
  /** The next message looks at the settings of all members. */
  #touches = true

  get lastSeq(): number {
    return this.messages.length
  }

  /** What a change tells; nothing where it cannot be made, or is of no concern to me. */
  run(step: Step): Delivery[] {
    if (step.does === 'send') return this.#send(step.by, step.here)
    if (step.does === 'read') return this.#read(step.by, step)
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

  #send(by: Who, here: boolean): Delivery[] {
    const seq = this.lastSeq + 1
    const message: Message = {
      chatId: this.chatId,
      seq,
      sender: by,
      body: `${seq}`,
      createdAt: new Date(seq).toISOString(),
      clientId: `${seq}`,
    }
    this.messages.push(message)
    this.readSeq[by] = seq
    const touches = this.#touches
    if (touches) {
      this.isListed = true
      this.#archived = false
    }
    this.#touches = false
    const told = by === 'me' && here ? answerOf(message) : eventOf('message.created', message, seq)
    return touches ? [told, this.#viewEvent()] : [told]
  }

  #read(by: Who, { here, share }: { here: boolean; share: number }): Delivery[] {
    if (by === 'me' && !this.isListed) return []
    const seq = Math.max(by === 'me' ? this.#clearedSeq : 0, Math.round(share * this.lastSeq))
    this.readSeq[by] = seq
    this.#rev += 1
    const { chatId, lastSeq } = this
    const rev = this.#rev
    const unread = lastSeq - seq
    if (by === 'me' && here)
      return [
        {
          label: `answer: read ${seq}`,
          apply: (state) => state.read({ chatId, seq, rev, unread }),
        },
      ]
    const own = by === 'me' ? { unread } : {}
    return [eventOf('read.updated', { chatId, username: by, seq, rev, lastSeq, ...own }, seq)]
  }

  #delete(): Delivery[] {
    const { chatId, lastSeq } = this
    this.#clearedSeq = lastSeq
    this.readSeq.me = lastSeq
    this.#pinned = false
    this.#archived = false
    this.isListed = false
    this.#touches = true
    return [eventOf('chat.removed', { chatId, rev: this.#rev }, this.#rev)]
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
        { username: 'me', readSeq: readSeq.me },
        { username: 'bob', readSeq: readSeq.bob },
      ],
      ...(last && last.seq > this.#clearedSeq ? { lastMessage: last } : {}),
      unread: lastSeq - readSeq.me,
      lastSeq,
      readSeq: readSeq.me,
      ...(this.#clearedSeq > 0 ? { clearedSeq: this.#clearedSeq } : {}),
      rev: this.#rev,
      updatedAt: new Date(lastSeq).toISOString(),
      ...(this.#pinned ? { pinned: true } : {}),
      ...(this.#archived ? { archived: true } : {}),
    }
  }

  /** What I may read. */
  visible(after = 0): Message[] {
    return this.messages.filter(({ seq }) => seq > after && seq > this.#clearedSeq)
  }

  page(after: number): History {
    const all = this.visible(after)
    return { items: all.slice(0, PAGE), hasBefore: false, hasAfter: all.length > PAGE, changes: 0 }
  }

  /** `kept` undefined: the client has no messages. */
  sync({ kept, reset }: { kept: number | undefined; reset: boolean }): SyncResult {
    const { chatId, isListed } = this
    const { items, hasAfter } = this.page(kept ?? 0)
    return {
      cursor: `${this.#rev}/${this.lastSeq}`,
      ...(reset ? { reset } : {}),
      chats: isListed ? [this.view()] : [],
      removed: isListed || reset ? [] : [{ chatId, rev: this.#rev }],
      messages: kept === undefined || items.length === 0 ? [] : [{ chatId, items, hasAfter }],
      unread: { total: 0, chats: 0 },
    }
  }
}

function eventOf(name: string, data: object, at: number | string): Delivery {
  return { label: `${name} ${at}`, apply: (state) => state.apply(name, structuredClone(data)) }
}

function answerOf(message: Message): Delivery {
  return { label: `answer: sent ${message.seq}`, apply: (state) => void state.message(message) }
}
