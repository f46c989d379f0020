import { type Static, Type } from 'typebox'
import {
  Card,
  CONTENT,
  Location,
  MessageKind,
  Metadata,
  My,
  Poll,
  Quote,
  Reaction,
  SystemEvent,
} from './content.ts'
import { File, Preview } from './files.ts'
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
  sender: opt(
    Type.String({ ...Username, description: 'A username; left out: the account was deleted.' }),
  ),
  body: Type.String({ description: 'Empty where there is no text, or none any more.' }),
  createdAt: Time,
  clientId: Uuid,
  kind: opt(MessageKind),
  type: opt(Type.String({ description: "The site's own word for this sort of message." })),
  event: opt(SystemEvent),
  reply: opt(Quote),
  thread: opt(
    Type.Integer({ ...Seq, description: 'The seq of the message whose thread this is in.' }),
  ),
  replies: opt(
    closed({ count: Type.Integer({ minimum: 1 }), lastSeq: Seq }, 'The thread of this message.'),
  ),
  mentions: opt(Type.Array(Username, { description: 'Usernames of members.' })),
  mentionAll: opt(Type.Boolean({ description: 'true: all members are mentioned.' })),
  forwarded: opt(Type.Boolean({ description: 'true: a copy of another message.' })),
  metadata: opt(Metadata),
  poll: opt(Poll),
  location: opt(Location),
  card: opt(Card),
  files: opt(Type.Array(File)),
  preview: opt(Preview),
  editedAt: opt(Time),
  deletedAt: opt(Time),
  deletedBy: opt(Username),
  expiresAt: opt(Time),
  pinned: opt(Type.Boolean({ description: 'true: for all members.' })),
  reactions: opt(Type.Array(Reaction)),
  change: opt(
    Type.Integer({ minimum: 1, description: 'The number of its last change in the chat.' }),
  ),
  hidden: opt(Type.Boolean({ description: 'true: of someone whom I have blocked.' })),
  my: opt(My),
})
export type Message = Static<typeof Message>

const ClientId = Type.String({
  ...Uuid,
  description:
    'A UUID made by the client. The same sender, chat and clientId twice is one message [SEND-3]. Without it a retry is not safe.',
})

const SendText = Type.String({
  ...Body,
  description:
    'Plain text, stored as sent, escaped where it is shown. Only a place, a card, files and a forward need none.',
})

export const SendBody = closed({ body: opt(SendText), clientId: opt(ClientId), ...CONTENT })
export type SendBody = Static<typeof SendBody>

export const SendToUserBody = closed({
  ...SendBody.properties,
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
  thread: opt(
    Type.Integer({
      ...Seq,
      minimum: 1,
      description: 'Only the thread of the message with this seq.',
    }),
  ),
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
  changes: Type.Integer({
    minimum: 0,
    description: 'The changes of messages up to this number are in the page.',
  }),
})
export type History = Static<typeof History>

export const EditBody = closed({
  body: opt(Body),
  metadata: CONTENT.metadata,
})
export type EditBody = Static<typeof EditBody>

export const DeleteMessageQuery = closed({
  for: opt(
    Type.Union([Type.Literal('all'), Type.Literal('me')], {
      default: 'all',
      description: 'all: nobody can read it any more; me: it is gone for me.',
    }),
  ),
})
export type DeleteMessageQuery = Static<typeof DeleteMessageQuery>

export const ChangesQuery = closed({ after: Seq, limit: opt(Limit) })
export type ChangesQuery = Static<typeof ChangesQuery>

/** Messages that have changed, in the order of `change`, as they are now. */
export const Changes = closed({
  items: Type.Array(Message),
  changes: Type.Integer({
    minimum: 0,
    description: 'All changes up to this number are in; the next page is `after` it.',
  }),
  hasAfter: Type.Boolean(),
})
export type Changes = Static<typeof Changes>

/** What a message was before it was edited, the oldest first. */
export const Edit = closed({
  body: Type.String(),
  editedBy: opt(Username),
  editedAt: Time,
})
export type Edit = Static<typeof Edit>
