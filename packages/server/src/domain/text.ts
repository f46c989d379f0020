import { LIMITS } from '@microchatter/protocol'
import { ChatError } from './errors.ts'

/*
 * Text is stored as sent. What PostgreSQL cannot store (NUL) or UTF-8 cannot carry (lone surrogates)
 * is refused. Names lose what would disguise them: controls, bidi overrides, zero-width characters.
 */

/** A message's text, as it is. @throws invalid_text, invalid */
export function checkBody(body: string, maxLength: number): string {
  checkText(body, '/body')
  if (!/\S/.test(body))
    throw new ChatError('invalid', { field: '/body', detail: 'The text is empty' })
  if (body.length > maxLength && [...body].length > maxLength)
    throw new ChatError('invalid', {
      field: '/body',
      detail: `The text has more than ${maxLength} characters; send it in parts`,
    })
  return body
}

const DISGUISE = /[\p{Cc}\p{Cs}\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/gu

/** Without what disguises it, and without space at its ends. */
export function undisguised(text: string): string {
  return text.replace(DISGUISE, '').trim()
}

/** A display name without what disguises it; undefined where nothing is left. */
export function cleanName(name: string): string | undefined {
  const text = undisguised(name)
  return [...text].slice(0, LIMITS.name).join('').trimEnd() || undefined
}

export function checkName(name: string, field: string): string {
  const text = cleanName(name)
  if (text === undefined)
    throw new ChatError('invalid_text', { field, detail: 'The name has no visible characters' })
  return text
}

/** The names of the site are taken as they are; only what could pose as another is refused. */
export function checkUsername(username: string): string {
  const bare = username.replace(DISGUISE, '')
  if (bare !== username || bare.trim() !== bare || bare === '')
    throw new ChatError('invalid_text', {
      field: '/username',
      detail: 'A username has no control or invisible characters, and no space at its ends',
    })
  if (RESERVED.has(username))
    throw new ChatError('invalid', {
      field: '/username',
      detail: `"${username}" is a reserved name`,
    })
  return username
}

const RESERVED = new Set(['me', '__proto__', 'constructor', 'prototype'])

/** For lookups: false for what cannot be a username, so that the database is not asked. */
export function isUsername(username: string): boolean {
  return (
    username.length <= LIMITS.username * 2 && !username.includes('\0') && isWellFormed(username)
  )
}

function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

const DEPTH = 8

/** JSON that is stored as it is. @throws invalid, invalid_text */
export function checkData(data: unknown, { field, maxBytes }: { field: string; maxBytes: number }) {
  if (!isSound(data, DEPTH))
    throw new ChatError('invalid_text', {
      field,
      detail: `It is nested more than ${DEPTH} deep, or a text in it has a NUL or half of a pair`,
    })
  const json = JSON.stringify(data)
  if (Buffer.byteLength(json) > maxBytes)
    throw new ChatError('invalid', {
      field,
      detail: `It has more than ${maxBytes} bytes as JSON; keep what is large on your own side`,
    })
}

function isSound(data: unknown, depth: number): boolean {
  if (typeof data === 'string') return !data.includes('\0') && isWellFormed(data)
  if (typeof data !== 'object' || data === null) return true
  if (depth === 0) return false
  return Object.entries(data).every(
    ([key, value]) => isSound(key, depth) && isSound(value, depth - 1),
  )
}

/** Has it no control or invisible characters, and no space at its ends? */
export function isVisible(text: string): boolean {
  return text !== '' && undisguised(text) === text
}

/** A text of several lines, as it is. */
export function checkText(text: string, field: string): string {
  if (text.includes('\0') || !isWellFormed(text))
    throw new ChatError('invalid_text', {
      field,
      detail: 'The text has a NUL or half of a surrogate pair; remove it',
    })
  return text
}
