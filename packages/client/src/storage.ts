/** What is kept over a reload: what waits to be sent, and what was last seen. */
import type { Chat, Message, SendBody } from './protocol.ts'

/** A message that is on its way. */
export interface Pending {
  clientId: string
  chatId: string
  /** Milliseconds since 1970. */
  at: number
  message: Omit<SendBody, 'clientId'>
  /** In which tab it waits. */
  tab?: string
  /** Why it was refused; left out: it waits, or is being sent. */
  failed?: { code: string; detail: string }
}

export interface Kept {
  chats: Chat[]
  /** The newest of some chats. */
  messages: Record<string, Message[]>
}

/** One user's; all of it may be lost at any time, then it is fetched anew. */
export interface ClientStorage {
  /** Tabs of one origin whose storage has the same name, and so the same user, share one connection. */
  readonly name?: string
  pending(): Promise<Pending[]>
  put(pending: Pending): Promise<void>
  remove(clientId: string): Promise<void>
  kept(): Promise<Kept | undefined>
  keep(kept: Kept): Promise<void>
  /** At log-out. */
  clear(): Promise<void>
}

export class MemoryStorage implements ClientStorage {
  readonly #pending = new Map<string, Pending>()
  #kept: Kept | undefined

  async pending(): Promise<Pending[]> {
    return [...this.#pending.values()]
  }
  async put(pending: Pending): Promise<void> {
    this.#pending.set(pending.clientId, pending)
  }
  async remove(clientId: string): Promise<void> {
    this.#pending.delete(clientId)
  }
  async kept(): Promise<Kept | undefined> {
    return this.#kept
  }
  async keep(kept: Kept): Promise<void> {
    this.#kept = kept
  }
  async clear(): Promise<void> {
    this.#pending.clear()
    this.#kept = undefined
  }
}
