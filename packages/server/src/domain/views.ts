/** Rows of the store, as the wire has them. What is empty is left out. */
import type { Chat, Member, Message, Profile, User } from '@microchatter/protocol'
import type { ChatRow, ListKey, MemberRow } from '../store/members.ts'
import type { UserRow } from '../store/users.ts'
import { toMessage, withMy } from './message-view.ts'

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
 * [RECEIPT-5] `isShown`: the viewer may know what this member has read. [PRIV-5] Before a chat is
 * accepted, it looks to the other as if it were not read.
 */
function toMember(row: MemberRow, isShown: boolean, isOwn: boolean): Member {
  const isHidden = row.request !== null && !isOwn
  const marks = isHidden
    ? { readSeq: 0, deliveredSeq: 0 }
    : { readSeq: row.read_seq, deliveredSeq: row.delivered_seq }
  const receipts = isShown ? marks : {}
  if (row.username === null) return { removed: true, ...receipts }
  return { ...toProfile(row), ...receipts }
}

function toMembers(rows: MemberRow[], viewerId: number): Member[] {
  const shares = rows.find(({ user_id }) => user_id === viewerId)?.receipts ?? true
  return rows.map((row) => {
    const isOwn = row.user_id === viewerId
    return toMember(row, isOwn || (shares && row.receipts), isOwn)
  })
}

/** `members` are those of this chat. */
export function toChat(row: ChatRow, members: MemberRow[]): Chat {
  const { muted_until } = row
  const muted = muted_until !== null && Number(muted_until) > Date.now()
  return {
    id: row.id,
    kind: row.kind,
    ...(row.title === null ? {} : { title: row.title }),
    members: toMembers(members, row.user_id),
    ...(row.message_seq === null ? {} : { lastMessage: lastMessage(row) }),
    unread: row.last_seq - row.read_seq,
    lastSeq: row.last_seq,
    readSeq: row.read_seq,
    ...(row.cleared_seq === 0 ? {} : { clearedSeq: row.cleared_seq }),
    ...(row.mentions ? { mentions: row.mentions } : {}),
    rev: row.rev,
    ...(row.changes > 0 ? { changes: row.changes } : {}),
    updatedAt: row.last_at.toISOString(),
    ...(row.pinned ? { pinned: true } : {}),
    ...(row.archived ? { archived: true } : {}),
    ...(muted ? { muted: true } : {}),
    ...(muted && Number.isFinite(Number(muted_until))
      ? { mutedUntil: new Date(Number(muted_until)).toISOString() }
      : {}),
    ...(row.draft === null ? {} : { draft: row.draft }),
    ...(row.labels === null ? {} : { labels: row.labels }),
    ...(row.request === null ? {} : { request: row.request }),
    ...(row.blocked ? { blocked: true } : {}),
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
  return withMy(message, row.message_mark)
}

export function toListKey(row: ChatRow): ListKey {
  return {
    pinned: row.pinned,
    activeDay: row.active_day ?? '',
    lastAt: row.last_at_text,
    id: row.id,
  }
}
