import type { IncomingMessage } from 'node:http'
import proxyAddr from '@fastify/proxy-addr'
import { parseAuthorization } from '../domain/credentials.ts'
import { ChatError } from '../domain/errors.ts'
import type { Caller, Credentials } from '../domain/identity.ts'
import { createOriginRule } from '../domain/origins.ts'

/** The address and the security of who connects; `X-Forwarded-…` counts from these proxies alone. */
export function createCallerOf(trustProxy: readonly string[], assumeSecure: boolean) {
  const isTrusted = proxyAddr.compile([...trustProxy])
  return (request: IncomingMessage): Caller => {
    const direct = request.socket.remoteAddress ?? ''
    const forwarded = request.headers['x-forwarded-proto']
    const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true
    const viaTls = isTrusted(direct, 0) && lastOf(forwarded) === 'https'
    return { address: proxyAddr(request, isTrusted), secure: assumeSecure || encrypted || viaTls }
  }
}

function lastOf(header: string | string[] | undefined): string | undefined {
  return [header].flat().join(',').split(',').at(-1)?.trim()
}

/** `auth: { token }`, `auth: { username, password }`, or an Authorization header. */
export function credentialsOf(
  auth: Record<string, unknown>,
  authorization: string | undefined,
): Credentials {
  const { token, username, password, ...others } = auth
  const [unknown] = Object.keys(others).filter((name) => name !== 'hold')
  if (unknown !== undefined)
    throw new ChatError('invalid', {
      field: '/auth',
      detail: `auth has \`token\`, or \`username\` and \`password\`, and \`hold\`; not ${JSON.stringify(unknown.slice(0, 50))}`,
    })
  if (typeof token === 'string' && token !== '') return { kind: 'bearer', token }
  if (typeof username === 'string' && typeof password === 'string')
    return { kind: 'basic', username, password }
  if (authorization !== undefined) return parseAuthorization(authorization)
  throw new ChatError('unauthenticated', {
    detail: 'Connect with auth: { token }, or auth: { username, password }',
  })
}

/** A page of another site may not connect in a visitor's name; who sends no Origin is no page. */
export function createOriginCheck(origins: readonly string[], production: boolean) {
  const isAllowed = createOriginRule(origins, production)
  return (origin: string | undefined, host: string | undefined): boolean => {
    if (origin === undefined || isAllowed(origin)) return true
    return host !== undefined && URL.canParse(origin) && new URL(origin).host === host
  }
}
