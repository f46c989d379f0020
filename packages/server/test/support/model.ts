/**
 * What docs/protocol.md says of direct chats, in memory and without any of the server's code: who may
 * do what, what it changes, and what each user has then.
 */
import type { WriteFrom } from '@microchatter/protocol'

interface Sent {
  seq: number
  sender: string
  body: string
  clientId: string
}

/** A chat as one of its members has it. */
export interface Member {
  readSeq: number
  clearedSeq: number
  pinned: boolean
  archived: boolean
  muted: boolean
  isListed: boolean
  draft?: { body: string } | undefined
  labels?: string[] | undefined
  /** [PRIV-3] */
  request?: 'pending' | 'declined' | undefined
  /** [CHAT-3] Neither opened, nor blocked in, nor written to. */
  isUnseen: boolean
}

export type MemberEdit = Partial<Pick<Member, 'pinned' | 'archived' | 'muted' | 'labels'>>

export interface ModelChat {
  /** One for a chat with oneself. */
  readonly members: Map<string, Member>
  readonly messages: Sent[]
  /** Grows with each message and each new chat: the order of the list. */
  lastAt: number
  /** [CHAT-5] Nothing changed since the last message of today: archived chats stay where they are. */
  isSettled: boolean
}

export class Model {
  readonly #chats = new Map<string, ModelChat>()
  readonly #blocks = new Set<string>()
  readonly #writeFrom = new Map<string, WriteFrom>()
  #clock = 0

  constructor(readonly users: readonly string[]) {}

  find(one: string, other: string): ModelChat | undefined {
    return this.#chats.get(keyOf(one, other))
  }

  /** [CHAT-1] */
  #chat(one: string, other: string): ModelChat {
    const known = this.find(one, other)
    if (known) return known
    const members = new Map([one, other].map((name) => [name, newMember()]))
    const chat = { members, messages: [], lastAt: ++this.#clock, isSettled: false }
    this.#chats.set(keyOf(one, other), chat)
    return chat
  }

  setWriteFrom(by: string, writeFrom: WriteFrom): void {
    this.#writeFrom.set(by, writeFrom)
  }

  /** [PRIV-2] What the other one takes as a first message; there are no groups. */
  #taken(by: string, other: string): 'chat' | 'request' | 'nothing' {
    const writeFrom = this.#writeFrom.get(other) ?? 'everyone'
    if (by === other || writeFrom === 'everyone') return 'chat'
    if (writeFrom === 'nobody') return 'nothing'
    if (this.find(by, other)?.members.get(other)?.isListed) return 'chat'
    return writeFrom === 'requests' ? 'request' : 'nothing'
  }

  /** Whoever of the two writes, it is a message like any other. */
  isPlain(one: string, other: string): boolean {
    const chat = this.find(one, other)
    if (!chat || this.hasBlocked(one, other) || this.hasBlocked(other, one)) return false
    if ([...chat.members.values()].some(({ request }) => request)) return false
    const takes = [this.#taken(one, other), this.#taken(other, one)]
    return chat.messages.length > 0 || takes.every((taking) => taking === 'chat')
  }

  /** true: it is new. */
  openChat(by: string, other: string): boolean | 'forbidden' {
    const isNew = this.find(by, other) === undefined
    if (isNew && this.#taken(by, other) === 'nothing') return 'forbidden'
    const chat = this.#chat(by, other)
    const member = memberOf(chat, by)
    if (!member.isListed) chat.isSettled = false
    Object.assign(member, { isListed: true, isUnseen: false })
    return isNew
  }

  /** [SEND-3, SEND-4] Gives the message that is there then, or why not. */
  send(by: string, other: string, { body, clientId }: { body: string; clientId: string }) {
    if (!this.find(by, other) && this.#taken(by, other) === 'nothing') return 'forbidden'
    const chat = this.#chat(by, other)
    const known = chat.messages.find((one) => one.sender === by && one.clientId === clientId)
    if (known) return known.body === body ? known : 'client_id_reused'
    if (this.hasBlocked(by, other) || this.hasBlocked(other, by)) return 'blocked'
    if (!this.#ask(chat, by, other)) return 'forbidden'
    const sent: Sent = { seq: chat.messages.length + 1, sender: by, body, clientId }
    chat.messages.push(sent)
    chat.lastAt = ++this.#clock
    memberOf(chat, by).readSeq = sent.seq
    if (!chat.isSettled)
      for (const member of chat.members.values())
        Object.assign(member, {
          isListed: true,
          isUnseen: false,
          archived: member.archived && member.muted,
        })
    chat.isSettled = true
    return sent
  }

  /** [PRIV-2, PRIV-3, PRIV-4] Before a message: who writes accepts, and may have to ask. */
  #ask(chat: ModelChat, by: string, other: string): boolean {
    const [mine, theirs] = [memberOf(chat, by), memberOf(chat, other)]
    const taking = chat.messages.length > 0 ? 'chat' : this.#taken(by, other)
    if (by !== other && (theirs.request === 'declined' || taking === 'nothing')) return false
    if (mine.request) chat.isSettled = false
    mine.request = undefined
    if (taking === 'request') theirs.request = 'pending'
    return true
  }

  /** [PRIV-4] */
  answer(by: string, other: string, accept: boolean) {
    const chat = this.find(by, other)
    const member = chat?.members.get(by)
    if (!chat || !member || member.isUnseen) return 'not_found'
    if (!accept && !member.request) return 'invalid'
    if (member.request === (accept ? undefined : 'declined')) return member
    chat.isSettled = false
    if (!accept) this.deleteChat(by, other)
    member.request = accept ? undefined : 'declined'
    return member
  }

  /** [MAIL-1] */
  setDraft(by: string, other: string, body: string | undefined) {
    const member = this.find(by, other)?.members.get(by)
    if (!member || member.isUnseen) return 'not_found'
    member.draft = body === undefined ? undefined : { body }
    return member
  }

  /** [MAIL-4] Gives the number of chats. */
  markAllRead(by: string): number {
    const unread = this.users.filter((other) => {
      const chat = this.find(by, other)
      const member = chat?.members.get(by)
      if (!chat || !member?.isListed || member.request === 'pending') return false
      const isUnread = member.readSeq < chat.messages.length
      member.readSeq = chat.messages.length
      return isUnread
    })
    return unread.length
  }

  /** [READ-1, READ-2] */
  markRead(by: string, other: string, { seq, unread }: { seq: number; unread: boolean }) {
    const chat = this.find(by, other)
    const member = chat?.members.get(by)
    if (!chat || !member || member.isUnseen) return 'not_found'
    if (seq > chat.messages.length) return 'invalid'
    member.readSeq = Math.max(seq, unread ? member.clearedSeq : member.readSeq)
    return member
  }

  edit(by: string, other: string, patch: MemberEdit) {
    const chat = this.find(by, other)
    const member = chat?.members.get(by)
    if (!chat || !member || member.isUnseen) return 'not_found'
    if (patch.archived !== undefined) chat.isSettled = false
    if (patch.labels) member.labels = patch.labels.length > 0 ? patch.labels : undefined
    const { labels: _, ...flags } = patch
    return Object.assign(member, flags)
  }

  /** [READ-4] */
  deleteChat(by: string, other: string) {
    const chat = this.find(by, other)
    const member = chat?.members.get(by)
    if (!chat || !member || member.isUnseen) return 'not_found'
    chat.isSettled = false
    const seq = chat.messages.length
    const cleared = { clearedSeq: seq, readSeq: seq, isListed: false }
    const undone = { pinned: false, archived: false, draft: undefined, labels: undefined }
    return Object.assign(member, { ...cleared, ...undone })
  }

  setBlock(by: string, other: string, block: boolean): void {
    const chat = this.#chat(by, other)
    chat.isSettled = false
    memberOf(chat, by).isUnseen = false
    if (block) this.#blocks.add(`${by} ${other}`)
    else this.#blocks.delete(`${by} ${other}`)
  }

  hasBlocked(by: string, other: string): boolean {
    return this.#blocks.has(`${by} ${other}`)
  }

  /** [CHAT-4] With whom: pinned first, then the newest first. */
  list(by: string, which: 'list' | 'archive' | 'requests'): string[] {
    const order = (other: string) => this.find(by, other)?.lastAt ?? 0
    const isPinned = (other: string) => Number(this.find(by, other)?.members.get(by)?.pinned)
    return this.users
      .filter((other) => {
        const member = this.find(by, other)?.members.get(by)
        if (!member?.isListed) return false
        if (member.request === 'pending') return which === 'requests'
        return which === (member.archived ? 'archive' : 'list')
      })
      .sort((one, two) => isPinned(two) - isPinned(one) || order(two) - order(one))
  }

  /** [READ-5] */
  unread(by: string): { total: number; chats: number; requests?: number } {
    const of = (isRequest: boolean) =>
      this.users.flatMap((other) => {
        const chat = this.find(by, other)
        const member = chat?.members.get(by)
        if (!chat || !member?.isListed || member.muted) return []
        if ((member.request === 'pending') !== isRequest) return []
        const count = chat.messages.length - member.readSeq
        return count > 0 ? [count] : []
      })
    const [some, requests] = [of(false), of(true).length]
    const total = some.reduce((sum, count) => sum + count, 0)
    return { total, chats: some.length, ...(requests > 0 ? { requests } : {}) }
  }
}

function newMember(): Member {
  const flags = { pinned: false, archived: false, muted: false, isListed: false, isUnseen: true }
  return { readSeq: 0, clearedSeq: 0, ...flags }
}

function memberOf({ members }: ModelChat, name: string): Member {
  const member = members.get(name)
  if (!member) throw new Error(`${name} is no member`)
  return member
}

function keyOf(one: string, other: string): string {
  return [one, other].sort().join(' ')
}
