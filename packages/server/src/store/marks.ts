/** What one user alone has of a message. */
import type { Db, Nth } from './db.ts'

/** As JSON of the database: times are ISO 8601 in UTC. */
export interface MarkRow extends Record<string, unknown> {
  seq: number
  rev: number
  starredAt: string | null
  deleted: boolean
  reactions: string[] | null
  votes: number[] | null
}

/** The mark of a user on the message `m`, as one JSON value. */
function markOf(userId: string, m: string): string {
  return `(SELECT jsonb_build_object('seq', mk.seq, 'rev', mk.rev, 'deleted', mk.deleted,
      'starredAt', to_char(mk.starred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'reactions', (SELECT jsonb_agg(r.emoji ORDER BY r.created_at, r.emoji) FROM reactions r
        WHERE r.chat_id = mk.chat_id AND r.seq = mk.seq AND r.user_id = mk.user_id),
      'votes', (SELECT jsonb_agg(v.option ORDER BY v.option) FROM votes v
        WHERE v.chat_id = mk.chat_id AND v.seq = mk.seq AND v.user_id = mk.user_id))
    FROM marks mk
    WHERE mk.user_id = ${userId} AND mk.chat_id = ${m}.chat_id AND mk.seq = ${m}.seq)`
}

interface Markable {
  user_id: number
  chat_id: string
  seq: number
  has_marks: boolean
  mark: MarkRow | null
}

/** The marks of each one's user on its message, where that user has any in the chat. */
export async function addMarks(db: Db, messages: Markable[]): Promise<void> {
  const some = messages.filter(({ has_marks }) => has_marks)
  if (some.length === 0) return
  const rows = await db.query<{ nth: number; mark: MarkRow | null }>(
    `SELECT k.nth::int AS nth, ${markOf('k.user_id', 'k')} AS mark
     FROM unnest($1::bigint[], $2::uuid[], $3::int[]) WITH ORDINALITY AS k(user_id, chat_id, seq, nth)`,
    [
      some.map(({ user_id }) => user_id),
      some.map(({ chat_id }) => chat_id),
      some.map(({ seq }) => seq),
    ],
    'select_marks_of',
  )
  for (const { nth, mark } of rows) {
    const message = some[nth - 1]
    if (message) message.mark = mark
  }
}

interface Marked extends Record<string, unknown> {
  chat_id: string
  mark: MarkRow
}

/** The user's marks on the messages `from` to `to`, both included. */
export async function selectMarks(
  db: Db,
  { userId, chatId, from, to }: { userId: number; chatId: string; from: number; to: number },
): Promise<MarkRow[]> {
  const rows = await db.query<Marked>(
    `SELECT m.chat_id, ${markOf('m.user_id', 'm')} AS mark FROM marks m
     WHERE m.user_id = $1 AND m.chat_id = $2 AND m.seq BETWEEN $3 AND $4 ORDER BY m.seq`,
    [userId, chatId, from, to],
    'select_marks',
  )
  return rows.map(({ mark }) => mark)
}

/** What decides whether a member sees a message; undefined: no member. */
export async function selectVisibility(
  db: Db,
  { userId, chatId, seq }: { userId: number; chatId: string; seq: number },
) {
  const [row] = await db.query<{ cleared_seq: number; deleted: boolean; starred: boolean }>(
    `SELECT m.cleared_seq, coalesce(k.deleted, false) AS deleted,
       k.starred_at IS NOT NULL AS starred
     FROM members m LEFT JOIN marks k
       ON k.user_id = m.user_id AND k.chat_id = m.chat_id AND k.seq = $3
     WHERE m.chat_id = $1 AND m.user_id = $2`,
    [chatId, userId, seq],
    'select_visibility',
  )
  return row
}

/** What these members of a chat have marked in the last minutes. */
export async function selectLateMarks(db: Db, chatId: string, userIds: number[]) {
  return db.query<{ user_id: number; mark: MarkRow }>(
    `SELECT k.user_id, ${markOf('k.user_id', 'k')} AS mark
     FROM members m JOIN marks k ON k.user_id = m.user_id AND k.chat_id = m.chat_id
     WHERE m.chat_id = $1 AND m.user_id = ANY($2::bigint[]) AND m.has_marks
       AND k.changed_at > now() - interval '2 minutes'
     ORDER BY k.changed_at DESC LIMIT 500`,
    [chatId, userIds],
    'select_late_marks',
  )
}

export interface MarksKey {
  userId: number
  since: Date
}
export interface ChangedMarks extends Nth {
  chat_id: string
  mark: MarkRow
}

/** For each key the user's marks that changed since then, at most `limit`. */
export async function selectChangedMarks(db: Db, keys: readonly MarksKey[], limit: number) {
  return db.query<ChangedMarks>(
    `SELECT w.nth::int AS nth, m.chat_id, ${markOf('m.user_id', 'm')} AS mark
     FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS w(user_id, since, nth)
     CROSS JOIN LATERAL (
       SELECT * FROM marks WHERE user_id = w.user_id AND changed_at >= w.since LIMIT $3) m`,
    [keys.map(({ userId }) => userId), keys.map(({ since }) => since), limit],
    'select_changed_marks',
  )
}

/** The members for whom this message is gone, each with up to where. */
export async function selectCleared(db: Db, chatId: string, seq: number) {
  const rows = await db.query<{ user_id: number; cleared_seq: number }>(
    `SELECT user_id, cleared_seq FROM members
     WHERE chat_id = $1 AND cleared_seq >= $2 AND cleared_seq > 0`,
    [chatId, seq],
    'select_cleared',
  )
  return new Map(rows.map(({ user_id, cleared_seq }) => [user_id, cleared_seq]))
}

/** The caller holds the chat's lock; `starred`, `deleted` undefined: as before. */
export async function upsertMark(
  db: Db,
  mark: {
    userId: number
    chatId: string
    seq: number
    rev: number
    starred?: boolean
    deleted?: boolean
  },
): Promise<MarkRow> {
  const { userId, chatId, seq, rev, starred, deleted } = mark
  await db.query(
    `INSERT INTO marks (user_id, chat_id, seq, rev, starred_at, deleted)
     VALUES ($1, $2, $3, $4, CASE WHEN $5::boolean THEN now() END, coalesce($6::boolean, false))
     ON CONFLICT (user_id, chat_id, seq) DO UPDATE SET rev = $4, changed_at = now(),
       starred_at = CASE WHEN $5 IS NULL THEN marks.starred_at WHEN $5 THEN now() END,
       deleted = coalesce($6, marks.deleted)`,
    [userId, chatId, seq, rev, starred, deleted],
  )
  await db.query(
    `UPDATE members SET has_marks = true WHERE chat_id = $1 AND user_id = $2 AND NOT has_marks`,
    [chatId, userId],
  )
  const [row] = await selectMarks(db, { userId, chatId, from: seq, to: seq })
  if (!row) throw new Error('A mark was not stored')
  return row
}

export interface StarRow extends Record<string, unknown> {
  chat_id: string
  kind: 'direct' | 'group'
  cleared_seq: number
  seq: number
  mark: MarkRow
  /** With microseconds, for a cursor. */
  starred_at_text: string
}

/** Messages with a star in chats that the user is in, the newest star first. */
export async function selectStars(
  db: Db,
  userId: number,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<StarRow[]> {
  return db.query<StarRow>(
    `SELECT k.chat_id, c.kind, m.cleared_seq, k.seq, k.starred_at::text AS starred_at_text,
       ${markOf('k.user_id', 'k')} AS mark
     FROM marks k JOIN chats c ON c.id = k.chat_id
     JOIN members m ON m.chat_id = k.chat_id AND m.user_id = k.user_id AND m.cleared_seq < k.seq
     WHERE k.user_id = $1 AND k.starred_at IS NOT NULL AND NOT k.deleted
       AND ($2::timestamptz IS NULL OR k.starred_at < $2)
     ORDER BY k.starred_at DESC LIMIT $3`,
    [userId, after, limit],
  )
}
