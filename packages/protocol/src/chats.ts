import { type Static, type TSchema, Type } from 'typebox'
import { Metadata } from './content.ts'
import {
  Description,
  Draft,
  GROUP_FIELDS,
  GroupRole,
  GroupSettings,
  RequestState,
} from './groups.ts'
import { LIMITS } from './limits.ts'
import { Message } from './messages.ts'
import {
  ChatId,
  closed,
  Cursor,
  ExactTime,
  Limit,
  Name,
  oneOf,
  opt,
  WebUrl,
  Seq,
  Time,
  Username,
} from './schema.ts'

export const Member = closed({
  username: opt(Username),
  displayName: opt(Name),
  picture: opt(WebUrl),
  removed: opt(
    Type.Boolean({ description: 'true: the account was deleted; it has no username any more.' }),
  ),
  role: opt(GroupRole),
  readSeq: opt(
    Type.Integer({
      ...Seq,
      description: 'Has read up to here; left out where receipts are switched off [RECEIPT-5].',
    }),
  ),
  deliveredSeq: opt(
    Type.Integer({
      ...Seq,
      description: 'Has the messages up to here on a device; readSeq at least.',
    }),
  ),
})
export type Member = Static<typeof Member>

export const Rev = Type.Integer({
  minimum: 0,
  description:
    'Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer.',
})

export const Chat = closed(
  {
    id: ChatId,
    kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
    title: opt(Name),
    picture: opt(WebUrl),
    description: opt(Description),
    metadata: opt(Metadata),
    role: opt(GroupRole),
    settings: opt(GroupSettings),
    memberCount: opt(Type.Integer({ minimum: 0, description: 'Of a group.' })),
    members: Type.Array(Member, {
      description: `Empty where there are more than ${LIMITS.shownMembers}: page through them.`,
    }),
    lastMessage: opt(Message),
    unread: Type.Integer({ minimum: 0, description: 'lastSeq − readSeq, never counted [READ-1].' }),
    lastSeq: Seq,
    readSeq: Seq,
    clearedSeq: opt(Seq),
    mentions: opt(
      Type.Integer({ minimum: 1, description: 'Unread messages that mention me, 100 at most.' }),
    ),
    rev: Rev,
    changes: opt(
      Type.Integer({ minimum: 1, description: 'The number of the last change of a message.' }),
    ),
    updatedAt: Time,
    pinned: opt(Type.Boolean({ description: 'true: at the top of my list.' })),
    archived: opt(Type.Boolean({ description: 'true: in my archive, not on my list.' })),
    muted: opt(Type.Boolean({ description: 'true: does not count in my badge.' })),
    mutedUntil: opt(Time),
    draft: opt(Draft),
    labels: opt(Type.Array(Type.String(), { description: 'My own folders.' })),
    request: opt(RequestState),
    blocked: opt(Type.Boolean({ description: 'true: I have blocked the other.' })),
  },
  'A chat as one of its members sees it. What is empty is left out.',
)
export type Chat = Static<typeof Chat>

/** A direct chat has `username`, and nothing else; a group has `title`, and no `username`. */
export const OpenChatBody = closed({
  kind: opt(oneOf(['direct', 'group'], 'Left out: direct.')),
  username: opt(Username),
  title: opt(Name),
  members: opt(
    Type.Array(Username, { maxItems: LIMITS.added, description: 'Beside oneself, the owner.' }),
  ),
  ...GROUP_FIELDS,
})
export type OpenChatBody = Static<typeof OpenChatBody>

export const Label = Type.String({
  minLength: 1,
  maxLength: LIMITS.label,
  description: 'A folder of my own.',
})

const flag = (description: string) => opt(oneOf(['true', 'false'], description))
export const ListChatsQuery = closed({
  unread: flag('true: only chats with unread messages; false: only those without.'),
  archived: flag('true: the archive, in place of the list.'),
  requests: flag('true: message requests, in place of the list.'),
  label: opt(Label),
  with: opt(
    Type.String({
      minLength: 1,
      maxLength: LIMITS.username,
      description: 'Only the direct chat with this user, wherever it is; none is made.',
    }),
  ),
  limit: opt(Limit),
  cursor: opt(Cursor),
})
export type ListChatsQuery = Static<typeof ListChatsQuery>

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/**
 * My settings of a chat; and what all members share of a group. null removes a value, and `settings`
 * are merged by their keys.
 */
export const UpdateChatBody = closed({
  labels: opt(
    Type.Array(Label, {
      maxItems: LIMITS.labels,
      uniqueItems: true,
      description: 'All labels of the chat; an empty list takes them away.',
    }),
  ),
  pinned: opt(Type.Boolean({ description: 'true: at the top of my list.' })),
  archived: opt(Type.Boolean({ description: 'true: off my list, into the archive.' })),
  muted: opt(Type.Boolean({ description: 'true: until further notice; false: no longer.' })),
  mutedUntil: opt(
    Type.String({ ...ExactTime, description: 'Mute until this time (ISO 8601, UTC).' }),
  ),
  title: opt(Name),
  picture: opt(orNull(WebUrl)),
  description: opt(orNull(Description)),
  settings: GROUP_FIELDS.settings,
  metadata: opt(orNull(Metadata)),
})
export type UpdateChatBody = Static<typeof UpdateChatBody>

export const ReadBody = closed({
  seq: Seq,
  unread: opt(
    Type.Boolean({ description: 'true: move back to `seq`, that is, mark as unread [READ-2].' }),
  ),
})
export type ReadBody = Static<typeof ReadBody>

export const ReadState = closed({
  chatId: ChatId,
  seq: Seq,
  rev: Rev,
  unread: Type.Integer({ minimum: 0 }),
  mentions: opt(Type.Integer({ minimum: 1, description: 'Unread messages that mention me.' })),
})
export type ReadState = Static<typeof ReadState>

export const Unread = closed({
  total: Type.Integer({
    minimum: 0,
    description: 'Unread messages in all chats that are not muted.',
  }),
  chats: Type.Integer({ minimum: 0, description: 'Chats that have some.' }),
  requests: opt(
    Type.Integer({ minimum: 1, description: 'Message requests with unread messages.' }),
  ),
})
export type Unread = Static<typeof Unread>
