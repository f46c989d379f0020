import { type Static, Type } from 'typebox'
import { LIMITS } from './limits.ts'
import { closed, oneOf, opt, Time, Username } from './schema.ts'

/** Whom a user lets see something. */
export const Audience = oneOf(['everyone', 'contacts', 'nobody'])
export type Audience = Static<typeof Audience>

export const PresenceState = oneOf(['online', 'away', 'offline'])
export type PresenceState = Static<typeof PresenceState>

/** Who may not be seen is like one who is not there: offline, without a time [PRES-3]. */
export const Presence = closed({
  username: Username,
  state: PresenceState,
  lastSeenAt: opt(Time),
})
export type Presence = Static<typeof Presence>

export const PresenceList = closed({
  items: Type.Array(Presence, { description: 'One for each user asked for, in that order.' }),
})
export type PresenceList = Static<typeof PresenceList>

export const PresenceQuery = closed({
  usernames: Type.String({
    minLength: 1,
    maxLength: 8_192,
    description: `Up to ${LIMITS.watched} usernames, with commas between them. One that has a comma itself can be asked for by socket alone.`,
  }),
})
export type PresenceQuery = Static<typeof PresenceQuery>

export const SetPresenceBody = closed({ state: oneOf(['online', 'away'], 'Of this socket.') })
export const WatchPresenceBody = closed({
  usernames: Type.Array(Username, {
    maxItems: LIMITS.watched,
    description: 'Who is on the screen; takes the place of those named before.',
  }),
})
