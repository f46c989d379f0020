import { createHmac } from 'node:crypto'

const HOUR_SECONDS = 3_600

/** HS256, for an hour. */
export function signJwt(secret: string, sub: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const iat = Math.floor(Date.now() / 1_000)
  const claims = { sub, iat, exp: iat + HOUR_SECONDS }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
