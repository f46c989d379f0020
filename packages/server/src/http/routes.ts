/** All that REST answers: method, path → schemas → function. OpenAPI and /docs are made of this. */
import {
  Block,
  Chat,
  History,
  HistoryQuery,
  ListChatsQuery,
  ListUsersQuery,
  Login,
  Message,
  OpenChatBody,
  page,
  Profile,
  ReadBody,
  ReadState,
  RegisterBody,
  SendBody,
  SendToUserBody,
  Session,
  Unread,
  UpdateChatBody,
  UpdateUserBody,
  User,
} from '@microchatter/protocol'
import { Type } from 'typebox'
import { BlockParams, ListBlocksQuery, onBlockUser, onListBlocks, onUnblockUser } from './blocks.ts'
import {
  ChatParams,
  onDeleteChat,
  onEditChat,
  onGetChat,
  onListChats,
  onMarkRead,
  onOpenChat,
} from './chats.ts'
import { onDocs, onDocsStyle, onOpenApi } from './documents.ts'
import { Health, onLive, onReady } from './health.ts'
import { onGetHistory, onSendMessage, onSendToUser, RecipientParams } from './messages.ts'
import { publicRoute, type Route, route } from './route.ts'
import {
  onListSessions,
  onLogIn,
  onRevokeSession,
  onRevokeSessions,
  SessionParams,
} from './sessions.ts'
import { onGetUnread } from './unread.ts'
import {
  onDeleteUser,
  onEditUser,
  onGetUser,
  onListUsers,
  onRegisterUser,
  UserParams,
} from './users.ts'

const AnyUser = Type.Union([User, Profile])
const Text = Type.String()

export const ROUTES: readonly Route[] = [
  route('logIn', 'user', 'POST /users/login', {
    summary: 'Log in with Basic, or with a JWT of the site as Bearer, for a token',
    answers: { 200: Login },
    errors: ['forbidden'],
    on: onLogIn,
  }),
  route('registerUser', 'admin', 'POST /users/register', {
    summary: 'Add a user',
    body: RegisterBody,
    answers: { 201: User },
    errors: ['invalid_text', 'username_taken'],
    idempotent: true,
    on: onRegisterUser,
  }),
  route('listUsers', 'user', 'GET /users', {
    summary: 'Search and list users; for admins, and for everyone where the site says so',
    query: ListUsersQuery,
    answers: { 200: page(AnyUser) },
    errors: ['admin_only', 'invalid_cursor'],
    on: onListUsers,
  }),
  route('getUser', 'user', 'GET /users/:username', {
    summary: 'Look up a user: as a User for oneself and admins, as a Profile for others',
    params: UserParams,
    answers: { 200: AnyUser },
    errors: ['not_found'],
    on: onGetUser,
  }),
  route('editUser', 'user', 'PATCH /users/:username', {
    summary: 'Change oneself; admins change anyone',
    params: UserParams,
    body: UpdateUserBody,
    answers: { 200: User },
    errors: ['admin_only', 'forbidden', 'not_found', 'invalid_text'],
    on: onEditUser,
  }),
  route('deleteUser', 'admin', 'DELETE /users/:username', {
    summary: 'Delete an account: personal data are erased, messages stay, without a name',
    params: UserParams,
    answers: { 204: null },
    errors: ['forbidden', 'not_found'],
    on: onDeleteUser,
  }),
  route('listSessions', 'user', 'GET /users/me/sessions', {
    summary: 'Where I am logged in',
    answers: { 200: Type.Object({ items: Type.Array(Session) }, { additionalProperties: false }) },
    on: onListSessions,
  }),
  route('revokeSessions', 'user', 'DELETE /users/me/sessions', {
    summary: 'Log out everywhere: sessions, and JWTs issued up to now, end at once',
    answers: { 204: null },
    on: onRevokeSessions,
  }),
  route('revokeSession', 'user', 'DELETE /users/me/sessions/:id', {
    summary: 'Log out of one session; `current` is this one',
    params: SessionParams,
    answers: { 204: null },
    errors: ['not_found'],
    on: onRevokeSession,
  }),
  route('listBlocks', 'user', 'GET /users/me/blocks', {
    summary: 'Whom I have blocked',
    query: ListBlocksQuery,
    answers: { 200: page(Block) },
    errors: ['invalid_cursor'],
    on: onListBlocks,
  }),
  route('blockUser', 'user', 'PUT /users/me/blocks/:username', {
    summary: 'Block a user: neither of the two can write to the other any more',
    params: BlockParams,
    answers: { 204: null },
    errors: ['not_found', 'forbidden'],
    on: onBlockUser,
  }),
  route('unblockUser', 'user', 'DELETE /users/me/blocks/:username', {
    summary: 'Take a block back',
    params: BlockParams,
    answers: { 204: null },
    errors: ['not_found', 'forbidden'],
    on: onUnblockUser,
  }),
  route('listChats', 'user', 'GET /chats', {
    summary: 'My chats: pinned first, then newest first, with last message and unread',
    query: ListChatsQuery,
    answers: { 200: page(Chat) },
    errors: ['invalid_cursor'],
    on: onListChats,
  }),
  route('openChat', 'user', 'POST /chats', {
    summary: 'Open the direct chat with a user: 200 where there was one, 201 where it is new',
    body: OpenChatBody,
    answers: { 200: Chat, 201: Chat },
    errors: ['not_found'],
    idempotent: true,
    on: onOpenChat,
  }),
  route('sendToUser', 'user', 'POST /chats/users/:username/messages', {
    summary: 'Send to a user; the direct chat appears if there is none',
    params: RecipientParams,
    body: SendToUserBody,
    answers: { 201: Message },
    errors: ['not_found', 'blocked', 'forbidden', 'admin_only', 'invalid_text', 'client_id_reused'],
    on: onSendToUser,
  }),
  route('getChat', 'user', 'GET /chats/:chatId', {
    summary: 'One chat, as I have it',
    params: ChatParams,
    answers: { 200: Chat },
    errors: ['not_found'],
    on: onGetChat,
  }),
  route('editChat', 'user', 'PATCH /chats/:chatId', {
    summary: 'My settings of a chat: pin, archive, mute',
    params: ChatParams,
    body: UpdateChatBody,
    answers: { 200: Chat },
    errors: ['not_found'],
    on: onEditChat,
  }),
  route('deleteChat', 'user', 'DELETE /chats/:chatId', {
    summary: 'Delete a chat for me alone, until a new message comes',
    params: ChatParams,
    answers: { 204: null },
    errors: ['not_found'],
    on: onDeleteChat,
  }),
  route('getHistory', 'user', 'GET /chats/:chatId/messages', {
    summary: 'A page of history: the newest, or before, after or around a seq',
    params: ChatParams,
    query: HistoryQuery,
    answers: { 200: History },
    errors: ['not_found'],
    on: onGetHistory,
  }),
  route('sendMessage', 'user', 'POST /chats/:chatId/messages', {
    summary: 'Send; safe to repeat with the same clientId',
    params: ChatParams,
    body: SendBody,
    answers: { 201: Message },
    errors: ['not_found', 'blocked', 'forbidden', 'invalid_text', 'client_id_reused'],
    on: onSendMessage,
  }),
  route('markRead', 'user', 'PUT /chats/:chatId/read', {
    summary: 'Mark as read up to a seq',
    params: ChatParams,
    body: ReadBody,
    answers: { 200: ReadState },
    errors: ['not_found'],
    on: onMarkRead,
  }),
  route('getUnread', 'user', 'GET /unread', {
    summary: "The badge for the site's own menu",
    answers: { 200: Unread },
    on: onGetUnread,
  }),
  publicRoute('getLive', 'GET /health/live', {
    summary: 'The process is there',
    answers: { 200: Health },
    on: onLive,
  }),
  publicRoute('getReady', 'GET /health/ready', {
    summary: 'It can do its work: traffic may be sent here',
    answers: { 200: Health },
    errors: ['unavailable'],
    on: onReady,
  }),
  publicRoute('getOpenApi', 'GET /openapi.json', {
    summary: 'This API as an OpenAPI 3.1 document',
    answers: { 200: Type.Object({}) },
    on: onOpenApi,
  }),
  publicRoute('getDocs', 'GET /docs', {
    summary: 'This API as a page to read',
    answers: { 200: Text },
    on: onDocs,
  }),
  publicRoute('getDocsStyle', 'GET /docs/style.css', {
    summary: 'The style of that page',
    answers: { 200: Text },
    on: onDocsStyle,
  }),
]
