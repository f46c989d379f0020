/** What is asked of a request before it is read: an address that exists, and credentials. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Actor, Core } from '../domain/core.ts'
import { parseAuthorization } from '../domain/credentials.ts'
import { ChatError } from '../domain/errors.ts'
import type { Route } from './route.ts'
import { ROUTES } from './routes.ts'

const ACTOR = 'actor'
/** Names under which people put credentials into addresses, where logs keep them. */
const SECRET_NAMES = new Set(['token', 'access_token', 'jwt'])

/** not_found, method_not_allowed, token_in_url */
export function checkAddress(
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  if (request.is404 || request.method === 'OPTIONS') return answerNowhere(request, reply, done)
  for (const name of Object.keys(request.query as Record<string, unknown>))
    if (SECRET_NAMES.has(name.toLowerCase())) return done(tokenInUrl(name))
  return done()
}

function answerNowhere(
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  const allowed = methodsOf(request.url)
  if (allowed === undefined)
    return done(
      new ChatError('not_found', { detail: 'There is no such address; /docs lists them' }),
    )
  reply.header('Allow', allowed)
  if (request.method === 'OPTIONS') return void reply.code(204).send()
  return done(new ChatError('method_not_allowed', { detail: `Here it may be ${allowed}` }))
}

function tokenInUrl(field: string): ChatError {
  return new ChatError('token_in_url', {
    field,
    detail: 'Addresses end up in logs; send `Authorization: Bearer <token>`, and a new token',
  })
}

const PATTERNS = ROUTES.map(({ method, path }) => ({ method, parts: path.split('/') }))

/** undefined where nothing answers. */
function methodsOf(url: string): string | undefined {
  const parts = (url.split(/[?#]/)[0] ?? '').split('/')
  const methods = PATTERNS.filter((pattern) => matches(pattern.parts, parts)).flatMap(
    ({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]),
  )
  return methods.length === 0 ? undefined : [...new Set([...methods, 'OPTIONS'])].join(', ')
}

function matches(pattern: string[], parts: string[]): boolean {
  if (pattern.length !== parts.length) return false
  return pattern.every((part, index) => part.startsWith(':') || part === parts[index])
}

interface Door {
  core: Core
  production: boolean
  insecureHttp: boolean
}

/**
 * Who calls; before the body is read, so that strangers learn nothing from its validation.
 * @throws what Identity.authenticate does; rate_limited, admin_only
 */
export function createAuthentication(
  { core, production, insecureHttp }: Door,
  access: Route['access'],
) {
  return async (request: FastifyRequest): Promise<void> => {
    const credentials = parseAuthorization(request.headers.authorization)
    const secure = !production || insecureHttp || request.protocol === 'https'
    const actor = await core.identity.authenticate(credentials, { address: request.ip, secure })
    request.setDecorator<Actor>(ACTOR, actor)
    core.limits.calls.take(actor.id)
    if (access === 'admin' && !actor.admin)
      throw new ChatError('admin_only', { detail: 'Only admins of the site may do this' })
  }
}

/** undefined where nobody has been authenticated. */
export function actorOf(request: FastifyRequest): Actor | undefined {
  return request.getDecorator<Actor | null>(ACTOR) ?? undefined
}

export const DECORATORS = [ACTOR]
