/** Who is in a group, as whom, since when. The callers hold the chat's lock. */
import type { GroupRole, WriteFrom } from '@microchatter/protocol'
import type { Db } from './db.ts'
import type { MemberRow } from './members.ts'

/** undefined: not in this chat. */
export async function selectRole(
  db: Db,
  chatId: string,
  userId: number,
): Promise<GroupRole | undefined> {
  const [row] = await db.query<{ role: GroupRole }>(
    'SELECT role FROM members WHERE chat_id = $1 AND user_id = $2',
    [chatId, userId],
  )
  return row?.role
}

export interface Candidate extends Record<string, unknown> {
  id: number
  username: string
  display_name: string | null
  picture: string | null
  active: boolean
  /** It tells what it has read. */
  receipts: boolean
  /** One of the two has blocked the other. */
  blocked: boolean
  /** It takes no strangers, and the adder is one [PRIV-2]. */
  refuses: boolean
  /** In the chat already. */
  is_member: boolean
}

export interface Wanted {
  usernames: readonly string[]
  adderId: number
  /** Of users who have not set it. */
  writeFrom: WriteFrom
  /** undefined: there is none yet. */
  chatId?: string | undefined
}

/**
 * Those of these users that there are. Until the end of the transaction their accounts are not
 * deleted: a deletion looks for the chats of a user once it has the user's row.
 */
export async function selectCandidates(tx: Db, { usernames, adderId, writeFrom, chatId }: Wanted) {
  return tx.query<Candidate>(
    `SELECT u.id, u.username, u.display_name, u.picture, u.active, u.receipts, EXISTS (
       SELECT FROM blocks b WHERE (b.blocker_id = u.id AND b.blocked_id = $2)
         OR (b.blocker_id = $2 AND b.blocked_id = u.id)) AS blocked,
       u.id <> $2 AND coalesce(u.write_from, $4) <> 'everyone' AND NOT EXISTS (
         SELECT FROM chats c JOIN members m ON m.chat_id = c.id AND m.user_id = u.id
         WHERE c.low_id = least(u.id, $2) AND c.high_id = greatest(u.id, $2)
           AND m.active_day IS NOT NULL AND m.request IS NULL) AS refuses,
       EXISTS (SELECT FROM members m WHERE m.chat_id = $3 AND m.user_id = u.id) AS is_member
     FROM users u WHERE u.username = ANY($1::text[]) ORDER BY u.id FOR KEY SHARE OF u`,
    [usernames, adderId, chatId, writeFrom],
  )
}

export interface Entry {
  chatId: string
  userIds: readonly number[]
  role: GroupRole
  /** What was written before is not theirs to see. */
  fromNow: boolean
}

/**
 * Nothing of the past is unread, and the chat is on their lists. Who has left before is here again, with
 * the marks of that time. Returns those who were not members.
 */
export async function insertMembers(tx: Db, { chatId, userIds, role, fromNow }: Entry) {
  const rows = await tx.query<{ user_id: number }>(
    `WITH back AS (DELETE FROM departures WHERE chat_id = $1 AND user_id = ANY($2::bigint[]))
     INSERT INTO members (chat_id, user_id, role, read_seq, cleared_seq, active_day, changed_day,
       slow_until, has_marks)
     SELECT c.id, u.id, $3, c.last_seq, CASE WHEN $4 THEN c.last_seq ELSE 0 END,
       greatest(c.active_day, current_date), greatest(c.changed_day, current_date),
       -- Who leaves and comes back is not sooner for it [TIME-6].
       now() + make_interval(secs => (c.settings ->> 'slowModeSeconds')::int),
       EXISTS (SELECT FROM marks k WHERE k.user_id = u.id AND k.chat_id = c.id)
     FROM chats c, unnest($2::bigint[]) AS u(id) WHERE c.id = $1
     ON CONFLICT DO NOTHING RETURNING user_id`,
    [chatId, userIds, role, fromNow],
  )
  return rows.map(({ user_id }) => user_id)
}

export async function deleteMember(tx: Db, chatId: string, userId: number): Promise<void> {
  await tx.query('DELETE FROM members WHERE chat_id = $1 AND user_id = $2', [chatId, userId])
}

export async function updateRole(tx: Db, chatId: string, userId: number, role: GroupRole) {
  await tx.query('UPDATE members SET role = $3 WHERE chat_id = $1 AND user_id = $2', [
    chatId,
    userId,
    role,
  ])
}

const PERSON = `m.user_id, u.username, u.display_name, u.picture, m.role, m.read_seq, m.request,
  greatest(m.delivered_seq, m.read_seq) AS delivered_seq, u.receipts`

/** undefined: nobody of this name is in the chat. */
export async function selectMember(tx: Db, chatId: string, username: string) {
  const [row] = await tx.query<MemberRow>(
    `SELECT 1 AS nth, ${PERSON} FROM users u
     JOIN members m ON m.chat_id = $1 AND m.user_id = u.id WHERE u.username = $2`,
    [chatId, username],
  )
  return row
}

export async function hasOtherOwner(tx: Db, chatId: string, userId: number): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM members m JOIN users u ON u.id = m.user_id AND u.active
     WHERE m.chat_id = $1 AND m.role = 'owner' AND m.user_id <> $2 LIMIT 1`,
    [chatId, userId],
  )
  return rows.length > 0
}

const RANK = { owner: 0, admin: 1, member: 2 } as const

export interface MemberFilter {
  /** Start of the username or of the display name. */
  search: string | undefined
  /** The last one of the page before. */
  after: { role: GroupRole; userId: number } | undefined
  limit: number
}

/** Owners first, then admins; of each role the oldest accounts first. Each role is read by its index. */
export async function selectMemberPage(db: Db, chatId: string, filter: MemberFilter) {
  const { search, after, limit } = filter
  const prefix = search?.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')
  const ranked = prefix === undefined ? ofRole : foundOfRole
  return db.query<MemberRow>(
    `${ranked('owner')} UNION ALL ${ranked('admin')} UNION ALL ${ranked('member')}
     ORDER BY nth, user_id LIMIT $4`,
    [
      chatId,
      after ? RANK[after.role] : -1,
      after?.userId ?? 0,
      limit,
      ...(prefix === undefined ? [] : [`${prefix}%`]),
    ],
  )
}

const after = (role: GroupRole) => `m.chat_id = $1 AND m.role = '${role}'
  AND $2 <= ${RANK[role]} AND m.user_id > CASE WHEN $2 = ${RANK[role]} THEN $3::bigint ELSE 0 END`

const ofRole = (role: GroupRole) => `(
  SELECT ${RANK[role]} AS nth, ${PERSON} FROM (
    SELECT * FROM members m WHERE ${after(role)} ORDER BY m.user_id LIMIT $4) m
  JOIN users u ON u.id = m.user_id)`

const foundOfRole = (role: GroupRole) => `(
  SELECT ${RANK[role]} AS nth, ${PERSON} FROM members m JOIN users u ON u.id = m.user_id
  WHERE ${after(role)} AND (lower(u.username) LIKE $5 OR lower(u.display_name) LIKE $5)
  ORDER BY m.user_id LIMIT $4)`

export interface Left extends Record<string, unknown> {
  chat_id: string
  last_seq: number
  member_count: number
}

/** Takes a user out of all groups; the caller holds their locks. */
export async function deleteMemberships(tx: Db, userId: number): Promise<Left[]> {
  return tx.query<Left>(
    `WITH gone AS (
       DELETE FROM members m USING chats c
       WHERE m.user_id = $1 AND c.id = m.chat_id AND c.kind = 'group' RETURNING m.chat_id)
     UPDATE chats SET member_count = member_count - 1 FROM gone WHERE id = gone.chat_id
     RETURNING id AS chat_id, last_seq, member_count`,
    [userId],
  )
}

export interface Heir extends MemberRow {
  chat_id: string
}

/** Of each of these groups without an owner: who has been an admin, else a member, the longest owns it. */
export async function promoteHeirs(tx: Db, chatIds: readonly string[]): Promise<Heir[]> {
  return tx.query<Heir>(
    `WITH heirs AS (
       SELECT k.id AS chat_id, (
         SELECT user_id FROM members WHERE chat_id = k.id
         ORDER BY role = 'admin' DESC, joined_at, user_id LIMIT 1) AS user_id
       FROM unnest($1::uuid[]) AS k(id)
       WHERE NOT EXISTS (SELECT FROM members WHERE chat_id = k.id AND role = 'owner'))
     UPDATE members m SET role = 'owner' FROM heirs h JOIN users u ON u.id = h.user_id
     WHERE m.chat_id = h.chat_id AND m.user_id = h.user_id
     RETURNING 1 AS nth, m.chat_id, ${PERSON}`,
    [chatIds],
  )
}
