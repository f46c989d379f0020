/** Made by scripts/client-api.ts; `npm run client:api` writes it anew. */
export const LIMITS = {
  body: 8000,
  username: 128,
  name: 200,
  url: 2048,
  password: 1024,
  description: 2000,
  metadata: 4096,
  pollOptions: 20,
  files: 10,
  waveform: 100,
  mentions: 50,
  emoji: 20,
  pins: 100,
  added: 200,
  shownMembers: 50,
  label: 40,
  labels: 10,
  labelsOfUser: 200,
  watched: 200,
  scheduled: 100,
  reminders: 200,
  note: 500,
  pressed: 500,
  sought: 200,
  page: 100,
  frame: 65536,
  syncChats: 100,
  seq: 2147483647,
} as const

/** The codes of the server's errors. */
export type ErrorCode =
  | 'invalid_json'
  | 'invalid_utf8'
  | 'invalid_url'
  | 'invalid'
  | 'invalid_text'
  | 'invalid_cursor'
  | 'token_in_url'
  | 'unknown_event'
  | 'unauthenticated'
  | 'bad_credentials'
  | 'token_expired'
  | 'forbidden'
  | 'admin_only'
  | 'blocked'
  | 'deactivated'
  | 'link_expired'
  | 'insecure'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'username_taken'
  | 'last_owner'
  | 'group_full'
  | 'client_id_reused'
  | 'idempotency_key_reused'
  | 'deleted'
  | 'offset_conflict'
  | 'in_progress'
  | 'too_large'
  | 'wrong_type'
  | 'range_unsatisfiable'
  | 'file_refused'
  | 'rate_limited'
  | 'slow_mode'
  | 'headers_too_large'
  | 'internal'
  | 'unavailable'
  | 'busy'
  | 'storage_full'
  | 'outcome_unknown'

/** What the server tells: name → what it carries. */
export interface Events {
  'message.created': Message
  'message.updated': MessageChange
  'message.deleted': MessageChange
  'reaction.updated': MessageChange
  'my.updated': {
    /** The id of a chat, opaque. */ chatId: string
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    seq: number
    my: My
  }
  'scheduled.updated': ScheduledChange
  'reminder.updated': {
    /** The id of a chat, opaque. */ chatId: string
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    seq: number
    reminder?: Reminder
  }
  'reminder.due': Reminder
  'chat.created': Chat
  'chat.updated': Chat
  'chat.removed': {
    /** The id of a chat, opaque. */ chatId: string
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
  }
  'group.updated': {
    /** The id of a chat, opaque. */ chatId: string
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
    title?: string
    /** An http or https address. */
    picture?: string
    description?: string
    settings?: GroupSettings
    /** The site's own data: a JSON object of at most 4,096 bytes. */
    metadata?: Record<string, unknown>
    memberCount: number
  }
  'member.added': {
    /** The id of a chat, opaque. */ chatId: string
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
    member: Member
    memberCount: number
  }
  'member.updated': {
    /** The id of a chat, opaque. */ chatId: string
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
    member: Member
    memberCount: number
  }
  'member.removed': {
    /** The id of a chat, opaque. */ chatId: string
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
    /** The name that the site gave this user; the key of a user everywhere. */
    username: string
    memberCount: number
  }
  'read.updated': {
    /** The id of a chat, opaque. */ chatId: string
    /** The name that the site gave this user; the key of a user everywhere. */
    username: string
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    seq: number
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
    /** Only to the reader itself. */
    unread?: number
    /** Only to the reader itself. */
    mentions?: number
  }
  'draft.updated': DraftState
  'delivered.updated': {
    /** The id of a chat, opaque. */ chatId: string
    /** The name that the site gave this user; the key of a user everywhere. */
    username: string
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    seq: number
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
  }
  typing: {
    /** The id of a chat, opaque. */ chatId: string
    /** The name that the site gave this user; the key of a user everywhere. */
    username: string
    typing: boolean
  }
  'presence.updated': Presence
  'block.updated': {
    /** The name that the site gave this user; the key of a user everywhere. */ username: string
    blocked: boolean
  }
  'user.updated': Profile
  'user.removed': {
    /** The name that the site gave this user; the key of a user everywhere. */ username: string
  }
  'unread.updated': Unread
  'settings.updated': UserSettings
  'session.expiring': {
    /** ISO 8601, in UTC, with milliseconds. */ expiresAt: string
  }
  'session.closed': {
    reason:
      | 'session_expired'
      | 'session_revoked'
      | 'account_deactivated'
      | 'account_removed'
      | 'too_slow'
      | 'flooding'
      | 'server_stopping'
    /** Come back after so many milliseconds. */
    reconnectInMs?: number
  }
  'sync.reset': {}
}
export type EventName = keyof Events
export type EventData<N extends EventName> = Events[N]

/** What can be asked by socket. */
export interface Calls {
  'message.send': { request: SendCallBody; answer: { message: Message } }
  'message.edit': { request: EditCallBody; answer: { message: Message } }
  'message.delete': { request: DeleteCallBody; answer: { message?: Message; my?: My } }
  'reaction.set': { request: ReactCallBody; answer: { message: Message } }
  'chat.read': { request: ReadCallBody; answer: { read: ReadState } }
  'draft.set': { request: DraftCallBody; answer: { draft: DraftState } }
  'chat.delivered': { request: DeliveredCallBody; answer: {} }
  typing: { request: TypingBody; answer: {} }
  'presence.set': { request: SetPresenceBody; answer: {} }
  'presence.subscribe': { request: WatchPresenceBody; answer: PresenceList }
  sync: { request: SyncBody; answer: { sync: SyncResult } }
  'auth.refresh': {
    request: RefreshBody
    answer: {
      /** ISO 8601, in UTC, with milliseconds. */ expiresAt?: string
    }
  }
}
export type CallName = keyof Calls
export type CallBody<N extends CallName> = Calls[N]['request']
export type CallAnswer<N extends CallName> = Calls[N]['answer']

export interface AddMembersBody {
  /** All of them are added, or none. */
  usernames: string[]
}

export interface AddedMembers {
  /** Without those who were members already. */
  added: string[]
  memberCount: number
}

export interface Block {
  /** The name that the site gave this user; the key of a user everywhere. */
  username: string
  displayName?: string
  /** An http or https address. */
  picture?: string
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
}

export interface CallError {
  code: string
  detail?: string
  field?: string
  retryAfterMs?: number
}

export interface Card {
  title: string
  text?: string
  /** An http or https address. */
  imageUrl?: string
  /** An http or https address. */
  url?: string
  /** A button with `url` is a link; the press of another one calls the site's webhook. */
  buttons?: {
    id: string
    label: string
    /** An http or https address. */
    url?: string
  }[]
}

export interface Changes {
  items: Message[]
  /** All changes up to this number are in; the next page is `after` it. */
  changes: number
  hasAfter: boolean
}

export interface ChangesQuery {
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  after: number
  limit?: number
}

/** A chat as one of its members sees it. What is empty is left out. */
export interface Chat {
  /** The id of a chat, opaque. */
  id: string
  kind: 'direct' | 'group'
  title?: string
  /** An http or https address. */
  picture?: string
  description?: string
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  /** In a group. */
  role?: 'owner' | 'admin' | 'member'
  settings?: GroupSettings
  /** Of a group. */
  memberCount?: number
  /** Empty where there are more than 50: page through them. */
  members: Member[]
  lastMessage?: Message
  /** lastSeq − readSeq, never counted [READ-1]. */
  unread: number
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  lastSeq: number
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  readSeq: number
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  clearedSeq?: number
  /** Unread messages that mention me, 100 at most. */
  mentions?: number
  /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
  rev: number
  /** The number of the last change of a message. */
  changes?: number
  /** ISO 8601, in UTC, with milliseconds. */
  updatedAt: string
  /** true: at the top of my list. */
  pinned?: boolean
  /** true: in my archive, not on my list. */
  archived?: boolean
  /** true: does not count in my badge. */
  muted?: boolean
  /** ISO 8601, in UTC, with milliseconds. */
  mutedUntil?: string
  draft?: Draft
  /** My own folders. */
  labels?: string[]
  /** Someone whom I do not know has begun this chat, and I have not accepted it yet, or have declined it. */
  request?: 'pending' | 'declined'
  /** true: I have blocked the other. */
  blocked?: boolean
}

export interface DeleteCallBody {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** all: nobody can read it any more; me: it is gone for me. */
  for?: 'all' | 'me'
}

export interface DeleteMessageQuery {
  /** all: nobody can read it any more; me: it is gone for me. */
  for?: 'all' | 'me'
}

export interface DeliveredBody {
  /** This device has the messages up to here. */
  seq: number
}

export interface DeliveredCallBody {
  /** The id of a chat, opaque. */
  chatId: string
  /** This device has the messages up to here. */
  seq: number
}

export interface Draft {
  body: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  reply?: number
  /** ISO 8601, in UTC, with milliseconds. */
  updatedAt: string
}

export interface DraftCallBody {
  /** The id of a chat, opaque. */
  chatId: string
  /** null: none any more. */
  draft: NewDraft | null
}

export interface DraftState {
  /** The id of a chat, opaque. */
  chatId: string
  /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
  rev: number
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  lastSeq: number
  draft?: Draft
}

export interface Edit {
  body: string
  /** The name that the site gave this user; the key of a user everywhere. */
  editedBy?: string
  /** ISO 8601, in UTC, with milliseconds. */
  editedAt: string
}

export interface EditBody {
  /** Plain text, stored as sent, escaped where it is shown. */
  body?: string
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
}

export interface EditCallBody {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** Plain text, stored as sent, escaped where it is shown. */
  body?: string
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
}

export interface EditScheduledBody {
  /** Plain text, stored as sent, escaped where it is shown. */
  body?: string
  /** When it is sent (ISO 8601, UTC): 10 s to a year from now. */
  sendAt?: string
}

export interface Features {
  files?: {
    /** Of one file. */ maxBytes: number
    /** The media types that are taken, such as `image/*`. */
    types: string[]
  }
  /** true: links in texts get a preview. */
  previews: boolean
  /** true: I may search and list users. */
  findUsers: boolean
}

export interface File {
  /** Of the upload. */
  id: string
  /** By its bytes. The first three are shown in a page; a file is only downloaded. */
  kind: 'image' | 'video' | 'audio' | 'file'
  /** As its sender named it. */
  name: string
  /** Its media type, by its bytes. */
  type: string
  /** Bytes. */
  size: number
  /** Pixels of an image. */
  width?: number
  /** Pixels of an image. */
  height?: number
  /** A blurred image of a few pixels: WebP in base64, to show first. */
  placeholder?: string
  /** true: there is a small image of it. */
  thumbnail?: boolean
  /** Of sound or video, in milliseconds; as the sender's client says. */
  durationMs?: number
  /** The loudness over time, 0 to 100. */
  waveform?: number[]
  /** true: a voice note. */
  voice?: boolean
}

export interface FileDraft {
  /** Of an upload of the sender that is whole. */
  id: string
  /** Of sound or video, in milliseconds; as the sender's client says. */
  durationMs?: number
  /** The loudness over time, 0 to 100. */
  waveform?: number[]
  /** A voice note. */
  voice?: true
}

export interface FileLink {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** A UUID in its 36-character form. */
  fileId: string
  /** The address of the file, for this user, until `expiresAt`. */
  url: string
  /** The address of its small image, for this user, until `expiresAt`. */
  thumbnailUrl?: string
  /** ISO 8601, in UTC, with milliseconds. */
  expiresAt: string
}

export interface FileLinks {
  /** Of those files that I may see. */
  items: FileLink[]
}

export interface FileLinksBody {
  /** Each with the message that has it. */
  files: {
    /** The id of a chat, opaque. */ chatId: string
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    seq: number
    /** A UUID in its 36-character form. */
    fileId: string
  }[]
}

export interface GroupSettings {
  permissions?: Permissions
  /** What a new member sees of the past: all of it, or what comes from then on. */
  history?: 'all' | 'joined'
  /** true: anyone may find the group and join it. */
  open?: boolean
  /** The least time between two messages of one member; 0: none. */
  slowModeSeconds?: number
  /** Messages disappear after so long; 0: they stay. */
  expireAfterSeconds?: number
}

export interface History {
  items: Message[]
  /** true: there are older messages than the first of the page. */
  hasBefore: boolean
  /** true: there are newer messages than the last of the page. */
  hasAfter: boolean
  /** The changes of messages up to this number are in the page. */
  changes: number
}

export interface HistoryQuery {
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  before?: number
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  after?: number
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  around?: number
  /** Only the thread of the message with this seq. */
  thread?: number
  limit?: number
}

export interface Invite {
  /** For a link: letters, digits, `-` and `_`. */
  code: string
  /** ISO 8601, in UTC, with milliseconds. */
  expiresAt?: string
  maxUses?: number
  /** Who has joined by it. */
  uses: number
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
  /** The name that the site gave this user; the key of a user everywhere. */
  createdBy?: string
}

export interface InviteBody {
  /** A time to come (ISO 8601, UTC). */
  expiresAt?: string
  maxUses?: number
}

export interface InvitePreview {
  title: string
  /** An http or https address. */
  picture?: string
  description?: string
  memberCount: number
}

export interface LabelCount {
  /** A folder of my own. */
  label: string
  chats: number
  /** Unread messages in those of them that are not muted. */
  unread: number
}

export interface ListChatsQuery {
  /** true: only chats with unread messages; false: only those without. */
  unread?: 'true' | 'false'
  /** true: the archive, in place of the list. */
  archived?: 'true' | 'false'
  /** true: message requests, in place of the list. */
  requests?: 'true' | 'false'
  /** A folder of my own. */
  label?: string
  /** Only the direct chat with this user, wherever it is; none is made. */
  with?: string
  limit?: number
  /** The `nextCursor` of the page before. */
  cursor?: string
}

export interface ListMembersQuery {
  /** Start of the username or of the display name, in any case. */
  search?: string
  limit?: number
  /** The `nextCursor` of the page before. */
  cursor?: string
}

export interface ListOpenGroupsQuery {
  /** Start of the title, in any case. */
  search?: string
  limit?: number
  /** The `nextCursor` of the page before. */
  cursor?: string
}

export interface ListUsersQuery {
  /** Start of the username or of the display name, in any case. */
  search?: string
  /** For admins: only active, or only deactivated users. */
  active?: boolean
  limit?: number
  /** The `nextCursor` of the page before. */
  cursor?: string
}

export interface Location {
  latitude: number
  longitude: number
  name?: string
  address?: string
}

export interface Login {
  /** Send it as `Authorization: Bearer …`, or in the socket handshake. */
  token: string
  /** ISO 8601, in UTC, with milliseconds. */
  expiresAt: string
  user: User
}

export interface Member {
  /** The name that the site gave this user; the key of a user everywhere. */
  username?: string
  displayName?: string
  /** An http or https address. */
  picture?: string
  /** true: the account was deleted; it has no username any more. */
  removed?: boolean
  /** In a group. */
  role?: 'owner' | 'admin' | 'member'
  /** Has read up to here; left out where receipts are switched off [RECEIPT-5]. */
  readSeq?: number
  /** Has the messages up to here on a device; readSeq at least. */
  deliveredSeq?: number
}

export interface Message {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** A username; left out: the account was deleted. */
  sender?: string
  /** Empty where there is no text, or none any more. */
  body: string
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
  /** A UUID in its 36-character form. */
  clientId: string
  /** Left out: a text. */
  kind?: 'system' | 'poll' | 'location' | 'card'
  /** The site's own word for this sort of message. */
  type?: string
  event?: SystemEvent
  reply?: Quote
  /** The seq of the message whose thread this is in. */
  thread?: number
  /** The thread of this message. */
  replies?: {
    count: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
  }
  /** Usernames of members. */
  mentions?: string[]
  /** true: all members are mentioned. */
  mentionAll?: boolean
  /** true: a copy of another message. */
  forwarded?: boolean
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  poll?: Poll
  location?: Location
  card?: Card
  files?: File[]
  preview?: Preview
  /** ISO 8601, in UTC, with milliseconds. */
  editedAt?: string
  /** ISO 8601, in UTC, with milliseconds. */
  deletedAt?: string
  /** The name that the site gave this user; the key of a user everywhere. */
  deletedBy?: string
  /** ISO 8601, in UTC, with milliseconds. */
  expiresAt?: string
  /** true: for all members. */
  pinned?: boolean
  reactions?: Reaction[]
  /** The number of its last change in the chat. */
  change?: number
  /** true: of someone whom I have blocked. */
  hidden?: boolean
  my?: My
}

export interface MessageChange {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** A username; left out: the account was deleted. */
  sender?: string
  /** Empty where there is no text, or none any more. */
  body: string
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
  /** A UUID in its 36-character form. */
  clientId: string
  /** Left out: a text. */
  kind?: 'system' | 'poll' | 'location' | 'card'
  /** The site's own word for this sort of message. */
  type?: string
  event?: SystemEvent
  reply?: Quote
  /** The seq of the message whose thread this is in. */
  thread?: number
  /** The thread of this message. */
  replies?: {
    count: number
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    lastSeq: number
  }
  /** Usernames of members. */
  mentions?: string[]
  /** true: all members are mentioned. */
  mentionAll?: boolean
  /** true: a copy of another message. */
  forwarded?: boolean
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  poll?: Poll
  location?: Location
  card?: Card
  files?: File[]
  preview?: Preview
  /** ISO 8601, in UTC, with milliseconds. */
  editedAt?: string
  /** ISO 8601, in UTC, with milliseconds. */
  deletedAt?: string
  /** The name that the site gave this user; the key of a user everywhere. */
  deletedBy?: string
  /** ISO 8601, in UTC, with milliseconds. */
  expiresAt?: string
  /** true: for all members. */
  pinned?: boolean
  reactions?: Reaction[]
  /** The number of its last change in the chat. */
  change?: number
  /** true: of someone whom I have blocked. */
  hidden?: boolean
  my?: My
  /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
  rev: number
}

export interface My {
  /** Of two, the one with the larger rev is the newer. */
  rev: number
  /** ISO 8601, in UTC, with milliseconds. */
  starredAt?: string
  /** true: I have deleted it for me. */
  deleted?: boolean
  reactions?: string[]
  /** Of a poll, from 0. */
  votes?: number[]
}

export interface NewDraft {
  body: string
  /** The seq of the message that is answered. */
  reply?: number
}

export interface OpenChatBody {
  /** Left out: direct. */
  kind?: 'direct' | 'group'
  /** The name that the site gave this user; the key of a user everywhere. */
  username?: string
  title?: string
  /** Beside oneself, the owner. */
  members?: string[]
  /** An http or https address. */
  picture?: string
  description?: string
  settings?: GroupSettings
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
}

export interface OpenGroup {
  /** The id of a chat, opaque. */
  chatId: string
  title: string
  /** An http or https address. */
  picture?: string
  description?: string
  memberCount: number
  /** true: I am a member. */
  joined?: boolean
}

export interface Permissions {
  /** Write messages; unless set: member. */
  post?: 'owner' | 'admin' | 'member'
  /** Add users; unless set: admin. */
  add?: 'owner' | 'admin' | 'member'
  /** Remove members whose role is not higher; unless set: admin. */
  remove?: 'owner' | 'admin' | 'member'
  /** Change title, picture, description, settings, metadata; unless set: admin. */
  edit?: 'owner' | 'admin' | 'member'
  /** Pin messages; unless set: admin. */
  pin?: 'owner' | 'admin' | 'member'
  /** Make, see and delete links; unless set: admin. */
  invite?: 'owner' | 'admin' | 'member'
  /** Mention all; unless set: admin. */
  mentionAll?: 'owner' | 'admin' | 'member'
  /** Delete messages of others; unless set: admin. */
  deleteOthers?: 'owner' | 'admin' | 'member'
}

export interface Poll {
  options: {
    text: string
    votes: number
    /** The first 10; not in an anonymous poll. */
    usernames?: string[]
  }[]
  voters: number
  /** true: one may choose several. */
  multiple?: boolean
  /** true: nobody sees who chose what. */
  anonymous?: boolean
  /** ISO 8601, in UTC, with milliseconds. */
  closesAt?: string
  /** true: it has been ended. */
  closed?: boolean
}

export interface PollDraft {
  options: string[]
  /** true: one may choose several. */
  multiple?: boolean
  /** true: nobody sees who chose what. */
  anonymous?: boolean
  /** ISO 8601, in UTC. */
  closesAt?: string
}

export interface Presence {
  /** The name that the site gave this user; the key of a user everywhere. */
  username: string
  state: 'online' | 'away' | 'offline'
  /** ISO 8601, in UTC, with milliseconds. */
  lastSeenAt?: string
}

export interface PresenceList {
  /** One for each user asked for, in that order. */
  items: Presence[]
}

export interface PresenceQuery {
  /** Up to 200 usernames, with commas between them. One that has a comma itself can be asked for by socket alone. */
  usernames: string
}

export interface PressBody {
  /** The id of the button. */
  button: string
}

export interface Pressed {
  /** What the site says to the one who pressed. */
  text?: string
}

export interface Preview {
  /** The link, as it stands in the text. */
  url: string
  title?: string
  description?: string
  siteName?: string
  image?: File
}

export interface Problem {
  /** `about:blank`: the code says it all. */
  type: string
  title: string
  status: number
  /** Stable; see the catalogue in docs/protocol.md. */
  code: string
  /** What is wrong here, and how to mend it. */
  detail?: string
  /** The field at fault, as a JSON pointer. */
  field?: string
  /** Try again after so many milliseconds. */
  retryAfterMs?: number
}

export interface Profile {
  /** The name that the site gave this user; the key of a user everywhere. */
  username: string
  displayName?: string
  /** An http or https address. */
  picture?: string
}

export interface Quote {
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** The name that the site gave this user; the key of a user everywhere. */
  sender?: string
  /** Its first 200 characters. */
  body: string
  /** Left out: a text. */
  kind?: 'system' | 'poll' | 'location' | 'card'
  /** By its bytes. The first three are shown in a page; a file is only downloaded. */
  fileKind?: 'image' | 'video' | 'audio' | 'file'
  /** ISO 8601, in UTC, with milliseconds. */
  deletedAt?: string
  change?: number
}

export interface ReactCallBody {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  emoji: string
  /** false: it is taken back. */
  on: boolean
}

export interface Reaction {
  emoji: string
  count: number
  /** The first 10 who reacted so. */
  usernames: string[]
}

export interface Reactor {
  emoji: string
  /** The name that the site gave this user; the key of a user everywhere. */
  username: string
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
}

export interface ReadAll {
  /** Chats that had something unread. */
  chats: number
  /** There are further ones: call again. */
  more?: true
}

export interface ReadBody {
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** true: move back to `seq`, that is, mark as unread [READ-2]. */
  unread?: boolean
}

export interface ReadCallBody {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** true: move back to `seq`, that is, mark as unread [READ-2]. */
  unread?: boolean
}

export interface ReadState {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
  rev: number
  unread: number
  /** Unread messages that mention me. */
  mentions?: number
}

export interface Receipt {
  /** The name that the site gave this user; the key of a user everywhere. */
  username: string
  state: 'read' | 'delivered'
}

export interface Receipts {
  /** So many have read it. */
  read: number
  /** So many have it on a device; who has read it is among them. */
  delivered: number
  /** By username. */
  items: Receipt[]
  /** The `nextCursor` of the page before. */
  nextCursor?: string
}

export interface ReceiptsQuery {
  limit?: number
  /** The `nextCursor` of the page before. */
  cursor?: string
}

export interface RefreshBody {
  /** A session token or a JWT. */
  token: string
}

export interface RegisterBody {
  /** The name that the site gave this user; the key of a user everywhere. */
  username: string
  /** At least 8 characters, at most 1,024 bytes. No composition rules. */
  password?: string
  displayName?: string
  /** An http or https address. */
  picture?: string
  role?: 'user' | 'admin'
}

export interface Reminder {
  /** The id of a chat, opaque. */
  chatId: string
  /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
  seq: number
  /** ISO 8601, in UTC, with milliseconds. */
  at: string
  note?: string
  /** true: its time has come. */
  due?: boolean
  message?: Message
}

export interface ReminderBody {
  /** A time to come, at most a year from now. */
  at: string
  note?: string
}

export interface RequestBody {
  /** false: the chat leaves my list, and nothing more comes. */
  accept: boolean
}

export interface ScheduleBody {
  /** Plain text, stored as sent, escaped where it is shown. */
  body?: string
  /** The site's own word for this sort of message. */
  type?: string
  /** The seq of the message that is answered. */
  reply?: number
  /** The seq of the message whose thread this is in. */
  thread?: number
  /** Usernames of members. */
  mentions?: string[]
  /** All members are mentioned. */
  mentionAll?: true
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  poll?: PollDraft
  location?: Location
  card?: Card
  /** Uploads. */
  files?: FileDraft[]
  /** No preview is made of a link in the text. */
  preview?: false
  /** The message that is passed on; `body` is left out then. */
  forward?: { chatId: string; seq: number }
  /** When it is sent (ISO 8601, UTC): 10 s to a year from now. */
  sendAt: string
}

export interface Scheduled {
  /** The `clientId` of the message, once it is sent. */
  id: string
  /** The id of a chat, opaque. */
  chatId: string
  body?: string
  /** The site's own word for this sort of message. */
  type?: string
  /** The seq of the message that is answered. */
  reply?: number
  /** The seq of the message whose thread this is in. */
  thread?: number
  /** Usernames of members. */
  mentions?: string[]
  /** All members are mentioned. */
  mentionAll?: true
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  poll?: PollDraft
  location?: Location
  card?: Card
  /** Uploads. */
  files?: FileDraft[]
  /** No preview is made of a link in the text. */
  preview?: false
  /** The message that is passed on; `body` is left out then. */
  forward?: { chatId: string; seq: number }
  /** ISO 8601, in UTC, with milliseconds. */
  sendAt: string
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
  /** The code of the error for which it was not sent [TIME-3]. */
  failed?: string
}

export interface ScheduledChange {
  /** A UUID in its 36-character form. */
  id: string
  /** The id of a chat, opaque. */
  chatId: string
  /** waiting: scheduled, or changed. */
  state: 'waiting' | 'sent' | 'failed' | 'removed'
  scheduled?: Scheduled
  /** Of the message, where it was sent. */
  seq?: number
}

export interface SearchQuery {
  /** Words, all of which a message has; of the last one its beginning is enough. */
  q?: string
  /** The id of a chat, opaque. */
  chatId?: string
  /** The name that the site gave this user; the key of a user everywhere. */
  from?: string
  kind?: 'text' | 'poll' | 'location' | 'card'
  /** file: any, also the three that follow. */
  has?: 'link' | 'file' | 'image' | 'video' | 'audio'
  /** ISO 8601, in UTC. */
  after?: string
  /** ISO 8601, in UTC. */
  before?: string
  limit?: number
  /** The `nextCursor` of the page before. */
  cursor?: string
}

export interface SendBody {
  /** Plain text, stored as sent, escaped where it is shown. Only a place, a card, files and a forward need none. */
  body?: string
  /** A UUID made by the client. The same sender, chat and clientId twice is one message [SEND-3]. Without it a retry is not safe. */
  clientId?: string
  /** The site's own word for this sort of message. */
  type?: string
  /** The seq of the message that is answered. */
  reply?: number
  /** The seq of the message whose thread this is in. */
  thread?: number
  /** Usernames of members. */
  mentions?: string[]
  /** All members are mentioned. */
  mentionAll?: true
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  poll?: PollDraft
  location?: Location
  card?: Card
  /** Uploads. */
  files?: FileDraft[]
  /** No preview is made of a link in the text. */
  preview?: false
  /** The message that is passed on; `body` is left out then. */
  forward?: { chatId: string; seq: number }
}

export interface SendCallBody {
  /** The id of a chat, opaque. */
  chatId: string
  /** Plain text, stored as sent, escaped where it is shown. Only a place, a card, files and a forward need none. */
  body?: string
  /** A UUID made by the client. The same sender, chat and clientId twice is one message [SEND-3]. Without it a retry is not safe. */
  clientId?: string
  /** The site's own word for this sort of message. */
  type?: string
  /** The seq of the message that is answered. */
  reply?: number
  /** The seq of the message whose thread this is in. */
  thread?: number
  /** Usernames of members. */
  mentions?: string[]
  /** All members are mentioned. */
  mentionAll?: true
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  poll?: PollDraft
  location?: Location
  card?: Card
  /** Uploads. */
  files?: FileDraft[]
  /** No preview is made of a link in the text. */
  preview?: false
  /** The message that is passed on; `body` is left out then. */
  forward?: { chatId: string; seq: number }
}

export interface SendToUserBody {
  /** Plain text, stored as sent, escaped where it is shown. Only a place, a card, files and a forward need none. */
  body?: string
  /** A UUID made by the client. The same sender, chat and clientId twice is one message [SEND-3]. Without it a retry is not safe. */
  clientId?: string
  /** The site's own word for this sort of message. */
  type?: string
  /** The seq of the message that is answered. */
  reply?: number
  /** The seq of the message whose thread this is in. */
  thread?: number
  /** Usernames of members. */
  mentions?: string[]
  /** All members are mentioned. */
  mentionAll?: true
  /** The site's own data: a JSON object of at most 4,096 bytes. */
  metadata?: Record<string, unknown>
  poll?: PollDraft
  location?: Location
  card?: Card
  /** Uploads. */
  files?: FileDraft[]
  /** No preview is made of a link in the text. */
  preview?: false
  /** The message that is passed on; `body` is left out then. */
  forward?: { chatId: string; seq: number }
  /** For admins: the message comes from the site itself. */
  as?: 'system'
}

export interface Session {
  /** Names the session for its revocation; it is not the token. */
  id: string
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
  /** ISO 8601, in UTC, with milliseconds. */
  lastUsedAt: string
  /** ISO 8601, in UTC, with milliseconds. */
  expiresAt: string
  /** true: the session that asks. */
  current?: boolean
  address?: string
  userAgent?: string
}

export interface SetPresenceBody {
  /** Of this socket. */
  state: 'online' | 'away'
}

export interface SyncBody {
  /** The `cursor` of the last sync. Without it: a fresh start. */
  cursor?: string
  /** The chats whose messages the client keeps, with the last seq that it has. */
  chats?: {
    /** The id of a chat, opaque. */ chatId: string
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    seq: number
    /** The last change of a message that it has. */
    change?: number
  }[]
}

export interface SyncResult {
  /** For the next sync. */
  cursor: string
  /** true: forget what you have; this is a fresh state [SYNC-2]. */
  reset?: boolean
  /** Each chat that changed, as it is now, newest first. */
  chats: Chat[]
  /** Chats that are no longer on the list. */
  removed: {
    /** The id of a chat, opaque. */ chatId: string
    /** Numbers the changes of the chat that are not new messages. Of two views of a chat, the one with the larger rev is the newer. */
    rev: number
  }[]
  /** Per chat asked for: the messages after its seq, oldest first. */
  messages: {
    /** The id of a chat, opaque. */ chatId: string
    items: Message[]
    /** true: fetch the rest by history, `after` the last seq. */
    hasAfter: boolean
    /** Messages up to that seq that have changed, in the order of `change`. */
    changed?: Message[]
    /** The changes up to this number are in. */
    changes: number
    /** true: fetch the rest by `changes`, `after` that number. */
    hasChanges?: boolean
  }[]
  /** What changed of what I alone have of messages; not in a fresh state. */
  my?: {
    /** The id of a chat, opaque. */ chatId: string
    /** A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first. */
    seq: number
    my: My
  }[]
  /** true: whom I have blocked has changed; fetch messages of groups anew [SYNC-9]. */
  blocks?: boolean
  /** true: more chats than these; the list of chats has them. */
  more?: boolean
  unread: Unread
}

export interface SystemEvent {
  type:
    | 'group.created'
    | 'group.updated'
    | 'member.added'
    | 'member.joined'
    | 'member.left'
    | 'member.removed'
    | 'member.updated'
    | 'message.pinned'
  /** Of whom it tells. */
  usernames?: string[]
  /** The new one of a member. */
  role?: string
  /** What was changed of the group. */
  fields?: string[]
  /** The new one of the group. */
  title?: string
  /** Of the message that was pinned. */
  seq?: number
}

export interface TypingBody {
  /** The id of a chat, opaque. */
  chatId: string
  typing: boolean
}

export interface Unread {
  /** Unread messages in all chats that are not muted. */
  total: number
  /** Chats that have some. */
  chats: number
  /** Message requests with unread messages. */
  requests?: number
}

export interface UpdateChatBody {
  /** All labels of the chat; an empty list takes them away. */
  labels?: string[]
  /** true: at the top of my list. */
  pinned?: boolean
  /** true: off my list, into the archive. */
  archived?: boolean
  /** true: until further notice; false: no longer. */
  muted?: boolean
  /** Mute until this time (ISO 8601, UTC). */
  mutedUntil?: string
  title?: string
  picture?: string | null
  description?: string | null
  settings?: GroupSettings
  metadata?: Record<string, unknown> | null
}

export interface UpdateMemberBody {
  /** In a group. */
  role: 'owner' | 'admin' | 'member'
}

export interface UpdateSettingsBody {
  writeFrom?: 'everyone' | 'requests' | 'contacts' | 'nobody' | null
  lastSeenTo?: 'everyone' | 'contacts' | 'nobody' | null
  receipts?: boolean | null
}

export interface UpdateUserBody {
  displayName?: string | null
  picture?: string | null
  /** At least 8 characters, at most 1,024 bytes. No composition rules. */
  password?: string
  currentPassword?: string
  role?: 'user' | 'admin'
  /** false: deactivated. For admins. */
  active?: boolean
}

export interface User {
  /** The name that the site gave this user; the key of a user everywhere. */
  username: string
  displayName?: string
  /** An http or https address. */
  picture?: string
  role: 'user' | 'admin'
  /** false: cannot log in; deactivated by an admin. */
  active: boolean
  /** ISO 8601, in UTC, with milliseconds. */
  createdAt: string
}

export interface UserSettings {
  /** Who may begin a chat with me. */
  writeFrom: 'everyone' | 'requests' | 'contacts' | 'nobody'
  /** Who sees whether I am there, and when I last was. */
  lastSeenTo: 'everyone' | 'contacts' | 'nobody'
  /** false: others do not see what I have read, nor I what they have. */
  receipts: boolean
}

export interface VoteBody {
  /** By their place, from 0; none takes the vote back. */
  options: number[]
}

export interface WatchPresenceBody {
  /** Who is on the screen; takes the place of those named before. */
  usernames: string[]
}
