/** One row of a file of users, of either format, and what makes it fit for the database. */
import { LIMITS } from '@microchatter/protocol'
import { ChatError } from '../domain/errors.ts'
import { isKnownHash } from '../domain/passwords.ts'
import { SYSTEM } from '../domain/rights.ts'
import { checkUsername, cleanName } from '../domain/text.ts'
import type { ImportedUser } from '../store/users.ts'
import type { Line } from './import-lines.ts'

export type Field = keyof ImportedUser

/** As they may be spelt in a file. */
export const FIELDS: ReadonlyMap<string, Field> = new Map([
  ['username', 'username'],
  ['password', 'password'],
  ['displayName', 'displayName'],
  ['display_name', 'displayName'],
  ['picture', 'picture'],
  ['role', 'role'],
])
export const KNOWN = 'username, password, displayName (or display_name), picture, role'

export interface Row {
  line: number
  fields: { [key in Field]?: unknown }
  /** Why the row cannot be taken. */
  problem?: string
}

class BadRow extends Error {}

/** One JSON object a line; empty lines are passed over. */
export async function* readNdjson(chunks: AsyncIterable<Line[]>): AsyncGenerator<Row[]> {
  for await (const lines of chunks)
    yield lines.filter(({ text, problem }) => problem || text.trim() !== '').map(toRow)
}

function toRow({ number: line, text, problem }: Line): Row {
  if (problem) return { line, fields: {}, problem }
  try {
    return { line, fields: toFields(text) }
  } catch (error) {
    return { line, fields: {}, problem: problemOf(error) }
  }
}

function toFields(text: string): Row['fields'] {
  const fields: Row['fields'] = {}
  for (const [key, value] of Object.entries(toObject(text))) {
    const field = FIELDS.get(key)
    if (!field)
      throw new BadRow(`unknown field ${JSON.stringify(key.slice(0, 60))}; known: ${KNOWN}`)
    if (Object.hasOwn(fields, field)) throw new BadRow(`the field ${field} is there twice`)
    fields[field] = value
  }
  return fields
}

function toObject(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BadRow('no JSON; each line is one object, like {"username": "ann"}')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new BadRow('no JSON object; each line is one, like {"username": "ann"}')
}

/** What is to be stored, or, as text, why the row cannot be taken: never with the password in it. */
export function toUser({ fields, problem }: Row): ImportedUser | string {
  if (problem) return problem
  try {
    return {
      username: toUsername(textOf(fields, 'username')),
      password: toPassword(textOf(fields, 'password')),
      displayName: cleanName(textOf(fields, 'displayName')) ?? null,
      picture: toPicture(textOf(fields, 'picture')),
      role: toRole(textOf(fields, 'role')),
    }
  } catch (error) {
    return problemOf(error)
  }
}

function problemOf(error: unknown): string {
  if (error instanceof BadRow || error instanceof ChatError) return error.message
  throw error
}

function textOf(fields: Row['fields'], field: Field): string {
  const value = fields[field] ?? ''
  if (typeof value === 'string') return value
  throw new BadRow(`${field} must be text, in quotes`)
}

function toUsername(name: string): string {
  if (name === '') throw new BadRow('username is empty')
  if (name === SYSTEM)
    throw new BadRow(`"${SYSTEM}" is the built-in sender of system messages; nobody logs in as it`)
  if (name.length > LIMITS.username && [...name].length > LIMITS.username)
    throw new BadRow(`username has more than ${LIMITS.username} characters`)
  return checkUsername(name)
}

function toPassword(password: string): string | null {
  if (password === '') return null
  if (/^[\x21-\x7e]{1,512}$/.test(password) && isKnownHash(password)) return password
  throw new BadRow(
    'password is no hash that is known here (MD5 as 32 hex digits, bcrypt, argon2); hash it, or leave it empty and let the user log in by JWT',
  )
}

function toPicture(picture: string): string | null {
  if (picture === '') return null
  const isAddress = /^https?:\/\/[^\s\p{Cc}\p{Cs}]+$/u.test(picture) && URL.canParse(picture)
  if (!isAddress)
    throw new BadRow('picture must be an address that begins with http:// or https://')
  if (picture.length > LIMITS.url)
    throw new BadRow(`picture has more than ${LIMITS.url} characters`)
  return picture
}

function toRole(role: string): 'user' | 'admin' {
  if (role === '' || role === 'user') return 'user'
  if (role === 'admin') return role
  throw new BadRow('role must be user or admin, or empty for user')
}
