/** A whole server on a database of its own, and people who call it; every answer is checked against the table of routes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ERRORS, type ErrorCode, Problem, type User } from '@microchatter/protocol'
import { Ajv } from 'ajv'
import type { Logger } from 'pino'
import type { TSchema } from 'typebox'
import { loadConfig } from '../../src/config.ts'
import { signJwt } from '../../src/domain/jwt.ts'
import { errorsOf, type Route } from '../../src/http/route.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { createMicrochatter } from '../../src/server.ts'
import { type Database, openDatabase } from '../../src/store/db.ts'
import { createDatabase, createOwnedDatabase, hasPostgres } from './postgres.ts'

export const SKIP = hasPostgres() ? false : 'needs PostgreSQL'
export const ADMIN_PASSWORD = 'vM3-heron-lantern'
export const SECRET = randomBytes(32).toString('hex')

/** The 4xx and 5xx by default. */
export interface Reply<T = Problem> {
  status: number
  headers: Headers
  text: string
  body: T
}

export interface Send {
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is, with no content type of its own. */
  bytes?: string | Uint8Array
  headers?: Record<string, string>
}

export interface Person {
  username: string
  authorization: string
  /** `call('GET /chats')` */
  call<T = Problem>(
    address: string,
    json?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply<T>>
}

export interface TestServer {
  url: string
  admin: Person
  anyone: Person
  db: Database
  call<T = Problem>(address: string, send?: Send): Promise<Reply<T>>
  /** Whoever has a JWT of the site is there. */
  person(username: string): Promise<Person>
  as(username: string, authorization: string): Person
  /** The bytes as they are, on a connection of their own; what came until it was closed, or 300 ms passed. */
  raw(bytes: string | Uint8Array): Promise<string>
  /** Ends the database while the server runs. */
  dropDatabase(): Promise<void>
  stop(): Promise<void>
}

interface StartOptions {
  settings?: Record<string, string>
  log?: Logger
  /** The server's role owns its database and is no superuser, as production asks for. */
  owner?: boolean
}

export async function startServer({
  settings = {},
  log,
  owner = false,
}: StartOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'microchatter-http-'))
  const database = await (owner ? createOwnedDatabase() : createDatabase())
  const env = {
    DATABASE_URL: database.url,
    MICROCHATTER_PORT: '0',
    MICROCHATTER_DATA_DIR: folder,
    MICROCHATTER_ADMIN_PASSWORD: ADMIN_PASSWORD,
    MICROCHATTER_JWT_SECRET: SECRET,
    MICROCHATTER_LIMITS: 'off',
    MICROCHATTER_FILES_UPLOADS: 'on',
    MICROCHATTER_FILES_DIR: join(folder, 'files'),
    ...settings,
  }
  const loaded = loadConfig({ env, cwd: folder })
  const server = await createMicrochatter(loaded, log ? { log } : {})
  const db = await openDatabase({
    ...loaded.config.database,
    ...loaded.config,
    url: env.DATABASE_URL,
  })
  const { url } = server
  const as = (username: string, authorization: string): Person => ({
    username,
    authorization,
    call: (address, json, headers = {}) =>
      call(url, address, {
        json,
        headers: { ...(authorization && { authorization }), ...headers },
      }),
  })
  return {
    url,
    db,
    as,
    admin: as('admin', basic('admin', ADMIN_PASSWORD)),
    anyone: as('', ''),
    call: (address, send) => call(url, address, send),
    async person(username) {
      const jwt = await signJwt(SECRET, { username }, { expiresInSeconds: 3_600 })
      const person = as(username, `Bearer ${jwt}`)
      await person.call<User>('GET /users/me')
      return person
    },
    raw: (bytes) => exchange(url, bytes),
    async dropDatabase() {
      await db.close()
      await database.drop()
    },
    async stop() {
      await server.close()
      await db.close().catch(() => undefined)
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

async function call<T>(url: string, address: string, send: Send = {}): Promise<Reply<T>> {
  const [method = '', path = ''] = address.split(' ')
  const { json, bytes, headers = {} } = send
  const response = await fetch(url + path, {
    method,
    headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(bytes === undefined ? {} : { body: bytes }),
    redirect: 'manual',
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
  const body = (isJson ? JSON.parse(text) : undefined) as T
  const reply = { status: response.status, headers: response.headers, text, body }
  if (method !== 'OPTIONS' && method !== 'HEAD') checkReply(method, path, reply)
  // Files have their own, which files.test.ts looks at; so has the widget, which demo.test.ts looks at.
  const isOwn = routeOf(method, path)?.access === 'link' || path.startsWith('/widget.js')
  if (reply.status >= 400 || !isOwn) checkHeaders(reply)
  return reply
}

function checkReply(method: string, path: string, reply: Reply<unknown>): void {
  const route = routeOf(method, path)
  if (reply.status >= 400) return checkProblem(reply as Reply, route)
  assert.ok(route, `${method} ${path} is not in the table`)
  const schema = route.answers[reply.status]
  assert.notEqual(schema, undefined, `${route.name} may not answer ${reply.status}`)
  if (schema === null) assert.equal(reply.text, '')
  else if (reply.body !== undefined) matches(schema as TSchema, reply.body)
}

export function checkProblem({ status, headers, body }: Reply, route: Route | undefined): void {
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json(; charset=utf-8)?$/)
  matches(Problem, body)
  const { status: due, title } = ERRORS[body.code as ErrorCode]
  assert.deepEqual([body.type, body.status, body.title], ['about:blank', due, title])
  assert.equal(status, due)
  assert.ok(
    !route || errorsOf(route).includes(body.code as ErrorCode),
    `${route?.name} does not list ${body.code}`,
  )
}

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  vary: 'Origin, Authorization',
}

function checkHeaders({ headers }: Reply<unknown>): void {
  for (const [name, value] of Object.entries(HEADERS)) {
    if (name === 'content-security-policy' && headers.get('content-type')?.startsWith('text/html'))
      continue
    assert.equal(headers.get(name), value, name)
  }
  assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  for (const name of ['server', 'x-powered-by']) assert.equal(headers.get(name), null)
}

function routeOf(method: string, path: string): Route | undefined {
  const parts = (path.split('?')[0] ?? '').split('/')
  const fits = (pattern: string[], by: (part: string, index: number) => boolean) =>
    pattern.length === parts.length && pattern.every(by)
  const found = ROUTES.filter((route) =>
    fits(route.path.split('/'), (part, i) => part.startsWith(':') || part === parts[i]),
  ).filter((route) => route.method === method)
  // A name that is written out wins over a parameter.
  return found.sort((a, b) => a.path.split(':').length - b.path.split(':').length)[0]
}

const ajv = new Ajv()
const compiled = new Map<TSchema, ReturnType<Ajv['compile']>>()

function matches(schema: TSchema, value: unknown): void {
  const check = compiled.get(schema) ?? ajv.compile(schema)
  compiled.set(schema, check)
  assert.ok(check(value), `${ajv.errorsText(check.errors)}: ${JSON.stringify(value)}`)
}

function exchange(url: string, bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    const timer = setTimeout(() => socket.destroy(), 300)
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    // A server that refuses may close while it is still being written to.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
  })
}
