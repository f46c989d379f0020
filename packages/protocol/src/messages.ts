import { type Static, Type } from 'typebox'
import { LIMITS } from './limits.ts'
import { ChatId, closed, Limit, opt, Seq, Time, Username, Uuid } from './schema.ts'

export const Body = Type.String({
  minLength: 1,
  maxLength: LIMITS.body,
  description: 'Plain text, stored as sent, escaped where it is shown.',
})

/** [SEND-2] A message is addressed by (chatId, seq); it has no other id. */
export const Message = closed({
  chatId: ChatId,
  seq: Seq,
  sender: opt(Username),
  body: Type.String(),
  createdAt: Time,
  clientId: Uuid,
})
export type Message = Static<typeof Message>

const ClientId = Type.String({
  ...Uuid,
  description:
    'A UUID made by the client. The same sender, chat and clientId twice is one message [SEND-3]. Without it a retry is not safe.',
})

export const SendBody = closed({ body: Body, clientId: opt(ClientId) })
export type SendBody = Static<typeof SendBody>

export const SendToUserBody = closed({
  body: Body,
  clientId: opt(ClientId),
  as: opt(
    Type.Literal('system', { description: 'For admins: the message comes from the site itself.' }),
  ),
})
export type SendToUserBody = Static<typeof SendToUserBody>

/** At most one of the three; with none, the newest page. */
export const HistoryQuery = closed({
  before: opt(Seq),
  after: opt(Seq),
  around: opt(Seq),
  limit: opt(Limit),
})
export type HistoryQuery = Static<typeof HistoryQuery>

/** A page of history, oldest first. */
export const History = closed({
  items: Type.Array(Message),
  hasBefore: Type.Boolean({
    description: 'true: there are older messages than the first of the page.',
  }),
  hasAfter: Type.Boolean({
    description: 'true: there are newer messages than the last of the page.',
  }),
})
export type History = Static<typeof History>
