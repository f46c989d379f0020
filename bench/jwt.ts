import { createHmac } from 'node:crypto'

/** Longer than any soak; a server takes up to 24 hours. */
const LIFE_SECONDS = 20 * 3_600

/** HS256; `iat` in seconds since 1970. */
export function signJwt(secret: string, sub: string, iat = nowSeconds()): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const claims = { sub, iat, exp: iat + LIFE_SECONDS }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000)
}
