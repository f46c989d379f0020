import type { GroupSettings, WriteFrom } from '@microchatter/protocol'
import type { Db } from './db.ts'

/** What a send has to know of its chat; it holds as long as rights_rev does. */
export interface ChatRights {
  id: string
  kind: 'direct' | 'group'
  rightsRev: number
  /** It has messages. */
  begun: boolean
  /** 'YYYY-MM-DD' in UTC, or undefined: the next message sets it for all members. */
  activeDay: string | undefined
  /** User id → username; undefined: the account was deleted. */
  members: ReadonlyMap<number, string | undefined>
  /** The ids of all members, once they were asked for. */
  ids: number[] | undefined
  /** Of a group, those who are more than members. */
  roles: ReadonlyMap<number, 'owner' | 'admin'>
  settings: GroupSettings | undefined
  /** [blocker, blocked] among the members. */
  blocks: readonly [number, number][]
  /** Who has not accepted the chat: what they read and type is not told. */
  pending: ReadonlySet<number>
  /** Those of them who have declined it. */
  declined: ReadonlySet<number>
  /** Of a direct chat that has not begun: what a first message would be for each. */
  takes: ReadonlyMap<number, Taking>
}

/** A chat like any other, one that has to be accepted, or refused [PRIV-2]. */
export type Taking = 'chat' | 'request' | 'nothing'

interface RightsRow extends Record<string, unknown> {
  id: string
  kind: 'direct' | 'group'
  rights_rev: number
  begun: boolean
  active_day: string | null
  user_ids: number[]
  usernames: (string | null)[]
  owners: number[] | null
  admins: number[] | null
  settings: GroupSettings | null
  blocks: number[] | null
  pending: number[] | null
  declined: number[] | null
  takes: Taking[] | null
}

/**
 * [PRIV-2] What the users of a direct chat take, by their ids. Another chat of the two is a group; who
 * has opened this one wants it. Only where the chat has not begun, so that it costs nothing later.
 */
const TAKES = `CASE WHEN c.last_seq = 0 AND c.kind = 'direct' THEN (
  SELECT array_agg(CASE coalesce(u.write_from, $2) WHEN 'everyone' THEN 'chat'
      WHEN 'nobody' THEN 'nothing'
      ELSE CASE WHEN m.active_day IS NOT NULL OR EXISTS (
          SELECT FROM members a JOIN members b ON b.chat_id = a.chat_id AND b.user_id = c.high_id
          WHERE a.user_id = c.low_id AND a.chat_id <> c.id) THEN 'chat'
        WHEN coalesce(u.write_from, $2) = 'requests' THEN 'request' ELSE 'nothing' END
    END ORDER BY m.user_id)
  FROM members m JOIN users u ON u.id = m.user_id WHERE m.chat_id = c.id) END AS takes`

/** Of those of these chats that there are. `writeFrom` is of users who have not set it. */
export async function selectRights(
  db: Db,
  chatIds: readonly string[],
  writeFrom: WriteFrom,
): Promise<ChatRights[]> {
  const rows = await db.query<RightsRow>(
    `SELECT c.id, c.kind, c.rights_rev, c.last_seq > 0 AS begun, c.active_day::text AS active_day,
       c.settings, m.user_ids, m.usernames, m.owners, m.admins, m.pending, m.declined, ${TAKES},
       (SELECT array_agg(ARRAY[b.blocker_id, b.blocked_id]) FROM blocks b
        WHERE b.blocker_id = ANY(m.user_ids) AND b.blocked_id = ANY(m.user_ids)
       )::float8[] AS blocks
     FROM unnest($1::uuid[]) AS k(id) JOIN chats c ON c.id = k.id, LATERAL (
       SELECT array_agg(m.user_id)::float8[] AS user_ids, array_agg(u.username) AS usernames,
         (array_agg(m.user_id) FILTER (WHERE m.role = 'owner'))::float8[] AS owners,
         (array_agg(m.user_id) FILTER (WHERE m.role = 'admin'))::float8[] AS admins,
         (array_agg(m.user_id) FILTER (WHERE m.request IS NOT NULL))::float8[] AS pending,
         (array_agg(m.user_id) FILTER (WHERE m.request = 'declined'))::float8[] AS declined
       FROM members m JOIN users u ON u.id = m.user_id WHERE m.chat_id = c.id) m`,
    [chatIds, writeFrom],
    'select_rights',
  )
  return rows.map(toRights)
}

function toRights({ id, kind, rights_rev, begun, ...row }: RightsRow): ChatRights {
  const userIds = row.user_ids ?? []
  return {
    id,
    kind,
    rightsRev: rights_rev,
    begun,
    activeDay: row.active_day ?? undefined,
    members: new Map(userIds.map((userId, index) => [userId, row.usernames[index] ?? undefined])),
    ids: undefined,
    roles: toRoles(row),
    settings: row.settings ?? undefined,
    blocks: (row.blocks ?? NO_BLOCKS) as unknown as [number, number][],
    pending: row.pending ? new Set(row.pending) : NOBODY,
    declined: row.declined ? new Set(row.declined) : NOBODY,
    takes: row.takes ? toTakes(userIds, row.takes) : NO_TAKES,
  }
}

/** Shared by all: rights are kept of many chats, most of which have none of it. */
const NO_BLOCKS: readonly never[] = []
const NO_ROLES: ChatRights['roles'] = new Map()
const NOBODY: ReadonlySet<number> = new Set()
const NO_TAKES: ChatRights['takes'] = new Map()

function toRoles({ owners, admins }: Pick<RightsRow, 'owners' | 'admins'>): ChatRights['roles'] {
  if (!owners && !admins) return NO_ROLES
  return new Map([
    ...(owners ?? []).map((userId) => [userId, 'owner'] as const),
    ...(admins ?? []).map((userId) => [userId, 'admin'] as const),
  ])
}

function toTakes(userIds: number[], takes: Taking[]): ChatRights['takes'] {
  const sorted = userIds.toSorted((one, other) => one - other)
  return new Map(takes.map((taking, index) => [sorted[index] ?? 0, taking]))
}

/** [PRIV-2] Are the two in a group together? */
export async function shareGroup(db: Db, userId: number, otherId: number): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM members a JOIN members b ON b.chat_id = a.chat_id AND b.user_id = $2
     JOIN chats c ON c.id = a.chat_id AND c.kind = 'group'
     WHERE a.user_id = $1 LIMIT 1`,
    [userId, otherId],
  )
  return rows.length === 1
}

/**
 * The chat of these two (or of one with itself), made if there is none. `id` is used where it is new.
 * Two calls at once make one chat: the pair is unique.
 */
export async function insertDirectChat(
  db: Db,
  { id, userId, otherId }: { id: string; userId: number; otherId: number },
): Promise<{ id: string; created: boolean }> {
  const pair = [Math.min(userId, otherId), Math.max(userId, otherId)]
  const created = await db.query<{ id: string }>(
    `WITH c AS (
       INSERT INTO chats (id, kind, low_id, high_id, member_count)
       VALUES ($1, 'direct', $2, $3, CASE WHEN $2::bigint = $3::bigint THEN 1 ELSE 2 END)
       ON CONFLICT (low_id, high_id) DO NOTHING RETURNING id),
     m AS (
       INSERT INTO members (chat_id, user_id)
       SELECT DISTINCT c.id, u.id FROM c, unnest(ARRAY[$2, $3]::bigint[]) AS u(id))
     SELECT id FROM c`,
    [id, ...pair],
  )
  if (created[0]) return { id, created: true }
  const existing = await selectDirectChat(db, userId, otherId)
  if (existing === undefined) throw new Error('A direct chat was neither made nor found')
  return { id: existing, created: false }
}

export async function selectDirectChat(db: Db, userId: number, otherId: number) {
  const [row] = await db.query<{ id: string }>(
    'SELECT id FROM chats WHERE low_id = $1 AND high_id = $2',
    [Math.min(userId, otherId), Math.max(userId, otherId)],
    'select_direct_chat',
  )
  return row?.id
}

/**
 * Takes the chat's lock. Every send that was checked against the rights before finds no row, is
 * checked again, and sets active_day of all members anew.
 */
export async function bumpRights(
  db: Db,
  chatId: string,
): Promise<{ lastSeq: number; rev: number }> {
  const [row] = await db.query<{ last_seq: number; rev: number }>(
    `UPDATE chats SET rights_rev = rights_rev + 1, rev = rev + 1, active_day = NULL WHERE id = $1
     RETURNING last_seq, rev`,
    [chatId],
  )
  return { lastSeq: row?.last_seq ?? 0, rev: row?.rev ?? 0 }
}

/**
 * As `bumpRights`, for chats whose locks the transaction holds. Who leaves a group changes nothing on
 * the lists of the others.
 */
export async function bumpAllRights(db: Db, chatIds: string[]): Promise<void> {
  await db.query(
    `UPDATE chats SET rights_rev = rights_rev + 1,
       active_day = CASE WHEN kind = 'group' THEN active_day END WHERE id = ANY($1::uuid[])`,
    [chatIds],
  )
}

/** Takes the chat's lock, for a change that one member alone sees. */
export async function bumpRev(db: Db, chatId: string): Promise<{ lastSeq: number; rev: number }> {
  const [row] = await db.query<{ last_seq: number; rev: number }>(
    'UPDATE chats SET rev = rev + 1 WHERE id = $1 RETURNING last_seq, rev',
    [chatId],
  )
  return { lastSeq: row?.last_seq ?? 0, rev: row?.rev ?? 0 }
}

/** Takes the locks of these chats, which are in order, and changes nothing yet. */
export async function lockChats(db: Db, chatIds: readonly string[]): Promise<void> {
  await db.query('SELECT 1 FROM chats WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE', [chatIds])
}

/** Takes the chat's lock, and changes nothing yet. Returns its rights_rev; undefined: there is no chat. */
export async function lockChat(db: Db, chatId: string): Promise<number | undefined> {
  const [row] = await db.query<{ rights_rev: number }>(
    'SELECT rights_rev FROM chats WHERE id = $1 FOR UPDATE',
    [chatId],
  )
  return row?.rights_rev
}

/** What a chat has come to by a change of it. */
export interface Touched {
  rev: number
  changes: number
  lastSeq: number
  rightsRev: number
}

/**
 * Takes the chats' locks: something other than a message changed for all members, `messages` of them
 * changes of messages. Returns what each has come to.
 */
export async function touchChats(
  db: Db,
  chatIds: string[],
  messages = 0,
): Promise<Map<string, Touched>> {
  // members.changed_day is indexed: it is written on the first change of a day only.
  const rows = await db.query<{
    id: string
    rev: number
    changes: number
    last_seq: number
    rights_rev: number
  }>(
    `WITH old AS (
       SELECT id, changed_day FROM chats WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE),
     c AS (
       UPDATE chats SET rev = chats.rev + 1, changes = chats.changes + $2, changed_at = now(),
         changed_day = greatest(old.changed_day, current_date)
       FROM old WHERE chats.id = old.id
       RETURNING chats.id, chats.rev, chats.changes, chats.last_seq, chats.rights_rev,
         old.changed_day),
     m AS (
       UPDATE members SET changed_day = current_date
       FROM c WHERE members.chat_id = c.id AND c.changed_day < current_date)
     SELECT id, rev, changes, last_seq, rights_rev FROM c`,
    [chatIds, messages],
  )
  return new Map(
    rows.map(({ id, rev, changes, last_seq, rights_rev }) => [
      id,
      { rev, changes, lastSeq: last_seq, rightsRev: rights_rev },
    ]),
  )
}

interface SeqsOfChat extends Record<string, unknown> {
  kind: 'direct' | 'group'
  last_seq: number
  changes: number
  cleared_seq: number | null
  has_marks: boolean | null
}

/** `cleared_seq` is null for who is not a member; undefined where there is no such chat. */
export async function selectChatSeqs(db: Db, chatId: string, userId: number) {
  const [row] = await db.query<SeqsOfChat>(
    `SELECT c.kind, c.last_seq, c.changes, m.cleared_seq, m.has_marks FROM chats c
     LEFT JOIN members m ON m.chat_id = c.id AND m.user_id = $2
       AND NOT (m.active_day IS NULL AND m.changed_at = '-infinity')
     WHERE c.id = $1`,
    [chatId, userId],
    'select_chat_seqs',
  )
  return row
}
