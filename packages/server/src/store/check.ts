/**
 * Where the rows are not as migrations/0001_start.sql and docs/protocol.md promise. Each check is a
 * statement that finds every place where one promise does not hold, recomputed from the rows alone.
 */
import { GROUP_CHECKS } from './check-groups.ts'
import { DUE, EXPIRING } from './check-due.ts'
import { FILES } from './check-files.ts'
import type { Db } from './db.ts'

/** Something that is not as it should be. */
export interface Drift {
  /** Which check found it. */
  check: string
  chatId: string | undefined
  userId: number | undefined
  /** undefined also where the account was deleted, or is not there. */
  username: string | undefined
  /** What is there, and what should be, as the parts of a sentence. */
  found: string
  due: string
}

interface DriftRow extends Record<string, unknown> {
  chat_id: string | null
  user_id: number | null
  username: string | null
  found: string
  due: string
  total: number
}

export interface Check {
  name: string
  /** Gives chat_id, user_id, found and due. `within` says which chats to look at. */
  sql: (within: (column: string) => string) => string
}

/** Chats from one id up to another one, that one not included; undefined: to the end. */
export type Range = readonly [from: string, to: string | undefined]

export const FIRST_ID = '00000000-0000-0000-0000-000000000000'
/** Of one check in one range. */
const MAX_DRIFTS = 100

/**
 * All that the transaction reads is of one moment. A check reads whole tables, which the settings of
 * a session (store/connection.ts) forbid.
 */
export async function prepareCheck(tx: Db): Promise<void> {
  await tx.query(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout TO 0;
    SET LOCAL enable_seqscan TO on; SET LOCAL enable_hashjoin TO on; SET LOCAL enable_mergejoin TO on`)
}

export interface Counts extends Record<string, unknown> {
  chats: number
  messages: number
  members: number
}

export async function selectCounts(tx: Db): Promise<Counts> {
  const [row] = await tx.query<Counts>(
    `SELECT (SELECT count(*) FROM chats) AS chats, (SELECT count(*) FROM messages) AS messages,
       (SELECT count(*) FROM members) AS members`,
  )
  return row ?? { chats: 0, messages: 0, members: 0 }
}

/** Where the range of about so many chats ends; undefined: there are no more. */
export async function selectRangeEnd(tx: Db, from: string, chats: number) {
  const [row] = await tx.query<{ id: string }>(
    'SELECT id FROM chats WHERE id >= $1 ORDER BY id OFFSET $2 LIMIT 1',
    [from, chats],
  )
  return row?.id
}

/** The first 100 that a check finds, and how many there are. */
export async function selectDrifts(
  tx: Db,
  { name, sql }: Check,
  [from, to]: Range = [FIRST_ID, undefined],
): Promise<{ total: number; drifts: Drift[] }> {
  // Ids are the database's own: they need no escape.
  const within = (column: string) =>
    `${column} >= '${from}'${to === undefined ? '' : ` AND ${column} < '${to}'`}`
  const rows = await tx.query<DriftRow>(
    `SELECT d.*, u.username, count(*) OVER () AS total
     FROM (${sql(within)}) d (chat_id, user_id, found, due) LEFT JOIN users u ON u.id = d.user_id
     ORDER BY d.chat_id, d.user_id, d.found LIMIT ${MAX_DRIFTS}`,
  )
  const drifts = rows.map((row) => ({
    check: name,
    chatId: row.chat_id ?? undefined,
    userId: row.user_id ?? undefined,
    username: row.username ?? undefined,
    found: row.found,
    due: row.due,
  }))
  return { total: rows[0]?.total ?? 0, drifts }
}

/** [SYNC-3] The times of two transactions may be in another order than their commits, by less than this. */
const OVERLAP = `interval '30 seconds'`

/** Those that look at chats, range by range: what belongs to a chat that is not there is found too. */
export const CHAT_CHECKS: readonly Check[] = [
  {
    // [SEND-2] One line for each chat: after the first message out of place, most are.
    name: 'seq',
    sql: (within) => `
      SELECT chat_id, NULL::bigint, 'message ' || min(nth) || ' has seq ' || min(seq), min(nth)::text
      FROM (SELECT chat_id, seq, row_number() OVER (PARTITION BY chat_id ORDER BY seq) AS nth
            FROM messages WHERE ${within('chat_id')}) m
      WHERE seq <> nth GROUP BY chat_id`,
  },
  {
    name: 'last_seq',
    sql: (within) => `
      SELECT c.id, NULL::bigint, 'last_seq is ' || c.last_seq, coalesce(m.seq, 0)::text
      FROM chats c LEFT JOIN (
        SELECT chat_id, max(seq) AS seq FROM messages WHERE ${within('chat_id')} GROUP BY chat_id
      ) m ON m.chat_id = c.id
      WHERE ${within('c.id')} AND c.last_seq <> coalesce(m.seq, 0)`,
  },
  {
    // [SEND-2] In the order of their commit.
    name: 'created_at',
    sql: (within) => `
      SELECT DISTINCT ON (chat_id) chat_id, NULL::bigint,
        'message ' || seq || ' is of ' || created_at, before || ' or later, as the one before'
      FROM (SELECT chat_id, seq, created_at,
              lag(created_at) OVER (PARTITION BY chat_id ORDER BY seq) AS before
            FROM messages WHERE ${within('chat_id')}) m
      WHERE created_at < before ORDER BY chat_id, seq`,
  },
  {
    name: 'last_at',
    sql: (within) => `
      SELECT c.id, NULL::bigint, 'last_at is ' || c.last_at,
        coalesce(l.created_at || ', as the last message', c.created_at || ' or later')
      FROM chats c LEFT JOIN LATERAL (
        SELECT created_at FROM messages WHERE chat_id = c.id ORDER BY seq DESC LIMIT 1) l ON true
      WHERE ${within('c.id')}
        AND c.last_at <> coalesce(l.created_at, greatest(c.last_at, c.created_at))`,
  },
  {
    name: 'messages',
    sql: (within) => `
      SELECT m.chat_id, NULL::bigint, 'no such chat, and messages of it: ' || count(*), 'none'
      FROM messages m LEFT JOIN chats c ON c.id = m.chat_id
      WHERE ${within('m.chat_id')} AND c.id IS NULL GROUP BY m.chat_id`,
  },
  {
    name: 'sender',
    sql: (within) => `
      SELECT s.chat_id, s.sender_id, CASE WHEN u.id IS NULL THEN 'no such user' ELSE 'no member' END
          || ', and messages: ' || s.messages, 'none'
      FROM (SELECT chat_id, sender_id, count(*) AS messages FROM messages
            WHERE ${within('chat_id')} GROUP BY chat_id, sender_id) s
      JOIN chats c ON c.id = s.chat_id LEFT JOIN users u ON u.id = s.sender_id
      LEFT JOIN members m ON m.chat_id = s.chat_id AND m.user_id = s.sender_id
      WHERE u.id IS NULL OR (m.user_id IS NULL AND c.kind = 'direct')`,
  },
  {
    // [SEND-3]
    name: 'client_id',
    sql: (within) => `
      SELECT chat_id, sender_id, format('messages with clientId %s: %s', client_id, count(*)), '1'
      FROM messages WHERE ${within('chat_id')}
      GROUP BY chat_id, sender_id, client_id HAVING count(*) > 1`,
  },
  {
    name: 'members',
    sql: (within) => `
      SELECT m.chat_id, m.user_id,
        CASE WHEN c.id IS NULL THEN 'no such chat' ELSE 'no such user' END || ', and a member', 'none'
      FROM members m LEFT JOIN chats c ON c.id = m.chat_id LEFT JOIN users u ON u.id = m.user_id
      WHERE ${within('m.chat_id')} AND (c.id IS NULL OR u.id IS NULL)`,
  },
  {
    // [CHAT-1]
    name: 'pair',
    sql: (within) => `
      SELECT c.id, NULL::bigint, format('a direct chat of low_id %s and high_id %s',
          coalesce(low_id::text, 'null'), coalesce(high_id::text, 'null')),
        'of two users, the smaller id first'
      FROM chats c
      WHERE ${within('c.id')} AND kind = 'direct' AND coalesce(low_id > high_id, true)
      UNION ALL
      SELECT c.id, p.user_id, 'no row of a member', 'one'
      FROM chats c CROSS JOIN LATERAL (SELECT low_id UNION SELECT high_id) p (user_id)
      LEFT JOIN members m ON m.chat_id = c.id AND m.user_id = p.user_id
      WHERE ${within('c.id')} AND kind = 'direct' AND p.user_id IS NOT NULL AND m.user_id IS NULL
      UNION ALL
      SELECT c.id, m.user_id, 'a member beside the two', 'none'
      FROM chats c JOIN members m ON m.chat_id = c.id
      WHERE ${within('c.id')} AND kind = 'direct' AND m.user_id NOT IN (c.low_id, c.high_id)`,
  },
  {
    name: 'counters',
    sql: (within) => `
      SELECT id, NULL::bigint, format('rev is %s, rights_rev %s', rev, rights_rev), '0 or more'
      FROM chats WHERE ${within('id')} AND (rev < 0 OR rights_rev < 0)`,
  },
  {
    // [READ-2]
    name: 'read_seq',
    sql: (within) => `
      SELECT c.id, m.user_id,
        format('cleared_seq is %s, read_seq %s, last_seq %s', cleared_seq, read_seq, last_seq),
        '0 or more and in this order'
      FROM chats c JOIN members m ON m.chat_id = c.id
      WHERE ${within('c.id')} AND NOT (
        0 <= m.cleared_seq AND m.cleared_seq <= m.read_seq AND m.read_seq <= c.last_seq)`,
  },
  {
    // [RECEIPT-1]
    name: 'delivered_seq',
    sql: (within) => `
      SELECT c.id, m.user_id, 'delivered_seq is ' || delivered_seq, '0 to ' || last_seq
      FROM chats c JOIN members m ON m.chat_id = c.id
      WHERE ${within('c.id')} AND m.delivered_seq NOT BETWEEN 0 AND c.last_seq`,
  },
  {
    // [READ-1]
    name: 'unread',
    sql: (within) => `
      SELECT c.id, m.user_id, 'unread is ' || c.last_seq - m.read_seq, n.unread::text
      FROM chats c JOIN members m ON m.chat_id = c.id CROSS JOIN LATERAL (
        SELECT count(*) AS unread FROM messages WHERE chat_id = c.id AND seq > m.read_seq) n
      WHERE ${within('c.id')} AND m.read_seq BETWEEN 0 AND c.last_seq
        AND c.last_seq - m.read_seq <> n.unread`,
  },
  {
    // The next message of that day would touch the sender's row alone.
    name: 'active_day',
    sql: (within) => `
      SELECT c.id, NULL::bigint, 'active_day is ' || active_day,
        CASE WHEN last_seq = 0 THEN 'null' ELSE last_at::date || ', as the last message' END
      FROM chats c
      WHERE ${within('c.id')} AND (last_seq = 0 AND active_day IS NOT NULL
        OR active_day NOT BETWEEN (last_at - ${OVERLAP})::date AND last_at::date)
      UNION ALL
      SELECT c.id, m.user_id, 'active_day is ' || coalesce(m.active_day::text, 'null'),
        c.active_day || ', as the chat says'
      FROM chats c JOIN members m ON m.chat_id = c.id
      WHERE ${within('c.id')} AND m.active_day IS DISTINCT FROM c.active_day
        AND c.active_day IS NOT NULL`,
  },
  {
    // [READ-4] Who has not cleared the last message has the chat on the list, by its day or a later one.
    name: 'listed',
    sql: (within) => `
      SELECT c.id, m.user_id, 'active_day is ' || coalesce(m.active_day::text, 'null'),
        last_at::date || ' or later, as the last message'
      FROM chats c JOIN members m ON m.chat_id = c.id
      WHERE ${within('c.id')} AND c.active_day IS NULL AND c.last_seq > m.cleared_seq
        AND coalesce(m.active_day < (c.last_at - ${OVERLAP})::date, true)`,
  },
  {
    // [PRIV-3]
    name: 'request',
    sql: (within) => `
      SELECT c.id, m.user_id, format('request is %s, in a %s chat', m.request, c.kind), 'null'
      FROM chats c JOIN members m ON m.chat_id = c.id
      WHERE ${within('c.id')} AND m.request IS NOT NULL AND c.kind <> 'direct'`,
  },
  {
    // [SYNC-1] What changed is found by this day.
    name: 'changed_day',
    sql: (within) => `
      SELECT c.id, m.user_id, 'changed_day is ' || m.changed_day, d.day || ' or later'
      FROM chats c JOIN members m ON m.chat_id = c.id CROSS JOIN LATERAL (
        SELECT greatest(c.changed_day, c.changed_at::date, m.changed_at::date) AS day) d
      WHERE ${within('c.id')} AND m.changed_day < d.day`,
  },
  ...GROUP_CHECKS,
  EXPIRING,
  FILES,
]

/** Those that look at everything at once. */
export const OTHER_CHECKS: readonly Check[] = [
  {
    // [CHAT-1]
    name: 'direct',
    sql: () => `
      SELECT NULL::uuid, low_id, format('direct chats with user #%s: %s', high_id, count(*)), '1'
      FROM chats WHERE low_id IS NOT NULL GROUP BY low_id, high_id HAVING count(*) > 1`,
  },
  {
    // [SEND-4] The chat is the lock that orders a block among the sends.
    name: 'blocks',
    sql: () => `
      SELECT c.id, b.blocker_id, 'a block of user #' || b.blocked_id,
        CASE WHEN one.id IS NULL OR other.id IS NULL THEN 'of users who are there'
          WHEN one.id = other.id THEN 'of someone else'
          WHEN c.id IS NULL THEN 'with a direct chat of the two'
          ELSE format('later than the last message: it is of %s, that of %s', b.created_at, c.last_at)
        END
      FROM blocks b LEFT JOIN users one ON one.id = b.blocker_id
      LEFT JOIN users other ON other.id = b.blocked_id
      LEFT JOIN chats c ON c.low_id = least(b.blocker_id, b.blocked_id)
        AND c.high_id = greatest(b.blocker_id, b.blocked_id)
      WHERE one.id IS NULL OR other.id IS NULL OR one.id = other.id OR c.id IS NULL
        OR (c.last_seq > 0 AND c.last_at > b.created_at + ${OVERLAP})`,
  },
  {
    // [AUTH-9]
    name: 'erased',
    sql: () => `
      SELECT NULL::uuid, id, 'a deleted account with personal data', 'none of them'
      FROM users WHERE username IS NULL
        AND (active OR num_nonnulls(password, display_name, picture, write_from, last_seen_to,
          last_seen_at) > 0)`,
  },
  {
    // [CHAT-9]
    name: 'system',
    sql: () => `
      SELECT NULL::uuid, NULL::bigint, 'there is no user "system"', 'one'
      WHERE NOT EXISTS (SELECT FROM users WHERE username = 'system')`,
  },
  DUE,
]
