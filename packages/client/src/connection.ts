/**
 * One socket, and its way back.
 *
 *   closed ──start──▶ connecting ──connected──▶ syncing ──synced──▶ online
 *                         ▲                        │                  │
 *                         └──────── offline ◀──────┴──────── lost ────┘
 *
 * Each connection holds its events until it has synced [SYNC-7], so the mailbox never sees a gap that a sync
 * would close. Socket.IO does the waiting and the trying again.
 */
import type { CallAnswer, CallBody, CallError, CallName, EventData, EventName } from './protocol.ts'
import { io, type Socket } from 'socket.io-client'
import { type ChatError, offline, toError } from './errors.ts'
import type { Token } from './token.ts'

export type Status = 'closed' | 'connecting' | 'syncing' | 'online' | 'offline'

export interface ConnectionOptions {
  url: string
  token: Token
  onStatus(status: Status): void
  onEvent(name: EventName, data: unknown): void
  /**
   * Brings everything up to date; events follow once it has resolved.
   * @param username whose the connection is, where that is known
   * @returns whose it is
   */
  onConnect(username?: string): Promise<string>
  /** It ends for good: why. */
  onEnd(error: ChatError): unknown
}

export const CALL_MS = 15_000
const RETRY_MS = 2_000

export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  #retry: ReturnType<typeof setTimeout> | undefined
  #status: Status = 'closed'
  /** A server that stops says when to come back. */
  #backAfterMs = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#socket = io(options.url, {
      transports: ['websocket'],
      autoConnect: false,
      auth: (give) => void this.#authenticate(give),
    })
    this.#socket.on('connect', () => void this.#onConnect())
    this.#socket.on('disconnect', (reason) => this.#onLost(reason))
    this.#socket.on('connect_error', (error) => this.#onRefused(error))
    this.#socket.onAny((name: EventName, data: unknown) => this.#onEvent(name, data))
  }

  start(): void {
    if (this.#status !== 'closed') return
    this.#set('connecting')
    this.#socket.connect()
  }

  stop(): void {
    clearTimeout(this.#retry)
    this.#set('closed')
    this.#socket.disconnect()
  }

  /** @throws ChatError */
  async call<N extends CallName>(name: N, body: CallBody<N>): Promise<CallAnswer<N>> {
    if (!this.#socket.connected) throw offline()
    const answer: { ok: boolean; error?: CallError } & CallAnswer<N> = await this.#socket
      .timeout(CALL_MS)
      .emitWithAck(name, body)
      .catch(() => Promise.reject(offline()))
    if (answer.ok) return answer
    throw toError(answer.error)
  }

  async #authenticate(give: (auth: object) => void): Promise<void> {
    try {
      give({ token: await this.#options.token.get(), hold: true })
    } catch (error) {
      this.#onFailure(error as ChatError)
    }
  }

  /** Nobody is logged in: that is the end. All else, as a site that does not answer, is tried again. */
  #onFailure(error: ChatError): void {
    if (error.code === 'signed_out') return this.#end(error)
    this.#socket.disconnect()
    this.#later(RETRY_MS)
  }

  async #onConnect(): Promise<void> {
    this.#set('syncing')
    try {
      await this.#options.onConnect()
      if (this.#socket.connected) this.#set('online')
    } catch (error) {
      // Without it nothing here can be trusted: once more, from the start.
      if (this.#status === 'syncing') this.#onFailure(error as ChatError)
    }
  }

  #onEvent(name: EventName, data: unknown): void {
    if (name === 'session.expiring') void this.#refresh()
    if (name === 'session.closed') {
      const { reason, reconnectInMs = 0 } = data as EventData<'session.closed'>
      this.#backAfterMs = reconnectInMs
      if (reason === 'session_expired' || reason === 'session_revoked') this.#options.token.forget()
      // It is deactivated or removed: there is no use in coming back.
      if (reason.startsWith('account_'))
        return this.#end(toError({ code: 'deactivated', detail: reason }))
    }
    if (name === 'sync.reset') return void this.#onConnect()
    this.#options.onEvent(name, data)
  }

  /** Before the token ends: with the next one the socket goes on. */
  async #refresh(): Promise<void> {
    this.#options.token.forget()
    try {
      await this.call('auth.refresh', { token: await this.#options.token.get() })
    } catch {
      // The server closes the socket then, and the way back asks once more.
    }
  }

  #onLost(reason: string): void {
    if (this.#status === 'closed') return
    this.#set('offline')
    // Where the server has closed it, Socket.IO leaves the coming back to us.
    if (reason === 'io server disconnect') this.#later(this.#backAfterMs)
    this.#backAfterMs = 0
  }

  #onRefused(error: Error & { data?: CallError }): void {
    if (this.#status === 'closed') return
    this.#set('offline')
    const { code, retryAfterMs } = error.data ?? {}
    if (code === undefined) return
    if (code === 'deactivated') return this.#end(toError(error.data))
    this.#options.token.forget()
    this.#later(retryAfterMs ?? RETRY_MS)
  }

  #later(ms: number): void {
    clearTimeout(this.#retry)
    if (this.#status === 'closed') return
    this.#set('offline')
    this.#retry = setTimeout(() => this.#socket.connect(), ms)
  }

  #end(error: ChatError): void {
    this.stop()
    this.#options.onEnd(error)
  }

  #set(status: Status): void {
    if (status === this.#status) return
    this.#status = status
    this.#options.onStatus(status)
  }
}
