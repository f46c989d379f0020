import { type Static, type TSchema, Type } from 'typebox'
import { Chat, Member, ReadBody, ReadState, Rev, Unread } from './chats.ts'
import { CLOSE_REASONS } from './errors.ts'
import { My } from './content.ts'
import { GROUP_FIELDS } from './groups.ts'
import { NewDraft, DraftState } from './mailbox.ts'
import { DeleteMessageQuery, EditBody, Message, SendBody } from './messages.ts'
import { Presence, PresenceList, SetPresenceBody, WatchPresenceBody } from './presence.ts'
import { DeliveredCallBody } from './receipts.ts'
import { ChatId, closed, Name, opt, Seq, Time, Username } from './schema.ts'
import { SyncBody, SyncResult } from './sync.ts'
import { Reminder, ScheduledChange } from './timed.ts'
import { Profile, UserSettings } from './users.ts'

/** A message as it is after a change, with the rev of the chat. */
export const MessageChange = closed({ ...Message.properties, rev: Rev })

/** [GROUP-9] Of which moment of the group an event is. */
const moment = { chatId: ChatId, rev: Rev, lastSeq: Seq }
const memberCount = Type.Integer({ minimum: 0 })

/** What the server tells: name → what it carries. The same names go over sockets and webhooks. */
export const EVENTS = {
  'message.created': Message,
  'message.updated': MessageChange,
  'message.deleted': MessageChange,
  'reaction.updated': MessageChange,
  'my.updated': closed({ chatId: ChatId, seq: Seq, my: My }),
  'scheduled.updated': ScheduledChange,
  'reminder.updated': closed({ chatId: ChatId, seq: Seq, reminder: opt(Reminder) }),
  'reminder.due': Reminder,
  'chat.created': Chat,
  'chat.updated': Chat,
  'chat.removed': closed({ chatId: ChatId, rev: Rev }),
  'group.updated': closed({ ...moment, title: opt(Name), ...GROUP_FIELDS, memberCount }),
  'member.added': closed({ ...moment, member: Member, memberCount }),
  'member.updated': closed({ ...moment, member: Member, memberCount }),
  'member.removed': closed({ ...moment, username: Username, memberCount }),
  'read.updated': closed({
    chatId: ChatId,
    username: Username,
    seq: Seq,
    rev: Rev,
    lastSeq: Seq,
    unread: opt(Type.Integer({ minimum: 0, description: 'Only to the reader itself.' })),
    mentions: opt(Type.Integer({ minimum: 1, description: 'Only to the reader itself.' })),
  }),
  'draft.updated': DraftState,
  'delivered.updated': closed({
    chatId: ChatId,
    username: Username,
    seq: Seq,
    rev: Rev,
    lastSeq: Seq,
  }),
  typing: closed({ chatId: ChatId, username: Username, typing: Type.Boolean() }),
  'presence.updated': Presence,
  'block.updated': closed({ username: Username, blocked: Type.Boolean() }),
  'user.updated': Profile,
  'user.removed': closed({ username: Username }),
  'unread.updated': Unread,
  'settings.updated': UserSettings,
  'session.expiring': closed({ expiresAt: Time }),
  'session.closed': closed({
    reason: Type.Union(CLOSE_REASONS.map((reason) => Type.Literal(reason))),
    reconnectInMs: opt(Type.Integer({ description: 'Come back after so many milliseconds.' })),
  }),
  'sync.reset': closed({}),
} as const satisfies Record<string, TSchema>
export type EventName = keyof typeof EVENTS
export type EventData<N extends EventName> = Static<(typeof EVENTS)[N]>

export const TypingBody = closed({ chatId: ChatId, typing: Type.Boolean() })
export const RefreshBody = closed({
  token: Type.String({ minLength: 1, maxLength: 8_192, description: 'A session token or a JWT.' }),
})
export const SendCallBody = closed({ chatId: ChatId, ...SendBody.properties })
const address = { chatId: ChatId, seq: Seq }
export const EditCallBody = closed({ ...address, ...EditBody.properties })
export const DeleteCallBody = closed({ ...address, ...DeleteMessageQuery.properties })
export const ReactCallBody = closed({
  ...address,
  emoji: Type.String({ minLength: 1, maxLength: 64 }),
  on: Type.Boolean({ description: 'false: it is taken back.' }),
})
export const DraftCallBody = closed({
  chatId: ChatId,
  draft: Type.Union([NewDraft, Type.Null()], { description: 'null: none any more.' }),
})
export const ReadCallBody = closed({ chatId: ChatId, ...ReadBody.properties })

/** What a client may ask: name → what it sends, and what the acknowledgement carries beside `ok: true`. */
export const CALLS = {
  'message.send': { request: SendCallBody, answer: closed({ message: Message }) },
  'message.edit': { request: EditCallBody, answer: closed({ message: Message }) },
  'message.delete': {
    request: DeleteCallBody,
    answer: closed({ message: opt(Message), my: opt(My) }),
  },
  'reaction.set': { request: ReactCallBody, answer: closed({ message: Message }) },
  'chat.read': { request: ReadCallBody, answer: closed({ read: ReadState }) },
  'draft.set': { request: DraftCallBody, answer: closed({ draft: DraftState }) },
  'chat.delivered': { request: DeliveredCallBody, answer: closed({}) },
  typing: { request: TypingBody, answer: closed({}) },
  'presence.set': { request: SetPresenceBody, answer: closed({}) },
  'presence.subscribe': { request: WatchPresenceBody, answer: PresenceList },
  sync: { request: SyncBody, answer: closed({ sync: SyncResult }) },
  'auth.refresh': { request: RefreshBody, answer: closed({ expiresAt: opt(Time) }) },
} as const satisfies Record<string, { request: TSchema; answer: TSchema }>
export type CallName = keyof typeof CALLS
export type CallBody<N extends CallName> = Static<(typeof CALLS)[N]['request']>
export type CallAnswer<N extends CallName> = Static<(typeof CALLS)[N]['answer']>
