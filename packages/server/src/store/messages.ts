import { addDetails, type Content, type Details } from './content.ts'
import type { Db, Nth } from './db.ts'
import { APPEARED, STAYS_ARCHIVED } from './members.ts'

export interface MessageRow extends Record<string, unknown> {
  chat_id: string
  seq: number
  sender_id: number
  /** null: the account was deleted. */
  sender: string | null
  client_id: string
  body: string
  /** As PostgreSQL writes it: `isoOf` has it for the wire. */
  created_at: string
  change: number
  /** null: a text and nothing more. */
  content: Content | null
  details?: Details | null
}

/** What a message has beside its text when it is sent. */
export interface Rich {
  content: Content
  /** User ids, and 0 for all members. */
  mentioned: number[]
}

/** The messages that one statement adds to one chat. */
export interface ChatBatch {
  chatId: string
  /** The rights that they were checked against; the chat is left alone where they have changed. */
  rightsRev: number
  /** The first message of a day: active_day of all members moves. */
  touch: boolean
  /** Seconds after which messages disappear; undefined: they stay. */
  expireAfter?: number | undefined
  messages: NewMessage[]
}
export interface NewMessage {
  senderId: number
  clientId: string
  body: string
  rich?: Rich | undefined
}
export interface Numbered extends Record<string, unknown> {
  id: string
  /** The first message of the batch has seq base + 1. */
  base: number
  last_at: Date
  /** Where all members were touched: those on whose lists the chat came, or came back. */
  appeared: number[] | null
}

/**
 * [SEND-5] Numbers and inserts a whole batch in one statement. [SEND-2] The chat's row is the lock
 * under which seq is given. Chats that come back are written; those that do not had other rights, or
 * needed `touch`. [READ-1] The senders' read_seq moves along.
 */
export async function insertMessages(db: Db, batches: ChatBatch[]): Promise<Numbered[]> {
  const chats = batches.map(({ chatId }) => chatId)
  const counts: number[] = []
  const senderCounts: number[] = []
  const senderIds: number[] = []
  const clientIds: string[] = []
  const bodies: string[] = []
  const readers: number[] = []
  const readNths: number[] = []
  for (const { messages } of batches) {
    counts.push(messages.length)
    const lastOf = new Map<number, number>()
    for (const [index, { senderId, clientId, body }] of messages.entries()) {
      senderIds.push(senderId)
      clientIds.push(clientId)
      bodies.push(body)
      lastOf.set(senderId, index + 1)
    }
    senderCounts.push(lastOf.size)
    for (const [senderId, nth] of lastOf) {
      readers.push(senderId)
      readNths.push(nth)
    }
  }
  const values = [
    literal(chats),
    literal(startsOf(counts)),
    literal(counts),
    literal(startsOf(senderCounts)),
    literal(senderCounts),
    literal(batches.map(({ rightsRev }) => rightsRev)),
    literal(batches.map(({ touch }) => touch)),
    literal(senderIds),
    literal(clientIds),
    literal(bodies.map(quote)),
    literal(readers),
    literal(readNths),
  ]
  if (batches.some(isRich))
    return db.query<Numbered>(INSERT_RICH, [...values, ...richValues(batches)], 'insert_rich')
  return batches.some(({ touch }) => touch)
    ? db.query<Numbered>(INSERT_TOUCHING, values, 'insert_touching')
    : db.query<Numbered>(INSERT, values, 'insert_messages')
}

function isRich({ expireAfter, messages }: ChatBatch): boolean {
  return expireAfter !== undefined || messages.some(({ rich }) => rich !== undefined)
}

function richValues(batches: ChatBatch[]): string[] {
  const contents: string[] = []
  const mentioned: number[] = []
  const nths: number[] = []
  const counts = batches.map(({ messages }) => {
    const before = mentioned.length
    for (const [index, { rich }] of messages.entries()) {
      contents.push(rich ? quote(JSON.stringify(rich.content)) : 'NULL')
      for (const userId of rich?.mentioned ?? []) {
        mentioned.push(userId)
        nths.push(index + 1)
      }
    }
    return mentioned.length - before
  })
  return [
    literal(contents),
    literal(startsOf(counts)),
    literal(counts),
    literal(mentioned),
    literal(nths),
    literal(batches.map(({ expireAfter }) => expireAfter ?? 0)),
  ]
}

/** An array as PostgreSQL reads it; the driver's own way escapes each element, numbers too. */
function literal(values: readonly (string | number | boolean)[]): string {
  return `{${values.join(',')}}`
}

/** An element of an array's literal, whatever is in it. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

function startsOf(counts: number[]): number[] {
  let next = 1
  return counts.map((count) => {
    const start = next
    next += count
    return start
  })
}

/** As exact as the wire has it. */
const EXPIRY = `(date_trunc('milliseconds', c.last_at) + make_interval(secs => c.ttl))`

/**
 * `rich`: also for messages that have more than a text; `touch`: also for chats whose members are
 * touched. Nearly all need neither, and what a statement could do costs each time it runs.
 */
function insertSql({ rich, touch }: { rich: boolean; touch: boolean }): string {
  const only = (sql: string) => (rich ? sql : '')
  const touching = (sql: string) => (touch ? sql : '')
  return `
  WITH c AS (
    UPDATE chats SET last_seq = chats.last_seq + g.n, last_at = greatest(chats.last_at, now()),
      active_day = current_date
      ${only(', mention_seq = CASE WHEN g.mentions > 0 THEN chats.last_seq + g.n ELSE chats.mention_seq END')}
    FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::boolean[]
      ${only(', $14::int[], $15::int[], $18::int[]')})
      AS g(chat_id, start, n, sender_start, senders, rights_rev, touch
      ${only(', mention_start, mentions, ttl')})
    WHERE chats.id = g.chat_id AND chats.rights_rev = g.rights_rev
      AND (g.touch OR chats.active_day = current_date)
    RETURNING chats.id, chats.last_seq - g.n AS base, chats.last_at, g.*),
  inserted AS (
    INSERT INTO messages (chat_id, seq, sender_id, client_id, body, created_at ${only(', content')})
    SELECT c.id, c.base + i.nth, i.sender_id, i.client_id, i.body, c.last_at
      ${only(`, CASE WHEN c.ttl > 0 THEN coalesce(i.content, '{}') || jsonb_build_object('expiresAt',
        to_char(${EXPIRY} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ELSE i.content END`)}
    FROM c, unnest(($8::bigint[])[start:start + n - 1], ($9::uuid[])[start:start + n - 1],
      ($10::text[])[start:start + n - 1] ${only(', ($13::jsonb[])[start:start + n - 1]')})
      WITH ORDINALITY AS i(sender_id, client_id, body ${only(', content')}, nth)),
  ${only(`filed AS (
    INSERT INTO message_files (chat_id, seq, file_id)
    SELECT c.id, c.base + i.nth, f.id::uuid
    FROM c, unnest(($13::jsonb[])[start:start + n - 1]) WITH ORDINALITY AS i(content, nth),
      LATERAL (SELECT jsonb_path_query(i.content, '$.files[*].id') #>> '{}' AS id
        UNION SELECT i.content #>> '{preview,image,id}') f WHERE f.id IS NOT NULL
    RETURNING file_id),
  kept AS (UPDATE files SET expires_at = NULL, held_until = NULL
    WHERE id IN (SELECT file_id FROM filed) AND NOT gone),
  expiring AS (
    INSERT INTO expiring (chat_id, seq, expires_at)
    SELECT c.id, c.base + i.nth, ${EXPIRY}
    FROM c, generate_series(1, c.n) AS i(nth) WHERE c.ttl > 0),
  mentioned AS (
    INSERT INTO mentions (chat_id, user_id, seq)
    SELECT DISTINCT c.id, i.user_id, c.base + i.nth
    FROM c, unnest(($16::bigint[])[mention_start:mention_start + mentions - 1],
      ($17::int[])[mention_start:mention_start + mentions - 1]) AS i(user_id, nth)),`)}
  sent AS (
    UPDATE members SET read_seq = greatest(members.read_seq, c.base + s.nth)
    FROM c, unnest(($11::bigint[])[sender_start:sender_start + senders - 1],
      ($12::int[])[sender_start:sender_start + senders - 1]) AS s(sender_id, nth)
    WHERE members.chat_id = c.id AND members.user_id = s.sender_id AND NOT c.touch)
  ${touching(`, touched AS (
    UPDATE members SET active_day = current_date,
      archived = ${STAYS_ARCHIVED},
      read_seq = greatest(members.read_seq, (SELECT c.base + s.nth
        FROM unnest(($11::bigint[])[sender_start:sender_start + senders - 1],
          ($12::int[])[sender_start:sender_start + senders - 1]) AS s(sender_id, nth)
        WHERE s.sender_id = members.user_id))
    FROM c WHERE members.chat_id = c.id AND c.touch
      AND (members.active_day IS DISTINCT FROM current_date OR members.archived OR members.user_id
        = ANY(($11::bigint[])[sender_start:sender_start + senders - 1])))`)}
  SELECT id, base, last_at,
    ${touch ? `CASE WHEN touch THEN ${APPEARED} END` : 'NULL'} AS appeared
  FROM c`
}
const INSERT = insertSql({ rich: false, touch: false })
const INSERT_TOUCHING = insertSql({ rich: false, touch: true })
const INSERT_RICH = insertSql({ rich: true, touch: true })

const COLUMNS = `m.chat_id, m.seq, m.sender_id, u.username AS sender, m.client_id, m.body,
  m.created_at::text AS created_at, m.change, m.content`

export interface SentRow extends MessageRow {
  /** The sender is in the chat still. */
  is_member: boolean
}

/** [SEND-3] The messages that these (chat, sender, clientId) have already made. */
export async function selectSent(
  db: Db,
  keys: { chatId: string; senderId: number; clientId: string }[],
): Promise<SentRow[]> {
  const rows = await db.query<SentRow>(
    `SELECT ${COLUMNS}, EXISTS (SELECT FROM members b
       WHERE b.chat_id = m.chat_id AND b.user_id = m.sender_id) AS is_member
     FROM unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS k(chat_id, sender_id, client_id)
     JOIN messages m USING (chat_id, sender_id, client_id) JOIN users u ON u.id = m.sender_id`,
    [
      keys.map(({ chatId }) => chatId),
      keys.map(({ senderId }) => senderId),
      keys.map(({ clientId }) => clientId),
    ],
  )
  return addDetails(db, rows)
}

/** Messages `from` to `to`, both included, oldest first. seq has no gaps, so this is a page. */
export async function selectMessages(
  db: Db,
  { chatId, from, to }: { chatId: string; from: number; to: number },
): Promise<MessageRow[]> {
  const rows = await db.query<MessageRow>(
    `SELECT ${COLUMNS} FROM messages m JOIN users u ON u.id = m.sender_id
     WHERE m.chat_id = $1 AND m.seq BETWEEN $2 AND $3 ORDER BY m.seq`,
    [chatId, from, to],
    'select_messages',
  )
  return addDetails(db, rows)
}

/** Those of these messages that there are, in any order. */
export async function selectMessagesAt(
  db: Db,
  keys: readonly { chat_id: string; seq: number }[],
): Promise<MessageRow[]> {
  const rows = await db.query<MessageRow>(
    `SELECT ${COLUMNS} FROM unnest($1::uuid[], $2::int[]) AS k(chat_id, seq)
     JOIN messages m USING (chat_id, seq) JOIN users u ON u.id = m.sender_id`,
    [keys.map(({ chat_id }) => chat_id), keys.map(({ seq }) => seq)],
  )
  return addDetails(db, rows)
}

/** Messages of a thread, the oldest first: the first after `after`, or the last before `before`. */
export async function selectThread(
  db: Db,
  { chatId, thread, after, before, limit }: ThreadPage,
): Promise<MessageRow[]> {
  const rows = await db.query<MessageRow>(
    `SELECT ${COLUMNS} FROM messages m JOIN users u ON u.id = m.sender_id
     WHERE m.chat_id = $1 AND m.content ? 'thread' AND (m.content ->> 'thread')::integer = $2
       AND m.seq > $3 AND m.seq < $4 ORDER BY m.seq ${after === undefined ? 'DESC' : ''} LIMIT $5`,
    [chatId, thread, after ?? 0, before, limit],
  )
  return addDetails(db, after === undefined ? rows.reverse() : rows)
}

interface ThreadPage {
  chatId: string
  thread: number
  after?: number | undefined
  before: number
  limit: number
}

export interface ChangedKey {
  chatId: string
  change: number
}

/** For each key the chat's messages that changed after this change, at most `limit`, in order of change. */
export async function selectChanged(db: Db, keys: readonly ChangedKey[], limit: number) {
  const rows = await db.query<MessageRow & Nth>(
    `SELECT k.nth::int AS nth, ${COLUMNS}
     FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS k(id, after, nth), LATERAL (
       SELECT * FROM messages WHERE chat_id = k.id AND change > k.after AND change > 0
       ORDER BY change LIMIT $3) m
     JOIN users u ON u.id = m.sender_id ORDER BY k.nth, m.change`,
    [keys.map(({ chatId }) => chatId), keys.map(({ change }) => change), limit],
    'select_changed',
  )
  return addDetails(db, rows)
}

export interface MessageChange {
  chatId: string
  seq: number
  change: number
  /** undefined: as it is. */
  body?: string | undefined
  /** The whole content; null: a text and nothing more. */
  content: Content | null
}

/** The caller holds the chat's lock. */
export async function updateMessage(db: Db, message: MessageChange): Promise<void> {
  const { chatId, seq, change, body, content } = message
  await db.query(
    `UPDATE messages SET change = $3, body = coalesce($4, body), content = $5
     WHERE chat_id = $1 AND seq = $2`,
    [chatId, seq, change, body, content === null ? null : JSON.stringify(content)],
  )
}

export interface AfterKey {
  chatId: string
  seq: number
}

/** For each key the chat's messages after this seq, at most `limit`, oldest first. */
export async function selectMessagesAfter(db: Db, keys: readonly AfterKey[], limit: number) {
  const rows = await db.query<MessageRow & Nth>(
    `SELECT k.nth::int AS nth, ${COLUMNS}
     FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS k(id, after, nth), LATERAL (
       SELECT * FROM messages WHERE chat_id = k.id AND seq > k.after ORDER BY seq LIMIT $3) m
     JOIN users u ON u.id = m.sender_id ORDER BY k.nth, m.seq`,
    [keys.map(({ chatId }) => chatId), keys.map(({ seq }) => seq), limit],
    'select_messages_after',
  )
  return addDetails(db, rows)
}

/** The database's clock, which is the clock of every cursor. */
export async function selectNow(db: Db): Promise<Date> {
  const [row] = await db.query<{ now: Date }>('SELECT now() AS now', [], 'select_now')
  if (!row) throw new Error('The database told no time')
  return row.now
}
