/** What a row of the table of routes is; http/routes.ts is the table. */
import type { ErrorCode } from '@microchatter/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TObject, TSchema } from 'typebox'
import type { Actor, Core } from '../domain/core.ts'
import type { Demo } from '../domain/demo.ts'
import type { Once } from '../domain/idempotency.ts'
import type { SignToken } from '../domain/sessions.ts'
import type { Widget } from './widget.ts'

export interface Answer {
  status: number
  body?: unknown
  /** The media type, where it is not JSON. */
  type?: string
  headers?: Record<string, string>
}

/** What the calls share beside the core. */
export interface Site {
  core: Core
  sign: SignToken
  ready(): Promise<{ ok: boolean; detail?: string }>
  /** Written once at the start. */
  pages: { openapi: unknown; docs: string; style: string }
  /** undefined: it was not built. */
  widget: Widget | undefined
  /** undefined: the site has none. */
  demo: Demo | undefined
}

interface Input {
  params?: unknown
  query?: unknown
  body?: unknown
}

/** What a function of the table gets; all of it has passed the schemas of its row. */
export interface Call<T extends Input = Input> {
  site: Site
  core: Core
  actor: Actor
  params: T['params']
  query: T['query']
  body: T['body']
  userAgent: string | undefined
  /** Goes by the Idempotency-Key, where the row takes one and the caller gave one. */
  once: Once
}
/** What a function gets that answers anyone. */
export type PublicCall<P = unknown> = Omit<RawCall<P>, 'reply'>
/** What a function gets that answers who has a signed link, or takes bytes as they come. */
export interface RawCall<P = unknown> {
  site: Site
  core: Core
  params: P
  request: FastifyRequest
  reply: FastifyReply
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Address = `${Method} /${string}`

interface Row {
  /** One line. */
  summary: string
  params?: TObject
  query?: TObject
  body?: TObject
  /** By status; null: no body. */
  answers: Record<number, TSchema | null>
  /** Beside those of `errorsOf`. */
  errors?: readonly ErrorCode[]
  /** Takes an Idempotency-Key. */
  idempotent?: boolean
}

interface Named extends Row {
  /** Names the call in OpenAPI and in links. */
  name: string
  method: Method
  path: string
}
export interface PublicRoute extends Named {
  access: 'public'
  on: (call: PublicCall) => Promise<Answer>
}
export interface UserRoute extends Named {
  access: 'user' | 'admin'
  on: (call: Call) => Promise<Answer>
}
/** No log-in: the address itself is signed. */
export interface LinkRoute extends Named {
  access: 'link'
  on: (call: RawCall) => Promise<Answer>
}
/** Its body is bytes, which are read as they come. */
export interface BytesRoute extends Named {
  access: 'user'
  bytes: true
  on: (call: RawCall & { actor: Actor }) => Promise<Answer>
}
export type Route = PublicRoute | LinkRoute | BytesRoute | UserRoute

/** A row whose function takes exactly what its schemas let through. */
export function route<P extends TObject, Q extends TObject, B extends TObject>(
  name: string,
  access: UserRoute['access'],
  address: Address,
  row: Omit<Row, 'params' | 'query' | 'body'> & {
    params?: P
    query?: Q
    body?: B
    on: (call: Call<{ params: Static<P>; query: Static<Q>; body: Static<B> }>) => Promise<Answer>
  },
): Route {
  return { name, access, ...split(address), ...row } as UserRoute
}

export function publicRoute<P extends TObject>(
  name: string,
  address: Address,
  row: Omit<Row, 'params'> & {
    params?: P
    on: (call: PublicCall<Static<P>>) => Promise<Answer>
  },
): Route {
  return { name, access: 'public', ...split(address), ...row } as PublicRoute
}

export function linkRoute<P extends TObject>(
  name: string,
  address: Address,
  row: Omit<Row, 'params'> & { params: P; on: (call: RawCall<Static<P>>) => Promise<Answer> },
): Route {
  return { name, access: 'link', ...split(address), ...row } as LinkRoute
}

export function bytesRoute<P extends TObject>(
  name: string,
  address: Address,
  row: Omit<Row, 'params'> & {
    params?: P
    on: (call: RawCall<Static<P>> & { actor: Actor }) => Promise<Answer>
  },
): Route {
  return { name, access: 'user', bytes: true, ...split(address), ...row } as BytesRoute
}

function split(address: Address): { method: Method; path: string } {
  const [method = '', path = ''] = address.split(' ')
  return { method: method as Method, path }
}

/** The others are for everyone, or for who has a link. */
export function needsLogIn({ access }: Route): boolean {
  return access === 'user' || access === 'admin'
}

/** Every error that a call may answer. */
export function errorsOf(route: Route): ErrorCode[] {
  const { access, method, body, errors, idempotent } = route
  const codes = new Set<ErrorCode>(['invalid_url', 'token_in_url', 'internal'])
  const add = (when: boolean, more: readonly ErrorCode[]) => {
    if (when) for (const code of more) codes.add(code)
  }
  add(method !== 'GET' && method !== 'HEAD', ['too_large', 'wrong_type'])
  add(body !== undefined, ['invalid_json', 'invalid_utf8'])
  add(needsLogIn(route), FOR_USERS)
  add(access === 'admin', ['admin_only'])
  add(idempotent === true, ['idempotency_key_reused', 'in_progress'])
  add(true, errors ?? [])
  return [...codes]
}

const FOR_USERS: readonly ErrorCode[] = [
  'invalid',
  'unauthenticated',
  'bad_credentials',
  'token_expired',
  'deactivated',
  'insecure',
  'rate_limited',
  'unavailable',
  'busy',
  'outcome_unknown',
]

export function ok(body: unknown): Answer {
  return { status: 200, body }
}

export function created(body: unknown): Answer {
  return { status: 201, body }
}

export const NOTHING: Answer = { status: 204 }
