/**
 * What docs/protocol.md says of chats and messages, in memory and without any of the server's code: who
 * may do what, what it changes, and what each user has then. Groups: model-groups.ts; what is done to
 * messages: model-messages.ts.
 */
import type { WriteFrom } from '@microchatter/protocol'
import {
  may,
  type Member,
  memberOf,
  type ModelChat,
  moveRead,
  newMember,
  type Refusal,
  type Sent,
} from './model-chats.ts'

export type MemberEdit = Partial<Pick<Member, 'pinned' | 'archived' | 'muted' | 'labels'>>
export type ListName = 'list' | 'archive' | 'requests'

export class Model {
  /** By the names of the two, or the number of the group. */
  readonly chats = new Map<string, ModelChat>()
  readonly #blocks = new Set<string>()
  readonly #writeFrom = new Map<string, WriteFrom>()
  #clock = 0

  constructor(readonly users: readonly string[]) {}

  findDirect(one: string, other: string): ModelChat | undefined {
    return this.chats.get(keyOf(one, other))
  }

  /** [CHAT-1] */
  #direct(one: string, other: string): ModelChat {
    const known = this.findDirect(one, other)
    if (known) return known
    const members = new Map([one, other].map((name) => [name, newMember('member')]))
    return this.addChat(keyOf(one, other), 'direct', members)
  }

  addChat(key: string, kind: ModelChat['kind'], members: Map<string, Member>): ModelChat {
    const empty = { messages: [], marks: new Map(), removed: new Set<string>(), changes: 0 }
    const lastAt = ++this.#clock
    const chat = { key, kind, members, ...empty, lastAt, isSettled: false }
    this.chats.set(key, chat)
    return chat
  }

  /** What this user has of a chat that it knows. */
  #memberIn(chat: ModelChat, by: string): Member | undefined {
    const member = chat.members.get(by)
    return member?.isUnseen ? undefined : member
  }

  setWriteFrom(by: string, writeFrom: WriteFrom): void {
    this.#writeFrom.set(by, writeFrom)
  }

  /** [PRIV-2] What the other one takes as a first message. */
  #taken(by: string, other: string): 'chat' | 'request' | 'nothing' {
    const writeFrom = this.#writeFrom.get(other) ?? 'everyone'
    if (by === other || writeFrom === 'everyone') return 'chat'
    if (writeFrom === 'nobody') return 'nothing'
    const isListed = this.findDirect(by, other)?.members.get(other)?.isListed
    if (isListed || this.#shareGroup(by, other)) return 'chat'
    return writeFrom === 'requests' ? 'request' : 'nothing'
  }

  /** [GROUP-5] Who takes no strangers is brought into no group by one. */
  takesNoStranger(name: string, by: string): boolean {
    if ((this.#writeFrom.get(name) ?? 'everyone') === 'everyone') return false
    const member = this.findDirect(by, name)?.members.get(name)
    return !(member?.isListed && member.request === undefined)
  }

  get hasGroups(): boolean {
    return [...this.chats.values()].some(({ kind }) => kind === 'group')
  }

  get hasBlocks(): boolean {
    return this.#blocks.size > 0
  }

  #shareGroup(one: string, other: string): boolean {
    const groups = [...this.chats.values()].filter(({ kind }) => kind === 'group')
    return groups.some(({ members }) => members.has(one) && members.has(other))
  }

  /** Whoever of the members writes, it is a message like any other. */
  isPlain(chat: ModelChat): boolean {
    const names = [...chat.members.keys()]
    if (chat.kind === 'group') return names.every((name) => may(chat, name, 'post'))
    const [one = '', other = one] = names
    if (this.isBlocked(one, other)) return false
    if ([...chat.members.values()].some(({ request }) => request)) return false
    const takes = [this.#taken(one, other), this.#taken(other, one)]
    return chat.messages.length > 0 || takes.every((taking) => taking === 'chat')
  }

  /** true: it is new. */
  openChat(by: string, other: string): boolean | Refusal {
    const isNew = this.findDirect(by, other) === undefined
    if (isNew && this.#taken(by, other) === 'nothing') return 'forbidden'
    const chat = this.#direct(by, other)
    const member = memberOf(chat, by)
    if (!member.isListed) chat.isSettled = false
    Object.assign(member, { isListed: true, isUnseen: false })
    return isNew
  }

  /** The chat appears if there is none. */
  chatFor(by: string, other: string): ModelChat | Refusal {
    if (!this.findDirect(by, other) && this.#taken(by, other) === 'nothing') return 'forbidden'
    return this.#direct(by, other)
  }

  /** [SEND-4, PRIV-4, GROUP-2] Who writes accepts, and may have to ask: `ask` does so. */
  refusalOf(chat: ModelChat, by: string, ask = false): Refusal | undefined {
    if (chat.kind === 'group') return may(chat, by, 'post') ? undefined : 'forbidden'
    const other = otherOf(chat, by)
    if (this.isBlocked(by, other)) return 'blocked'
    const [mine, theirs] = [memberOf(chat, by), memberOf(chat, other)]
    const taking = chat.messages.length > 0 ? 'chat' : this.#taken(by, other)
    if (by !== other && (theirs.request === 'declined' || taking === 'nothing')) return 'forbidden'
    if (!ask) return undefined
    if (mine.request) chat.isSettled = false
    mine.request = undefined
    if (taking === 'request') theirs.request = 'pending'
    return undefined
  }

  /** Whatever it is: it is the last message then, and read by its sender. */
  post(chat: ModelChat, by: string, part: Omit<Partial<Sent>, 'seq' | 'sender'>): Sent {
    const seq = chat.messages.length + 1
    const beside = { counted: () => false, reactions: [], change: 0 }
    const sent: Sent = { body: '', ...beside, ...part, seq, sender: by }
    chat.messages.push(sent)
    chat.lastAt = ++this.#clock
    const sender = chat.members.get(by)
    if (sender) moveRead(sender, seq)
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

  /** [PRIV-4] */
  answer(chat: ModelChat, by: string, accept: boolean) {
    const member = this.#memberIn(chat, by)
    if (!member) return 'not_found'
    if (!accept && !member.request) return 'invalid'
    if (member.request === (accept ? undefined : 'declined')) return member
    chat.isSettled = false
    if (!accept) this.deleteChat(chat, by)
    member.request = accept ? undefined : 'declined'
    return member
  }

  /** [MAIL-1] */
  setDraft(chat: ModelChat, by: string, body: string | undefined) {
    const member = this.#memberIn(chat, by)
    if (!member) return 'not_found'
    member.draft = body === undefined ? undefined : { body }
    return member
  }

  /** [MAIL-4] Gives the number of chats. */
  markAllRead(by: string): number {
    const unread = [...this.chats.values()].filter(({ members, messages }) => {
      const member = members.get(by)
      if (!member?.isListed || member.request === 'pending') return false
      const isUnread = member.readSeq < messages.length
      moveRead(member, messages.length)
      return isUnread
    })
    return unread.length
  }

  /** [READ-1, READ-2] */
  markRead(chat: ModelChat, by: string, { seq, unread }: { seq: number; unread: boolean }) {
    const member = this.#memberIn(chat, by)
    if (!member) return 'not_found'
    if (seq > chat.messages.length) return 'invalid'
    moveRead(member, Math.max(seq, unread ? member.clearedSeq : member.readSeq))
    return member
  }

  /** [RECEIPT-1] */
  markDelivered(chat: ModelChat, by: string, seq: number) {
    const member = this.#memberIn(chat, by)
    if (!member) return 'not_found'
    member.deliveredSeq = Math.max(member.deliveredSeq, seq)
    return member
  }

  edit(chat: ModelChat, by: string, patch: MemberEdit) {
    const member = this.#memberIn(chat, by)
    if (!member) return 'not_found'
    if (patch.archived !== undefined) chat.isSettled = false
    if (patch.labels) member.labels = patch.labels.length > 0 ? patch.labels : undefined
    const { labels: _, ...flags } = patch
    return Object.assign(member, flags)
  }

  /** [READ-4] */
  deleteChat(chat: ModelChat, by: string) {
    const member = this.#memberIn(chat, by)
    if (!member) return 'not_found'
    chat.isSettled = false
    const seq = chat.messages.length
    moveRead(member, seq)
    const undone = { pinned: false, archived: false, draft: undefined, labels: undefined }
    return Object.assign(member, { clearedSeq: seq, isListed: false, ...undone })
  }

  setBlock(by: string, other: string, block: boolean): void {
    if (this.hasBlocked(by, other) === block) return
    const chat = this.#direct(by, other)
    chat.isSettled = false
    memberOf(chat, by).isUnseen = false
    if (block) this.#blocks.add(`${by} ${other}`)
    else this.#blocks.delete(`${by} ${other}`)
  }

  hasBlocked(by: string, other: string): boolean {
    return this.#blocks.has(`${by} ${other}`)
  }

  isBlocked(one: string, other: string): boolean {
    return this.hasBlocked(one, other) || this.hasBlocked(other, one)
  }

  /** [CHAT-4] Pinned first, then the newest first. */
  list(by: string, which: ListName): ModelChat[] {
    const isPinned = ({ members }: ModelChat) => Number(members.get(by)?.pinned)
    return [...this.chats.values()]
      .filter(({ members }) => {
        const member = members.get(by)
        if (!member?.isListed) return false
        if (member.request === 'pending') return which === 'requests'
        return which === (member.archived ? 'archive' : 'list')
      })
      .sort((one, two) => isPinned(two) - isPinned(one) || two.lastAt - one.lastAt)
  }

  /** [READ-5] */
  unread(by: string): { total: number; chats: number; requests?: number } {
    const of = (isRequest: boolean) =>
      [...this.chats.values()].flatMap(({ members, messages }) => {
        const member = members.get(by)
        if (!member?.isListed || member.muted) return []
        if ((member.request === 'pending') !== isRequest) return []
        const count = messages.length - member.readSeq
        return count > 0 ? [count] : []
      })
    const [some, requests] = [of(false), of(true).length]
    const total = some.reduce((sum, count) => sum + count, 0)
    return { total, chats: some.length, ...(requests > 0 ? { requests } : {}) }
  }
}

/** Of a direct chat. */
export function otherOf({ members }: ModelChat, username: string): string {
  return [...members.keys()].find((name) => name !== username) ?? username
}

function keyOf(one: string, other: string): string {
  return [one, other].sort().join(' ')
}
