/**
 * The words of messages. [SEARCH-2] What is found is always what stands in `messages` at that moment: the
 * index only says where to look. What it does not have yet, because a message or a change of one has just
 * come, is looked through by itself; there is little of it, unless sends leave the index no time.
 *
 * A term is a word, a sender or a kind, with the end of its chat's id before it: `6f1c0a9be277 hello`.
 * A search looks into each chat by itself, and so reads nothing of any other chat, however common a word is.
 */
import type { Db } from './db.ts'

/** Of a chat's id: 48 bits, by chance; two chats that share them are told apart by their ids. */
const chatTag = (id: string) => `right(${id}::text, 12)`

/** Bytes of a word; PostgreSQL takes 2,046, with the chat before it. Who looks for a longer one finds nothing. */
const LONGEST = 1_000

const ADDRESS = `'https?://[^[:space:]]'`

/** What is looked for besides words: `@` and the sender's id, `#` and the kind or what else it has. */
const marks = (m: string) => `(ARRAY[
  '@' || ${m}.sender_id,
  '#' || coalesce(${m}.content ->> 'kind', 'text'),
  CASE WHEN ${m}.body ~* ${ADDRESS} THEN '#link' END,
  CASE WHEN ${m}.content ? 'files' THEN '#file' END]
  || CASE WHEN ${m}.content ? 'files' THEN ARRAY(
    SELECT '#' || kind FROM jsonb_to_recordset(${m}.content -> 'files') AS f(kind text)
    WHERE kind <> 'file') END)`

/** The text, and the names of the files, as they are and in parts. */
const textOf = (m: string) => `(CASE WHEN ${m}.content ? 'files' THEN ${m}.body || ' ' || (
  SELECT string_agg(name || ' ' || regexp_replace(name, '[^[:alnum:]]+', ' ', 'g'), ' ')
  FROM jsonb_to_recordset(${m}.content -> 'files') AS f(name text)) ELSE ${m}.body END)`

const vectorOf = (m: string) => `to_tsvector($2::text::regconfig, ${textOf(m)})`
const wordsOf = (m: string) => `tsvector_to_array(${vectorOf(m)})`

/** Nothing is left of it that may be found. */
const isGone = (m: string) => `(${m}.content ? 'deletedAt' OR ${m}.content ->> 'kind' = 'system')`

/**
 * All of these that no other node is at, up to `limit` messages and changes of each; true: there are more.
 * One statement, so what `indexed` says is of the same moment as the words.
 */
export async function indexChats(
  db: Db,
  chatIds: readonly string[],
  { language, limit }: { language: string; limit: number },
): Promise<boolean> {
  const [done] = await db.query<{ is_partial: boolean }>(
    INDEX,
    [chatIds, language, limit],
    'index_messages',
  )
  return done?.is_partial === true
}

const INDEX = `
  WITH k AS MATERIALIZED (
    SELECT c.id, c.last_seq, c.changes AS last_change, coalesce(i.seq, 0) AS seq,
      coalesce(i.changes, 0) AS changes
    FROM unnest($1::uuid[]) AS w(id) JOIN chats c ON c.id = w.id
    LEFT JOIN indexed i ON i.chat_id = w.id AND i.language = $2
    WHERE pg_try_advisory_xact_lock(hashtextextended(current_schema() || w.id::text, 0))),
  fresh AS (
    SELECT m.* FROM k CROSS JOIN LATERAL (
      SELECT * FROM messages WHERE chat_id = k.id AND seq > k.seq ORDER BY seq LIMIT $3) m),
  changed AS (
    SELECT m.* FROM k CROSS JOIN LATERAL (
      SELECT * FROM messages WHERE chat_id = k.id AND change > k.changes AND change > 0
      ORDER BY change LIMIT $3) m),
  both_of AS (
    SELECT * FROM fresh UNION ALL
    SELECT c.* FROM changed c JOIN k ON k.id = c.chat_id AND c.seq <= k.seq),
  put AS (
    INSERT INTO findable (chat_id, seq, at, terms)
    SELECT m.chat_id, m.seq, m.created_at, array_to_tsvector(ARRAY(
      SELECT DISTINCT ${chatTag('m.chat_id')} || t.mark || t.term FROM (
        SELECT ' ' AS mark, unnest(${wordsOf('m')}) AS term
        UNION ALL SELECT '', unnest(${marks('m')})) t WHERE octet_length(t.term) <= ${LONGEST}))
    FROM both_of m WHERE NOT coalesce(${isGone('m')}, false)
    ON CONFLICT (chat_id, seq) DO UPDATE SET terms = excluded.terms),
  gone AS (
    DELETE FROM findable f USING both_of m
    WHERE f.chat_id = m.chat_id AND f.seq = m.seq AND ${isGone('m')}),
  upto AS (
    SELECT k.id,
      CASE WHEN f.n < $3 THEN k.last_seq ELSE f.seq END AS seq,
      CASE WHEN c.n < $3 THEN k.last_change ELSE c.change END AS changes,
      f.n >= $3 OR c.n >= $3 AS is_partial
    FROM k CROSS JOIN LATERAL (
      SELECT count(*) AS n, max(seq) AS seq FROM fresh WHERE chat_id = k.id) f
    CROSS JOIN LATERAL (
      SELECT count(*) AS n, max(change) AS change FROM changed WHERE chat_id = k.id) c),
  marked AS (
    INSERT INTO indexed (chat_id, seq, changes, language) SELECT id, seq, changes, $2 FROM upto
    ON CONFLICT (chat_id) DO UPDATE
    SET seq = excluded.seq, changes = excluded.changes, language = excluded.language)
  SELECT coalesce(bool_or(is_partial), false) AS is_partial FROM upto`

/** Chats of which something is not in it yet; all of them are read. */
export async function selectUnindexed(
  db: Db,
  { language, after, limit }: { language: string; after: string | undefined; limit: number },
) {
  return db.query<{ id: string }>(
    `SELECT c.id FROM chats c LEFT JOIN indexed i ON i.chat_id = c.id AND i.language = $1
     WHERE c.id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
       AND c.last_seq > 0 AND (c.last_seq > coalesce(i.seq, 0) OR c.changes > coalesce(i.changes, 0))
     ORDER BY c.id LIMIT $3`,
    [language, after, limit],
  )
}

export interface Sought {
  userId: number
  language: string
  /** All of them have to be there; the last one may be the beginning of a word. Empty: any text. */
  words: { whole: string; last: string }
  chatId?: string | undefined
  senderId?: number | undefined
  /** `text`, `poll`, `location`, `card`. */
  kind?: string | undefined
  /** Any file, or one of its kind. */
  has?: 'link' | 'file' | 'image' | 'video' | 'audio' | undefined
  /** ISO 8601 or as PostgreSQL writes it. */
  after?: string | undefined
  before?: string | undefined
  /** The last hit of the page before. */
  behind?: { at: string; chatId: string; seq: number } | undefined
  /** Chats that are looked into, those with the newest messages first. */
  chats: number
  limit: number
}

export interface Hit extends Record<string, unknown> {
  chat_id: string
  seq: number
  /** As PostgreSQL writes it. */
  at: string
  kind: 'direct' | 'group'
  cleared_seq: number
  has_marks: boolean
  /** false: it was, until it was changed a moment ago. */
  is_found: boolean
}

/** How far back one chat is looked through where the index has not come to yet. */
const UNINDEXED = 500

/** The words as a query: `'hello' & 'wor':*`, in the order in which they stand, without stop words. */
const QUERY = `(plainto_tsquery($2::text::regconfig, $3) && CASE WHEN $4 = '' THEN ''::tsquery
  ELSE to_tsquery($2::text::regconfig, '''' || replace(replace($4, '\\', '\\\\'), '''', '''''') || ''':*') END)`

/** Times are asked for as the wire has them: to the millisecond. */
const LATER = `interval '1 millisecond'`

const matches = (m: string) => `(
  (numnode(q.words) = 0 OR ${vectorOf(m)} @@ q.words)
  AND ($6::bigint IS NULL OR ${m}.sender_id = $6)
  AND ($7::text IS NULL OR coalesce(${m}.content ->> 'kind', 'text') = $7)
  AND ($8::text IS NULL OR CASE $8::text WHEN 'link' THEN ${m}.body ~* ${ADDRESS}
    WHEN 'file' THEN coalesce(${m}.content ? 'files', false)
    ELSE coalesce(${m}.content -> 'files' @> jsonb_build_array(jsonb_build_object('kind', $8::text)), false) END)
  AND NOT coalesce(${isGone(m)}, false)
  AND ($9::timestamptz IS NULL OR ${m}.created_at >= $9 + ${LATER})
  AND ($10::timestamptz IS NULL OR ${m}.created_at < $10)
  AND ($11::timestamptz IS NULL OR (${m}.created_at, ${m}.chat_id, ${m}.seq) < ($11, $12::uuid, $13)))`

/** [SEARCH-1] Newest first. `(at, chat_id, seq)` of the last one is where the next page begins. */
export async function selectHits(db: Db, sought: Sought): Promise<Hit[]> {
  const { userId, language, words, chatId, senderId, kind, has, after, before } = sought
  const { behind, chats, limit } = sought
  return db.query<Hit>(
    SEARCH,
    [
      userId,
      language,
      words.whole,
      words.last,
      chatId ?? null,
      senderId ?? null,
      kind ?? null,
      has ?? null,
      after ?? null,
      before ?? null,
      behind?.at ?? null,
      behind?.chatId ?? null,
      behind?.seq ?? null,
      chats,
      limit,
      UNINDEXED,
    ],
    'search',
  )
}

/** The query with its chat before each word; nothing but marks where there are no words. */
const TERMS = `concat_ws(' & ',
  nullif(regexp_replace(regexp_replace(q.words::text, '<(-|\\d+)>', '&', 'g'),
    '''((?:[^'']|'''')*)''', '''' || k.tag || ' \\1''', 'g'), ''),
  CASE WHEN $6::bigint IS NOT NULL THEN '''' || k.tag || '@' || $6 || '''' END,
  CASE WHEN $7::text IS NOT NULL THEN '''' || k.tag || '#' || $7 || '''' END,
  CASE WHEN $8::text IS NOT NULL THEN '''' || k.tag || '#' || $8 || '''' END)::tsquery`

const SEARCH = `
  WITH q AS MATERIALIZED (
    SELECT * FROM (SELECT ${QUERY} AS words) w WHERE numnode(words) > 0 OR $3 || $4 = ''),
  k AS MATERIALIZED (
    SELECT m.chat_id AS id, ${chatTag('m.chat_id')} AS tag, c.kind, m.cleared_seq, m.has_marks,
      coalesce(i.seq, 0) AS seq, coalesce(i.changes, 0) AS changes,
      c.last_seq > coalesce(i.seq, 0) OR c.changes > coalesce(i.changes, 0) AS is_behind
    FROM (
      SELECT m.chat_id, m.cleared_seq, m.has_marks FROM members m JOIN chats c ON c.id = m.chat_id
      WHERE m.user_id = $1 AND ($5::uuid IS NULL OR m.chat_id = $5) AND c.last_seq > m.cleared_seq
        AND NOT (m.active_day IS NULL AND m.changed_at = '-infinity')
      ORDER BY c.last_at DESC, c.id DESC LIMIT $14) m
    JOIN chats c ON c.id = m.chat_id
    LEFT JOIN indexed i ON i.chat_id = m.chat_id AND i.language = $2),
  hits AS (
    SELECT k.id, h.seq, h.at FROM q, k CROSS JOIN LATERAL (
      SELECT f.seq, f.at FROM findable f
      WHERE f.terms @@ ${TERMS} AND f.chat_id = k.id AND f.seq > k.cleared_seq
        AND ($9::timestamptz IS NULL OR f.at >= $9 + ${LATER}) AND ($10::timestamptz IS NULL OR f.at < $10)
        AND ($11::timestamptz IS NULL OR (f.at, f.chat_id, f.seq) < ($11, $12::uuid, $13))
      ORDER BY f.at DESC, f.seq DESC LIMIT $15) h
    UNION
    SELECT k.id, h.seq, h.created_at FROM q, k CROSS JOIN LATERAL (
      SELECT m.seq, m.created_at FROM (
        SELECT * FROM messages WHERE chat_id = k.id AND seq > greatest(k.seq, k.cleared_seq)
        ORDER BY seq DESC LIMIT $16) m
      WHERE ${matches('m')}
      UNION
      SELECT m.seq, m.created_at FROM (
        SELECT * FROM messages WHERE chat_id = k.id AND change > k.changes AND change > 0
        ORDER BY change DESC LIMIT $16) m
      WHERE m.seq > k.cleared_seq AND ${matches('m')}) h
    WHERE k.is_behind),
  top AS MATERIALIZED (SELECT * FROM hits ORDER BY at DESC, id DESC, seq DESC LIMIT $15)
  SELECT top.id AS chat_id, top.seq, top.at::text AS at, k.kind, k.cleared_seq, k.has_marks,
    ${matches('m')} AS is_found
  FROM top JOIN k ON k.id = top.id CROSS JOIN q JOIN messages m ON m.chat_id = top.id AND m.seq = top.seq
  ORDER BY top.at DESC, top.id DESC, top.seq DESC`
