/** What the model keeps of a chat, and how it is shown: in words of the wire, with times as `true`. */
export type Role = 'owner' | 'admin' | 'member'
export type Right = 'post' | 'add' | 'remove' | 'edit' | 'pin' | 'mentionAll' | 'deleteOthers'

/** Why something is not done. */
export type Refusal =
  | 'not_found'
  | 'forbidden'
  | 'invalid'
  | 'blocked'
  | 'deleted'
  | 'client_id_reused'
  | 'last_owner'

interface Poll {
  options: string[]
  multiple: boolean
  closed: boolean
  /** By username, in the order of the votes. */
  votes: Map<string, number[]>
}

export interface Sent {
  seq: number
  sender: string
  body: string
  /** undefined: the server's own. */
  clientId?: string | undefined
  event?: object | undefined
  reply?: number | undefined
  thread?: number | undefined
  mentions?: string[] | undefined
  mentionAll?: boolean | undefined
  /** Whose `mentions` it counts in: it stays so, whatever becomes of it. */
  counted: (username: string) => boolean
  forwarded?: boolean | undefined
  poll?: Poll | undefined
  edited?: boolean
  pinned?: boolean
  deletedBy?: string | undefined
  /** In their order. */
  reactions: { emoji: string; username: string }[]
  change: number
}

/** What one user alone has of a message. */
interface Mark {
  starred: boolean
  deleted: boolean
}

/** A chat as one of its members has it. */
export interface Member {
  role: Role
  readSeq: number
  /** What has been read is delivered; it stays where a chat is marked as unread. */
  deliveredSeq: number
  clearedSeq: number
  pinned: boolean
  archived: boolean
  muted: boolean
  isListed: boolean
  draft?: { body: string } | undefined
  labels?: string[] | undefined
  /** [PRIV-3] */
  request?: 'pending' | 'declined' | undefined
  /** [CHAT-3] Neither opened, nor blocked in, nor written to. */
  isUnseen: boolean
}

export interface Settings {
  permissions?: Partial<Record<Right, Role>>
  history?: 'all' | 'joined'
  open?: boolean
}

export interface ModelChat {
  readonly key: string
  readonly kind: 'direct' | 'group'
  /** One for a chat with oneself. */
  readonly members: Map<string, Member>
  readonly messages: Sent[]
  /** By username and seq; they outlast a membership. */
  readonly marks: Map<string, Mark>
  /** [GROUP-5] Who was removed, and does not come back by itself. */
  readonly removed: Set<string>
  title?: string
  settings?: Settings | undefined
  /** [CHANGE-1] */
  changes: number
  /** Grows with each message and each new chat: the order of the list. */
  lastAt: number
  /** [CHAT-5] Nothing changed since the last message of today: archived chats stay where they are. */
  isSettled: boolean
}

export function newMember(role: Role, readSeq = 0): Member {
  const flags = { pinned: false, archived: false, muted: false, isListed: false, isUnseen: true }
  return { role, readSeq, deliveredSeq: readSeq, clearedSeq: 0, ...flags }
}

export function memberOf({ members }: ModelChat, name: string): Member {
  const member = members.get(name)
  if (!member) throw new Error(`${name} is no member`)
  return member
}

/** [RECEIPT-2] */
export function moveRead(member: Member, readSeq: number): void {
  member.deliveredSeq = Math.max(member.deliveredSeq, member.readSeq, readSeq)
  member.readSeq = readSeq
}

/** What is mine of a message, from the first thing that I do with it. */
export function markOf({ marks }: ModelChat, username: string, { seq }: Sent): Mark {
  const key = `${username} ${seq}`
  const mark = marks.get(key) ?? { starred: false, deleted: false }
  marks.set(key, mark)
  return mark
}

const RANK: Record<Role, number> = { member: 0, admin: 1, owner: 2 }
const LEAST: Record<Right, Role> = {
  post: 'member',
  add: 'admin',
  remove: 'admin',
  edit: 'admin',
  pin: 'admin',
  mentionAll: 'admin',
  deleteOthers: 'admin',
}

export function isAtLeast(role: Role, other: Role): boolean {
  return RANK[role] >= RANK[other]
}

/** [GROUP-2] */
export function may({ kind, members, settings }: ModelChat, by: string, right: Right): boolean {
  if (kind === 'direct') return right === 'post' || right === 'pin'
  const role = members.get(by)?.role
  return role !== undefined && isAtLeast(role, settings?.permissions?.[right] ?? LEAST[right])
}

/** The message with this seq, where this member can see it. */
export function visible(chat: ModelChat, by: string, seq: number): Sent | undefined {
  const member = chat.members.get(by)
  const message = chat.messages[seq - 1]
  if (!member || member.isUnseen || !message || seq <= member.clearedSeq) return undefined
  return chat.marks.get(`${by} ${seq}`)?.deleted ? undefined : message
}

/** As anyone has it. */
export function shown(chat: ModelChat, message: Sent) {
  const { seq, sender, clientId, body, change, deletedBy, thread } = message
  const { mentions, mentionAll } = message
  const place = {
    seq,
    sender,
    clientId,
    body,
    thread,
    mentions,
    mentionAll,
    change: change || undefined,
  }
  const inThread = chat.messages.filter((one) => one.thread === seq)
  const lastSeq = inThread.at(-1)?.seq
  const replies = lastSeq === undefined ? undefined : { count: inThread.length, lastSeq }
  if (deletedBy !== undefined) return defined({ ...place, replies, deletedAt: true, deletedBy })
  const { event, reply, forwarded, edited, pinned, poll } = message
  const quoted = chat.messages[(reply ?? 0) - 1]
  return defined({
    ...place,
    replies,
    event,
    forwarded,
    pinned,
    kind: kindOf(message),
    editedAt: edited,
    reply: quoted && quote(quoted),
    poll: poll && shownPoll(poll),
    reactions: shownReactions(message),
  })
}

/** [MERGE-10] A quote of what is cleared shows nothing. */
function seen(chat: ModelChat, username: string, message: Sent) {
  const { clearedSeq = 0 } = chat.members.get(username) ?? {}
  const { reply } = message
  const all = shown(chat, message)
  const isGone = reply !== undefined && reply <= clearedSeq && message.deletedBy === undefined
  return isGone ? { ...all, reply: { seq: reply, body: '' } } : all
}

/** [MERGE-11, EDIT-4] With what this user alone has of it. */
export function shownTo(chat: ModelChat, username: string, message: Sent) {
  const { seq, sender, thread, change, poll, reactions } = message
  const mark = chat.marks.get(`${username} ${seq}`)
  // Of what is deleted for all nothing is mine alone.
  if (!mark || message.deletedBy !== undefined) return seen(chat, username, message)
  const own = reactions.filter((one) => one.username === username).map(({ emoji }) => emoji)
  const my = defined({
    starredAt: mark.starred || undefined,
    deleted: mark.deleted || undefined,
    reactions: own.length > 0 ? own : undefined,
    votes: poll?.votes.get(username),
  })
  if (!mark.deleted) return { ...seen(chat, username, message), my }
  const place = { seq, sender, body: '', thread, change: change || undefined }
  return { ...defined(place), my }
}

function kindOf({ event, poll }: Sent): string | undefined {
  return event ? 'system' : poll ? 'poll' : undefined
}

/** [MSG-1] */
function quote(message: Sent) {
  const { seq, sender, body, deletedBy, change } = message
  const isGone = deletedBy !== undefined
  return defined({
    seq,
    sender,
    body,
    kind: isGone ? undefined : kindOf(message),
    deletedAt: isGone || undefined,
    change: change || undefined,
  })
}

/** [REACT-1] */
function shownReactions({ reactions }: Sent) {
  const emojis = [...new Set(reactions.map(({ emoji }) => emoji))]
  if (emojis.length === 0) return undefined
  return emojis.map((emoji) => {
    const usernames = reactions.filter((one) => one.emoji === emoji).map((one) => one.username)
    return { emoji, count: usernames.length, usernames }
  })
}

/** [MSG-6] */
function shownPoll({ options, multiple, closed, votes }: Poll) {
  const by = (option: number) => [...votes].filter(([, chosen]) => chosen.includes(option))
  return defined({
    options: options.map((text, option) => {
      const usernames = by(option).map(([username]) => username)
      return { text, votes: usernames.length, usernames }
    }),
    voters: votes.size,
    multiple: multiple || undefined,
    closed: closed || undefined,
  })
}

export function defined<T extends object>(values: T): Partial<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}
