/**
 * What is known of one user's chats: the rules MERGE-… of docs/protocol.md, and nothing more. It keeps
 * the list of chats and, for chats that are open, their messages. What it is told may come in any
 * order and more than once: of each kind it keeps the newest, and shows what follows from that. It asks
 * for nothing: `wants` and `wantsChanges` say what is missing.
 */
import type {
  Changes,
  Chat,
  DraftState,
  EventData,
  History,
  Message,
  My,
  ReadState,
  SyncResult,
} from '../protocol.ts'
import { GroupEvents, newest, type Moment, type ToldMember } from './group-events.ts'
import { Versions } from './versions.ts'

/** Up to where someone has read, as of a moment; of me, how many unread messages mentioned me then. */
type Mark = Moment & { seq: number; mentions?: number | undefined }
type Head = Pick<Chat, 'lastSeq' | 'updatedAt'>

/** What is known of a chat, on the list or not. */
interface Known {
  /** The newest view; undefined: not on the list. */
  view: Chat | undefined
  head: Head | undefined
  /** By username. */
  readonly marks: Map<string, Mark>
  /** Up to where each has the messages on a device, and the rev at which that was said last. */
  readonly delivered: Map<string, number>
  deliveredRev: number
  /** The last message of each sender that was seen. */
  readonly sent: Map<string, number>
  /** What I have begun to write, as of a moment. */
  draft: DraftState | undefined
  /** The rev at which it left the list. */
  removedRev: number
  versions: Versions
  /** What events have told of a group. */
  readonly group: GroupEvents
}

export class Mailbox {
  cursor: string | undefined
  readonly chats = new Map<string, Chat>()
  /** Messages of the chats that are open, without gap. */
  readonly open = new Map<string, Message[]>()
  /** Events of messages that do not follow the last one: only a sync or a fetch can mend that. */
  gaps = 0
  readonly #known = new Map<string, Known>()

  /** `onShow`: what is shown of this chat may have changed. */
  constructor(
    readonly username: string,
    readonly onShow: (chatId: string) => void = () => undefined,
  ) {}

  /** An event, as the server tells it; those that are not of chats change nothing. */
  apply(name: string, told: unknown): void {
    const data = told as never
    if (name === 'message.created' && !this.message(data)) this.gaps += 1
    if (CHANGES.has(name)) this.changed(data)
    if (name === 'my.updated') this.my(data)
    if (name === 'chat.created' || name === 'chat.updated') this.view(data)
    if (name === 'chat.removed') this.#remove(data)
    if (name === 'read.updated') this.#read(data)
    if (name === 'draft.updated') this.draft(data)
    if (name === 'delivered.updated') this.#deliver(data)
    if (name === 'group.updated') this.#group(data)
    if (name === 'member.added' || name === 'member.updated') this.#member(data)
    if (name === 'member.removed')
      this.#member({ ...(told as EventData<'member.removed'>), member: undefined })
    if (name === 'block.updated') this.#anew()
    if (name === 'sync.reset') this.cursor = undefined
  }

  sync(result: SyncResult): void {
    if (result.reset) this.#forget()
    this.cursor = result.cursor
    if (result.blocks) this.#anew()
    for (const chat of result.chats) this.view(chat)
    for (const removed of result.removed) this.#remove(removed)
    for (const { chatId, items, changed, changes, hasChanges = false } of result.messages) {
      const isFirst = this.open.get(chatId)?.length === 0
      for (const message of items) this.message(message)
      if (changed !== undefined || isFirst)
        this.changes(chatId, { items: changed ?? [], changes, hasAfter: hasChanges })
    }
    for (const mine of result.my ?? []) this.my(mine)
  }

  /** [MERGE-1] The newer view counts for settings and members, the larger seq for the last message. */
  view(chat: Chat): void {
    const known = this.#of(chat.id)
    if (chat.rev < known.removedRev) return
    known.view = newest(known.view, chat)
    if (chat.lastSeq >= (known.head?.lastSeq ?? 0)) known.head = chat
    for (const { username, readSeq, deliveredSeq = 0 } of chat.members) {
      if (username === undefined || readSeq === undefined) continue
      const { rev, lastSeq } = chat
      this.#mark(known, username, { rev, lastSeq, seq: readSeq })
      this.#moveDelivered(known, username, deliveredSeq)
    }
    this.#mark(known, this.username, { ...chat, seq: chat.readSeq, mentions: chat.mentions })
    known.versions.seen(chat.changes ?? 0)
    this.#draft(known, { chatId: chat.id, ...chat })
    if (chat.lastMessage) this.message(chat.lastMessage)
    this.#show(chat.id)
  }

  /** [MERGE-2, MERGE-9] Of an event or the answer to a send. false: others are missing before it. */
  message(message: Message): boolean {
    this.#learn(message)
    const follows = this.#append(message)
    this.#show(message.chatId)
    return follows
  }

  #learn(message: Message): void {
    const { chatId, seq, sender, createdAt } = message
    const known = this.#of(chatId)
    known.versions.add(message)
    if (seq > (known.head?.lastSeq ?? 0)) known.head = { lastSeq: seq, updatedAt: createdAt }
    if (sender !== undefined && seq > (known.sent.get(sender) ?? 0)) known.sent.set(sender, seq)
  }

  /** [MERGE-10] A change of a message, of an event or as an answer. */
  changed({ rev: _rev, ...message }: Message & { rev?: number }): void {
    const { versions } = this.#of(message.chatId)
    versions.add(message)
    versions.follow(message.change ?? 0)
    this.#show(message.chatId)
  }

  /** A page of changes, after the last one that follows. */
  changes(chatId: string, { items, changes }: Changes): void {
    const { versions } = this.#of(chatId)
    for (const message of items) versions.add(message)
    versions.reach(changes)
    this.#show(chatId)
  }

  /** [MERGE-11] */
  my({ chatId, seq, my }: { chatId: string; seq: number; my: My }): void {
    this.#of(chatId).versions.own(seq, my)
    this.#show(chatId)
  }

  /** [MERGE-9] The answer to a `chat.read` of this client. */
  read({ unread, ...state }: ReadState): void {
    this.#read({ ...state, username: this.username, lastSeq: state.seq + unread })
  }

  /** [MERGE-3] Of an event or the answer to a `draft.set`. */
  draft(state: DraftState): void {
    this.#draft(this.#of(state.chatId), state)
    this.#show(state.chatId)
  }

  /** [MERGE-7] Chats that are open and lack messages, each with the seq after which to fetch them. */
  get wants(): Map<string, number> {
    const gaps = [...this.open.keys()].map((chatId) => [chatId, this.#lastKept(chatId)] as const)
    return new Map(gaps.filter(([chatId, last]) => last < this.endOf(chatId)))
  }

  /** [MERGE-10] Chats that are open and lack changes, each with the change after which to fetch them. */
  get wantsChanges(): Map<string, number> {
    const gaps = [...this.open.keys()].map((chatId) => [chatId, this.#of(chatId).versions] as const)
    return new Map(
      gaps.filter(([, { lacks }]) => lacks).map(([id, { followed }]) => [id, followed]),
    )
  }

  /** The last change of a chat that it has with all before it. */
  changeOf(chatId: string): number {
    return this.#of(chatId).versions.followed
  }

  /** A page of history, `after` this seq. */
  page(chatId: string, after: number, { items, changes }: History): void {
    const messages = this.open.get(chatId)
    const { versions } = this.#of(chatId)
    if (messages?.length === 0) versions.reach(changes)
    for (const message of items) this.#learn(message)
    // What is missing at the start of a page was cleared for me.
    if (messages && after <= this.#lastKept(chatId))
      messages.push(...items.filter(({ seq }) => seq > this.#lastKept(chatId)))
    this.#show(chatId)
  }

  /** Opens a chat at its newest page; what was kept of it gives way to that. */
  start(chatId: string, { items, changes }: History): void {
    this.open.set(chatId, [...items])
    this.#of(chatId).versions.reach(changes)
    for (const message of items) this.#learn(message)
    this.#show(chatId)
  }

  /** An older page, which ends where what is kept begins. */
  older(chatId: string, { items }: History): void {
    const messages = this.open.get(chatId)
    const [first] = messages ?? []
    const fit = items.filter(({ seq }) => !first || seq < first.seq)
    if (!messages || (first && fit.length > 0 && fit.at(-1)?.seq !== first.seq - 1)) return
    const { versions } = this.#of(chatId)
    for (const message of fit) versions.add(message)
    messages.unshift(...fit)
    this.#show(chatId)
  }

  close(chatId: string): void {
    this.open.delete(chatId)
  }

  /** The last message of the chat that is known of. */
  endOf(chatId: string): number {
    return this.#known.get(chatId)?.head?.lastSeq ?? 0
  }

  #of(chatId: string): Known {
    const known = this.#known.get(chatId) ?? {
      view: undefined,
      head: undefined,
      marks: new Map(),
      delivered: new Map(),
      deliveredRev: 0,
      sent: new Map(),
      draft: undefined,
      removedRev: 0,
      versions: new Versions(this.username),
      group: new GroupEvents(),
    }
    this.#known.set(chatId, known)
    return known
  }

  /** [SEND-4, SYNC-9] Whom I have blocked is to be seen, or not: the messages of groups are fetched anew. */
  #anew(): void {
    for (const [chatId, known] of this.#known) {
      if (known.view?.kind !== 'group') continue
      known.versions = new Versions(this.username)
      if (known.view.lastMessage) known.versions.add(known.view.lastMessage)
      if (this.open.has(chatId)) this.open.set(chatId, [])
      this.#show(chatId)
    }
  }

  /** [MERGE-8] */
  #forget(): void {
    this.chats.clear()
    this.#known.clear()
    for (const chatId of this.open.keys()) this.open.set(chatId, [])
  }

  /** [MERGE-3] */
  #read({ chatId, username, ...mark }: EventData<'read.updated'>): void {
    this.#mark(this.#of(chatId), username, mark)
    this.#show(chatId)
  }

  #mark(chat: Known, username: string, { seq, rev, lastSeq, mentions }: Mark): void {
    chat.marks.set(username, newest(chat.marks.get(username), { seq, rev, lastSeq, mentions }))
    this.#moveDelivered(chat, username, seq)
  }

  /** [RECEIPT-6] */
  #deliver({ chatId, username, seq, rev }: EventData<'delivered.updated'>): void {
    const known = this.#of(chatId)
    known.deliveredRev = Math.max(known.deliveredRev, rev)
    this.#moveDelivered(known, username, seq)
    this.#show(chatId)
  }

  #moveDelivered({ delivered }: Known, username: string, seq: number): void {
    delivered.set(username, Math.max(delivered.get(username) ?? 0, seq))
  }

  #draft(known: Known, state: DraftState): void {
    known.draft = newest(known.draft, state)
  }

  /** [MERGE-12] */
  #group(data: EventData<'group.updated'>): void {
    this.#of(data.chatId).group.update(data)
    this.#show(data.chatId)
  }

  /** [MERGE-12] */
  #member(told: ToldMember): void {
    const known = this.#of(told.chatId)
    const { username, member, ...moment } = known.group.member(told)
    // My own mark comes with views and `read.updated`, which know of mentions.
    if (member?.readSeq !== undefined && username !== this.username) {
      this.#mark(known, username, { ...moment, seq: member.readSeq })
      this.#moveDelivered(known, username, member.deliveredSeq ?? 0)
    }
    this.#show(told.chatId)
  }

  /** [MERGE-4] */
  #remove({ chatId, rev }: EventData<'chat.removed'>): void {
    const known = this.#of(chatId)
    known.removedRev = Math.max(known.removedRev, rev)
    if (known.view && known.view.rev >= rev) return
    known.view = undefined
    this.open.delete(chatId)
    known.versions.close()
    this.#show(chatId)
  }

  #append(message: Message): boolean {
    const messages = this.open.get(message.chatId)
    const next = this.#lastKept(message.chatId) + 1
    if (messages && message.seq === next) messages.push(message)
    return !messages || message.seq <= next
  }

  #lastKept(chatId: string): number {
    const cleared = this.#known.get(chatId)?.view?.clearedSeq ?? 0
    return Math.max(cleared, this.open.get(chatId)?.at(-1)?.seq ?? 0)
  }

  /** [MERGE-3] What was counted at the moment of my mark, and what came after it. */
  #mentions({ marks, sent, versions }: Known): number {
    const { lastSeq = 0, mentions = 0 } = marks.get(this.username) ?? {}
    const own = sent.get(this.username) ?? 0
    if (own > lastSeq) return versions.mentionsAfter(own)
    return Math.min(mentions + versions.mentionsAfter(lastSeq), 100)
  }

  #show(chatId: string): void {
    const known = this.#of(chatId)
    const { head, marks, sent, versions, draft: kept } = known
    if (!known.view || !head) {
      this.chats.delete(chatId)
      return this.onShow(chatId)
    }
    const view = known.group.over(known.view, this.username)
    const { lastMessage: _, changes: __, draft: ___, mentions: ____, ...rest } = view
    const { clearedSeq = 0, ...settings } = rest
    const { lastSeq, updatedAt } = head
    const readSeqOf = (username: string) => {
      const mark = marks.get(username)
      const own = sent.get(username) ?? 0
      // [MERGE-2] A message that is newer than the mark has moved it.
      return own > (mark?.lastSeq ?? 0) ? own : (mark?.seq ?? 0)
    }
    const receiptsOf = (username: string) => {
      const read = readSeqOf(username)
      const told = Math.max(known.delivered.get(username) ?? 0, sent.get(username) ?? 0)
      return { readSeq: read, deliveredSeq: Math.max(told, read) }
    }
    const readSeq = readSeqOf(this.username)
    const mentions = this.#mentions(known)
    const newest = (seq: number) => seen(versions.newest(seq), clearedSeq)
    const lastMessage = newest(lastSeq)
    this.chats.set(chatId, {
      ...settings,
      ...(clearedSeq > 0 ? { clearedSeq } : {}),
      // [RECEIPT-5] Of who keeps it to oneself nothing is shown, whatever follows from messages.
      members: view.members.map((member) =>
        member.username === undefined || member.readSeq === undefined
          ? member
          : { ...member, ...receiptsOf(member.username) },
      ),
      ...(lastMessage && lastSeq > clearedSeq ? { lastMessage } : {}),
      ...(kept?.draft ? { draft: kept.draft } : {}),
      lastSeq,
      updatedAt,
      readSeq,
      unread: lastSeq - readSeq,
      ...(mentions > 0 ? { mentions } : {}),
      ...(versions.last > 0 ? { changes: versions.last } : {}),
      rev: Math.max(
        view.rev,
        kept?.rev ?? 0,
        known.deliveredRev,
        ...[...marks.values()].map(({ rev }) => rev),
      ),
    })
    const messages = this.open.get(chatId)
    messages?.splice(0, messages.findLastIndex(({ seq }) => seq <= clearedSeq) + 1)
    for (const [index, { seq }] of messages?.entries() ?? [])
      if (messages) messages[index] = newest(seq) as Message
    this.onShow(chatId)
  }
}

const CHANGES = new Set(['message.updated', 'message.deleted', 'reaction.updated'])

/** [MERGE-10] A quote of what is cleared shows nothing. */
function seen(message: Message | undefined, clearedSeq: number): Message | undefined {
  const { reply } = message ?? {}
  if (!message || !reply || reply.seq > clearedSeq) return message
  return { ...message, reply: { seq: reply.seq, body: '' } }
}
