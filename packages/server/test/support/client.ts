/**
 * A small reference client: what the rules MERGE-… of docs/protocol.md say, and nothing more. It keeps
 * the list of chats and, for chats that are open, their messages.
 */
import type { Chat, EventData, Message, SyncResult } from '@microchatter/protocol'

export class ClientState {
  cursor: string | undefined
  readonly chats = new Map<string, Chat>()
  /** The rev at which a chat left the list. */
  readonly #removed = new Map<string, number>()
  /** Messages of the chats that are open, without gap. */
  readonly open = new Map<string, Message[]>()
  /** A message came that does not follow the last one: only a sync or a fetch can mend that. */
  gaps = 0
  /** [MERGE-7] Open chats of which messages after this seq are missing. */
  readonly wants = new Map<string, number>()

  constructor(readonly username: string) {}

  apply(name: string, data: any): void {
    if (name === 'message.created') this.#message(data)
    if (name === 'chat.created' || name === 'chat.updated') this.view(data)
    if (name === 'chat.removed') this.#remove(data.chatId, data.rev)
    if (name === 'read.updated') this.#read(data)
    if (name === 'sync.reset') this.cursor = undefined
  }

  sync(result: SyncResult): void {
    if (result.reset) {
      this.chats.clear()
      this.#removed.clear()
    }
    this.cursor = result.cursor
    // Before the views, whose last messages come after these.
    for (const { items } of result.messages) for (const message of items) this.#append(message)
    for (const chat of result.chats) this.view(chat)
    for (const { chatId, rev } of result.removed) this.#remove(chatId, rev)
  }

  /** [MERGE-1] Settings and read marks of the larger rev, the last message of the larger seq. */
  view(chat: Chat): void {
    if (chat.rev < (this.#removed.get(chat.id) ?? 0)) return
    const known = this.chats.get(chat.id)
    const { settings, head } = known ? newerOf(known, chat) : { settings: chat, head: chat }
    const { lastMessage: _, ...rest } = settings
    const readSeq = Math.max(settings.readSeq, this.#ownSeq(head, settings))
    if (head.lastMessage) this.#append(head.lastMessage)
    this.chats.set(chat.id, {
      ...rest,
      ...(head.lastMessage ? { lastMessage: head.lastMessage } : {}),
      lastSeq: head.lastSeq,
      updatedAt: head.updatedAt,
      readSeq,
      unread: head.lastSeq - readSeq,
    })
  }

  /** My own message moves my read mark. */
  #ownSeq(head: Chat, settings: Chat): number {
    const own = head.lastMessage?.sender === this.username && head.lastSeq > settings.lastSeq
    return own ? head.lastSeq : 0
  }

  #message(message: Message): void {
    this.#append(message)
    const chat = this.chats.get(message.chatId)
    if (!chat) return
    const { seq, sender } = message
    const isLast = seq > chat.lastSeq
    const lastSeq = Math.max(seq, chat.lastSeq)
    const readSeq = sender === this.username ? Math.max(seq, chat.readSeq) : chat.readSeq
    this.chats.set(chat.id, {
      ...chat,
      ...(isLast ? { lastMessage: message, lastSeq, updatedAt: message.createdAt } : {}),
      members: chat.members.map((member) =>
        member.username === sender ? { ...member, readSeq: Math.max(seq, member.readSeq) } : member,
      ),
      readSeq,
      unread: lastSeq - readSeq,
    })
  }

  #append(message: Message): void {
    const messages = this.open.get(message.chatId)
    const last = messages?.at(-1)?.seq ?? 0
    if (!messages || message.seq <= last) return
    if (message.seq > last + 1) {
      this.gaps += 1
      this.wants.set(message.chatId, last)
      return
    }
    messages.push(message)
  }

  /** A page of history after the last message that is kept. */
  fill(chatId: string, items: Message[]): void {
    const messages = this.open.get(chatId)
    for (const message of items)
      if (messages && message.seq > (messages.at(-1)?.seq ?? 0)) messages.push(message)
    this.wants.delete(chatId)
  }

  #remove(chatId: string, rev: number): void {
    const chat = this.chats.get(chatId)
    if (chat && chat.rev >= rev) return
    this.#removed.set(chatId, rev)
    this.chats.delete(chatId)
  }

  #read({ chatId, username, seq, rev, unread }: EventData<'read.updated'>): void {
    const chat = this.chats.get(chatId)
    if (!chat || rev <= chat.rev) return
    const mine = unread !== undefined
    this.chats.set(chatId, {
      ...chat,
      rev,
      members: chat.members.map((member) =>
        member.username === username ? { ...member, readSeq: seq } : member,
      ),
      ...(mine ? { readSeq: seq, unread: chat.lastSeq - seq } : {}),
    })
  }
}

function newerOf(known: Chat, chat: Chat) {
  return {
    settings: chat.rev >= known.rev ? chat : known,
    head: chat.lastSeq >= known.lastSeq ? chat : known,
  }
}
