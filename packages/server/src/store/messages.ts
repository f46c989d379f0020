import type { Db, Nth } from './db.ts'

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
  return db.query<Numbered>(
    INSERT,
    [
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
    ],
    'insert_messages',
  )
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

const INSERT = `
  WITH c AS (
    UPDATE chats SET last_seq = chats.last_seq + g.n, last_at = greatest(chats.last_at, now()),
      active_day = current_date
    FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::boolean[])
      AS g(chat_id, start, n, sender_start, senders, rights_rev, touch)
    WHERE chats.id = g.chat_id AND chats.rights_rev = g.rights_rev
      AND (g.touch OR chats.active_day = current_date)
    RETURNING chats.id, chats.last_seq - g.n AS base, chats.last_at, g.*),
  inserted AS (
    INSERT INTO messages (chat_id, seq, sender_id, client_id, body, created_at)
    SELECT c.id, c.base + i.nth, i.sender_id, i.client_id, i.body, c.last_at
    FROM c, unnest(($8::bigint[])[start:start + n - 1], ($9::uuid[])[start:start + n - 1],
      ($10::text[])[start:start + n - 1]) WITH ORDINALITY AS i(sender_id, client_id, body, nth)),
  sent AS (
    UPDATE members SET read_seq = greatest(members.read_seq, c.base + s.nth)
    FROM c, unnest(($11::bigint[])[sender_start:sender_start + senders - 1],
      ($12::int[])[sender_start:sender_start + senders - 1]) AS s(sender_id, nth)
    WHERE members.chat_id = c.id AND members.user_id = s.sender_id AND NOT c.touch),
  touched AS (
    UPDATE members SET active_day = current_date,
      archived = members.archived AND coalesce(members.muted_until > now(), false),
      read_seq = greatest(members.read_seq, (SELECT c.base + s.nth
        FROM unnest(($11::bigint[])[sender_start:sender_start + senders - 1],
          ($12::int[])[sender_start:sender_start + senders - 1]) AS s(sender_id, nth)
        WHERE s.sender_id = members.user_id))
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

export interface AfterKey {
  chatId: string
  seq: number
}

/** For each key the chat's messages after this seq, at most `limit`, oldest first. */
export async function selectMessagesAfter(db: Db, keys: readonly AfterKey[], limit: number) {
  return db.query<MessageRow & Nth>(
    `SELECT k.nth::int AS nth, ${COLUMNS}
     FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS k(id, after, nth), LATERAL (
       SELECT * FROM messages WHERE chat_id = k.id AND seq > k.after ORDER BY seq LIMIT $3) m
     JOIN users u ON u.id = m.sender_id ORDER BY k.nth, m.seq`,
    [keys.map(({ chatId }) => chatId), keys.map(({ seq }) => seq), limit],
    'select_messages_after',
  )
}

/** The database's clock, which is the clock of every cursor. */
export async function selectNow(db: Db): Promise<Date> {
  const [row] = await db.query<{ now: Date }>('SELECT now() AS now', [], 'select_now')
  if (!row) throw new Error('The database told no time')
  return row.now
}
