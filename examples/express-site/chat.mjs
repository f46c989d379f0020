/** All that the back end does for the chat. */
import { SignJWT } from 'jose'

export const CHAT_URL = (process.env.CHAT_URL || 'http://127.0.0.1:3000').replace(/\/$/, '')
const RETRY_MS = 3_000

const secret = process.env.MICROCHATTER_JWT_SECRET ?? ''
if (Buffer.byteLength(secret) < 32) {
  console.error(
    'Set MICROCHATTER_JWT_SECRET: the secret of the chat server, 32 characters or more.',
  )
  process.exit(1)
}
const key = new TextEncoder().encode(secret)

/** Says to the chat server, for ten minutes, who is logged in here. The widget asks again in time. */
export const chatToken = (user) =>
  new SignJWT({ name: user.name })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user.username)
    .setIssuedAt()
    .setExpirationTime('10 minutes')
    .sign(key)

/** What pages with the chat load, and from where. */
export const CHAT_POLICY = {
  'script-src': `'self' ${CHAT_URL}`,
  'connect-src': `'self' ${CHAT_URL} ${CHAT_URL.replace(/^http/, 'ws')}`,
  'img-src': `'self' ${CHAT_URL} data: blob:`,
  'media-src': `${CHAT_URL} blob:`,
}

/**
 * The first token of a username makes its user at the chat server. A site does this once for each user, as at
 * sign-up, so that people can be written to who have not opened the chat yet.
 */
export async function introduce(users) {
  try {
    for (const user of users) {
      const authorization = `Bearer ${await chatToken(user)}`
      const answer = await fetch(`${CHAT_URL}/users/me`, { headers: { authorization } })
      if (!answer.ok) throw new Error((await answer.json()).detail)
    }
  } catch (error) {
    console.warn(
      `No chat yet: ${CHAT_URL} says "${error.message}". Is it running, with the same secret?`,
    )
    setTimeout(() => void introduce(users), RETRY_MS)
  }
}
