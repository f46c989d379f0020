/**
 * A user's Microchatter: the connection, what is known of the chats, and what waits to be sent.
 *
 *   events, answers, syncs → merge/mailbox.ts (what is known) → values (what is shown)
 *   send → outbox (kept, shown at once) → socket → the server's answer takes its place
 */
import type {
  CallAnswer,
  CallBody,
  CallName,
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
import { eventsOf } from './answers.ts'
import type { Api } from './api.ts'
import { Badge } from './badge.ts'
import { Connection, type Status } from './connection.ts'
import { type Conversation, type ConversationView, EMPTY } from './conversation.ts'
import { type ChatError, offline, toError } from './errors.ts'
import { PAGE, SYNC_CHATS } from './limits.ts'
import { Links } from './links.ts'
import { Mailbox } from './merge/mailbox.ts'
import { Outbox } from './outbox.ts'
import { Watch } from './presence.ts'
import { createApi } from './rest.ts'
import { type ClientStorage, MemoryStorage } from './storage.ts'
import { type GetToken, Token } from './token.ts'
import { Typists } from './typing.ts'
import { upload, type UploadOptions } from './uploads.ts'
import { Source, type Value } from './value.ts'
import { CAN_SHARE, Tabs, type TabsOptions } from './tabs.ts'

export interface ClientOptions {
  /** Of the server, e.g. https://chat.example.org. */
  url: string
  /** Asks the site for a token of who is logged in; again before it ends. */
  getToken: GetToken
  /**
   * Where what waits is kept over a reload; nowhere unless given. `idbStorage` is for browsers; with it the tabs of one
   * user share one connection.
   */
  storage?: ClientStorage
  /** It has ended for good: nobody is logged in, or the account is gone. */
  onEnd?: (error: ChatError) => void
}

const SHOWN = 50
/** A larger gap is not filled: the chat is shown from its newest page on. */
const GAP = 500
/** Until what has changed is kept, and until what failed for a reason that passes is tried again. */
const SOON_MS = 1_000
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
  readonly status: Value<Status> = new Source<Status>('closed')
  /** Who is logged in; undefined before the first connection. */
  readonly me: Value<User | undefined> = new Source<User | undefined>(undefined)
  /** My list: pinned first, then newest first. */
  readonly chats: Value<readonly Chat[]> = new Source<readonly Chat[]>([])
  readonly archived: Value<readonly Chat[]> = new Source<readonly Chat[]>([])
  /** Of strangers, to be accepted or declined. */
  readonly requests: Value<readonly Chat[]> = new Source<readonly Chat[]>([])
  readonly #badge = new Badge()
  /** The badge. */
  readonly unread: Value<Unread> = this.#badge.value

  readonly #options: ClientOptions
  readonly #token: Token
  readonly #storage: ClientStorage
  readonly #connection: Connection | Tabs
  readonly #tabs: Tabs | undefined
  readonly #outbox: Outbox
  readonly #typists: Typists
  readonly #watch: Watch
  readonly #links: Links
  readonly #chats = new Map<string, Source<Chat | undefined>>()
  readonly #open = new Map<string, Open>()
  readonly #listeners = new Map<EventName, Set<(data: never) => void>>()
  readonly #dirty = new Set<string>()
  #mailbox = this.#mailboxOf('')
  #keeping: ReturnType<typeof setTimeout> | undefined
  /** By chat: its newest messages, as they were last seen. */
  #kept = new Map<string, Message[]>()
  #nextCursor: string | undefined
  #mending: Promise<void> = Promise.resolve()
  #presence: 'online' | 'away' = 'online'

  constructor(options: ClientOptions) {
    const url = options.url.replace(/\/+$/, '')
    this.#options = { ...options, url }
    this.#token = new Token(options.getToken)
    this.#storage = options.storage ?? new MemoryStorage()
    this.api = createApi({ url, token: this.#token })
    const { name } = this.#storage
    const connection: TabsOptions = {
      url,
      token: this.#token,
      name: `${name} ${url}`,
      onStatus: (status) => this.#onStatus(status),
      onEvent: (event, data) => this.#onEvent(event, data),
      onConnect: (username) => this.#onConnect(username),
      onOrphans: () => void this.#outbox.restore(),
      onEnd: async (error, isOut) => {
        if (isOut) await this.#forget()
        this.#options.onEnd?.(error)
      },
    }
    this.#tabs = name !== undefined && CAN_SHARE ? new Tabs(connection) : undefined
    this.#connection = this.#tabs ?? new Connection(connection)
    this.#outbox = new Outbox({
      storage: this.#storage,
      tabs: this.#tabs,
      send: async ({ chatId, clientId, message }) =>
        (await this.#call('message.send', { chatId, clientId, ...message })).message,
      onChange: (chatId) => this.#soil(chatId),
    })
    this.#typists = new Typists((chatId, typing) => {
      void this.#connection.call('typing', { chatId, typing }).catch(() => undefined)
    })
    this.#links = new Links((body) => this.api.linkFiles(body))
    this.#watch = new Watch(
      async (usernames) => (await this.#connection.call('presence.subscribe', { usernames })).items,
    )
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
    this.#tabs?.logOut()
    await this.#forget()
  }

  async #forget(): Promise<void> {
    this.stop()
    await this.#storage.clear()
    this.#mailbox = this.#mailboxOf('')
    this.#kept.clear()
    this.#links.clear()
    for (const chatId of [...this.#chats.keys(), ...this.#open.keys()]) this.#soil(chatId)
    set(this.me, undefined)
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
    await this.#call('message.edit', { chatId, seq, body })
  }

  /** For all, or for me alone. */
  async delete(chatId: string, seq: number, whom: 'all' | 'me' = 'all'): Promise<void> {
    await this.#call('message.delete', { chatId, seq, for: whom })
  }

  async react(chatId: string, seq: number, emoji: string, on = true): Promise<void> {
    await this.#call('reaction.set', { chatId, seq, emoji, on })
  }

  /** Up to the last message, or to this one. */
  async markRead(chatId: string, seq: number = this.#mailbox.endOf(chatId)): Promise<void> {
    if ((this.#mailbox.chats.get(chatId)?.readSeq ?? 0) >= seq) return
    await this.#call('chat.read', { chatId, seq })
  }

  /** From this one on it is unread again. */
  async markUnread(chatId: string, seq: number): Promise<void> {
    await this.#call('chat.read', { chatId, seq: seq - 1, unread: true })
  }

  async setDraft(chatId: string, body: string): Promise<void> {
    const draft = body === '' ? null : { body }
    await this.#call('draft.set', { chatId, draft })
  }

  /** Settings of a chat: pin, archive, mute, labels; of a group also what all share. */
  async editChat(input: Parameters<Api['editChat']>[0]): Promise<void> {
    this.#mailbox.view(await this.api.editChat(input))
  }

  /** More chats at the end of the list; false: there are none. */
  async loadMoreChats(): Promise<boolean> {
    if (this.#nextCursor === undefined) return false
    const page = await this.api.listChats({ cursor: this.#nextCursor, limit: SHOWN })
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
    this.#presence = state
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
    const { url, thumbnailUrl } = link
    return {
      ...link,
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

  async #call<N extends CallName>(name: N, body: CallBody<N>): Promise<CallAnswer<N>> {
    const answer = await this.#connection.call(name, body)
    for (const [event, data] of eventsOf(name, body, answer, this.#mailbox.username))
      this.#mailbox.apply(event, data)
    return answer
  }

  #onStatus(status: Status): void {
    set(this.status, status)
    if (status === 'online') {
      this.#outbox.open()
      this.#watch.again()
      // A new connection counts as looked at.
      if (this.#presence === 'away') void this.setPresence('away').catch(() => undefined)
    } else {
      this.#outbox.close()
      this.#watch.lost()
    }
  }

  async #onConnect(username?: string): Promise<string> {
    const me = await this.#meet(username)
    const chats = [...this.#mailbox.open].slice(0, SYNC_CHATS).map(([chatId, messages]) => ({
      chatId,
      seq: messages.at(-1)?.seq ?? 0,
      change: this.#mailbox.changeOf(chatId),
    }))
    const { cursor } = this.#mailbox
    const { sync } = await this.#connection.call('sync', { cursor, chats })
    this.#take(sync)
    await this.#mend()
    return me
  }

  #mailboxOf(username: string): Mailbox {
    return new Mailbox(username, (chatId) => this.#soil(chatId))
  }

  /** Whose mailbox this is: known before anything is merged. */
  async #meet(username?: string): Promise<string> {
    const me = (await this.api.getUser({ username: 'me' })) as User
    if (username && username !== me.username) {
      // Another tab has a newer token, of another user.
      this.#token.forget()
      throw offline()
    }
    if (this.#mailbox.username !== me.username) {
      // Nothing of one user is another's: neither what waits to be sent, nor what is kept.
      if (this.#mailbox.username) throw toError({ code: 'signed_out' })
      // What was restored made room for what is true: all of it comes with the first sync.
      this.#mailbox = this.#mailboxOf(me.username)
      for (const open of this.#open.values()) open.isLoading = true
    }
    set(this.me, me)
    return me.username
  }

  #take(sync: SyncResult): void {
    this.#mailbox.sync(sync)
    this.#badge.told(sync.unread, this.#mailbox.chats)
    // Also those that were shown from before, and are there no more.
    for (const chatId of this.#chats.keys()) this.#soil(chatId)
    for (const { items } of sync.messages)
      for (const message of items) this.#outbox.settled(message)
    // More chats than a sync brings: the list has them, page by page.
    if (sync.more)
      this.api.listChats({ limit: SHOWN }).then(
        (page) => (this.#nextCursor = page.nextCursor),
        () => undefined,
      )
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
    // One that fails holds up no other; what passes is tried again.
    const attempt = (work: Promise<void>) =>
      work.catch(({ isTransient }: ChatError) => {
        if (isTransient) setTimeout(() => void this.#mend(), SOON_MS)
      })
    // Only online, or while syncing: each connection begins with it.
    if (!/^(on|s)/.test(this.status.getSnapshot())) return
    for (const [chatId, open] of this.#open) if (open.isLoading) await attempt(this.#load(chatId))
    for (const [chatId, after] of this.#mailbox.wants) await attempt(this.#fill(chatId, after))
    for (const [chatId, after] of this.#mailbox.wantsChanges)
      await attempt(this.#fillChanges(chatId, after))
  }

  async #load(chatId: string): Promise<void> {
    // One that is not among the newest of my list.
    if (!this.#mailbox.chats.has(chatId)) this.#mailbox.view(await this.api.getChat({ chatId }))
    const page = await this.api.getHistory({ chatId, limit: SHOWN })
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
      page = await this.api.getHistory({ chatId, after, limit: PAGE })
      this.#mailbox.page(chatId, after, page)
      after = page.items.at(-1)?.seq ?? after
    } while (page.hasAfter && this.#open.has(chatId))
  }

  async #fillChanges(chatId: string, missing: number): Promise<void> {
    for (let after = missing, hasAfter = true; hasAfter && this.#open.has(chatId); ) {
      const page = await this.api.listChanges({ chatId, after, limit: PAGE })
      this.#mailbox.changes(chatId, page)
      ;({ changes: after, hasAfter } = page)
    }
  }

  async #loadOlder(chatId: string): Promise<void> {
    const open = this.#open.get(chatId)
    const first = this.#mailbox.open.get(chatId)?.[0]
    if (!open || !first || !open.hasOlder) return
    const page = await this.api.getHistory({ chatId, before: first.seq, limit: SHOWN })
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
    for (const name of ['chats', 'archived', 'requests'] as const) {
      const list = [...this.#mailbox.chats.values()].filter((chat) => listOf(chat) === name)
      if (!isSame(list.sort(byPlace), this[name].getSnapshot())) set(this[name], list)
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
    void this.#outbox.restore()
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
      const chats = [...this.chats.getSnapshot()].slice(0, KEPT_CHATS)
      for (const [chatId, messages] of this.#mailbox.open) {
        this.#kept.delete(chatId)
        this.#kept.set(chatId, messages.slice(-KEPT_MESSAGES))
      }
      const messages = Object.fromEntries([...this.#kept].slice(-KEPT_OPEN))
      void this.#storage.keep({ chats, messages }).catch(() => undefined)
    }, SOON_MS)
  }
}

/** Those of the client are all its own. */
function set<T>(value: Value<T>, to: T): void {
  ;(value as Source<T>).set(to)
}

function listOf({ archived, request }: Chat): 'chats' | 'archived' | 'requests' {
  if (request === 'pending') return 'requests'
  return archived ? 'archived' : 'chats'
}

function byPlace(one: Chat, other: Chat): number {
  if (!one.pinned !== !other.pinned) return one.pinned ? -1 : 1
  return other.updatedAt.localeCompare(one.updatedAt) || other.id.localeCompare(one.id)
}

function isSame(one: readonly Chat[], other: readonly Chat[]): boolean {
  return one.length === other.length && one.every((chat, index) => chat === other[index])
}
