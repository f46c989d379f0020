/**
 * What docs/protocol.md says of direct chats, in memory and without any of the server's code: who may
 * do what, what it changes, and what each user has then.
 */

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
  /** [CHAT-3] Neither opened, nor blocked in, nor written to. */
  isUnseen: boolean
}

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

  /** true: it is new. */
  openChat(by: string, other: string): boolean {
    const isNew = this.find(by, other) === undefined
    const chat = this.#chat(by, other)
    const member = memberOf(chat, by)
    if (!member.isListed) chat.isSettled = false
    Object.assign(member, { isListed: true, isUnseen: false })
    return isNew
  }

  /** [SEND-3, SEND-4] Gives the message that is there then, or why not. */
  send(by: string, other: string, { body, clientId }: { body: string; clientId: string }) {
    const chat = this.#chat(by, other)
    const known = chat.messages.find((one) => one.sender === by && one.clientId === clientId)
    if (known) return known.body === body ? known : 'client_id_reused'
    if (this.hasBlocked(by, other) || this.hasBlocked(other, by)) return 'blocked'
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

  /** [READ-1, READ-2] */
  markRead(by: string, other: string, { seq, unread }: { seq: number; unread: boolean }) {
    const chat = this.find(by, other)
    const member = chat?.members.get(by)
    if (!chat || !member || member.isUnseen) return 'not_found'
    if (seq > chat.messages.length) return 'invalid'
    member.readSeq = Math.max(seq, unread ? member.clearedSeq : member.readSeq)
    return member
  }

  edit(by: string, other: string, patch: Partial<Pick<Member, 'pinned' | 'archived' | 'muted'>>) {
    const chat = this.find(by, other)
    const member = chat?.members.get(by)
    if (!chat || !member || member.isUnseen) return 'not_found'
    if (patch.archived !== undefined) chat.isSettled = false
    return Object.assign(member, patch)
  }

  /** [READ-4] */
  deleteChat(by: string, other: string) {
    const chat = this.find(by, other)
    const member = chat?.members.get(by)
    if (!chat || !member || member.isUnseen) return 'not_found'
    chat.isSettled = false
    const seq = chat.messages.length
    const cleared = { clearedSeq: seq, readSeq: seq, isListed: false }
    return Object.assign(member, { ...cleared, pinned: false, archived: false })
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
  list(by: string, { archived }: { archived: boolean }): string[] {
    const order = (other: string) => this.find(by, other)?.lastAt ?? 0
    const isPinned = (other: string) => Number(this.find(by, other)?.members.get(by)?.pinned)
    return this.users
      .filter((other) => {
        const member = this.find(by, other)?.members.get(by)
        return member?.isListed && member.archived === archived
      })
      .sort((one, two) => isPinned(two) - isPinned(one) || order(two) - order(one))
  }

  /** [READ-5] */
  unread(by: string): { total: number; chats: number } {
    const counts = this.users.flatMap((other) => {
      const chat = this.find(by, other)
      const member = chat?.members.get(by)
      const counts = chat && member?.isListed && !member.muted
      return counts ? [chat.messages.length - member.readSeq] : []
    })
    const some = counts.filter((count) => count > 0)
    return { total: some.reduce((sum, count) => sum + count, 0), chats: some.length }
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
