import { ChatError } from './errors.ts'

/** What of a list is asked for. */
export interface Paging {
  limit?: number | undefined
  cursor?: string | undefined
}

/** Cursors are opaque: a list of strings, so that what they hold may change. */
export function encodeCursor(parts: string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** @throws invalid_cursor for what `encodeCursor` with so many parts did not make */
export function decodeCursor(cursor: string, length: number): string[] {
  const parts = parse(cursor)
  const fits =
    Array.isArray(parts) &&
    parts.length === length &&
    parts.every((part) => typeof part === 'string' && !/[\0\p{Cs}]/u.test(part))
  if (!fits)
    throw new ChatError('invalid_cursor', {
      field: '/cursor',
      detail: 'The cursor is not one that this list gave out; leave it out to start anew',
    })
  return parts as string[]
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** A page of `limit` out of rows that were read with one more. */
export function toPage<R, T>(
  rows: R[],
  { limit, item, key }: { limit: number; item: (row: R) => T; key: (row: R) => string[] },
): { items: T[]; nextCursor?: string } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(item),
    ...(rows.length > limit && last !== undefined ? { nextCursor: encodeCursor(key(last)) } : {}),
  }
}

/** A time as the database writes it, or in ISO 8601, UTC, of a day that there is. */
export function isTimeKey(text: string): boolean {
  const iso = text.replace(' ', 'T').replace(/\+00$/, 'Z')
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(iso)) return false
  const time = new Date(iso)
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === iso.slice(0, 19)
}
