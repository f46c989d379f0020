/** The formats of the settings that are text: what passes, and how to say what would. */
import { isIP } from 'node:net'
import { LIMITS } from '@microchatter/protocol'
import { databaseTarget, isLoopback, isWhole, parseUrl, redisTarget } from './urls.ts'

interface Format {
  passes(value: string): boolean
  /** Completes `it must be …`. */
  must: string
}

export const FORMATS = {
  host: {
    passes: (value) => isIP(value) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value),
    must: 'an IP address or a host name, such as 127.0.0.1',
  },
  publicUrl: {
    passes: (value) => value === '' || isOrigin(value),
    must: 'an address such as https://chat.example.org, in lower case, without a path, a closing slash or the usual port',
  },
  origin: {
    passes: isOrigin,
    must: 'an exact origin as browsers send it, such as https://example.org: no path, no closing slash, no usual port, no *',
  },
  proxy: {
    passes: isProxy,
    must: 'an IP address or a CIDR of your proxy, such as 10.0.0.5 or 10.0.0.0/24. Not true, a number, or all addresses: then every visitor could choose the address that limits and logs see',
  },
  databaseUrl: {
    passes: (value) => value === '' || (isWhole(value) && databaseTarget(value) !== undefined),
    must: 'postgres://role:password@host:5432/database; in the password write @ as %40, / as %2F, # as %23, ? as %3F',
  },
  redisUrl: {
    passes: (value) => value === '' || (isWhole(value) && redisTarget(value) !== undefined),
    must: 'redis://:password@host:6379 or rediss://…; in the password write @ as %40, / as %2F, # as %23, ? as %3F',
  },
  jwksUrl: {
    passes: (value) => value === '' || isKeySet(value),
    must: 'an https address without a user, such as https://example.org/jwks.json; http is for this host only',
  },
  webhookUrl: {
    passes: (value) => value === '' || isPlainAddress(value),
    must: 'an https or http address without a user, such as https://example.org/chat-events',
  },
  webhookSecret: {
    passes: (value) => value === '' || isWebhookSecret(value),
    must: 'whsec_ and the base64 of 24 to 64 bytes; make one with: echo "whsec_$(openssl rand -base64 32)"',
  },
  bucketUrl: {
    passes: (value) => value === '' || isBucket(value),
    must: 'the https or http address of a bucket, without a user or a closing slash, such as https://s3.example.org/chat-files',
  },
  mediaType: {
    passes: (value) => /^(\*|[a-z]+)\/(\*|[a-z0-9][a-z0-9.+-]*)$/.test(value),
    must: 'a media type such as image/*, application/pdf or */*',
  },
  schema: {
    passes: (value) => /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(value),
    must: 'a name of at most 63 lower-case letters, digits and _, that begins with none of 0-9 and not with pg_',
  },
  secret: {
    passes: (value) => value === '' || Buffer.byteLength(value) >= 32,
    must: 'at least 32 bytes; make one with: openssl rand -hex 32',
  },
  password: {
    passes: (value) => Buffer.byteLength(value) <= LIMITS.password,
    must: `text of at most ${LIMITS.password} bytes`,
  },
  publicKey: {
    passes: (value) => value === '' || value.trim().startsWith('-----BEGIN PUBLIC KEY-----'),
    must: 'PEM that begins with -----BEGIN PUBLIC KEY-----, never the private key; make it with: openssl pkey -in key.pem -pubout',
  },
} as const satisfies Record<string, Format>

export type FormatName = keyof typeof FORMATS

function isOrigin(value: string): boolean {
  return parseUrl(value, ['http:', 'https:'])?.origin === value && !value.includes('*')
}

function isProxy(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || rest.length > 0) return false
  if (bits === undefined) return true
  return /^[1-9]\d*$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32)
}

function isPlainAddress(value: string): boolean {
  const url = parseUrl(value, ['http:', 'https:'])
  return url !== undefined && url.username === '' && url.password === ''
}

function isBucket(value: string): boolean {
  const url = isPlainAddress(value) ? new URL(value) : undefined
  return url !== undefined && url.search + url.hash === '' && !value.endsWith('/')
}

function isKeySet(value: string): boolean {
  if (!isPlainAddress(value)) return false
  const url = new URL(value)
  return url.protocol === 'https:' || isLoopback(url.hostname)
}

/** As Standard Webhooks write it. */
function isWebhookSecret(value: string): boolean {
  const [, key = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value) ?? []
  const { length } = Buffer.from(key, 'base64')
  return length >= 24 && length <= 64
}
