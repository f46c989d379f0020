/** A real server with real sockets, and people who use it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Chat, History, Message } from '@microchatter/protocol'
import { io, type Socket } from 'socket.io-client'
import { signJwt } from '../../src/domain/jwt.ts'
import { createMicrochatter, loadConfig, type Microchatter } from '../../src/server.ts'
import { databaseOptions } from '../../src/config.ts'
import { type Database, openDatabase } from '../../src/store/db.ts'
import type { Engine } from './databases.ts'
import { createDatabase } from './postgres.ts'

export const SECRET = randomBytes(32).toString('hex')
const ADMIN_PASSWORD = 'only-for-these-tests'

export interface TestServer extends Microchatter {
  env: Record<string, string>
  /** Those who use it: `close` ends their devices too, after the server has ended its sockets. */
  people: Person[]
  close(): Promise<void>
}

/** On a fresh database, or, with the `env` of another one, beside that one. */
export async function startServer(
  engine: Engine,
  settings: Record<string, string> = {},
): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'microchatter-test-'))
  const postgres =
    engine === 'postgres' && !settings.DATABASE_URL ? await createDatabase() : undefined
  const env = {
    PORT: '0',
    MICROCHATTER_DATA_DIR: dataDir,
    MICROCHATTER_FILES_DIR: join(dataDir, 'files'),
    MICROCHATTER_JWT_SECRET: SECRET,
    MICROCHATTER_ADMIN_PASSWORD: ADMIN_PASSWORD,
    MICROCHATTER_LIMITS: 'off',
    ...(postgres ? { DATABASE_URL: postgres.url } : {}),
    ...settings,
  }
  const server = await createMicrochatter(loadConfig({ env, cwd: dataDir }))
  const people: Person[] = []
  return {
    url: server.url,
    adminPassword: server.adminPassword,
    get sockets() {
      return server.sockets
    },
    env,
    people,
    async close() {
      await server.close()
      for (const person of people) person.close()
      await postgres?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export interface Answer<T> {
  status: number
  body: T
  headers: Headers
}
type CallAnswer = { ok: boolean; error?: { code: string; detail?: string } } & Record<string, any>
type Event = { name: string; data: any }

/** A user of the site, with as many devices as it likes. */
export class Person {
  readonly devices: Device[] = []

  constructor(
    readonly server: { url: string },
    readonly username: string,
    public authorization: string,
  ) {}

  async fetch<T = any>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(this.server.url + path, {
      method,
      headers: {
        authorization: this.authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as T,
    }
  }

  /** As `fetch`; anything but success fails the test. */
  async ask<T = any>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.fetch<T>(method, path, body)
    assert(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  sendTo(other: { username: string }, body: string, more: object = {}): Promise<Message> {
    const path = `/chats/users/${encodeURIComponent(other.username)}/messages`
    return this.ask('POST', path, { body, ...more })
  }

  async chats(query = ''): Promise<Chat[]> {
    return (await this.ask<{ items: Chat[] }>('GET', `/chats${query}`)).items
  }

  chat(chatId: string): Promise<Chat> {
    return this.ask('GET', `/chats/${chatId}`)
  }

  /** All messages of a chat, page by page. */
  async history(chatId: string): Promise<Message[]> {
    const all: Message[] = []
    for (;;) {
      const after = all.at(-1)?.seq ?? 0
      const path = `/chats/${chatId}/messages?after=${after}&limit=100`
      const { items, hasAfter } = await this.ask<History>('GET', path)
      all.push(...items)
      if (!hasAfter) return all
    }
  }

  get token(): string {
    return this.authorization.replace(/^Bearer /, '')
  }

  /** Opens a socket, and waits until it is connected. */
  async connect(auth: object = { token: this.token }): Promise<Device> {
    const device = new Device(this.server.url, auth)
    this.devices.push(device)
    await device.connected()
    return device
  }

  close(): void {
    for (const device of this.devices) device.close()
  }
}

/** One socket: what it was told, and what it can ask. */
export class Device {
  readonly events: Event[] = []
  readonly socket: Socket
  #waiting: (() => void)[] = []

  constructor(url: string, auth: object, options: object = {}) {
    this.socket = io(url, {
      auth,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      ...options,
    })
    this.socket.onAny((name: string, data: unknown) => {
      this.events.push({ name, data })
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', resolve)
      this.socket.once('connect_error', reject)
    })
  }

  /** Resolves with the reason that the client sees. */
  disconnected(): Promise<string> {
    if (!this.socket.connected) return Promise.resolve('already')
    return new Promise((resolve) => this.socket.once('disconnect', resolve))
  }

  call(name: string, ...body: unknown[]): Promise<CallAnswer> {
    return this.socket.timeout(5_000).emitWithAck(name, ...body) as Promise<CallAnswer>
  }

  /** The next event that fits, of those that came and those to come. */
  async receives(name: string, fits: (data: any) => boolean = () => true, withinMs = 3_000) {
    const until = Date.now() + withinMs
    for (;;) {
      const found = this.events.find((event) => event.name === name && fits(event.data))
      if (found) return found.data
      assert(
        Date.now() < until,
        `no ${name} came; only ${this.events.map((event) => event.name).join(', ')}`,
      )
      await this.next(50)
    }
  }

  /** The next event of any kind, within this time. */
  next(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  named(name: string): any[] {
    return this.events.filter((event) => event.name === name).map(({ data }) => data)
  }

  close(): void {
    this.socket.disconnect()
  }
}

/** The database of a server on PostgreSQL; the embedded engine has one owner, the server. */
export async function withDatabase<T>(
  { env }: TestServer,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  const db = await openDatabase(databaseOptions(loadConfig({ env, cwd: tmpdir() }).config))
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

export function newName(prefix = 'user'): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`
}

export function jwtFor(
  username: string,
  {
    role,
    displayName,
    seconds = 3_600,
  }: { role?: string; displayName?: string; seconds?: number } = {},
): Promise<string> {
  return signJwt(
    SECRET,
    {
      username,
      ...(role === undefined ? {} : { role }),
      ...(displayName === undefined ? {} : { displayName }),
    },
    { expiresInSeconds: seconds },
  )
}

/** A person that the site has just signed a JWT for. */
export async function newPerson(server: TestServer, prefix?: string): Promise<Person> {
  const username = newName(prefix)
  const person = personAt(server, { username, authorization: `Bearer ${await jwtFor(username)}` })
  await person.ask('GET', '/users/me')
  return person
}

/** Someone, perhaps of another node, at this one. */
export function personAt(
  server: TestServer,
  { username, authorization }: Pick<Person, 'username' | 'authorization'>,
): Person {
  const person = new Person(server, username, authorization)
  server.people.push(person)
  return person
}

export function admin(server: TestServer): Person {
  const basic = Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')
  return personAt(server, { username: 'admin', authorization: `Basic ${basic}` })
}
