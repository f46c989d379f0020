import type { Audience, WriteFrom } from '@microchatter/protocol'
import type { Bus } from '../bus/bus.ts'
import type { Database } from '../store/db.ts'
import type { Files } from './files.ts'
import type { Delivered } from './delivered.ts'
import type { Clock } from './clock.ts'
import type { Heads } from './heads.ts'
import type { Identity } from './identity.ts'
import type { Limits } from './limits.ts'
import type { Previews } from './previews.ts'
import type { Presence } from './presence.ts'
import type { Reads } from './reads.ts'
import type { Sharing } from './receipts.ts'
import type { Typing } from './typing.ts'
import type { Webhook } from './webhook.ts'
import type { Writer } from './writer.ts'

/** What every domain function takes first. It is joined in server.ts. */
export interface Core {
  db: Database
  bus: Bus
  settings: Settings
  limits: Limits
  identity: Identity
  /** The one way in for messages. */
  writer: Writer
  /** What many ask at the same time. */
  reads: Reads
  /** Mends what was stored and not told of. */
  heads: Heads
  presence: Presence
  typing: Typing
  /** Who tells and sees receipts. */
  sharing: Sharing
  /** What devices say they have, on its way to the database. */
  delivered: Delivered
  /** What is due at a time. */
  clock: Clock
  /** The site's; undefined: it has none. */
  webhook: Webhook | undefined
  /** undefined: the site takes none. */
  files: Files | undefined
  /** undefined: it makes none. */
  previews: Previews | undefined
}

/** The part of the configuration that the domain goes by. */
export interface Settings {
  admin: { readChats: boolean }
  login: { token: 'session' | 'jwt'; idleDays: number; absoluteDays: number; jwtHours: number }
  basic: 'on' | 'off'
  users: { search: 'admins' | 'everyone'; editSelf: boolean }
  messages: { maxLength: number; editMinutes: number; deleteMinutes: number }
  groups: { maxMembers: number }
  privacy: { writeFrom: WriteFrom }
  presence: { visibleTo: Audience }
  search: { language: string }
  files: {
    publicUrl: string
    maxMegabytes: number
    megabytesPerUser: number
    types: readonly string[]
  }
  jwt: { createUsers: boolean }
}

/** Who calls, as their credentials have shown. */
export interface Actor {
  id: number
  username: string
  admin: boolean
  via: 'basic' | 'jwt' | 'session'
  /** Of a session. */
  sessionId?: string | undefined
  /** Of a JWT, in seconds since 1970. */
  issuedAt?: number | undefined
  /** The JWT was made by a log-in here. */
  fromLogin?: boolean | undefined
  /** When the credentials end, in milliseconds since 1970. */
  expiresAt?: number | undefined
  /** Network address, for the audit. */
  address?: string | undefined
  /** The socket that calls: it gets an answer, and not the event as well. */
  socket?: string | undefined
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isUuid(text: string): boolean {
  return UUID.test(text)
}
