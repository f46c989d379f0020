/** What the server does at a time that a user has set, and what the press of a button asks. */
import { type Static, Type } from 'typebox'
import { CONTENT } from './content.ts'
import { LIMITS } from './limits.ts'
import { Body, Message } from './messages.ts'
import { ChatId, closed, ExactTime, oneOf, opt, Seq, Time, Uuid } from './schema.ts'

const SendAt = Type.String({
  ...ExactTime,
  description: 'When it is sent (ISO 8601, UTC): 10 s to a year from now.',
})

export const ScheduleBody = closed({ body: opt(Body), ...CONTENT, sendAt: SendAt })
export type ScheduleBody = Static<typeof ScheduleBody>

/** A new `sendAt` lets one that has failed wait again. */
export const EditScheduledBody = closed({ body: opt(Body), sendAt: opt(SendAt) })
export type EditScheduledBody = Static<typeof EditScheduledBody>

/** A message that waits for its time, as it was given. */
export const Scheduled = closed({
  id: Type.String({ ...Uuid, description: 'The `clientId` of the message, once it is sent.' }),
  chatId: ChatId,
  body: opt(Type.String()),
  ...CONTENT,
  sendAt: Time,
  createdAt: Time,
  failed: opt(
    Type.String({ description: 'The code of the error for which it was not sent [TIME-3].' }),
  ),
})
export type Scheduled = Static<typeof Scheduled>

export const ScheduledChange = closed({
  id: Uuid,
  chatId: ChatId,
  state: oneOf(['waiting', 'sent', 'failed', 'removed'], 'waiting: scheduled, or changed.'),
  scheduled: opt(Scheduled),
  seq: opt(Type.Integer({ minimum: 1, description: 'Of the message, where it was sent.' })),
})
export type ScheduledChange = Static<typeof ScheduledChange>

export const ReminderBody = closed({
  at: Type.String({ ...ExactTime, description: 'A time to come, at most a year from now.' }),
  note: opt(Type.String({ minLength: 1, maxLength: LIMITS.note })),
})
export type ReminderBody = Static<typeof ReminderBody>

export const Reminder = closed({
  chatId: ChatId,
  seq: Seq,
  at: Time,
  note: opt(Type.String()),
  due: opt(Type.Boolean({ description: 'true: its time has come.' })),
  message: opt(Message),
})
export type Reminder = Static<typeof Reminder>

export const PressBody = closed({
  button: Type.String({ minLength: 1, maxLength: 64, description: 'The id of the button.' }),
})
export type PressBody = Static<typeof PressBody>

export const Pressed = closed({
  text: opt(Type.String({ description: 'What the site says to the one who pressed.' })),
})
export type Pressed = Static<typeof Pressed>
