/**
 * Messages on their way. Each has its clientId from the start and keeps it, so that a send whose answer was lost
 * is repeated and is one message [SEND-3]; it is kept until the server has it, or says that it never will. Those of one
 * chat go one after the other, in their order.
 */
import type { Message, SendBody } from './protocol.ts'
import { type ChatError, toError } from './errors.ts'
import type { ClientStorage, Pending } from './storage.ts'
import type { Tabs } from './tabs.ts'

export interface OutboxOptions {
  storage: ClientStorage
  send(pending: Pending): Promise<Message>
  /** Where several tabs share the storage: which this is, and the way to know whose tab has gone. */
  tabs?: Pick<Tabs, 'id' | 'claim'> | undefined
  /** What waits in this chat has changed. */
  onChange(chatId: string): void
}

const RETRY_MS = 2_000
/** Waiting messages of one user; more are refused. */
const MOST = 500

export class Outbox {
  readonly #options: OutboxOptions
  /** By chat, in the order in which they were written. */
  readonly #queues = new Map<string, Pending[]>()
  readonly #sending = new Set<string>()
  readonly #waiters = new Map<
    string,
    { resolve(message: Message): void; reject(error: unknown): void }
  >()
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()
  #isOpen = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** What waited here, or in a tab that has gone. */
  async restore(): Promise<void> {
    const { storage, tabs } = this.#options
    const restore = async (isThere: (tab: string) => boolean) => {
      for (const pending of await storage.pending()) {
        const { chatId, clientId, tab } = pending
        if (this.#find(chatId, clientId) || (tab && isThere(tab))) continue
        const queue = this.#queue(chatId)
        queue.push(pending)
        queue.sort((a, b) => a.at - b.at)
        this.#options.onChange(chatId)
        if (tabs) await storage.put(Object.assign(pending, { tab: tabs.id }))
      }
    }
    await (tabs ? tabs.claim(restore) : restore(() => false)).catch(() => undefined)
    this.#flushAll()
  }

  of(chatId: string): readonly Pending[] {
    return this.#queues.get(chatId) ?? []
  }

  /** Resolves when the server has it; rejects when it never will, and it stays as failed. */
  async add(chatId: string, message: Omit<SendBody, 'clientId'>): Promise<Message> {
    if ([...this.#queues.values()].flat().length >= MOST)
      throw toError({ code: 'busy', detail: 'Too many' })
    const clientId = crypto.randomUUID()
    const tab = this.#options.tabs?.id
    const pending = { clientId, chatId, at: Date.now(), message, ...(tab ? { tab } : {}) }
    // Kept before it is shown: what was on the screen outlives a reload. Where nothing can be kept, it is sent all the same.
    await this.#options.storage.put(pending).catch(() => undefined)
    if (!this.#find(chatId, clientId)) this.#queue(chatId).push(pending)
    this.#options.onChange(chatId)
    void this.#flush(chatId)
    return new Promise((resolve, reject) => this.#waiters.set(clientId, { resolve, reject }))
  }

  /** A failed one is tried once more. */
  async retry(chatId: string, clientId: string): Promise<void> {
    const pending = this.#find(chatId, clientId)
    if (!pending?.failed) return
    delete pending.failed
    await this.#options.storage.put(pending).catch(() => undefined)
    this.#options.onChange(chatId)
    void this.#flush(chatId)
  }

  /** One that was not sent is given up; one that is just being sent cannot be. */
  async discard(chatId: string, clientId: string): Promise<void> {
    if (this.#sending.has(clientId)) return
    await this.#drop(chatId, clientId)
  }

  /** The server can be reached. */
  open(): void {
    this.#isOpen = true
    this.#flushAll()
  }

  close(): void {
    this.#isOpen = false
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  /** The server has it, as its answer says, or an event that came before. */
  settled(message: Message): void {
    if (!this.#find(message.chatId, message.clientId)) return
    this.#waiters.get(message.clientId)?.resolve(message)
    void this.#drop(message.chatId, message.clientId)
  }

  #flushAll(): void {
    for (const chatId of this.#queues.keys()) void this.#flush(chatId)
  }

  async #flush(chatId: string): Promise<void> {
    const pending = this.of(chatId).find(({ failed }) => !failed)
    if (!pending || !this.#isOpen || this.#isSending(chatId)) return
    this.#sending.add(pending.clientId)
    try {
      const message = await this.#options.send(pending)
      this.#sending.delete(pending.clientId)
      this.settled(message)
    } catch (error) {
      this.#sending.delete(pending.clientId)
      await this.#onFailure(pending, error)
    }
    void this.#flush(chatId)
  }

  async #onFailure(pending: Pending, error: unknown): Promise<void> {
    const { chatId, clientId } = pending
    const {
      code = 'internal',
      message = '',
      isTransient,
      retryAfterMs,
    } = error as Partial<ChatError>
    if (isTransient || code === 'slow_mode') return this.#later(chatId, retryAfterMs)
    pending.failed = { code, detail: message }
    this.#waiters.get(clientId)?.reject(error)
    this.#waiters.delete(clientId)
    await this.#options.storage.put(pending).catch(() => undefined)
    this.#options.onChange(chatId)
  }

  /** Resolves after the pause, or not at all where it is closed meanwhile: `open` begins anew. */
  #later(chatId: string, ms = RETRY_MS): Promise<void> {
    return new Promise((resolve) => this.#timers.set(chatId, setTimeout(resolve, ms)))
  }

  async #drop(chatId: string, clientId: string): Promise<void> {
    const queue = this.of(chatId).filter((one) => one.clientId !== clientId)
    if (queue.length === 0) this.#queues.delete(chatId)
    else this.#queues.set(chatId, queue)
    this.#waiters.delete(clientId)
    this.#options.onChange(chatId)
    await this.#options.storage.remove(clientId).catch(() => undefined)
  }

  #isSending(chatId: string): boolean {
    return this.of(chatId).some(({ clientId }) => this.#sending.has(clientId))
  }

  #find(chatId: string, clientId: string): Pending | undefined {
    return this.of(chatId).find((one) => one.clientId === clientId)
  }

  #queue(chatId: string): Pending[] {
    const queue = this.#queues.get(chatId) ?? []
    this.#queues.set(chatId, queue)
    return queue
  }
}
