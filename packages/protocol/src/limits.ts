/** Bounds of every field on the wire. A site may set `messages.maxLength` lower, never higher. */
export const LIMITS = {
  /** Characters (code points) of a message's text. */
  body: 8_000,
  /** Characters of a username. */
  username: 128,
  /** Characters of a display name, of a chat's title. */
  name: 200,
  /** Characters of an http(s) address. */
  url: 2_048,
  /** Bytes of a password before it is hashed. */
  password: 1_024,
  /** Items of one page. */
  page: 100,
  /** Bytes of a JSON body and of a socket frame. */
  frame: 65_536,
  /** Chats whose messages one `sync` asks for. */
  syncChats: 100,
  /** The largest seq: a PostgreSQL integer. */
  seq: 2_147_483_647,
} as const
