/** Chats that are groups. */
import type { GroupSettings } from '@microchatter/protocol'
import { touchChats } from './chats.ts'
import type { Db } from './db.ts'

/** What all members share of it. */
export interface GroupRow extends Record<string, unknown> {
  id: string
  kind: 'direct' | 'group'
  title: string | null
  picture: string | null
  description: string | null
  metadata: Record<string, unknown> | null
  settings: GroupSettings | null
  member_count: number
  last_seq: number
  rev: number
}

const COLUMNS = `c.id, c.kind, c.title, c.picture, c.description, c.metadata, c.settings,
  c.member_count, c.last_seq, c.rev`

/** Takes the lock of a chat that this user is in; strangers take none. */
export async function lockChatOf(
  tx: Db,
  chatId: string,
  userId: number,
): Promise<GroupRow | undefined> {
  const [row] = await tx.query<GroupRow>(
    `SELECT ${COLUMNS} FROM chats c WHERE c.id = $1 AND EXISTS (
       SELECT FROM members m WHERE m.chat_id = c.id AND m.user_id = $2
         AND NOT (m.active_day IS NULL AND m.changed_at = '-infinity')) FOR UPDATE`,
    [chatId, userId],
  )
  return row
}

export async function selectGroup(db: Db, chatId: string): Promise<GroupRow | undefined> {
  const [row] = await db.query<GroupRow>(
    `SELECT ${COLUMNS} FROM chats c WHERE c.id = $1 AND c.kind = 'group'`,
    [chatId],
  )
  return row
}

/** Takes the lock of a group, for someone who may not be in it yet. */
export async function lockGroup(tx: Db, chatId: string): Promise<GroupRow | undefined> {
  const [row] = await tx.query<GroupRow>(
    `SELECT ${COLUMNS} FROM chats c WHERE c.id = $1 AND c.kind = 'group' FOR UPDATE`,
    [chatId],
  )
  return row
}

export interface Shared {
  title: string | null
  picture: string | null
  description: string | null
  metadata: Record<string, unknown> | null
  settings: GroupSettings | null
}

/** Without members. */
export async function insertGroup(tx: Db, id: string, shared: Shared): Promise<void> {
  await tx.query(
    `INSERT INTO chats (id, kind, title, picture, description, metadata, settings, is_open, member_count)
     VALUES ($1, 'group', $2, $3, $4, $5, $6, $7, 0)`,
    [id, ...valuesOf(shared)],
  )
}

/** The caller holds the lock. */
export async function updateGroup(tx: Db, id: string, shared: Shared): Promise<void> {
  await tx.query(
    `UPDATE chats SET title = $2, picture = $3, description = $4, metadata = $5, settings = $6,
       is_open = $7 WHERE id = $1`,
    [id, ...valuesOf(shared)],
  )
}

function valuesOf({ title, picture, description, metadata, settings }: Shared): unknown[] {
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value))
  return [title, picture, description, json(metadata), json(settings), settings?.open === true]
}

/**
 * Takes the lock: something changed for all members, and of who may send. The days on which they have
 * the chat stay as they are. Returns the new rev, and how many members there are.
 */
export async function bumpGroup(
  tx: Db,
  chatId: string,
  { joined = 0, left = 0 }: { joined?: number | undefined; left?: number | undefined } = {},
): Promise<{ rev: number; memberCount: number }> {
  const revs = await touchChats(tx, [chatId])
  const [row] = await tx.query<{ member_count: number }>(
    `UPDATE chats SET rights_rev = rights_rev + 1, member_count = member_count + $2 WHERE id = $1
     RETURNING member_count`,
    [chatId, joined - left],
  )
  return { rev: revs.get(chatId)?.rev ?? 0, memberCount: row?.member_count ?? 0 }
}

export interface OpenGroupRow extends Record<string, unknown> {
  id: string
  title: string
  picture: string | null
  description: string | null
  member_count: number
  joined: boolean
}
export interface OpenGroupFilter {
  /** Start of the title, in any case. */
  search: string
  /** Title and id of the last one of the page before. */
  after: [title: string, id: string] | undefined
  limit: number
}

/** By title and id, as the index chats_open has them: byte by byte, lower case. */
export async function selectOpenGroups(db: Db, userId: number, filter: OpenGroupFilter) {
  const { search, after, limit } = filter
  const keyset = after
    ? `AND lower(c.title) ~>=~ lower($4)
       AND (lower(c.title) ~>~ lower($4) OR c.id > $5::uuid)`
    : ''
  return db.query<OpenGroupRow>(
    `SELECT c.id, c.title, c.picture, c.description, c.member_count, EXISTS (
       SELECT FROM members m WHERE m.chat_id = c.id AND m.user_id = $1) AS joined
     FROM chats c
     WHERE c.is_open AND c.member_count > 0 AND lower(c.title) ~>=~ lower($2)
       AND lower(c.title) ~<~ (lower($2) || chr(1114111)) ${keyset}
     ORDER BY lower(c.title) USING ~<~, c.id LIMIT $3`,
    [userId, search, limit, ...(after ?? [])],
  )
}
