import type { Draft, GroupRole, GroupSettings } from '@microchatter/protocol'
import { addDetails, type Content, type Details } from './content.ts'
import { selectBlocked } from './blocks.ts'
import type { Db, Nth } from './db.ts'
import { addMarks, type MarkRow } from './marks.ts'
import { addMentions, type Mentioned } from './mentions.ts'

/** A chat as one member has it, with its last message. */
export interface ChatRow extends Record<string, unknown> {
  id: string
  user_id: number
  kind: 'direct' | 'group'
  title: string | null
  picture: string | null
  description: string | null
  metadata: Record<string, unknown> | null
  settings: GroupSettings | null
  member_count: number
  role: GroupRole
  last_seq: number
  rev: number
  /** As PostgreSQL writes it, with its microseconds: for a cursor, and by `isoOf` for the wire. */
  last_at: string
  read_seq: number
  cleared_seq: number
  pinned: boolean
  archived: boolean
  muted_until: Date | null
  /** null: not on the member's list. */
  active_day: string | null
  /** It was never on the member's list: someone opened it, or has blocked. */
  unseen: boolean
  /** Have I blocked the other; in a group, the sender of the last message? */
  blocked: boolean
  draft: Draft | null
  labels: string[] | null
  request: 'pending' | 'declined' | null
  message_seq: number | null
  message_sender: string | null
  message_body: string | null
  message_client_id: string | null
  message_created_at: string | null
  change: number | null
  content: Content | null
  details?: Details | null
  /** The last message quotes someone whom this member has blocked. */
  quote_blocked?: true
  /** The last message is deleted for this member, or has a star. */
  message_mark?: MarkRow | null
  changes: number
  has_marks: boolean
  /** Perhaps; `mentions` says how often. */
  is_mentioned: boolean
  /** Unread messages that mention this member. */
  mentions?: number
}

export interface MemberRow extends Nth {
  user_id: number
  username: string | null
  display_name: string | null
  picture: string | null
  role: GroupRole
  read_seq: number
  request: 'pending' | 'declined' | null
  delivered_seq: number
  /** Whether it tells what it has read, and sees what others have. */
  receipts: boolean
}

/** Chats as members have them; `keys` selects (chat_id, user_id) of these members. */
const view = (keys: string) => `
  SELECT c.id, m.user_id, c.kind, c.title, c.picture, c.description, c.metadata, c.settings,
    c.member_count, m.role, c.last_seq, c.rev, c.last_at::text AS last_at, m.read_seq, m.cleared_seq, m.pinned, m.archived, m.muted_until,
    m.active_day::text AS active_day, m.draft, m.labels, m.request,
    m.active_day IS NULL AND m.changed_at = '-infinity' AS unseen,
    EXISTS (SELECT FROM blocks b WHERE b.blocker_id = m.user_id
      AND b.blocked_id = CASE WHEN c.kind = 'group' THEN l.sender_id
        WHEN c.low_id = m.user_id THEN c.high_id ELSE c.low_id END) AS blocked,
    l.seq AS message_seq, u.username AS message_sender, l.body AS message_body,
    l.client_id AS message_client_id, l.created_at::text AS message_created_at,
    l.change, l.content, c.changes, m.has_marks, c.mention_seq > m.read_seq AS is_mentioned
  FROM (${keys}) k CROSS JOIN LATERAL (
    SELECT * FROM members WHERE chat_id = k.chat_id AND user_id = k.user_id LIMIT 1) m
  JOIN chats c ON c.id = m.chat_id
  LEFT JOIN messages l ON l.chat_id = c.id AND l.seq = c.last_seq AND l.seq > m.cleared_seq
  LEFT JOIN users u ON u.id = l.sender_id`

/** What few of the chats have is looked up for those alone. */
async function complete<R extends ChatRow>(db: Db, rows: R[]): Promise<R[]> {
  const shown = rows.filter(({ message_seq }) => message_seq !== null)
  const messages = shown.map(({ id, user_id, message_seq, content, has_marks }) => ({
    chat_id: id,
    user_id,
    seq: message_seq ?? 0,
    content,
    has_marks,
    details: null,
    mark: null,
  }))
  await addDetails(db, messages)
  await addMarks(db, messages)
  for (const [index, { details, mark }] of messages.entries())
    if (details || mark) Object.assign(shown[index] as R, { details, message_mark: mark })
  await addQuoteBlocks(db, shown)
  return addMentions(db, rows)
}

/** In a direct chat nothing new quotes who has been blocked. */
async function addQuoteBlocks(db: Db, rows: ChatRow[]): Promise<void> {
  const quoting = rows.filter(({ kind, details }) => kind === 'group' && details?.reply?.sender)
  if (quoting.length === 0) return
  const pairs = quoting.map(({ user_id, details }) => ({
    blocker: user_id,
    username: details?.reply?.sender ?? '',
  }))
  for (const index of await selectBlocked(db, pairs))
    Object.assign(quoting[index] as ChatRow, { quote_blocked: true })
}

/** The chat as each of these members has it. */
export async function selectChat(db: Db, chatId: string, userIds: number[]): Promise<ChatRow[]> {
  const rows = await db.query<ChatRow>(
    view('SELECT $1::uuid AS chat_id, unnest($2::bigint[]) AS user_id'),
    [chatId, userIds],
    'select_chat',
  )
  return complete(db, rows)
}

/** It does not wait for an answer. */
export const NO_REQUEST = `m.request IS DISTINCT FROM 'pending'`
/** On the list or, where $2 says so, in the archive: what is asked for is not, until it is accepted. */
const LISTED = `m.archived = $2 AND ${NO_REQUEST}`

export interface ListKey {
  pinned: boolean
  activeDay: string
  lastAt: string
  id: string
}
export interface ListFilter {
  archived: boolean
  /** true: the chats that wait for an answer, archived or not; undefined: those that do not. */
  requests?: boolean | undefined
  label?: string | undefined
  unread: boolean | undefined
  after: ListKey | undefined
  limit: number
}

/** [READ-3] Newest first, pinned before the others; by keyset. Only the page itself is looked up. */
export async function selectChats(db: Db, userId: number, filter: ListFilter): Promise<ChatRow[]> {
  const { archived, requests = false, label, unread, after, limit } = filter
  const order = 'ORDER BY m.pinned DESC, m.active_day DESC, c.last_at DESC, c.id DESC'
  const which = requests ? `m.request = 'pending' AND $2::boolean IS NOT NULL` : LISTED
  // The second condition repeats a part of the first, as one that the index members_list knows.
  const keyset = after
    ? `AND (m.pinned, m.active_day, c.last_at, c.id) < ($5, $6::date, $7::timestamptz, $8::uuid)
       AND (m.pinned, m.active_day) <= ($5, $6::date)`
    : ''
  const rows = await db.query<ChatRow>(
    `${view(`
       SELECT m.chat_id, m.user_id FROM members m JOIN chats c ON c.id = m.chat_id
       WHERE m.user_id = $1 AND ${which} AND m.active_day IS NOT NULL ${keyset}
         AND ($4::text IS NULL OR m.labels @> ARRAY[$4])
         ${unread === undefined ? '' : `AND (c.last_seq > m.read_seq) = ${unread}`}
       ${order} LIMIT $3`)}
     ${order}`,
    [
      userId,
      archived,
      limit,
      label ?? null,
      ...(after ? [after.pinned, after.activeDay, after.lastAt, after.id] : []),
    ],
    `select_chats_${requests}_${unread}_${after !== undefined}`,
  )
  return complete(db, rows)
}

/**
 * [SYNC-5] What a client starts with: the first chats of the list, in its order, and then the newest of
 * those that wait for an answer.
 */
export async function selectFreshChats(
  db: Db,
  userId: number,
  limits: { chats: number; requests: number },
): Promise<ChatRow[]> {
  const rows = await db.query<ChatRow>(
    `${view(`
       (SELECT m.chat_id, m.user_id FROM members m JOIN chats c ON c.id = m.chat_id
        WHERE m.user_id = $1 AND ${LISTED} AND m.active_day IS NOT NULL
        ORDER BY m.pinned DESC, m.active_day DESC, c.last_at DESC, c.id DESC LIMIT $3)
       UNION ALL
       (SELECT chat_id, user_id FROM members
        WHERE user_id = $1 AND request = 'pending' AND active_day IS NOT NULL
        ORDER BY active_day DESC LIMIT $4)`)}
     ORDER BY m.request IS NOT DISTINCT FROM 'pending', m.pinned DESC, m.active_day DESC,
       c.last_at DESC, c.id DESC`,
    [userId, false, limits.chats, limits.requests],
    'select_fresh_chats',
  )
  return complete(db, rows)
}

export interface ChangesKey {
  userId: number
  since: Date
}

/**
 * For each key the chats in which anything changed for this member since then, at most `limit`, the
 * newest first; days are indexed, times are not.
 */
export async function selectChangedChats(db: Db, keys: readonly ChangesKey[], limit: number) {
  const rows = await db.query<ChatRow & Nth>(
    `SELECT w.nth::int AS nth, r.*
     FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS w(user_id, since, nth)
     CROSS JOIN LATERAL (
       ${view(`
         SELECT chat_id, user_id FROM members
         WHERE user_id = w.user_id AND active_day >= w.since::date
         UNION
         SELECT chat_id, user_id FROM members
         WHERE user_id = w.user_id AND changed_day >= w.since::date`)}
       WHERE greatest(c.last_at, c.changed_at, m.changed_at) >= w.since
       ORDER BY c.last_at DESC, c.id DESC LIMIT $3) r
     ORDER BY w.nth, r.last_at::timestamptz DESC, r.id DESC`,
    [keys.map(({ userId }) => userId), keys.map(({ since }) => since), limit],
    'select_changed_chats',
  )
  return complete(db, rows)
}

/** Of each chat at most `perChat` members, the oldest first. */
export async function selectMembers(db: Db, chatIds: readonly string[], perChat: number) {
  return db.query<MemberRow>(
    `SELECT c.nth::int AS nth, m.user_id, u.username, u.display_name, u.picture, m.role,
       m.read_seq, m.request, greatest(m.delivered_seq, m.read_seq) AS delivered_seq, u.receipts
     FROM unnest($1::uuid[]) WITH ORDINALITY AS c(id, nth), LATERAL (
       SELECT * FROM members WHERE chat_id = c.id ORDER BY user_id LIMIT $2) m
     JOIN users u ON u.id = m.user_id ORDER BY c.nth, m.user_id`,
    [chatIds, perChat],
    'select_members',
  )
}

/** What becomes of members.archived with a message that brings the chat back: a muted one stays. */
export const STAYS_ARCHIVED = 'members.archived AND coalesce(members.muted_until > now(), false)'

/**
 * On whose lists a message of the chat `c` brings it back: as they were before. What hides a chat moves
 * rights_rev, so nothing newer is missed.
 */
export const APPEARED = `ARRAY(
  SELECT m.user_id::float8 FROM members m WHERE m.chat_id = c.id AND (m.active_day IS NULL
    OR m.archived AND NOT coalesce(m.muted_until > now(), false)))`

/** A transaction from before midnight may get the chat's lock after one that is from after it. */
export const CHANGED_DAY = 'changed_day = greatest(changed_day, current_date)'

/**
 * [READ-2] Forward only, unless `back`; never before what is cleared or past the last message. What
 * was read stays delivered. The caller holds the chat's lock, which sends take first too.
 */
export async function updateReadSeq(
  db: Db,
  { chatId, userId, seq, back }: { chatId: string; userId: number; seq: number; back: boolean },
): Promise<{ readSeq: number; lastSeq: number; mentions: number } | undefined> {
  const [row] = await db.query<Read>(
    `UPDATE members m SET changed_at = now(), ${CHANGED_DAY},
       read_seq = greatest(least($3, o.last_seq), CASE WHEN $4 THEN o.cleared_seq ELSE o.read_seq END),
       delivered_seq = greatest(m.delivered_seq, o.read_seq)
     FROM (SELECT m.read_seq, m.cleared_seq, c.last_seq, c.mention_seq FROM members m
           JOIN chats c ON c.id = m.chat_id
           WHERE m.chat_id = $1 AND m.user_id = $2 FOR UPDATE OF m) o
     WHERE m.chat_id = $1 AND m.user_id = $2
     RETURNING m.chat_id AS id, m.user_id, m.read_seq, o.last_seq,
       o.mention_seq > m.read_seq AS is_mentioned`,
    [chatId, userId, seq, back],
  )
  if (!row) return undefined
  await addMentions(db, [row])
  return { readSeq: row.read_seq, lastSeq: row.last_seq, mentions: row.mentions ?? 0 }
}

interface Read extends Mentioned, Record<string, unknown> {
  last_seq: number
}

export interface MemberPatch {
  pinned?: boolean | undefined
  archived?: boolean | undefined
  /** null: not muted. 'infinity' is a time too. */
  mutedUntil?: Date | 'infinity' | null | undefined
  /** Empty: none. */
  labels?: readonly string[] | undefined
}

export async function updateMember(db: Db, chatId: string, userId: number, patch: MemberPatch) {
  const { pinned, archived, mutedUntil, labels } = patch
  await db.query(
    `UPDATE members SET pinned = coalesce($3, pinned), archived = coalesce($4, archived),
       muted_until = CASE WHEN $5 THEN $6 ELSE muted_until END,
       labels = CASE WHEN $7::text[] IS NULL THEN labels ELSE nullif($7, '{}') END,
       changed_at = now(), ${CHANGED_DAY}
     WHERE chat_id = $1 AND user_id = $2`,
    [chatId, userId, pinned, archived, mutedUntil !== undefined, mutedUntil, labels],
  )
}

/** Something that is not in the member's row changed for this member. */
export async function touchMember(db: Db, chatId: string, userId: number): Promise<void> {
  await updateMember(db, chatId, userId, {})
}

/** Puts the chat on the member's list. */
export async function showChat(db: Db, chatId: string, userId: number): Promise<void> {
  await db.query(
    `UPDATE members SET active_day = coalesce(active_day, current_date),
       changed_at = now(), ${CHANGED_DAY}
     WHERE chat_id = $1 AND user_id = $2`,
    [chatId, userId],
  )
}

/** [READ-4] true: something was unread. The caller holds the chat's lock. */
export async function clearChat(
  db: Db,
  { chatId, userId, seq }: { chatId: string; userId: number; seq: number },
): Promise<boolean> {
  const [row] = await db.query<{ was_unread: boolean }>(
    `UPDATE members m SET cleared_seq = $3, read_seq = $3, active_day = NULL, pinned = false,
       archived = false, draft = NULL, labels = NULL, changed_at = now(), ${CHANGED_DAY}
     FROM (SELECT read_seq FROM members WHERE chat_id = $1 AND user_id = $2) o
     WHERE m.chat_id = $1 AND m.user_id = $2 RETURNING o.read_seq < $3 AS was_unread`,
    [chatId, userId, seq],
  )
  return row?.was_unread === true
}

export interface SeqsKey {
  userId: number
  chatId: string
}
export interface SeqsRow extends Nth {
  kind: 'direct' | 'group'
  last_seq: number
  changes: number
  cleared_seq: number
  has_marks: boolean
}

/** Of those of these chats that their user is in. */
export async function selectSeqs(db: Db, keys: readonly SeqsKey[]) {
  return db.query<SeqsRow>(
    `SELECT k.nth::int AS nth, c.kind, c.last_seq, c.changes, m.cleared_seq, m.has_marks
     FROM unnest($1::bigint[], $2::uuid[]) WITH ORDINALITY AS k(user_id, chat_id, nth)
     CROSS JOIN LATERAL (
       SELECT * FROM members WHERE chat_id = k.chat_id AND user_id = k.user_id LIMIT 1) m
     JOIN chats c ON c.id = m.chat_id`,
    [keys.map(({ userId }) => userId), keys.map(({ chatId }) => chatId)],
    'select_seqs',
  )
}
