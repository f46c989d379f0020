import { ChatError } from './errors.ts'
import type { Credentials } from './identity.ts'

/** Reads an `Authorization` header. @throws unauthenticated without one, bad_credentials */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined || header === '')
    throw new ChatError('unauthenticated', {
      detail: 'Send `Authorization: Bearer <token>`, or Basic with username and password',
    })
  const [scheme = '', value = '', ...rest] = header.split(' ')
  if (rest.length === 0 && value !== '') {
    if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', token: value }
    if (scheme.toLowerCase() === 'basic') return parseBasic(value)
  }
  throw new ChatError('bad_credentials', {
    detail: 'The Authorization header must be `Bearer <token>` or `Basic <base64>`',
  })
}

function parseBasic(value: string): Credentials {
  const bytes = Buffer.from(value, 'base64')
  const text = bytes.toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1 || text.includes('\uFFFD'))
    throw new ChatError('bad_credentials', {
      detail: 'Basic must be the base64 of `username:password`, in UTF-8',
    })
  return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) }
}
