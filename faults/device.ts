/**
 * One device of a user, as a careful client is: it comes back by sync, repeats what was not answered
 * with the same clientId or as it is, and keeps its state by the rules MERGE-… of docs/protocol.md.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Socket as TcpSocket } from 'node:net'
import type { SyncResult } from '@microchatter/protocol'
import { io, type Socket } from 'socket.io-client'
import { Mailbox } from '../packages/client/src/merge/mailbox.ts'
import { Heard } from './heard.ts'
import type { Call, History, NewCall, Via } from './history.ts'
import { Missing } from './missing.ts'

/** A client's own patience; the server promises an answer in less. */
const ANSWER_MS = 5_000
const CONNECT_MS = 3_000
const REPEAT_WITHIN_MS = 60_000
const PAUSE_MS = 60

/** May be repeated: it was not done, or it is not known whether it was. */
const TRANSIENT = new Set([
  'cut',
  'timeout',
  'unavailable',
  'busy',
  'outcome_unknown',
  'in_progress',
])

/** Where the server is for clients, and what is known of the way to it. */
export interface Site {
  /** Through the proxy. */
  url: string
  /** Straight to the server, for what is looked at afterwards. */
  directUrl: string
  history: History
  /** Nothing but the server and its database can be at fault now. */
  isClean: () => boolean
  /** The server has ended by itself: nothing more is to be had. */
  isDead: () => boolean
  /** How long a device waits before it connects again, in ms. */
  backoffMs: () => number
}

/** The answer to one attempt: 'ok', an error's code, 'cut' or 'timeout'. */
export interface Reply {
  result: string
  body?: any
}

export interface Attempted {
  via: Via
  reply: Promise<Reply>
}

export class Device {
  readonly state: Mailbox
  readonly heard = new Heard()
  /** Connected, and its sync was answered. */
  isLive = false
  connections = 0
  #socket: Socket | undefined
  #drop: () => void = () => undefined
  #isRunning = true
  readonly #missing: Missing
  #loop: Promise<void> | undefined

  constructor(
    readonly site: Site,
    readonly user: string,
    readonly index: number,
    readonly token: string,
  ) {
    this.state = new Mailbox(user)
    this.#missing = new Missing(this.state, (path) => this.#fetch(path))
  }

  start(): void {
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#drop()
    await this.#loop
  }

  /** Of its connection, by which the proxy knows it. */
  get localPort(): number | undefined {
    const { transport } = this.#socket?.io.engine ?? {}
    return (transport as { ws?: { _socket?: TcpSocket } } | undefined)?.ws?._socket?.localPort
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      await this.#connection().catch(() => undefined)
      this.isLive = false
      if (this.#isRunning) await sleep(this.site.backoffMs())
    }
  }

  async #connection(): Promise<void> {
    const socket = io(this.site.url, {
      auth: { token: this.token, hold: true },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_MS,
    })
    this.#socket = socket
    // One that is dropped while it connects tells nobody.
    const ended = new Promise<void>((resolve) => {
      socket.once('disconnect', () => resolve())
      socket.once('connect_error', () => resolve())
      this.#drop = () => {
        socket.disconnect()
        resolve()
      }
    })
    const connected = new Promise<void>((resolve) => socket.once('connect', () => resolve()))
    socket.onAny((name: string, data: unknown) => this.#onEvent(socket, name, data))
    const timer = setTimeout(this.#drop, CONNECT_MS + ANSWER_MS)
    try {
      await Promise.race([connected, ended])
      if (socket.connected && (await this.#sync(socket))) {
        clearTimeout(timer)
        this.isLive = true
        this.connections += 1
        await ended
      }
    } finally {
      clearTimeout(timer)
      socket.disconnect()
    }
  }

  #onEvent(socket: Socket, name: string, data: any): void {
    this.heard.event(name, data)
    this.state.apply(name, data)
    this.#openNew()
    if (name === 'sync.reset') void this.#sync(socket)
  }

  /** Resolves with whether it was answered; what is released comes after it. */
  #sync(socket: Socket): Promise<boolean> {
    const chats = [...this.state.open].slice(0, 100).map(([chatId, messages]) => ({
      chatId,
      seq: messages.at(-1)?.seq ?? this.state.chats.get(chatId)?.clearedSeq ?? 0,
      change: this.state.changeOf(chatId),
    }))
    const { cursor } = this.state
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ANSWER_MS)
      socket.once('disconnect', () => resolve(false))
      socket.emit('sync', { ...(cursor ? { cursor } : {}), chats }, (answer: any) => {
        clearTimeout(timer)
        if (answer.ok) this.#synced(answer.sync)
        resolve(answer.ok)
      })
    })
  }

  #synced(result: SyncResult): void {
    this.state.sync(result)
    this.heard.views(result.chats)
    this.#openNew()
  }

  /** All chats are open here: each change of each is looked at. */
  #openNew(): void {
    const { chats, open } = this.state
    for (const chatId of open.keys()) if (!chats.has(chatId)) open.delete(chatId)
    for (const chatId of chats.keys()) if (!open.has(chatId)) open.set(chatId, [])
    this.#missing.look()
  }

  /** A page, as often as it takes; undefined: it is not to be had. */
  async #fetch(path: string): Promise<any> {
    for (const until = Date.now() + REPEAT_WITHIN_MS; this.#isRunning && Date.now() < until; ) {
      const { result, body } = await this.rest('GET', path)
      if (result === 'ok') return body
      if (!TRANSIENT.has(result)) return undefined
      await sleep(PAUSE_MS)
    }
    return undefined
  }

  /** By socket: one attempt. */
  async emit(name: string, body: object): Promise<Reply> {
    const socket = this.#socket
    if (!socket?.connected || !this.isLive) return { result: 'cut' }
    return new Promise((resolve) => {
      const onCut = () => resolve({ result: 'cut' })
      const timer = setTimeout(() => {
        resolve({ result: 'timeout' })
        // A connection that does not answer is given up.
        socket.disconnect()
      }, ANSWER_MS)
      socket.once('disconnect', onCut)
      socket.emit(name, body, (answer: any) => {
        clearTimeout(timer)
        socket.off('disconnect', onCut)
        if (answer.ok) this.#applyOwn(name, answer, body)
        resolve({ result: answer.ok ? 'ok' : answer.error.code, body: answer })
      })
    })
  }

  /** [MERGE-9] The answer stands for the event, which goes to the other devices. */
  #applyOwn(name: string, answer: any, body: any): void {
    if (name === 'message.send') this.state.message(answer.message)
    else if (answer.message) this.state.changed(answer.message)
    if (answer.my) this.state.my({ chatId: body.chatId, seq: body.seq, my: answer.my })
    if (name === 'draft.set') this.state.draft(answer.draft)
    if (name === 'chat.read') this.state.read(answer.read)
    this.#openNew()
  }

  /** By REST: one attempt. */
  async rest(
    method: string,
    path: string,
    body?: object,
    { base = this.site.url, headers }: { base?: string; headers?: object } = {},
  ): Promise<Reply> {
    try {
      const response = await fetch(base + path, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          ...headers,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      const text = await response.text()
      const answer = text === '' ? undefined : JSON.parse(text)
      return { result: response.ok ? 'ok' : answer.code, body: answer }
    } catch (error) {
      return { result: (error as Error).name === 'TimeoutError' ? 'timeout' : 'cut' }
    }
  }

  /** Straight to the server, whatever becomes of the network. */
  get(path: string): Promise<Reply> {
    return this.rest('GET', path, undefined, { base: this.site.directUrl })
  }

  /** An attempt by REST. */
  byRest(method: string, path: string, body?: object, headers?: object): Attempted {
    return { via: 'rest', reply: this.rest(method, path, body, headers ? { headers } : {}) }
  }

  /** An attempt by socket. */
  bySocket(name: string, body: object): Attempted {
    return { via: 'socket', reply: this.emit(name, body) }
  }

  /** Repeats an attempt until it is answered for good, and writes all of it down. */
  async repeat(
    what: Omit<NewCall, 'user' | 'device'>,
    attempt: () => Attempted,
    settle: (body: any) => Partial<Call> = () => ({}),
  ): Promise<Call> {
    const { history, isClean } = this.site
    const call = history.invoke({ ...what, user: this.user, device: this.index })
    const until = Date.now() + REPEAT_WITHIN_MS
    for (;;) {
      const at = history.now()
      const wasClean = isClean()
      const { via, reply } = attempt()
      const { result, body } = await reply
      const ms = Math.round(history.now() - at)
      history.tried(call, { at, ms, via, result, clean: wasClean && isClean() })
      if (result === 'ok') {
        history.settle(call, 'ok', settle(body))
        return call
      }
      if (!TRANSIENT.has(result)) {
        history.settle(call, 'refused', { code: result })
        return call
      }
      if (Date.now() > until || !this.#isRunning || this.site.isDead()) return call
      await sleep(PAUSE_MS * (0.5 + Math.random()))
    }
  }
}
