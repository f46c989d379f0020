/** What a message has beside its text: the column `content`, and what is looked up for it. */
import type { File, Preview, SystemEvent } from '@microchatter/protocol'
import type { Db } from './db.ts'

/** As it is stored. Times are ISO 8601 in UTC, users are ids, messages are seqs of the same chat. */
export interface Content {
  kind?: 'system' | 'poll' | 'location' | 'card'
  type?: string
  /** Of users it has ids, so that a deleted account leaves no name behind. */
  event?: Omit<SystemEvent, 'usernames'> & { userIds?: number[] | undefined }
  reply?: number
  thread?: number
  mentions?: number[]
  mentionAll?: true
  forwarded?: true
  metadata?: Record<string, unknown>
  poll?: PollContent
  location?: Record<string, unknown>
  card?: Record<string, unknown>
  /** As they were when it was sent; they do not change. */
  files?: File[]
  preview?: Preview
  /** Its sender wants none. */
  noPreview?: true
  expiresAt?: string
  editedAt?: string
  deletedAt?: string
  deletedBy?: number
  pinned?: true
  /** There are rows in `reactions`. */
  reacted?: true
  /** It has a thread. */
  threaded?: true
}

export interface PollContent {
  options: string[]
  multiple?: boolean
  anonymous?: boolean
  closesAt?: string
  closed?: boolean
}

/** What a reading of a message looks up, of what its content says is there. */
export interface Details {
  reply?: {
    seq: number
    sender?: string
    body: string
    kind?: NonNullable<Content['kind']>
    fileKind?: File['kind']
    deletedAt?: string
    expiresAt?: string
    change?: number
  }
  mentions?: string[]
  /** Of whom a system message tells. */
  usernames?: string[]
  deletedBy?: string
  reactions?: { emoji: string; count: number; usernames: string[] }[]
  votes?: { option: number; count: number; usernames: string[] }[]
  voters?: number
  replies?: { count: number; lastSeq: number }
}

/** Names shown beside a count. */
const NAMES = 10
/** Code points of a quote. */
export const QUOTED = 200

/** A message as it is read; `details` is null until it is looked up. */
interface Readable {
  chat_id: string
  seq: number
  content: Content | null
  details?: Details | null
}

const LOOKED_UP = [
  'event',
  'reply',
  'mentions',
  'deletedBy',
  'reacted',
  'poll',
  'threaded',
] as const

/**
 * Looks up what the contents of these messages say is there, by a statement of its own: nearly all
 * messages are plain, and a statement that could do both takes half as long again for those (measured).
 */
export async function addDetails<R extends Readable>(db: Db, rows: R[]): Promise<R[]> {
  const rich = rows.filter(({ content }) => content && LOOKED_UP.some((key) => key in content))
  if (rich.length === 0) return rows
  const found = await db.query<{ nth: number; details: Details }>(
    SELECT_DETAILS,
    [rich.map(({ chat_id }) => chat_id), rich.map(({ seq }) => seq)],
    'select_details',
  )
  for (const { nth, details } of found) {
    const row = rich[nth - 1]
    if (row) row.details = details
  }
  return rows
}

/** The first to do so, of those whose accounts are still there. */
function names(row: string): string {
  return `(coalesce(array_agg(u.username ORDER BY ${row}.created_at, u.id)
    FILTER (WHERE u.username IS NOT NULL), '{}'))[1:${NAMES}]`
}

const SELECT_DETAILS = `
  SELECT k.nth::int AS nth, jsonb_strip_nulls(
    jsonb_build_object(
      'reply', CASE WHEN m.content ? 'reply' THEN (
        SELECT jsonb_build_object('seq', q.seq, 'sender', qu.username, 'body', left(q.body, ${QUOTED}),
          'kind', q.content ->> 'kind', 'fileKind', q.content #>> '{files,0,kind}', 'deletedAt', q.content ->> 'deletedAt',
          'expiresAt', q.content ->> 'expiresAt', 'change', nullif(q.change, 0))
        FROM messages q JOIN users qu ON qu.id = q.sender_id
        WHERE q.chat_id = m.chat_id AND q.seq = (m.content ->> 'reply')::int) END,
      'mentions', CASE WHEN m.content ? 'mentions' THEN (
        SELECT jsonb_agg(mu.username ORDER BY mu.username)
        FROM jsonb_array_elements_text(m.content -> 'mentions') AS i(id)
        JOIN users mu ON mu.id = i.id::bigint WHERE mu.username IS NOT NULL) END,
      'usernames', CASE WHEN m.content ? 'event' THEN (
        SELECT jsonb_agg(e.username ORDER BY i.nth)
        FROM jsonb_array_elements_text(m.content -> 'event' -> 'userIds') WITH ORDINALITY AS i(id, nth)
        JOIN users e ON e.id = i.id::bigint WHERE e.username IS NOT NULL) END,
      'deletedBy', CASE WHEN m.content ? 'deletedBy' THEN (
        SELECT username FROM users WHERE id = (m.content ->> 'deletedBy')::bigint) END,
      'reactions', CASE WHEN m.content ? 'reacted' THEN (
        SELECT jsonb_agg(jsonb_build_object('emoji', g.emoji, 'count', g.n, 'usernames', g.names)
          ORDER BY g.since, g.emoji)
        FROM (SELECT r.emoji, count(*) AS n, min(r.created_at) AS since, ${names('r')} AS names
          FROM reactions r JOIN users u ON u.id = r.user_id
          WHERE r.chat_id = m.chat_id AND r.seq = m.seq GROUP BY r.emoji) g) END,
      'votes', CASE WHEN m.content ? 'poll' THEN (
        SELECT jsonb_agg(jsonb_build_object('option', g.option, 'count', g.n, 'usernames', g.names))
        FROM (SELECT v.option, count(*) AS n, ${names('v')} AS names
          FROM votes v JOIN users u ON u.id = v.user_id
          WHERE v.chat_id = m.chat_id AND v.seq = m.seq GROUP BY v.option) g) END,
      'voters', CASE WHEN m.content ? 'poll' THEN (
        SELECT count(DISTINCT user_id) FROM votes
        WHERE chat_id = m.chat_id AND seq = m.seq) END,
      'replies', CASE WHEN m.content ? 'threaded' THEN (
        SELECT CASE WHEN count(*) > 0 THEN
          jsonb_build_object('count', count(*), 'lastSeq', max(t.seq)) END
        FROM messages t WHERE t.chat_id = m.chat_id AND t.content ? 'thread'
          AND (t.content ->> 'thread')::integer = m.seq) END)) AS details
  FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS k(chat_id, seq, nth)
  JOIN messages m ON m.chat_id = k.chat_id AND m.seq = k.seq`
