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
  /** Characters of a group's description. */
  description: 2_000,
  /** Bytes of the site's own data on a message or a chat. */
  metadata: 4_096,
  pollOptions: 20,
  /** Files of one message. */
  files: 10,
  /** Values of a waveform. */
  waveform: 100,
  /** Users that one message mentions by name. */
  mentions: 50,
  /** Different emoji on one message. */
  emoji: 20,
  /** Pinned messages of a chat. */
  pins: 100,
  /** Members that one call adds. */
  added: 200,
  /** A chat of more members does not carry their list. */
  shownMembers: 50,
  /** Characters of a label. */
  label: 40,
  /** Labels of one chat. */
  labels: 10,
  /** Different labels of one user. */
  labelsOfUser: 200,
  /** Users whose presence one socket watches. */
  watched: 200,
  /** Messages of one user that wait for their time, with those that could not be sent. */
  scheduled: 100,
  /** Reminders of one user. */
  reminders: 200,
  /** Characters of a reminder's note. */
  note: 500,
  /** Characters of what a site answers to the press of a button. */
  pressed: 500,
  /** Characters of what is searched for. */
  sought: 200,
  /** Items of one page. */
  page: 100,
  /** Bytes of a JSON body and of a socket frame. */
  frame: 65_536,
  /** Chats whose messages one `sync` asks for. */
  syncChats: 100,
  /** The largest seq: a PostgreSQL integer. */
  seq: 2_147_483_647,
} as const
