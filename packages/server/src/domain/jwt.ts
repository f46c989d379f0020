import { createPublicKey, randomUUID } from 'node:crypto'
import { LIMITS } from '@microchatter/protocol'
import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  type JWTVerifyOptions,
  SignJWT,
} from 'jose'
import { ChatError } from './errors.ts'
import { jwksAddress, remoteKeys } from './jwks.ts'

export interface JwtOptions {
  /** For HS256, at least 32 bytes. */
  secret?: string
  /** Still accepted during a rotation. */
  previousSecret?: string
  /** PEM (SPKI), for RS256, ES256 or EdDSA. */
  publicKey?: string
  /** The https address of a JWKS; http only on loopback. */
  jwksUrl?: string
  issuer?: string
  audience?: string
  leewaySeconds: number
  /** Longest lifetime: exp − iat, or exp − now where iat is absent. */
  maxAgeHours: number
  /** false: exp is required. */
  allowNoExpiry: boolean
  /** '' means `sub`, then `username`. */
  usernameClaim: string
  /** '' switches one off, here and in the two below. */
  nameClaim: string
  pictureClaim: string
  roleClaim: string
}

export interface Claims {
  username: string
  displayName?: string
  picture?: string
  /** Absent where the token has no role claim. */
  role?: 'user' | 'admin'
  /** Seconds since 1970. */
  issuedAt?: number
  /** Seconds since 1970. */
  expiresAt?: number
  /** A log-in here made it: it cannot log in again, or it would never end. */
  fromLogin?: boolean
}

export interface JwtVerifier {
  /** Throws `bad_credentials`, `token_expired`, or `unavailable` while the JWKS is away. */
  verify(token: string): Promise<Claims>
}

/** One way to verify: a key, and the algorithms that its kind allows. */
interface Source {
  algorithms: string[]
  key: JWTVerifyGetKey
}

const TOKEN_CHARACTERS = 8_192
const FROM_LOGIN = 'microchatter_login'
const KEPT_TOKENS = 10_000
const KEPT_MS = 60_000

/** Throws a plain Error where a key or an address of the options cannot be used. */
export function createJwtVerifier(options: JwtOptions): JwtVerifier {
  const sources = keySources(options)
  const checks: JWTVerifyOptions = {
    clockTolerance: options.leewaySeconds,
    requiredClaims: options.allowNoExpiry ? [] : ['exp'],
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  }
  const kept = createKept()

  return {
    async verify(token) {
      if (token.length > TOKEN_CHARACTERS)
        throw refused(`The token has more than ${TOKEN_CHARACTERS} characters`)
      const known = kept.get(token)
      if (known !== undefined) return known
      const payload = await verifySignature(token, sources, checks)
      checkLifetime(payload, options)
      const claims = Object.freeze(toClaims(payload, options))
      kept.set(token, claims)
      return claims
    },
  }
}

/** An HS256 token as `createJwtVerifier` accepts it, with a random `jti`. */
export function signJwt(
  secret: string,
  claims: { username: string; role?: string; displayName?: string; fromLogin?: boolean },
  /** '' as no issuer and no audience: what the settings say. */
  options: { expiresInSeconds: number; issuer?: string; audience?: string },
): Promise<string> {
  const { username, role, displayName, fromLogin } = claims
  const now = Math.floor(Date.now() / 1_000)
  const token = new SignJWT({
    ...(role === undefined ? {} : { role }),
    ...(displayName === undefined ? {} : { name: displayName }),
    ...(fromLogin === true ? { [FROM_LOGIN]: true } : {}),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(username)
    .setIssuedAt(now)
    .setExpirationTime(now + options.expiresInSeconds)
    .setJti(randomUUID())
  if (options.issuer) token.setIssuer(options.issuer)
  if (options.audience) token.setAudience(options.audience)
  return token.sign(secretKey(secret))
}

function keySources({ secret, previousSecret, publicKey, jwksUrl }: JwtOptions): Source[] {
  const sources: Source[] = []
  for (const text of [secret, previousSecret])
    if (text !== undefined) sources.push(secretSource(text))
  if (publicKey !== undefined) sources.push(pemSource(publicKey))
  if (jwksUrl !== undefined)
    sources.push({ algorithms: ['RS256', 'ES256', 'EdDSA'], key: remoteKeys(jwksAddress(jwksUrl)) })
  if (sources.length === 0)
    throw new Error('JWT needs a key: set a secret, a public key, or the address of a JWKS')
  return sources
}

function secretSource(secret: string): Source {
  // Imported once: jose would do it for each token (measured: 13k verified tokens a second, not 38k).
  const key = crypto.subtle.importKey(
    'raw',
    secretKey(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  )
  return { algorithms: ['HS256'], key: () => key }
}

function secretKey(secret: string): Uint8Array {
  const key = new TextEncoder().encode(secret)
  if (key.length < 32)
    throw new Error(`The JWT secret has ${key.length} bytes; make one of at least 32 random bytes`)
  return key
}

function pemSource(pem: string): Source {
  const text = pem.trim()
  if (!text.startsWith('-----BEGIN PUBLIC KEY-----'))
    throw new Error('The JWT public key must be PEM that begins with -----BEGIN PUBLIC KEY-----')
  const key = createPublicKey(text)
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  const type = key.asymmetricKeyType
  if (type === 'rsa' && modulusLength >= 2_048) return { algorithms: ['RS256'], key: () => key }
  if (type === 'ec' && namedCurve === 'prime256v1') return { algorithms: ['ES256'], key: () => key }
  if (type === 'ed25519') return { algorithms: ['EdDSA'], key: () => key }
  throw new Error('The JWT public key must be RSA of 2048 bits or more, EC P-256, or Ed25519')
}

/** Tries each source that the token's algorithm fits: HS* never meets a public key. */
async function verifySignature(
  token: string,
  sources: Source[],
  checks: JWTVerifyOptions,
): Promise<JWTPayload> {
  const alg = algorithm(token)
  const fitting = sources.filter(({ algorithms }) => algorithms.includes(alg))
  if (fitting.length === 0) {
    const accepted = [...new Set(sources.flatMap(({ algorithms }) => algorithms))].join(', ')
    throw refused(`The token's "alg" is not accepted here; sign with ${accepted}`)
  }
  let failure: unknown
  for (const { algorithms, key } of fitting) {
    try {
      const { payload } = await jwtVerify(token, key, { ...checks, algorithms })
      return payload
    } catch (error) {
      failure = error
      // Only a wrong signature leaves it open whether another key fits.
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break
    }
  }
  throw toChatError(failure)
}

function refused(detail: string): ChatError {
  return new ChatError('bad_credentials', { detail })
}

function algorithm(token: string): string {
  try {
    return decodeProtectedHeader(token).alg ?? ''
  } catch {
    throw refused('The token is not a JWT')
  }
}

function toChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error
  if (error instanceof errors.JWTExpired) return new ChatError('token_expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(`The token's "${error.claim}" is missing or is not what this server accepts`)
  return refused('The token cannot be verified')
}

/** Also bounds `iat`, so that it makes a date and `exp` − `iat` means what it says. */
function checkLifetime({ iat, exp }: JWTPayload, options: JwtOptions): void {
  const now = Date.now() / 1_000
  if (iat !== undefined && !(iat >= 0 && iat <= now + options.leewaySeconds))
    throw refused('The token\'s "iat" is in the future; compare the clocks of the two servers')
  if (exp === undefined) return
  const lifetime = iat === undefined ? exp - now - options.leewaySeconds : exp - iat
  if (lifetime > options.maxAgeHours * 3_600)
    throw refused(`The token's "exp" is over ${options.maxAgeHours} hours away; make it shorter`)
}

function toClaims(payload: JWTPayload, options: JwtOptions): Claims {
  const displayName = toName(payload[options.nameClaim])
  const picture = toPicture(payload[options.pictureClaim])
  const role = toRole(payload[options.roleClaim])
  return {
    username: toUsername(payload, options.usernameClaim),
    ...(displayName === undefined ? {} : { displayName }),
    ...(picture === undefined ? {} : { picture }),
    ...(role === undefined ? {} : { role }),
    ...(payload.iat === undefined ? {} : { issuedAt: payload.iat }),
    ...(payload.exp === undefined ? {} : { expiresAt: payload.exp }),
    ...(payload[FROM_LOGIN] === true ? { fromLogin: true } : {}),
  }
}

function toUsername(payload: JWTPayload, chosen: string): string {
  const claim =
    chosen || (payload.sub === undefined && payload.username !== undefined ? 'username' : 'sub')
  const value = payload[claim]
  const name = Number.isSafeInteger(value) ? String(value) : value
  // PostgreSQL stores neither NUL nor lone surrogates; `__proto__` is nobody's name.
  const fits =
    typeof name === 'string' &&
    name !== '__proto__' &&
    name !== '' &&
    !/[\p{Cc}\p{Cs}]/u.test(name) &&
    Array.from(name).length <= LIMITS.username
  if (!fits)
    throw refused(`The token's "${claim}" must be text of 1 to ${LIMITS.username} characters`)
  return name
}

function toName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.replace(/[\p{Cc}\p{Cs}]/gu, '').trim()
  return Array.from(text).slice(0, LIMITS.name).join('').trimEnd() || undefined
}

function toPicture(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  const { protocol, href } = new URL(value)
  const fits = /^https?:$/.test(protocol) && href.length <= LIMITS.url
  return fits ? href : undefined
}

function toRole(value: unknown): 'user' | 'admin' | undefined {
  if (value === undefined) return undefined
  const admin = value === 'admin' || (Array.isArray(value) && value.includes('admin'))
  return admin ? 'admin' : 'user'
}

/** Verified tokens, until min(exp, 60 s); of more than 10,000 the longest unused goes. */
function createKept() {
  const kept = new Map<string, { claims: Claims; untilMs: number }>()
  return {
    get(id: string): Claims | undefined {
      const entry = kept.get(id)
      if (entry === undefined) return undefined
      kept.delete(id)
      if (entry.untilMs <= Date.now()) return undefined
      kept.set(id, entry)
      return entry.claims
    },
    set(id: string, claims: Claims): void {
      const expiresMs = (claims.expiresAt ?? Number.POSITIVE_INFINITY) * 1_000
      const untilMs = Math.min(expiresMs, Date.now() + KEPT_MS)
      if (untilMs <= Date.now()) return
      kept.set(id, { claims, untilMs })
      if (kept.size > KEPT_TOKENS) kept.delete(kept.keys().next().value ?? '')
    },
  }
}
