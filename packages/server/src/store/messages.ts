import type { Db } from './db.ts'

export interface MessageRow extends Record<string, unknown> {
  chat_id: string
  seq: number
  sender_id: number
  /** null: the account was deleted. */
  sender: string | null
  client_id: string
  body: string
  created_at: Date
}

/** The messages that one statement adds to one chat. */
export interface ChatBatch {
  chatId: string
  /** The rights that they were checked against; the chat is left alone where they have changed. */
  rightsRev: number
  /** The first message of a day: active_day of all members moves. */
  touch: boolean
  messages: { senderId: number; clientId: string; body: string }[]
}
export interface Numbered extends Record<string, unknown> {
  id: string
  /** The first message of the batch has seq base + 1. */
  base: number
  last_at: Date
}

/**
 * [SEND-5] Numbers and inserts a whole batch in one statement. [SEND-2] The chat's row is the lock
 * under which seq is given. Chats that come back are written; those that do not had other rights, or
 * needed `touch`. [READ-1] The senders' read_seq moves along.
 */
export async function insertMessages(db: Db, batches: ChatBatch[]): Promise<Numbered[]> {
  const flat = batches.flatMap(({ chatId, messages }) =>
    messages.map((message, index) => ({ chatId, nth: index + 1, ...message })),
  )
  return db.query<Numbered>(
    INSERT,
    [
      batches.map(({ chatId }) => chatId),
      batches.map(({ messages }) => messages.length),
      batches.map(({ rightsRev }) => rightsRev),
      batches.map(({ touch }) => touch),
      flat.map(({ chatId }) => chatId),
      flat.map(({ nth }) => nth),
      flat.map(({ senderId }) => senderId),
      flat.map(({ clientId }) => clientId),
      flat.map(({ body }) => body),
    ],
    'insert_messages',
  )
}

const INSERT = `
  WITH g AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::boolean[])
      AS g(chat_id, n, rights_rev, touch)),
  i AS (
    SELECT * FROM unnest($5::uuid[], $6::int[], $7::bigint[], $8::uuid[], $9::text[])
      AS i(chat_id, nth, sender_id, client_id, body)),
  c AS (
    UPDATE chats SET last_seq = chats.last_seq + g.n, last_at = greatest(chats.last_at, now()),
      active_day = current_date
    FROM g WHERE chats.id = g.chat_id AND chats.rights_rev = g.rights_rev
      AND (g.touch OR chats.active_day = current_date)
    RETURNING chats.id, chats.last_seq - g.n AS base, chats.last_at, g.touch),
  inserted AS (
    INSERT INTO messages (chat_id, seq, sender_id, client_id, body, created_at)
    SELECT c.id, c.base + i.nth, i.sender_id, i.client_id, i.body, c.last_at
    FROM i JOIN c ON c.id = i.chat_id),
  senders AS (
    SELECT c.id, c.touch, i.sender_id, max(c.base + i.nth) AS seq
    FROM i JOIN c ON c.id = i.chat_id GROUP BY 1, 2, 3),
  sent AS (
    UPDATE members SET read_seq = greatest(members.read_seq, senders.seq) FROM senders
    WHERE members.chat_id = senders.id AND members.user_id = senders.sender_id AND NOT senders.touch),
  touched AS (
    UPDATE members SET active_day = current_date,
      archived = members.archived AND coalesce(members.muted_until > now(), false),
      read_seq = greatest(members.read_seq, (SELECT s.seq FROM senders s
        WHERE s.id = members.chat_id AND s.sender_id = members.user_id))
    FROM c WHERE members.chat_id = c.id AND c.touch)
  SELECT id, base, last_at FROM c`

const COLUMNS = `m.chat_id, m.seq, m.sender_id, u.username AS sender, m.client_id, m.body,
  m.created_at`

/** [SEND-3] The messages that these (chat, sender, clientId) have already made. */
export async function selectSent(
  db: Db,
  keys: { chatId: string; senderId: number; clientId: string }[],
): Promise<MessageRow[]> {
  return db.query<MessageRow>(
    `SELECT ${COLUMNS}
     FROM unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS k(chat_id, sender_id, client_id)
     JOIN messages m USING (chat_id, sender_id, client_id) JOIN users u ON u.id = m.sender_id`,
    [
      keys.map(({ chatId }) => chatId),
      keys.map(({ senderId }) => senderId),
      keys.map(({ clientId }) => clientId),
    ],
  )
}

/** Messages `from` to `to`, both included, oldest first. seq has no gaps, so this is a page. */
export async function selectMessages(
  db: Db,
  { chatId, from, to }: { chatId: string; from: number; to: number },
): Promise<MessageRow[]> {
  return db.query<MessageRow>(
    `SELECT ${COLUMNS} FROM messages m JOIN users u ON u.id = m.sender_id
     WHERE m.chat_id = $1 AND m.seq BETWEEN $2 AND $3 ORDER BY m.seq`,
    [chatId, from, to],
    'select_messages',
  )
}

/** Of several chats at once: per chat those after `seq`, at most `limit`, oldest first. */
export async function selectMessagesAfter(
  db: Db,
  { chats, limit }: { chats: { chatId: string; seq: number }[]; limit: number },
): Promise<MessageRow[]> {
  return db.query<MessageRow>(
    `SELECT ${COLUMNS} FROM unnest($1::uuid[], $2::int[]) AS k(id, after), LATERAL (
       SELECT * FROM messages WHERE chat_id = k.id AND seq > k.after ORDER BY seq LIMIT $3) m
     JOIN users u ON u.id = m.sender_id ORDER BY m.chat_id, m.seq`,
    [chats.map(({ chatId }) => chatId), chats.map(({ seq }) => seq), limit],
  )
}

/** The database's clock, which is the clock of every cursor. */
export async function selectNow(db: Db): Promise<Date> {
  const [row] = await db.query<{ now: Date }>('SELECT now() AS now')
  if (!row) throw new Error('The database told no time')
  return row.now
}
