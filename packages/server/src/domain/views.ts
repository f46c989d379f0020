/** Rows of the store, as the wire has them. What is empty is left out. */
import {
  type Chat,
  LIMITS,
  type Member,
  type Message,
  type Profile,
  type User,
} from '@microchatter/protocol'
import type { ChatRow, ListKey, MemberRow } from '../store/members.ts'
import { isoOf } from '../store/times.ts'
import type { UserRow } from '../store/users.ts'
import { hide, toMessage, withMy, withoutQuote } from './message-view.ts'

interface Person {
  username: string | null
  display_name: string | null
  picture: string | null
}

export function toProfile({ username, display_name, picture }: Person): Profile {
  return {
    username: username ?? '',
    ...(display_name ? { displayName: display_name } : {}),
    ...(picture ? { picture } : {}),
  }
}

export function toUser(row: UserRow): User {
  const { role, active, created_at } = row
  return { ...toProfile(row), role, active, createdAt: created_at.toISOString() }
}

/**
 * As this viewer sees them. [RECEIPT-5] `shares`: it tells what it reads, and sees what others do.
 * [PRIV-5] Before a chat is accepted, it looks to the other as if it were not read.
 */
export function toMembers(
  rows: MemberRow[],
  kind: ChatRow['kind'],
  viewer: { id: number; shares: boolean },
): Member[] {
  return rows.map((row) => {
    const isOwn = row.user_id === viewer.id
    const isShown = isOwn || (viewer.shares && row.receipts)
    return { ...toPerson(row, kind), ...(isShown ? marksOf(row, isOwn) : {}) }
  })
}

function toPerson(row: Pick<MemberRow, 'role'> & Person, kind: ChatRow['kind']): Member {
  if (row.username === null) return { removed: true }
  return { ...toProfile(row), ...(kind === 'group' ? { role: row.role } : {}) }
}

function marksOf({ request, read_seq, delivered_seq }: MemberRow, isOwn: boolean) {
  if (request !== null && !isOwn) return { readSeq: 0, deliveredSeq: 0 }
  return { readSeq: read_seq, deliveredSeq: delivered_seq }
}

/** A member of a group as others see it who share what they read. */
export function toTold(row: MemberRow): Member {
  return { ...toPerson(row, 'group'), ...(row.receipts ? marksOf(row, false) : {}) }
}

/** [CHAT-12] */
export function showsMembers({ member_count }: Pick<ChatRow, 'member_count'>): boolean {
  return member_count <= LIMITS.shownMembers
}

/** What all members share of a group. What is empty is left out. */
export function toShared({
  title,
  picture,
  description,
  metadata,
  settings,
}: Pick<ChatRow, 'title' | 'picture' | 'description' | 'metadata' | 'settings'>) {
  return {
    ...(title === null ? {} : { title }),
    ...(picture === null ? {} : { picture }),
    ...(description === null ? {} : { description }),
    ...(metadata === null ? {} : { metadata }),
    ...(settings === null ? {} : { settings }),
  }
}

/** `members` are those of this chat. */
export function toChat(row: ChatRow, members: MemberRow[]): Chat {
  const { muted_until } = row
  const muted = muted_until !== null && Number(muted_until) > Date.now()
  return {
    id: row.id,
    kind: row.kind,
    ...toShared(row),
    ...(row.kind === 'group' ? { role: row.role, memberCount: row.member_count } : {}),
    members: toMembers(members, row.kind, {
      id: row.user_id,
      shares: members.find(({ user_id }) => user_id === row.user_id)?.receipts ?? true,
    }),
    ...(row.message_seq === null ? {} : { lastMessage: lastMessage(row) }),
    unread: row.last_seq - row.read_seq,
    lastSeq: row.last_seq,
    readSeq: row.read_seq,
    ...(row.cleared_seq === 0 ? {} : { clearedSeq: row.cleared_seq }),
    ...(row.mentions ? { mentions: row.mentions } : {}),
    rev: row.rev,
    ...(row.changes > 0 ? { changes: row.changes } : {}),
    updatedAt: isoOf(row.last_at),
    ...(row.pinned ? { pinned: true } : {}),
    ...(row.archived ? { archived: true } : {}),
    ...(muted ? { muted: true } : {}),
    ...(muted && Number.isFinite(Number(muted_until))
      ? { mutedUntil: new Date(Number(muted_until)).toISOString() }
      : {}),
    ...(row.draft === null ? {} : { draft: row.draft }),
    ...(row.labels === null ? {} : { labels: row.labels }),
    ...(row.request === null ? {} : { request: row.request }),
    ...(row.blocked && row.kind === 'direct' ? { blocked: true } : {}),
  }
}

function lastMessage(row: ChatRow): Message {
  const message = toMessage({
    chat_id: row.id,
    seq: row.message_seq ?? 0,
    sender: row.message_sender,
    body: row.message_body ?? '',
    created_at: row.message_created_at ?? row.last_at,
    client_id: row.message_client_id ?? '',
    change: row.change ?? 0,
    content: row.content,
    ...(row.details ? { details: row.details } : {}),
  })
  const isQuoteGone =
    row.quote_blocked || (message.reply !== undefined && message.reply.seq <= row.cleared_seq)
  const own = withMy(isQuoteGone ? withoutQuote(message) : message, row.message_mark)
  return row.kind === 'group' && row.blocked ? hide(own) : own
}

export function toListKey(row: ChatRow): ListKey {
  return {
    pinned: row.pinned,
    activeDay: row.active_day ?? '',
    lastAt: row.last_at,
    id: row.id,
  }
}
