import { createHmac } from 'node:crypto'

/** Longer than any soak; a server takes up to 24 hours. */
const LIFE_SECONDS = 20 * 3_600

/** HS256. */
export function signJwt(secret: string, sub: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const iat = Math.floor(Date.now() / 1_000)
  const claims = { sub, iat, exp: iat + LIFE_SECONDS }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
