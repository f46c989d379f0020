import { randomBytes } from 'node:crypto'
import type { CloseReason, Login, Session } from '@microchatter/protocol'
import { uuidv7 } from 'uuidv7'
import {
  deleteSession,
  deleteSessions,
  insertSession,
  selectLivingSessions,
  selectSessions,
  type SessionRow,
  trimSessions,
} from '../store/sessions.ts'
import { refuseOlderTokens, selectLoginState, selectUserById } from '../store/users.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { ChatError } from './errors.ts'
import { hashToken, SESSION_PREFIX } from './identity.ts'
import { forbidden } from './rights.ts'
import { toUser } from './views.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Of one user; the longest unused go. */
const SESSIONS = 100

/** Signs a JWT of ours; undefined where sessions are used. */
export type SignToken = (actor: Actor, expiresInSeconds: number) => Promise<string>

/** Makes a token for whoever has shown who they are by Basic or a JWT. */
export async function logIn(
  core: Core,
  actor: Actor,
  { sign, userAgent }: { sign: SignToken; userAgent: string | undefined },
): Promise<Login> {
  if (actor.via === 'session' || actor.fromLogin)
    throw forbidden('A log-in makes no other log-in; use Basic or a JWT of the site')
  const row = await selectUserById(core.db, actor.id)
  if (!row) throw new ChatError('bad_credentials', { detail: 'The account was deleted' })
  const { login } = core.settings
  const isJwt = login.token === 'jwt'
  const lifetimeMs = isJwt ? login.jwtHours * HOUR_MS : login.absoluteDays * DAY_MS
  const expiresAt = new Date(Date.now() + lifetimeMs)
  const token = isJwt
    ? await sign(actor, lifetimeMs / 1_000)
    : await openSession(core, actor, expiresAt, userAgent)
  return { token, expiresAt: expiresAt.toISOString(), user: toUser(row) }
}

async function openSession(
  core: Core,
  actor: Actor,
  expiresAt: Date,
  userAgent: string | undefined,
): Promise<string> {
  const token = SESSION_PREFIX + randomBytes(32).toString('base64url')
  await core.db.transaction(async (tx) => {
    await insertSession(tx, {
      id: uuidv7(),
      tokenHash: hashToken(token),
      userId: actor.id,
      expiresAt,
      address: actor.address,
      userAgent: userAgent?.replaceAll('\0', '').slice(0, 200),
    })
    await trimSessions(tx, actor.id, SESSIONS)
  })
  return token
}

export async function listSessions(core: Core, actor: Actor): Promise<{ items: Session[] }> {
  const rows = await selectSessions(core.db, actor.id)
  return { items: rows.map((row) => toSession(row, actor)) }
}

function toSession(row: SessionRow, actor: Actor): Session {
  return {
    id: row.id,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    ...(row.id === actor.sessionId ? { current: true } : {}),
    ...(row.address === null ? {} : { address: row.address }),
    ...(row.user_agent === null ? {} : { userAgent: row.user_agent }),
  }
}

/** `id` may be 'current'. */
export async function revokeSession(core: Core, actor: Actor, id: string): Promise<void> {
  const sessionId = id === 'current' ? (actor.sessionId ?? '') : id
  const done = isUuid(sessionId) && (await deleteSession(core.db, actor.id, sessionId))
  if (!done) throw new ChatError('not_found', { detail: 'You have no such session' })
  core.bus.publish({ kind: 'revoked', userId: actor.id, reason: 'session_revoked', sessionId })
}

/** Logs the user out everywhere: sessions, and JWTs issued up to now. */
export async function revokeSessions(core: Core, userId: number): Promise<void> {
  const until = await core.db.transaction(async (tx) => {
    await deleteSessions(tx, userId)
    return refuseOlderTokens(tx, userId)
  })
  core.bus.publish({ kind: 'revoked', userId, reason: 'session_revoked', until: until.getTime() })
}

/** What a socket was opened with. */
export interface Held {
  userId: number
  sessionId?: string | undefined
  issuedAt?: number | undefined
  /** When a password was shown, in milliseconds since 1970. */
  passwordAt?: number | undefined
}

/**
 * Which of these do not hold any more, with the reason: asked now and then, so that a revocation whose
 * event was lost takes effect all the same.
 */
export async function findEnded<H extends Held>(
  core: Core,
  held: H[],
): Promise<[H, CloseReason][]> {
  const states = await selectLoginState(core.db, [...new Set(held.map(({ userId }) => userId))])
  const living = await selectLivingSessions(
    core.db,
    held.flatMap(({ sessionId }) => (sessionId === undefined ? [] : [sessionId])),
  )
  const byId = new Map(states.map((state) => [state.id, state]))
  return held.flatMap((one): [H, CloseReason][] => {
    const reason = endOf(one, byId.get(one.userId), living)
    return reason === undefined ? [] : [[one, reason]]
  })
}

type LoginState = Awaited<ReturnType<typeof selectLoginState>>[number]

function endOf(
  held: Held,
  state: LoginState | undefined,
  living: Set<string>,
): CloseReason | undefined {
  if (!state?.username) return 'account_removed'
  if (!state.active) return 'account_deactivated'
  if (held.sessionId !== undefined)
    return living.has(held.sessionId) ? undefined : 'session_revoked'
  const { tokens_valid_after, password_at } = state
  const { passwordAt } = held
  const ended =
    passwordAt === undefined
      ? isTooOld(held, tokens_valid_after?.getTime())
      : [tokens_valid_after, password_at].some(
          (time) => time !== null && time.getTime() > passwordAt,
        )
  return ended ? 'session_revoked' : undefined
}

/** Is this JWT from before the log-out everywhere? */
export function isTooOld({ issuedAt }: Pick<Held, 'issuedAt'>, until: number | undefined): boolean {
  return until !== undefined && issuedAt !== undefined && issuedAt * 1_000 <= until
}
