import { type Static, Type } from 'typebox'
import { LIMITS } from './limits.ts'
import { closed, oneOf, opt, Seq, Time } from './schema.ts'

export const GroupRole = oneOf(['owner', 'admin', 'member'], 'In a group.')
export type GroupRole = Static<typeof GroupRole>

/** Who may do something: owners alone, admins too, or all members. */
const Who = oneOf(['owner', 'admin', 'member'])

/** The least role that may do each. */
export const Permissions = closed({
  post: opt(Who),
  add: opt(Who),
  remove: opt(Who),
  edit: opt(Who),
  pin: opt(Who),
  invite: opt(Who),
  mentionAll: opt(Who),
  deleteOthers: opt(Who),
})
export type Permissions = Static<typeof Permissions>

export const GroupSettings = closed({
  permissions: opt(Permissions),
  history: opt(
    oneOf(
      ['all', 'joined'],
      'What a new member sees of the past: all of it, or what comes from then on.',
    ),
  ),
  open: opt(Type.Boolean({ description: 'true: anyone may find the group and join it.' })),
  slowModeSeconds: opt(
    Type.Integer({
      minimum: 0,
      maximum: 86_400,
      description: 'The least time between two messages of one member; 0: none.',
    }),
  ),
  expireAfterSeconds: opt(
    Type.Integer({
      minimum: 0,
      maximum: 31_536_000,
      description: 'Messages disappear after so long; 0: they stay.',
    }),
  ),
})
export type GroupSettings = Static<typeof GroupSettings>

/** What I have begun to write in a chat. */
export const Draft = closed({
  body: Type.String({ minLength: 1, maxLength: LIMITS.body }),
  reply: opt(Seq),
  updatedAt: Time,
})
export type Draft = Static<typeof Draft>

export const RequestState = oneOf(
  ['pending', 'declined'],
  'Someone whom I do not know has begun this chat, and I have not accepted it yet, or have declined it.',
)
