/**
 * Who calls. Credentials are checked here for REST and for sockets alike. What was verified is kept
 * for a short while in bounded caches, which the bus keeps true: a user's row 30 s, a session 30 s, a
 * password 60 s (under an HMAC with a key of this process, so that no hash is paid per call).
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Bus } from '../bus/bus.ts'
import { type Database, DatabaseAway } from '../store/db.ts'
import { selectSession, type SessionRow, touchSession } from '../store/sessions.ts'
import {
  insertUser,
  selectErasedAt,
  selectUser,
  selectUserById,
  swapPassword,
  updateUser,
  type UserRow,
} from '../store/users.ts'
import { touchUserChats } from './contacts.ts'
import type { Actor, Settings } from './core.ts'
import { ChatError } from './errors.ts'
import type { Claims, JwtVerifier } from './jwt.ts'
import type { Limits } from './limits.ts'
import type { Passwords } from './passwords.ts'
import { SYSTEM } from './rights.ts'
import { isUsername } from './text.ts'

/** As an `Authorization` header or a handshake brings them. */
export type Credentials =
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'bearer'; token: string }

export interface Caller {
  address: string
  /** Whether what is sent cannot be read on the way: Basic in production needs it. */
  secure: boolean
}

export interface IdentityOptions {
  db: Database
  bus: Bus
  settings: Settings
  limits: Limits
  passwords: Passwords
  /** undefined where no key is set. */
  jwt: JwtVerifier | undefined
  production: boolean
}

export const SESSION_PREFIX = 'mcs_'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Looking at the clock once a second is enough for these. */
const CLOCK = { ttlResolution: 1_000 }

export class Identity {
  readonly passwords: Passwords
  readonly #options: IdentityOptions
  readonly #key = randomBytes(32)
  readonly #users = new LRUCache<number, UserRow>({ max: 50_000, ttl: 30_000, ...CLOCK })
  readonly #ids = new LRUCache<string, number>({ max: 50_000 })
  readonly #sessions = new LRUCache<string, SessionRow>({ max: 50_000, ttl: 30_000, ...CLOCK })
  readonly #verified = new LRUCache<string, number>({ max: 10_000, ttl: 60_000 })
  /** Accounts and addresses that go together: a log-in from there succeeded before. */
  readonly #known = new LRUCache<string, true>({ max: 50_000, ttl: 30 * DAY_MS })
  #drops = 0

  constructor(options: IdentityOptions) {
    this.passwords = options.passwords
    this.#options = options
  }

  /** @throws bad_credentials, token_expired, deactivated, insecure, rate_limited, busy, unavailable */
  async authenticate(credentials: Credentials, caller: Caller): Promise<Actor> {
    const actor = await this.#verify(credentials, caller).catch(nothingDone)
    actor.address = caller.address
    return actor
  }

  /** A user as it was within the last 30 s, or as it is after a change that the bus has told. */
  async user(username: string): Promise<UserRow | undefined> {
    if (!isUsername(username)) return undefined
    const id = this.#ids.get(username)
    const known = id === undefined ? undefined : this.#users.get(id)
    if (known?.username === username) return known
    const drops = this.#drops
    return this.#keep(await selectUser(this.#options.db, username), drops)
  }

  /** What is kept of this user is out of date. */
  dropUser(userId: number): void {
    this.#drops += 1
    this.#users.delete(userId)
    for (const [key, id] of this.#verified) if (id === userId) this.#verified.delete(key)
  }

  dropSessions(userId: number): void {
    this.#drops += 1
    for (const [key, row] of this.#sessions) if (row.user_id === userId) this.#sessions.delete(key)
  }

  /** Everything: events of the bus may have been missed. */
  dropAll(): void {
    this.#drops += 1
    for (const cache of [this.#users, this.#ids, this.#sessions, this.#verified]) cache.clear()
  }

  #verify(credentials: Credentials, caller: Caller): Promise<Actor> {
    if (credentials.kind === 'basic') return this.#verifyBasic(credentials, caller)
    const { token } = credentials
    return token.startsWith(SESSION_PREFIX) ? this.#verifySession(token) : this.#verifyJwt(token)
  }

  async #verifyBasic(
    { username, password }: { username: string; password: string },
    { address, secure }: Caller,
  ): Promise<Actor> {
    const { settings, production } = this.#options
    if (settings.basic === 'off')
      throw new ChatError('bad_credentials', { detail: 'Basic is switched off here; use a token' })
    if (production && !secure)
      throw new ChatError('insecure', { detail: 'Basic is taken over HTTPS only' })
    const key = createHmac('sha256', this.#key).update(`${username}\0${password}`).digest('base64')
    const id = this.#verified.get(key)
    const user = id === undefined ? undefined : await this.#userById(id)
    if (user?.username === username) return toActor(active(user), 'basic')
    const row = await this.#checkPassword(username, password, address)
    this.#verified.set(key, row.id)
    return toActor(row, 'basic')
  }

  /** Wrong passwords and unknown users cost and answer the same. */
  async #checkPassword(username: string, password: string, address: string): Promise<UserRow> {
    const { db, passwords } = this.#options
    this.#checkFailures(username, address)
    const drops = this.#drops
    const row = isUsername(username) ? await selectUser(db, username) : undefined
    const { ok, upgraded } = await passwords.verify(password, row?.password)
    if (!ok || !row) throw this.#countFailure(username, address)
    this.#known.set(pairOf(username, address), true)
    if (upgraded !== undefined && row.password !== null)
      await swapPassword(db, row.id, row.password, upgraded)
    active(row)
    this.#keep(row, drops)
    return row
  }

  /** Many failures on one account slow it down, but not from where it has logged in before. */
  #checkFailures(username: string, address: string): void {
    const { loginsOfAccount, loginsOfPair, loginsOfAddress } = this.#options.limits
    const pair = pairOf(username, address)
    loginsOfPair.check(pair)
    if (this.#known.has(pair)) return
    loginsOfAddress.check(address)
    loginsOfAccount.check(username)
  }

  #countFailure(username: string, address: string): ChatError {
    const { loginsOfAccount, loginsOfPair, loginsOfAddress } = this.#options.limits
    // Another attempt may have taken the last one meanwhile: this one was wrong all the same.
    loginsOfPair.tryTake(pairOf(username, address))
    loginsOfAddress.tryTake(address)
    loginsOfAccount.tryTake(username)
    return new ChatError('bad_credentials', { detail: 'The username or the password is wrong' })
  }

  async #verifySession(token: string): Promise<Actor> {
    const { settings } = this.#options
    const hash = hashToken(token)
    const session = await this.#session(hash)
    const now = Date.now()
    if (!session)
      throw new ChatError('bad_credentials', { detail: 'There is no such session; log in' })
    const idleMs = now - session.last_used_at.getTime()
    if (session.expires_at.getTime() <= now || idleMs > settings.login.idleDays * DAY_MS)
      throw new ChatError('token_expired', { detail: 'The session has ended; log in again' })
    const user = await this.#userById(session.user_id)
    if (!user) throw new ChatError('bad_credentials', { detail: 'The account was deleted' })
    if (idleMs > HOUR_MS) {
      session.last_used_at = new Date(now)
      await touchSession(this.#options.db, session.id)
    }
    return toActor(active(user), 'session', {
      sessionId: session.id,
      expiresAt: session.expires_at.getTime(),
    })
  }

  async #session(hash: Buffer): Promise<SessionRow | undefined> {
    const key = hash.toString('base64')
    const known = this.#sessions.get(key)
    if (known) return known
    const drops = this.#drops
    const row = await selectSession(this.#options.db, hash)
    if (row && drops === this.#drops) this.#sessions.set(key, row)
    return row
  }

  async #verifyJwt(token: string): Promise<Actor> {
    const { jwt, settings } = this.#options
    if (!jwt)
      throw new ChatError('bad_credentials', {
        detail: 'This is no session token, and JWTs are not set up here (MICROCHATTER_JWT_SECRET)',
      })
    const claims = await jwt.verify(token)
    if (claims.username === SYSTEM)
      throw new ChatError('bad_credentials', { detail: 'Nobody can log in as system' })
    const known = await this.user(claims.username)
    if (!known && !settings.jwt.createUsers)
      throw new ChatError('bad_credentials', { detail: 'There is no such user' })
    const user = known ? await this.#apply(claims, known) : await this.#create(claims)
    checkIssued(claims, user.tokens_valid_after)
    return toActor(active(user), 'jwt', {
      issuedAt: claims.issuedAt,
      fromLogin: claims.fromLogin,
      expiresAt: claims.expiresAt === undefined ? undefined : claims.expiresAt * 1_000,
    })
  }

  async #create(claims: Claims): Promise<UserRow> {
    const { db } = this.#options
    const { username, displayName, picture, role } = claims
    checkIssued(claims, (await selectErasedAt(db, username)) ?? null)
    const drops = this.#drops
    const made = await insertUser(db, {
      username,
      displayName,
      picture,
      role,
      claimsAt: dateOf(claims),
    })
    const user = made ?? (await selectUser(db, username))
    if (!user) throw new ChatError('bad_credentials', { detail: 'The account was deleted' })
    this.#keep(user, drops)
    return user
  }

  /** Name, picture and role follow the claims of the newest token; what it does not say stays. */
  async #apply(claims: Claims, user: UserRow): Promise<UserRow> {
    const { displayName, picture, role } = claims
    const changed =
      (displayName !== undefined && displayName !== user.display_name) ||
      (picture !== undefined && picture !== user.picture) ||
      (role !== undefined && role !== user.role)
    if (!changed) return user
    const issued = dateOf(claims)
    const isOlder = user.claims_at !== null && (!issued || issued <= user.claims_at)
    if (isOlder) return user
    checkIssued(claims, active(user).tokens_valid_after)
    const { db, bus } = this.#options
    const row = await db.transaction(async (tx) => {
      await touchUserChats(tx, user.id)
      return updateUser(tx, user.id, { displayName, picture, role, claimsAt: issued })
    })
    bus.publish({ kind: 'user', userId: user.id })
    return row ?? user
  }

  async #userById(id: number): Promise<UserRow | undefined> {
    const known = this.#users.get(id)
    if (known) return known
    const drops = this.#drops
    return this.#keep(await selectUserById(this.#options.db, id), drops)
  }

  /** What was read while something changed may be from before the change: it is not kept. */
  #keep(row: UserRow | undefined, drops: number): UserRow | undefined {
    if (!row?.username) return undefined
    if (drops !== this.#drops) return row
    const { password: _, ...kept } = row as UserRow & { password?: unknown }
    this.#users.set(row.id, kept)
    this.#ids.set(row.username, row.id)
    return kept
  }
}

/** Of what the caller wants, whatever became of our own notes. */
function nothingDone(error: unknown): never {
  throw error instanceof DatabaseAway && error.sent ? new DatabaseAway(false, error) : error
}

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function active(user: UserRow): UserRow {
  if (!user.username) throw new ChatError('bad_credentials', { detail: 'The account was deleted' })
  if (user.active) return user
  throw new ChatError('deactivated', { detail: 'An admin has deactivated this account' })
}

function checkIssued({ issuedAt }: Claims, validAfter: Date | null): void {
  if (validAfter === null) return
  // iat has whole seconds: of the second of the log-out itself, none is taken.
  if (issuedAt !== undefined && issuedAt * 1_000 > validAfter.getTime()) return
  throw new ChatError('bad_credentials', {
    detail:
      'The token is from before this user was logged out everywhere or deleted; make a new one',
  })
}

function dateOf({ issuedAt }: Claims): Date | undefined {
  return issuedAt === undefined ? undefined : new Date(issuedAt * 1_000)
}

/** One literal with every field: an open socket keeps it, and fields that come later cost more. */
function toActor(user: UserRow, via: Actor['via'], more: Partial<Actor> = {}): Actor {
  const username = user.username ?? ''
  return {
    id: user.id,
    username,
    admin: isAdmin(username, user.role),
    via,
    sessionId: more.sessionId,
    issuedAt: more.issuedAt,
    fromLogin: more.fromLogin,
    expiresAt: more.expiresAt,
    address: undefined,
    socket: undefined,
  }
}

function isAdmin(username: string | null, role: string): boolean {
  return username === 'admin' || role === 'admin'
}

function pairOf(username: string, address: string): string {
  return `${address} ${username}`
}
