/**
 * Users, direct chats and messages put in by SQL, as months of use would leave them: the messages of
 * a chat lie apart from each other, the chats' last ones are spread over twenty days. All is computed
 * from numbers, so that a bench can name a chat without reading it.
 */
import { createHash } from 'node:crypto'
import pg from 'pg'

export interface Seed {
  users: number
  /** At most users / 2 for each user. */
  chats: number
  messagesPerChat: number
  /** Texts of eight words each, `w1` in 45 of 100, the others as much less often as their number says. */
  hasWords?: boolean
}

const ROWS_AT_ONCE = 500_000
const BODY_BYTES = 100
export const VOCABULARY = 20_000
/** Messages are in full random order of `client_id`: an index of them that grew is two thirds full. */
const GROWN_FILL = 70

/** `onPart` is called after each half a million messages. */
export async function seed(url: string, plan: Seed, onPart?: (rows: number) => void) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`SET search_path = microchatter; SET TIME ZONE 'UTC';
      SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET jit = off`)
    const first = await insertUsers(client, plan.users)
    await insertChats(client, plan, first)
    await insertMessages(client, { ...plan, first, onPart })
    await settle(client)
  } finally {
    await client.end()
  }
}

/** What autovacuum would have done by and by. */
export async function analyze(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=microchatter' })
  await client.connect()
  try {
    await settle(client)
  } finally {
    await client.end()
  }
}

async function settle(client: pg.Client): Promise<void> {
  await client.query('VACUUM (ANALYZE) users, chats, members, messages')
  await client.query('CHECKPOINT')
}

/** The chat of this number, and the names of its two. */
export function seededChat({ users }: Seed, number: number) {
  const hex = createHash('md5').update(`chat${number}`).digest('hex')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  const one = number % users
  const other = (one + 1 + Math.floor(number / users)) % users
  return { id, usernames: [`user${one}`, `user${other}`] as const }
}

/** Returns the id of user0; the others' follow it. */
async function insertUsers(client: pg.Client, users: number): Promise<number> {
  const { rows } = await client.query<{ first: string; last: string }>(
    `WITH made AS (
       INSERT INTO users (username) SELECT 'user' || n FROM generate_series(0, $1::int - 1) n
       ORDER BY n RETURNING id)
     SELECT min(id) AS first, max(id) AS last FROM made`,
    [users],
  )
  const first = Number(rows[0]?.first)
  if (Number(rows[0]?.last) - first !== users - 1) throw new Error('The users have gaps')
  return first
}

async function insertChats(
  client: pg.Client,
  { users, chats, messagesPerChat }: Seed,
  first: number,
) {
  await client.query(`
    CREATE TEMP TABLE made AS
    SELECT n, md5('chat' || n)::uuid AS id, ${first} + n % ${users} AS one,
      ${first} + (n + 1 + n / ${users}) % ${users} AS other, ${lastAt('n')} AS last_at
    FROM generate_series(0, ${chats} - 1) n`)
  await client.query(`
    INSERT INTO chats (id, kind, low_id, high_id, last_seq, active_day, last_at, changed_at,
      changed_day, created_at)
    SELECT id, 'direct', least(one, other), greatest(one, other), ${messagesPerChat},
      last_at::date, last_at, born, born::date, born
    FROM made, LATERAL (SELECT last_at - interval '40 days' AS born) b`)
  await client.query(`
    INSERT INTO members (chat_id, user_id, read_seq, active_day, changed_day)
    SELECT id, user_id, greatest(${messagesPerChat} - unread, 0), last_at::date,
      (last_at - interval '40 days')::date
    FROM made, LATERAL (VALUES (one, 0), (other, n % 4)) m(user_id, unread)`)
}

/** Of chat `n`: five minutes to twenty days ago. */
function lastAt(n: string): string {
  return `current_timestamp - interval '5 minutes' - interval '20 days' * (${n} * 37 % 1000) / 1000`
}

interface Messages extends Seed {
  first: number
  onPart: ((rows: number) => void) | undefined
}

/** The indexes are made afterwards: one by one, 10 million rows take several times as long. */
async function insertMessages(client: pg.Client, plan: Messages): Promise<void> {
  const { chats, messagesPerChat, onPart } = plan
  await client.query(`ALTER TABLE messages DROP CONSTRAINT messages_pkey; DROP INDEX messages_once`)
  const rows = chats * messagesPerChat
  for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
    const to = Math.min(rows, from + ROWS_AT_ONCE)
    await client.query(insertPart(plan, from, to))
    onPart?.(to - from)
  }
  await client.query(`
    ALTER TABLE messages ADD PRIMARY KEY (chat_id, seq);
    CREATE UNIQUE INDEX messages_once ON messages (chat_id, sender_id, client_id)
      WITH (fillfactor = ${GROWN_FILL});
    ALTER INDEX messages_once RESET (fillfactor)`)
}

/** By Zipf's law; `row` makes each row's its own. */
const WORDS = `(SELECT string_agg('w' || floor(exp(random() * ln(${VOCABULARY}))), ' ')
  FROM generate_series(1, 8) WHERE row >= 0)`

/** In rounds over all chats; the last message of a chat is its `one`'s. */
function insertPart(plan: Messages, from: number, to: number): string {
  const { users, chats, messagesPerChat, first } = plan
  return `
    INSERT INTO messages (chat_id, seq, sender_id, client_id, body, created_at)
    SELECT md5('chat' || n)::uuid, seq,
      ${first} + CASE WHEN (${messagesPerChat} - seq) % 2 = 0 THEN n ELSE n + 1 + n / ${users} END % ${users},
      gen_random_uuid(), ${plan.hasWords ? WORDS : `rpad('message ' || row, ${BODY_BYTES}, 'x')`},
      ${lastAt('n')} - interval '40 days' * (${messagesPerChat} - seq) / ${messagesPerChat}
    FROM generate_series(${from}, ${to} - 1) row,
      LATERAL (SELECT row % ${chats} AS n, row / ${chats} + 1 AS seq) p`
}
