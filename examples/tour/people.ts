/** Users of the site, their devices, and the token that the site's back end signs for them. */
import { createHmac } from 'node:crypto'
import type {
  CallAnswer,
  CallBody,
  CallError,
  CallName,
  EventData,
  EventName,
  History,
  Login,
  Message,
  Problem,
} from '@microchatter/protocol'
import { io, type Socket } from 'socket.io-client'

const ANSWER_MS = 10_000
/** A message that is scheduled comes after 10 s at the earliest. */
const EVENT_MS = 15_000
const TRIES = 5

/** All that a site has to do: a JWT with the name of whoever is logged in there, valid for an hour. */
export function signJwt(secret: string, claims: { sub: string; name?: string; exp?: number }) {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const now = Math.floor(Date.now() / 1_000)
  const payload = { iat: now, exp: now + 3_600, ...claims }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

interface Answer<T> {
  status: number
  body: T
}

export class Person {
  readonly url: string
  readonly username: string
  authorization: string

  constructor(url: string, username: string, authorization: string) {
    this.url = url
    this.username = username
    this.authorization = authorization
  }

  get token(): string {
    return this.authorization.replace(/^Bearer /, '')
  }

  /** With other credentials. */
  as(authorization: string): Person {
    return new Person(this.url, this.username, authorization)
  }

  async fetch<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    for (let tries = 1; ; tries += 1) {
      const response = await fetch(this.url + path, {
        method,
        headers: {
          authorization: this.authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      const text = await response.text()
      // A server that runs already may have its limits on.
      if (response.status === 429 && tries < TRIES) await pause(response.headers.get('retry-after'))
      else return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    }
  }

  /** Anything but success ends the tour. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.fetch<T>(method, path, body)
    if (answer.status < 300) return answer.body
    throw new Error(`${method} ${path} answered ${JSON.stringify(answer.body)}`)
  }

  /** What a call that must fail says. */
  async refused(method: string, path: string, body?: unknown): Promise<Problem> {
    const answer = await this.fetch<Problem>(method, path, body)
    if (answer.status >= 400) return answer.body
    throw new Error(`${method} ${path} should be refused, but answered ${answer.status}`)
  }

  sendTo(other: { username: string }, body: string, more: object = {}): Promise<Message> {
    return this.ask('POST', `/chats/users/${other.username}/messages`, { body, ...more })
  }

  /** All messages of a chat, page by page. */
  async history(chatId: string): Promise<Message[]> {
    const all: Message[] = []
    for (;;) {
      const query = `after=${all.at(-1)?.seq ?? 0}&limit=100`
      const page = await this.ask<History>('GET', `/chats/${chatId}/messages?${query}`)
      all.push(...page.items)
      if (!page.hasAfter) return all
    }
  }

  login(): Promise<Login> {
    return this.ask('POST', '/users/login')
  }

  /** Opens a socket and waits until it is connected. */
  async connect(more: object = {}): Promise<Device> {
    const device = new Device(this.url, { token: this.token, ...more })
    await device.connected()
    return device
  }
}

type CallResult<N extends CallName> =
  | ({ ok: true } & CallAnswer<N>)
  | { ok: false; error: CallError }

/** One socket: what it was told and has not been asked for yet, and what it can ask. */
export class Device {
  readonly socket: Socket
  #events: { name: string; data: unknown }[] = []

  constructor(url: string, auth: object) {
    const options = { auth, transports: ['websocket'], reconnection: false, forceNew: true }
    this.socket = io(url, options)
    this.socket.onAny((name: string, data: unknown) => this.#events.push({ name, data }))
  }

  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', resolve)
      this.socket.once('connect_error', reject)
    })
  }

  call<N extends CallName>(name: N, body: CallBody<N>): Promise<CallResult<N>> {
    return this.socket.timeout(ANSWER_MS).emitWithAck(name, body)
  }

  /** Anything but success ends the tour. */
  async ask<N extends CallName>(name: N, body: CallBody<N>): Promise<CallAnswer<N>> {
    const answer = await this.call(name, body)
    if (answer.ok) return answer
    throw new Error(`${name} answered ${JSON.stringify(answer)}`)
  }

  /** What a call that must fail says. */
  async refused<N extends CallName>(name: N, body: CallBody<N>): Promise<CallError> {
    const answer = await this.call(name, body)
    if (!answer.ok) return answer.error
    throw new Error(`${name} should be refused, but answered ${JSON.stringify(answer)}`)
  }

  /** Takes the first event that fits out of those that came, or waits for it. */
  async next<N extends EventName>(
    name: N,
    fits: (data: EventData<N>) => boolean = () => true,
  ): Promise<EventData<N>> {
    const until = Date.now() + EVENT_MS
    for (;;) {
      const index = this.#events.findIndex(
        (event) => event.name === name && fits(event.data as EventData<N>),
      )
      if (index >= 0) return this.#events.splice(index, 1)[0]?.data as EventData<N>
      if (Date.now() > until) throw new Error(`no ${name} came; ${this.#waiting()}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Whether such an event came and was not taken. */
  has<N extends EventName>(name: N, fits: (data: EventData<N>) => boolean = () => true): boolean {
    return this.#events.some((event) => event.name === name && fits(event.data as EventData<N>))
  }

  #waiting(): string {
    return `what came instead: ${JSON.stringify(this.#events).slice(0, 500)}`
  }
}

function pause(retryAfter: string | null): Promise<void> {
  const seconds = Math.min(Number(retryAfter ?? 1), 5)
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
}
