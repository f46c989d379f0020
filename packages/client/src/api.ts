/** Made by scripts/client-api.ts; `npm run client:api` writes it anew. */
import type {
  AddMembersBody,
  AddedMembers,
  Block,
  Changes,
  ChangesQuery,
  Chat,
  DeleteMessageQuery,
  DeliveredBody,
  Edit,
  EditBody,
  EditScheduledBody,
  Features,
  File,
  FileLinks,
  FileLinksBody,
  History,
  HistoryQuery,
  Invite,
  InviteBody,
  InvitePreview,
  LabelCount,
  ListChatsQuery,
  ListMembersQuery,
  ListOpenGroupsQuery,
  ListUsersQuery,
  Login,
  Member,
  Message,
  NewDraft,
  OpenChatBody,
  OpenGroup,
  PresenceList,
  PresenceQuery,
  PressBody,
  Pressed,
  Profile,
  Reactor,
  ReadAll,
  ReadBody,
  ReadState,
  Receipts,
  ReceiptsQuery,
  RegisterBody,
  Reminder,
  ReminderBody,
  RequestBody,
  ScheduleBody,
  Scheduled,
  SearchQuery,
  SendBody,
  SendToUserBody,
  Session,
  Unread,
  UpdateChatBody,
  UpdateMemberBody,
  UpdateSettingsBody,
  UpdateUserBody,
  User,
  UserSettings,
  VoteBody,
} from './protocol.ts'

/** `{}` stands behind those that take a body. */
export const CALLS: Record<keyof Api, string> = {
  logIn: 'POST /users/login',
  registerUser: 'POST /users/register {}',
  listUsers: 'GET /users',
  getUser: 'GET /users/:username',
  editUser: 'PATCH /users/:username {}',
  deleteUser: 'DELETE /users/:username',
  listSessions: 'GET /users/me/sessions',
  revokeSessions: 'DELETE /users/me/sessions',
  revokeSession: 'DELETE /users/me/sessions/:id',
  getSettings: 'GET /users/me/settings',
  editSettings: 'PATCH /users/me/settings {}',
  listLabels: 'GET /users/me/labels',
  listBlocks: 'GET /users/me/blocks',
  blockUser: 'PUT /users/me/blocks/:username',
  unblockUser: 'DELETE /users/me/blocks/:username',
  listChats: 'GET /chats',
  openChat: 'POST /chats {}',
  listOpenGroups: 'GET /chats/open',
  previewInvite: 'GET /chats/invites/:code',
  joinByInvite: 'POST /chats/invites/:code',
  sendToUser: 'POST /chats/users/:username/messages {}',
  getChat: 'GET /chats/:chatId',
  editChat: 'PATCH /chats/:chatId {}',
  deleteChat: 'DELETE /chats/:chatId',
  joinOpenGroup: 'POST /chats/:chatId/join',
  listMembers: 'GET /chats/:chatId/members',
  addMembers: 'POST /chats/:chatId/members {}',
  editMember: 'PATCH /chats/:chatId/members/:username {}',
  removeMember: 'DELETE /chats/:chatId/members/:username',
  createInvite: 'POST /chats/:chatId/invites {}',
  listInvites: 'GET /chats/:chatId/invites',
  revokeInvite: 'DELETE /chats/:chatId/invites/:code',
  getHistory: 'GET /chats/:chatId/messages',
  sendMessage: 'POST /chats/:chatId/messages {}',
  listChanges: 'GET /chats/:chatId/changes',
  getMessage: 'GET /chats/:chatId/messages/:seq',
  editMessage: 'PATCH /chats/:chatId/messages/:seq {}',
  deleteMessage: 'DELETE /chats/:chatId/messages/:seq',
  listEdits: 'GET /chats/:chatId/messages/:seq/edits',
  listReactions: 'GET /chats/:chatId/messages/:seq/reactions',
  addReaction: 'PUT /chats/:chatId/messages/:seq/reactions/:emoji',
  removeReaction: 'DELETE /chats/:chatId/messages/:seq/reactions/:emoji',
  vote: 'PUT /chats/:chatId/messages/:seq/vote {}',
  closePoll: 'DELETE /chats/:chatId/messages/:seq/vote',
  listPins: 'GET /chats/:chatId/pins',
  pinMessage: 'PUT /chats/:chatId/messages/:seq/pin',
  unpinMessage: 'DELETE /chats/:chatId/messages/:seq/pin',
  listStars: 'GET /users/me/stars',
  searchMessages: 'GET /search',
  starMessage: 'PUT /chats/:chatId/messages/:seq/star',
  unstarMessage: 'DELETE /chats/:chatId/messages/:seq/star',
  pressButton: 'POST /chats/:chatId/messages/:seq/press {}',
  scheduleMessage: 'POST /chats/:chatId/scheduled {}',
  listScheduled: 'GET /users/me/scheduled',
  editScheduled: 'PATCH /users/me/scheduled/:id {}',
  removeScheduled: 'DELETE /users/me/scheduled/:id',
  listReminders: 'GET /users/me/reminders',
  setReminder: 'PUT /chats/:chatId/messages/:seq/reminder {}',
  removeReminder: 'DELETE /chats/:chatId/messages/:seq/reminder',
  markRead: 'PUT /chats/:chatId/read {}',
  markAllRead: 'PUT /chats/read',
  setDraft: 'PUT /chats/:chatId/draft {}',
  deleteDraft: 'DELETE /chats/:chatId/draft',
  answerRequest: 'PUT /chats/:chatId/request {}',
  markDelivered: 'PUT /chats/:chatId/delivered {}',
  getReceipts: 'GET /chats/:chatId/messages/:seq/receipts',
  getPresence: 'GET /presence',
  getFeatures: 'GET /features',
  getUnread: 'GET /unread',
  getUpload: 'GET /uploads/:uploadId',
  removeUpload: 'DELETE /uploads/:uploadId',
  linkFiles: 'POST /files/links {}',
}

/** Every call by REST: what is in its path, its query and its body goes in together. */
export interface Api {
  /** Log in with Basic, or with a JWT of the site as Bearer, for a token. */
  logIn(): Promise<Login>
  /** Add a user. */
  registerUser(input: RegisterBody): Promise<User>
  /** Search and list users; for admins, and for everyone where the site says so. */
  listUsers(input?: ListUsersQuery): Promise<{
    items: (User | Profile)[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Look up a user: as a User for oneself and admins, as a Profile for others. */
  getUser(input: { /** A username; `me` is oneself. */ username: string }): Promise<User | Profile>
  /** Change oneself; admins change anyone. */
  editUser(
    input: {
      /** A username; `me` is oneself. */ username: string
    } & UpdateUserBody,
  ): Promise<User>
  /** Delete an account: personal data are erased, messages stay, without a name. */
  deleteUser(input: { /** A username; `me` is oneself. */ username: string }): Promise<undefined>
  /** Where I am logged in. */
  listSessions(): Promise<{ items: Session[] }>
  /** Log out everywhere: sessions, and JWTs issued up to now, end at once. */
  revokeSessions(): Promise<undefined>
  /** Log out of one session; `current` is this one. */
  revokeSession(input: {
    /** The id of a session; `current` is the one that asks. */ id: string
  }): Promise<undefined>
  /** Who may write to me, and what others see of me. */
  getSettings(): Promise<UserSettings>
  /** Change that; null: as the site says. */
  editSettings(input?: UpdateSettingsBody): Promise<UserSettings>
  /** My labels, with the number of their chats and what is unread in them. */
  listLabels(): Promise<{ items: LabelCount[] }>
  /** Whom I have blocked. */
  listBlocks(input?: ReceiptsQuery): Promise<{
    items: Block[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Block a user: neither of the two can write to the other any more. */
  blockUser(input: {
    /** The name that the site gave this user; the key of a user everywhere. */ username: string
  }): Promise<undefined>
  /** Take a block back. */
  unblockUser(input: {
    /** The name that the site gave this user; the key of a user everywhere. */ username: string
  }): Promise<undefined>
  /** My chats: pinned first, then newest first, with last message and unread. */
  listChats(input?: ListChatsQuery): Promise<{
    items: Chat[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Open the direct chat with a user: 200 where there was one, 201 where it is new; or make a group. */
  openChat(input?: OpenChatBody): Promise<Chat>
  /** Groups that anyone may join, by title. */
  listOpenGroups(input?: ListOpenGroupsQuery): Promise<{
    items: OpenGroup[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** The group that a link leads to. */
  previewInvite(input: {
    /** For a link: letters, digits, `-` and `_`. */ code: string
  }): Promise<InvitePreview>
  /** Join a group by its link; twice is once. */
  joinByInvite(input: {
    /** For a link: letters, digits, `-` and `_`. */ code: string
  }): Promise<Chat>
  /** Send to a user; the direct chat appears if there is none. */
  sendToUser(
    input: {
      /** The name that the site gave this user; the key of a user everywhere. */ username: string
    } & SendToUserBody,
  ): Promise<Message>
  /** One chat, as I have it. */
  getChat(input: { /** The id of a chat, opaque. */ chatId: string }): Promise<Chat>
  /** My settings of a chat: pin, archive, mute, labels; and what all members share of a group. */
  editChat(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & UpdateChatBody,
  ): Promise<Chat>
  /** Delete a chat for me alone, until a new message comes. */
  deleteChat(input: { /** The id of a chat, opaque. */ chatId: string }): Promise<undefined>
  /** Join an open group; twice is once. */
  joinOpenGroup(input: { /** The id of a chat, opaque. */ chatId: string }): Promise<Chat>
  /** Members of a chat: owners, then admins, then the others. */
  listMembers(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & ListMembersQuery,
  ): Promise<{
    items: Member[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Add users to a group: all of them, or none. */
  addMembers(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & AddMembersBody,
  ): Promise<AddedMembers>
  /** Give a member of a group another role. */
  editMember(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** A username; `me` is oneself. */
      username: string
    } & UpdateMemberBody,
  ): Promise<Member>
  /** Remove a member of a group, or leave it. */
  removeMember(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** A username; `me` is oneself. */
    username: string
  }): Promise<undefined>
  /** Make a link by which anyone may join a group. */
  createInvite(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & InviteBody,
  ): Promise<Invite>
  /** The links of a group that can be used. */
  listInvites(input: { /** The id of a chat, opaque. */ chatId: string }): Promise<{
    items: Invite[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Delete a link: nobody joins by it any more. */
  revokeInvite(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** For a link: letters, digits, `-` and `_`. */
    code: string
  }): Promise<undefined>
  /** A page of history: the newest, or before, after or around a seq. */
  getHistory(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & HistoryQuery,
  ): Promise<History>
  /** Send; safe to repeat with the same clientId. */
  sendMessage(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & SendBody,
  ): Promise<Message>
  /** What has changed of messages after a change, each as it is now. */
  listChanges(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & ChangesQuery,
  ): Promise<Changes>
  /** One message. */
  getMessage(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
  }): Promise<Message>
  /** Edit a message of mine. */
  editMessage(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & EditBody,
  ): Promise<Message>
  /** Delete a message for all, or for me. */
  deleteMessage(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & DeleteMessageQuery,
  ): Promise<undefined>
  /** What a message was before; for its sender and for moderators. */
  listEdits(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & ReceiptsQuery,
  ): Promise<{
    items: Edit[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Who has reacted, and how. */
  listReactions(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & ReceiptsQuery,
  ): Promise<{
    items: Reactor[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** React with an emoji. */
  addReaction(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
    /** One Unicode emoji. */
    emoji: string
  }): Promise<Message>
  /** Take a reaction back. */
  removeReaction(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
    /** One Unicode emoji. */
    emoji: string
  }): Promise<Message>
  /** Vote in a poll, in place of what I had chosen. */
  vote(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & VoteBody,
  ): Promise<Message>
  /** End a poll: for its sender, and for who may delete it. */
  closePoll(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
  }): Promise<Message>
  /** The pinned messages of a chat, the newest pin first. */
  listPins(input: {
    /** The id of a chat, opaque. */ chatId: string
  }): Promise<{ items: Message[] }>
  /** Pin a message for all members. */
  pinMessage(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
  }): Promise<Message>
  /** Take a pin off. */
  unpinMessage(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
  }): Promise<Message>
  /** The messages that I have given a star, the newest star first. */
  listStars(input?: ReceiptsQuery): Promise<{
    items: Message[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Find messages of my chats by words, sender, kind and time, the newest first. */
  searchMessages(input?: SearchQuery): Promise<{
    items: Message[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Give a message a star that only I see. */
  starMessage(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
  }): Promise<undefined>
  /** Take a star off. */
  unstarMessage(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
  }): Promise<undefined>
  /** Press a button of a card: the site's webhook is asked. */
  pressButton(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & PressBody,
  ): Promise<Pressed>
  /** Have a message sent at a time to come. */
  scheduleMessage(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & ScheduleBody,
  ): Promise<Scheduled>
  /** My messages that wait for their time or could not be sent, the soonest first. */
  listScheduled(input?: ReceiptsQuery): Promise<{
    items: Scheduled[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Give a message that waits another text or another time. */
  editScheduled(
    input: {
      /** A UUID in its 36-character form. */ id: string
    } & EditScheduledBody,
  ): Promise<Scheduled>
  /** Do not send it. */
  removeScheduled(input: { /** A UUID in its 36-character form. */ id: string }): Promise<undefined>
  /** My reminders, the soonest first; those whose time has come until I delete them. */
  listReminders(input?: ReceiptsQuery): Promise<{
    items: Reminder[]
    /** The `nextCursor` of the page before. */
    nextCursor?: string
  }>
  /** Be reminded of a message at a time to come. */
  setReminder(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & ReminderBody,
  ): Promise<Reminder>
  /** Not be reminded of it. */
  removeReminder(input: {
    /** The id of a chat, opaque. */ chatId: string
    /** Of the message. */
    seq: number
  }): Promise<undefined>
  /** Mark as read up to a seq. */
  markRead(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & ReadBody,
  ): Promise<ReadState>
  /** Mark all chats on my list as read; where there are many, in several calls. */
  markAllRead(): Promise<ReadAll>
  /** Keep what I have begun to write, for all my devices. */
  setDraft(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & NewDraft,
  ): Promise<undefined>
  /** Take the draft away. */
  deleteDraft(input: { /** The id of a chat, opaque. */ chatId: string }): Promise<undefined>
  /** Accept a message request, or decline it. */
  answerRequest(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & RequestBody,
  ): Promise<Chat>
  /** This device has the messages up to a seq. */
  markDelivered(
    input: {
      /** The id of a chat, opaque. */ chatId: string
    } & DeliveredBody,
  ): Promise<{}>
  /** Who has read a message, and who has it on a device. */
  getReceipts(
    input: {
      /** The id of a chat, opaque. */ chatId: string
      /** Of the message. */
      seq: number
    } & ReceiptsQuery,
  ): Promise<Receipts>
  /** Who of these users is there, as far as I may know. */
  getPresence(input: PresenceQuery): Promise<PresenceList>
  /** What this server offers me: files, previews, finding people. */
  getFeatures(): Promise<Features>
  /** The badge for the site's own menu. */
  getUnread(): Promise<Unread>
  /** A file that I have uploaded, once it is whole. */
  getUpload(input: { /** A UUID in its 36-character form. */ uploadId: string }): Promise<File>
  /** Give up an upload that no message has. */
  removeUpload(input: {
    /** A UUID in its 36-character form. */ uploadId: string
  }): Promise<undefined>
  /** Addresses of files of messages that I see, for a few minutes. */
  linkFiles(input: FileLinksBody): Promise<FileLinks>
}
