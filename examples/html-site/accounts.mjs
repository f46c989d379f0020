/** Who the site's users are, and who is logged in. A real site has tables, or its framework, for both. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

const SESSION_SECONDS = 8 * 3_600
const COOKIE = 'html-site-session'
const HASH_BYTES = 32
const derive = promisify(scrypt)

/** `password` is `salt:hash`, the hash by scrypt. */
export const users = JSON.parse(readFileSync(new URL('users.json', import.meta.url), 'utf8'))
/** Session id → { user, endsAt } */
const sessions = new Map()

/** @returns the cookie of the new session, or undefined: the name or the password is wrong */
export async function logIn(username, password) {
  const user = users.find((one) => one.username === username)
  // A wrong name takes as long as a wrong password.
  const [salt, hash] = (user ?? users[0]).password.split(':')
  const isRight = timingSafeEqual(
    await derive(password, salt, HASH_BYTES),
    Buffer.from(hash, 'hex'),
  )
  if (!user || !isRight) return undefined
  forgetEnded()
  const id = randomBytes(32).toString('base64url')
  sessions.set(id, { user, endsAt: Date.now() + SESSION_SECONDS * 1_000 })
  return cookie(id, SESSION_SECONDS)
}

/** @returns the user who sent this request, or undefined: nobody is logged in */
export function whoIs(request) {
  const session = sessions.get(sessionId(request))
  return session && session.endsAt > Date.now() ? session.user : undefined
}

/** @returns the cookie that takes the place of the one of the session */
export function logOut(request) {
  sessions.delete(sessionId(request))
  return cookie('', 0)
}

/** Behind HTTPS, add `Secure`. */
function cookie(id, seconds) {
  return `${COOKIE}=${id}; HttpOnly; SameSite=Lax; Path=/; Max-Age=${seconds}`
}

function sessionId(request) {
  const pairs = (request.headers.cookie ?? '').split('; ')
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)
}

function forgetEnded() {
  for (const [id, { endsAt }] of sessions) if (endsAt <= Date.now()) sessions.delete(id)
}
