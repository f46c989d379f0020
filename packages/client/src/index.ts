/**
 * Microchatter in a page, or in Node.
 *
 *     const client = new Client({ url: 'https://chat.example.org', getToken })
 *     await client.start()
 *     client.chats.subscribe(() => draw(client.chats.getSnapshot()))
 */
export type { Api } from './api.ts'
export { Client, type ClientOptions } from './client.ts'
export type { Status } from './connection.ts'
export type { Conversation, ConversationView } from './conversation.ts'
export { ChatError, type ClientErrorCode } from './errors.ts'
export { idbStorage } from './idb.ts'
export { type ClientStorage, type Kept, MemoryStorage, type Pending } from './storage.ts'
export type { GetToken } from './token.ts'
export type { UploadOptions } from './uploads.ts'
export type { Value } from './value.ts'
export type {
  Chat,
  EventData,
  EventName,
  Features,
  File,
  FileLink,
  Member,
  Message,
  Presence,
  Preview,
  Profile,
  Reaction,
  SendBody,
  Unread,
  User,
} from './protocol.ts'
