import { type Static, Type } from 'typebox'
import { LIMITS } from './limits.ts'
import { closed, Cursor, Limit, Name, oneOf, opt, WebUrl, Time, Username } from './schema.ts'

export const Role = Type.Union([Type.Literal('user'), Type.Literal('admin')])
export type Role = Static<typeof Role>

/** What anyone who is logged in may see of a user. */
export const Profile = closed({
  username: Username,
  displayName: opt(Name),
  picture: opt(WebUrl),
})
export type Profile = Static<typeof Profile>

/** A user as oneself and admins see it. */
export const User = closed({
  username: Username,
  displayName: opt(Name),
  picture: opt(WebUrl),
  role: Role,
  active: Type.Boolean({ description: 'false: cannot log in; deactivated by an admin.' }),
  createdAt: Time,
})
export type User = Static<typeof User>

const Password = Type.String({
  minLength: 8,
  maxLength: LIMITS.password,
  description: 'At least 8 characters, at most 1,024 bytes. No composition rules.',
})

export const RegisterBody = closed({
  username: Username,
  password: opt(Password),
  displayName: opt(Name),
  picture: opt(WebUrl),
  role: opt(Role),
})
export type RegisterBody = Static<typeof RegisterBody>

/** null removes a value. `role`, `active` are for admins; `currentPassword` is asked of oneself. */
export const UpdateUserBody = closed({
  displayName: opt(Type.Union([Name, Type.Null()])),
  picture: opt(Type.Union([WebUrl, Type.Null()])),
  password: opt(Password),
  currentPassword: opt(Type.String({ minLength: 1, maxLength: LIMITS.password })),
  role: opt(Role),
  active: opt(Type.Boolean({ description: 'false: deactivated. For admins.' })),
})
export type UpdateUserBody = Static<typeof UpdateUserBody>

export const ListUsersQuery = closed({
  search: opt(
    Type.String({
      minLength: 1,
      maxLength: LIMITS.username,
      description: 'Start of the username or of the display name, in any case.',
    }),
  ),
  active: opt(Type.Boolean({ description: 'For admins: only active, or only deactivated users.' })),
  limit: opt(Limit),
  cursor: opt(Cursor),
})
export type ListUsersQuery = Static<typeof ListUsersQuery>

export const Login = closed({
  token: Type.String({
    description: 'Send it as `Authorization: Bearer …`, or in the socket handshake.',
  }),
  expiresAt: Time,
  user: User,
})
export type Login = Static<typeof Login>

export const Session = closed({
  id: Type.String({ description: 'Names the session for its revocation; it is not the token.' }),
  createdAt: Time,
  lastUsedAt: Time,
  expiresAt: Time,
  current: opt(Type.Boolean({ description: 'true: the session that asks.' })),
  address: opt(Type.String()),
  userAgent: opt(Type.String()),
})
export type Session = Static<typeof Session>

export const Block = closed({
  username: Username,
  displayName: opt(Name),
  picture: opt(WebUrl),
  createdAt: Time,
})
export type Block = Static<typeof Block>

/** From whom a first message comes: as a chat, as a request, or not at all. */
export const WRITE_FROM = ['everyone', 'requests', 'contacts', 'nobody'] as const
export type WriteFrom = (typeof WRITE_FROM)[number]
export const VISIBLE_TO = ['everyone', 'contacts', 'nobody'] as const

const WriteFromSetting = oneOf(WRITE_FROM, 'Who may begin a chat with me.')
const LastSeenToSetting = oneOf(VISIBLE_TO, 'Who sees whether I am there, and when I last was.')
const ReceiptsSetting = Type.Boolean({
  description: 'false: others do not see what I have read, nor I what they have.',
})

/** In force: what a user has not set is as the site says. */
export const UserSettings = closed({
  writeFrom: WriteFromSetting,
  lastSeenTo: LastSeenToSetting,
  receipts: ReceiptsSetting,
})
export type UserSettings = Static<typeof UserSettings>

/** null: as the site says, again. */
export const UpdateSettingsBody = closed({
  writeFrom: opt(Type.Union([WriteFromSetting, Type.Null()])),
  lastSeenTo: opt(Type.Union([LastSeenToSetting, Type.Null()])),
  receipts: opt(Type.Union([ReceiptsSetting, Type.Null()])),
})
export type UpdateSettingsBody = Static<typeof UpdateSettingsBody>
