/**
 * A user's Microchatter: the connection, what is known of the chats, and what waits to be sent.
 *
 *   events, answers, syncs → merge/mailbox.ts (what is known) → values (what is shown)
 *   send → outbox (kept, shown at once) → socket → the server's answer takes its place
 */
import type {
  Chat,
  EventData,
  EventName,
  FileLink,
  History,
  Message,
  SendBody,
  SyncResult,
  Unread,
  User,
} from './protocol.ts'
import { LIMITS } from './protocol.ts'
import type { Api } from './api.ts'
import { Badge } from './badge.ts'
import { Connection, type Status } from './connection.ts'
import { type Conversation, type ConversationView, EMPTY } from './conversation.ts'
import { ChatError } from './errors.ts'
import { Links } from './links.ts'
import { Mailbox } from './merge/mailbox.ts'
import { Outbox } from './outbox.ts'
import { Watch } from './presence.ts'
import { createApi, createAsk } from './rest.ts'
import { type ClientStorage, MemoryStorage } from './storage.ts'
import { type GetToken, Token } from './token.ts'
import { Typists } from './typing.ts'
import { upload, type UploadOptions } from './uploads.ts'
import { Source, type Value } from './value.ts'

export interface ClientOptions {
  /** Of the server, e.g. https://chat.example.org. */
  url: string
  /** Asks the site for a token of who is logged in; again before it ends. */
  getToken: GetToken
  /** Where what waits is kept over a reload; nowhere unless given. `idbStorage` is for browsers. */
  storage?: ClientStorage
  /** It has ended for good: nobody is logged in, or the account is gone. */
  onEnd?: (error: ChatError) => void
}

const PAGE = 50
/** A larger gap is not filled: the chat is shown from its newest page on. */
const GAP = 500
const KEEP_MS = 1_000
/** Chats and messages that are kept for reading offline. */
const KEPT_CHATS = 100
const KEPT_MESSAGES = 50
const KEPT_OPEN = 30

interface Open {
  source: Source<ConversationView>
  hasOlder: boolean
  isLoading: boolean
  /** Who looks at it. */
  viewers: number
}

export class Client {
  /** Every call by REST. */
  readonly api: Api
  readonly status: Value<Status>
  /** Who is logged in; undefined before the first connection. */
  readonly me: Value<User | undefined>
  /** My list: pinned first, then newest first. */
  readonly chats: Value<readonly Chat[]>
  readonly archived: Value<readonly Chat[]>
  /** Of strangers, to be accepted or declined. */
  readonly requests: Value<readonly Chat[]>
  /** The badge. */
  readonly unread: Value<Unread>

  readonly #options: ClientOptions
  readonly #token: Token
  readonly #storage: ClientStorage
  readonly #connection: Connection
  readonly #outbox: Outbox
  readonly #typists: Typists
  readonly #watch: Watch
  readonly #links: Links
  readonly #badge = new Badge()
  readonly #sources = {
    status: new Source<Status>('closed'),
    me: new Source<User | undefined>(undefined),
    chats: new Source<readonly Chat[]>([]),
    archived: new Source<readonly Chat[]>([]),
    requests: new Source<readonly Chat[]>([]),
  }
  readonly #chats = new Map<string, Source<Chat | undefined>>()
  readonly #open = new Map<string, Open>()
  readonly #listeners = new Map<EventName, Set<(data: never) => void>>()
  readonly #dirty = new Set<string>()
  #mailbox = new Mailbox('', (chatId) => this.#soil(chatId))
  #keeping: ReturnType<typeof setTimeout> | undefined
  /** By chat: its newest messages, as they were last seen. */
  #kept = new Map<string, Message[]>()
  #nextCursor: string | undefined
  #mending: Promise<void> = Promise.resolve()

  constructor(options: ClientOptions) {
    const url = options.url.replace(/\/+$/, '')
    this.#options = { ...options, url }
    this.#token = new Token(options.getToken)
    this.#storage = options.storage ?? new MemoryStorage()
    this.api = createApi(createAsk({ url, token: this.#token }))
    this.#connection = new Connection({
      url,
      token: this.#token,
      onStatus: (status) => this.#onStatus(status),
      onEvent: (name, data) => this.#onEvent(name, data),
      onConnect: () => this.#onConnect(),
      onEnd: (error) => this.#options.onEnd?.(error),
    })
    this.#outbox = new Outbox({
      storage: this.#storage,
      send: ({ chatId, clientId, message }) => this.#sendNow({ chatId, clientId, ...message }),
      onChange: (chatId) => this.#soil(chatId),
    })
    this.#typists = new Typists((chatId, typing) => {
      void this.#connection.call('typing', { chatId, typing }).catch(() => undefined)
    })
    this.#links = new Links((body) => this.api.linkFiles(body))
    this.#watch = new Watch({
      watch: async (usernames) =>
        (await this.#connection.call('presence.subscribe', { usernames })).items,
    })
    const { status, me, chats, archived, requests } = this.#sources
    this.status = status
    this.me = me
    this.chats = chats
    this.archived = archived
    this.requests = requests
    this.unread = this.#badge.value
  }

  /** Shows what was kept, then connects, and stays connected until `stop`. */
  async start(): Promise<void> {
    await this.#restore()
    this.#connection.start()
  }

  stop(): void {
    this.#connection.stop()
    this.#outbox.close()
    this.#typists.stop()
    this.#watch.stop()
    clearTimeout(this.#keeping)
  }

  /** As `stop`, and nothing of the user is left here. */
  async logOut(): Promise<void> {
    this.stop()
    await this.#storage.clear()
    this.#mailbox = new Mailbox('', (chatId) => this.#soil(chatId))
    this.#kept.clear()
    this.#links.clear()
    for (const chatId of [...this.#chats.keys(), ...this.#open.keys()]) this.#soil(chatId)
    this.#sources.me.set(undefined)
    this.#badge.clear()
  }

  /** One chat as I have it; undefined: it is not on my lists, or not known yet. */
  chat(chatId: string): Value<Chat | undefined> {
    let source = this.#chats.get(chatId)
    if (!source) {
      source = new Source(this.#mailbox.chats.get(chatId))
      this.#chats.set(chatId, source)
    }
    return source
  }

  /** Opens a chat to be read: its newest messages come, and stay up to date until it is closed. */
  open(chatId: string): Conversation {
    let open = this.#open.get(chatId)
    if (!open) {
      const known = this.#mailbox.open.has(chatId)
      open = { source: new Source(EMPTY), hasOlder: known, isLoading: !known, viewers: 0 }
      this.#open.set(chatId, open)
      this.#showKept(chatId)
      this.#show(chatId)
      void this.#mend()
    }
    open.viewers += 1
    let isClosed = false
    return {
      view: open.source,
      loadOlder: () => this.#loadOlder(chatId),
      close: () => {
        if (!isClosed) this.#close(chatId)
        isClosed = true
      },
    }
  }

  /** Shown at once, kept over a reload, sent when there is a way. @throws ChatError where it never will be */
  send(chatId: string, message: string | Omit<SendBody, 'clientId'>): Promise<Message> {
    this.#typists.mine(chatId, false)
    return this.#outbox.add(chatId, typeof message === 'string' ? { body: message } : message)
  }

  /** A message that was refused is tried once more. */
  retry(chatId: string, clientId: string): Promise<void> {
    return this.#outbox.retry(chatId, clientId)
  }

  /** One that was not sent is given up. */
  discard(chatId: string, clientId: string): Promise<void> {
    return this.#outbox.discard(chatId, clientId)
  }

  /** The chat with this user, made where there is none. */
  async openWith(username: string): Promise<Chat> {
    const chat = await this.api.openChat({ username })
    this.#mailbox.view(chat)
    return this.#mailbox.chats.get(chat.id) ?? chat
  }

  async edit(chatId: string, seq: number, body: string): Promise<void> {
    const { message } = await this.#connection.call('message.edit', { chatId, seq, body })
    this.#mailbox.changed(message)
  }

  /** For all, or for me alone. */
  async delete(chatId: string, seq: number, whom: 'all' | 'me' = 'all'): Promise<void> {
    const body = { chatId, seq, for: whom }
    const { message, my } = await this.#connection.call('message.delete', body)
    if (message) this.#mailbox.changed(message)
    if (my) this.#mailbox.my({ chatId, seq, my })
  }

  async react(chatId: string, seq: number, emoji: string, on = true): Promise<void> {
    const { message } = await this.#connection.call('reaction.set', { chatId, seq, emoji, on })
    const { my, ...shared } = message
    this.#mailbox.changed(shared)
    if (my) this.#mailbox.my({ chatId, seq, my })
  }

  /** Up to the last message, or to this one. */
  async markRead(chatId: string, seq: number = this.#mailbox.endOf(chatId)): Promise<void> {
    if ((this.#mailbox.chats.get(chatId)?.readSeq ?? 0) >= seq) return
    this.#mailbox.read((await this.#connection.call('chat.read', { chatId, seq })).read)
  }

  /** From this one on it is unread again. */
  async markUnread(chatId: string, seq: number): Promise<void> {
    const body = { chatId, seq: seq - 1, unread: true }
    this.#mailbox.read((await this.#connection.call('chat.read', body)).read)
  }

  async setDraft(chatId: string, body: string): Promise<void> {
    const draft = body === '' ? null : { body }
    this.#mailbox.draft((await this.#connection.call('draft.set', { chatId, draft })).draft)
  }

  /** Settings of a chat: pin, archive, mute, labels; of a group also what all share. */
  async editChat(input: Parameters<Api['editChat']>[0]): Promise<void> {
    this.#mailbox.view(await this.api.editChat(input))
  }

  /** More chats at the end of the list; false: there are none. */
  async loadMoreChats(): Promise<boolean> {
    if (this.#nextCursor === undefined) return false
    const page = await this.api.listChats({ cursor: this.#nextCursor, limit: PAGE })
    this.#nextCursor = page.nextCursor
    for (const chat of page.items) this.#mailbox.view(chat)
    this.#badge.told(await this.api.getUnread(), this.#mailbox.chats)
    return page.nextCursor !== undefined
  }

  /** Who writes there now, but me. */
  typing(chatId: string): Value<readonly string[]> {
    return this.#typists.of(chatId)
  }

  /** To be called at each key; the rest is done here. */
  setTyping(chatId: string, typing = true): void {
    this.#typists.mine(chatId, typing)
  }

  /** Whether someone is there, as long as somebody subscribes to it. */
  presence(username: string) {
    return this.#watch.of(username)
  }

  /** `away`: nobody looks at this page. */
  async setPresence(state: 'online' | 'away'): Promise<void> {
    await this.#connection.call('presence.set', { state })
  }

  /** A file for a message: `send(chatId, { files: [{ id }] })`. */
  upload(bytes: Blob, options?: UploadOptions) {
    return upload({ url: this.#options.url, token: this.#token }, bytes, options)
  }

  /**
   * The addresses of a file of a message: `url`, and `thumbnailUrl` where there is a small one. They end after a few
   * minutes, so ask when it is shown; what is asked for together is one call. undefined: it cannot be seen any more.
   */
  async fileLink(chatId: string, seq: number, fileId: string): Promise<FileLink | undefined> {
    const link = await this.#links.of({ chatId, seq, fileId })
    if (!link) return undefined
    const whole = (address: string) => new URL(address, `${this.#options.url}/`).href
    const { url, thumbnailUrl, ...rest } = link
    return {
      ...rest,
      url: whole(url),
      ...(thumbnailUrl ? { thumbnailUrl: whole(thumbnailUrl) } : {}),
    }
  }

  /** Each event of the server as it comes, after it has been taken in here. @returns the way to end it */
  on<N extends EventName>(name: N, listener: (data: EventData<N>) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener as (data: never) => void)
    return () => listeners.delete(listener as (data: never) => void)
  }

  async #sendNow(message: SendBody & { chatId: string }): Promise<Message> {
    const answer = await this.#connection.call('message.send', message)
    this.#mailbox.message(answer.message)
    return answer.message
  }

  #onStatus(status: Status): void {
    this.#sources.status.set(status)
    if (status === 'online') {
      this.#outbox.open()
      this.#watch.again()
    } else {
      this.#outbox.close()
      this.#watch.lost()
    }
  }

  async #onConnect(): Promise<void> {
    await this.#meet()
    const chats = [...this.#mailbox.open].slice(0, LIMITS.syncChats).map(([chatId, messages]) => ({
      chatId,
      seq: messages.at(-1)?.seq ?? 0,
      change: this.#mailbox.changeOf(chatId),
    }))
    const { cursor } = this.#mailbox
    const { sync } = await this.#connection.call('sync', { ...(cursor ? { cursor } : {}), chats })
    this.#take(sync)
    await this.#mend()
  }

  /** Whose mailbox this is: known before anything is merged. */
  async #meet(): Promise<void> {
    const me = (await this.api.getUser({ username: 'me' })) as User
    if (this.#mailbox.username !== me.username) {
      // What was restored made room for what is true: all of it comes with the first sync.
      this.#mailbox = new Mailbox(me.username, (chatId) => this.#soil(chatId))
      for (const open of this.#open.values()) open.isLoading = true
    }
    this.#sources.me.set(me)
  }

  #take(sync: SyncResult): void {
    this.#mailbox.sync(sync)
    this.#badge.told(sync.unread, this.#mailbox.chats)
    // Also those that were shown from before, and are there no more.
    for (const chatId of this.#chats.keys()) this.#soil(chatId)
    for (const { items } of sync.messages)
      for (const message of items) this.#outbox.settled(message)
    // More chats than a sync brings: the list has them, page by page.
    if (sync.more) void this.#findCursor()
  }

  async #findCursor(): Promise<void> {
    const page = await this.api.listChats({ limit: PAGE }).catch(() => undefined)
    this.#nextCursor = page?.nextCursor
  }

  #onEvent(name: EventName, data: unknown): void {
    this.#mailbox.apply(name, data)
    if (name === 'message.created') this.#outbox.settled(data as Message)
    if (name === 'typing') this.#typists.told(data as EventData<'typing'>)
    if (name === 'presence.updated') this.#watch.told(data as EventData<'presence.updated'>)
    if (name === 'unread.updated') this.#badge.told(data as Unread, this.#mailbox.chats)
    if (this.#mailbox.wants.size > 0 || this.#mailbox.wantsChanges.size > 0) void this.#mend()
    for (const listener of this.#listeners.get(name) ?? []) listener(data as never)
  }

  /** [MERGE-7, MERGE-10] What the open chats lack is fetched; one round at a time. */
  #mend(): Promise<void> {
    this.#mending = this.#mending.then(() => this.#mendAll()).catch(() => undefined)
    return this.#mending
  }

  async #mendAll(): Promise<void> {
    for (const [chatId, open] of this.#open) if (open.isLoading) await this.#load(chatId)
    for (const [chatId, after] of this.#mailbox.wants) await this.#fill(chatId, after)
    for (const [chatId, after] of this.#mailbox.wantsChanges) await this.#fillChanges(chatId, after)
  }

  async #load(chatId: string): Promise<void> {
    const page = await this.api.getHistory({ chatId, limit: PAGE })
    const open = this.#open.get(chatId)
    if (!open) return
    open.isLoading = false
    open.hasOlder = page.hasBefore
    this.#mailbox.start(chatId, page)
  }

  async #fill(chatId: string, missing: number): Promise<void> {
    const isNew = this.#mailbox.open.get(chatId)?.length === 0
    if (isNew || this.#mailbox.endOf(chatId) - missing > GAP) return this.#load(chatId)
    let after = missing
    let page: History
    do {
      page = await this.api.getHistory({ chatId, after, limit: LIMITS.page })
      this.#mailbox.page(chatId, after, page)
      after = page.items.at(-1)?.seq ?? after
    } while (page.hasAfter && this.#open.has(chatId))
  }

  async #fillChanges(chatId: string, missing: number): Promise<void> {
    for (let after = missing, hasAfter = true; hasAfter && this.#open.has(chatId); ) {
      const page = await this.api.listChanges({ chatId, after, limit: LIMITS.page })
      this.#mailbox.changes(chatId, page)
      ;({ changes: after, hasAfter } = page)
    }
  }

  async #loadOlder(chatId: string): Promise<void> {
    const open = this.#open.get(chatId)
    const first = this.#mailbox.open.get(chatId)?.[0]
    if (!open || !first || !open.hasOlder) return
    const page = await this.api.getHistory({ chatId, before: first.seq, limit: PAGE })
    open.hasOlder = page.hasBefore
    this.#mailbox.older(chatId, page)
  }

  #close(chatId: string): void {
    const open = this.#open.get(chatId)
    if (!open || --open.viewers > 0) return
    this.#open.delete(chatId)
    this.#mailbox.close(chatId)
  }

  /** What is shown of it is made anew, once for all that comes in one turn. */
  #soil(chatId: string): void {
    if (this.#dirty.size === 0) queueMicrotask(() => this.#clean())
    this.#dirty.add(chatId)
  }

  #clean(): void {
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    const lists: Record<'chats' | 'archived' | 'requests', Chat[]> = {
      chats: [],
      archived: [],
      requests: [],
    }
    for (const chat of this.#mailbox.chats.values()) lists[listOf(chat)].push(chat)
    for (const name of ['chats', 'archived', 'requests'] as const) {
      const list = lists[name].sort(byPlace)
      const source = this.#sources[name]
      if (!isSame(list, source.getSnapshot())) source.set(list)
    }
    for (const chatId of dirty) {
      this.#chats.get(chatId)?.set(this.#mailbox.chats.get(chatId))
      this.#show(chatId)
    }
    this.#badge.show(this.#mailbox.chats)
    this.#keepSoon()
  }

  #show(chatId: string): void {
    const open = this.#open.get(chatId)
    if (!open) return
    const messages = [...(this.#mailbox.open.get(chatId) ?? [])]
    // An answer is merged a moment before the outbox hears of it.
    const isStored = (clientId: string) => messages.some((message) => message.clientId === clientId)
    open.source.set({
      messages,
      pending: this.#outbox.of(chatId).filter(({ clientId }) => !isStored(clientId)),
      hasOlder: open.hasOlder,
      isLoading: open.isLoading,
    })
  }

  async #restore(): Promise<void> {
    const kept = await this.#storage.kept().catch(() => undefined)
    // Only to be looked at until the first sync: it has no cursor, so that brings all anew.
    for (const chat of kept?.chats ?? []) this.#mailbox.view(chat)
    this.#kept = new Map(Object.entries(kept?.messages ?? {}))
    for (const chatId of this.#open.keys()) this.#showKept(chatId)
    await this.#outbox.restore().catch(() => undefined)
  }

  /** What was last seen of it, until the server has said what there is. */
  #showKept(chatId: string): void {
    const items = this.#kept.get(chatId)
    if (items && !this.#mailbox.open.has(chatId))
      this.#mailbox.start(chatId, { items, hasBefore: true, hasAfter: false, changes: 0 })
  }

  #keepSoon(): void {
    this.#keeping ??= setTimeout(() => {
      this.#keeping = undefined
      const chats = [...this.#sources.chats.getSnapshot()].slice(0, KEPT_CHATS)
      for (const [chatId, messages] of this.#mailbox.open) {
        this.#kept.delete(chatId)
        this.#kept.set(chatId, messages.slice(-KEPT_MESSAGES))
      }
      const messages = Object.fromEntries([...this.#kept].slice(-KEPT_OPEN))
      void this.#storage.keep({ chats, messages }).catch(() => undefined)
    }, KEEP_MS)
  }
}

function listOf({ archived, request }: Chat): 'chats' | 'archived' | 'requests' {
  if (request === 'pending') return 'requests'
  return archived ? 'archived' : 'chats'
}

function byPlace(one: Chat, other: Chat): number {
  if (!one.pinned !== !other.pinned) return one.pinned ? -1 : 1
  return one.updatedAt === other.updatedAt
    ? other.id.localeCompare(one.id)
    : other.updatedAt.localeCompare(one.updatedAt)
}

function isSame(one: readonly Chat[], other: readonly Chat[]): boolean {
  return one.length === other.length && one.every((chat, index) => chat === other[index])
}
