/** The ceiling of the send bench: the server's own statement, and nothing around it. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { openDatabase } from '../../packages/server/src/store/db.ts'
import { insertMessages } from '../../packages/server/src/store/messages.ts'
import type { Bench, Round, Sample, Scale } from '../bench.ts'
import { cpuUsWithChildren } from '../cpu.ts'
import { percentiles } from '../times.ts'

const SETUPS: readonly { batch: number; connections: number }[] = [
  { batch: 1, connections: 1 },
  { batch: 16, connections: 1 },
  { batch: 64, connections: 1 },
  { batch: 256, connections: 1 },
  { batch: 64, connections: 2 },
  { batch: 256, connections: 2 },
]
const USERS = 1_000
const CHATS = 4_000
const BODY = 'x'.repeat(100)
const WARM_UP_MS: Record<Scale, number> = { full: 1_500, small: 300 }
const UNIT = 'messages/s'

export const database: Bench = {
  name: 'database',
  title: "The server's statement that stores a batch of messages, without the server: messages/s",
  plot: UNIT,
  goals: [],
  ticks: () => SETUPS.length,
  async measure(round) {
    if (!round.postgres) return []
    const running = await round.start({ kind: 'microchatter', database: 'postgres' })
    const url = running.databaseUrl ?? ''
    // Its migrations are what is wanted of it.
    await running.stop()
    const chats = await makeChats(url)
    const samples: Sample[] = []
    for (const setup of SETUPS) samples.push(await measure(round, { url, chats, ...setup }))
    return samples
  },
}

interface Chat {
  id: string
  senderId: number
}
interface Setup {
  url: string
  chats: Chat[]
  batch: number
  connections: number
}

async function makeChats(connectionString: string): Promise<Chat[]> {
  const client = new pg.Client({ connectionString, options: '-c search_path=microchatter' })
  await client.connect()
  try {
    await client.query(
      `WITH made AS (
         INSERT INTO users (username) SELECT 'user' || n FROM generate_series(0, $1::int - 1) n
         RETURNING id),
       numbered AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM made),
       chat AS (
         INSERT INTO chats (id, kind, low_id, high_id, active_day)
         SELECT gen_random_uuid(), 'direct', low.id, high.id, current_date
         FROM generate_series(0, $2::int - 1) i
         JOIN numbered low ON low.n = i % $1 JOIN numbered high ON high.n = (i % $1 + 1 + i / $1) % $1
         RETURNING id, low_id, high_id)
       INSERT INTO members (chat_id, user_id, active_day)
       SELECT chat.id, user_id, current_date FROM chat, LATERAL (VALUES (low_id), (high_id)) v(user_id)`,
      [USERS, CHATS],
    )
    const { rows } = await client.query<Chat>('SELECT id, low_id::int AS "senderId" FROM chats')
    await client.query('ANALYZE')
    return rows
  } finally {
    await client.end()
  }
}

async function measure(round: Round, setup: Setup): Promise<Sample> {
  const { url, batch, connections } = setup
  const load = `batches of ${batch}, ${connections} connection${connections === 1 ? '' : 's'}`
  round.say(load)
  await write(setup, WARM_UP_MS[round.scale])
  const before = await usage(round, url)
  const { times, ms } = await write(setup, round.seconds * 1_000)
  const after = await usage(round, url)
  round.tick()
  const messages = times.length * batch
  const { p50, p99 } = percentiles(times)
  const values = {
    [UNIT]: (messages * 1_000) / ms,
    'ms/batch p50': p50,
    'ms/batch p99': p99,
    'WAL bytes/message': (after.walBytes - before.walBytes) / messages,
  }
  const cpuUs = (after.cpuUs - before.cpuUs) / messages
  const cpu: Sample['values'] = Number.isNaN(cpuUs) ? {} : { 'database CPU µs/message': cpuUs }
  return { server: 'PostgreSQL', load, values: { ...values, ...cpu } }
}

/** On each connection one batch after the other; they have no chat in common, as the server's lanes. */
async function write({ url, chats, batch, connections }: Setup, forMs: number) {
  const times: number[] = []
  const from = performance.now()
  const lanes = Array.from({ length: connections }, (_, lane) =>
    chats.filter((_chat, index) => index % connections === lane),
  )
  await Promise.all(
    lanes.map(async (own) => {
      const db = await openDatabase({ url, dataDir: '', schema: 'microchatter', ...LIMITS })
      try {
        for (let at = performance.now(); at < from + forMs; ) {
          await insertMessages(db, toBatches(own, batch))
          const now = performance.now()
          times.push(now - at)
          at = now
        }
      } finally {
        await db.close()
      }
    }),
  )
  return { times, ms: performance.now() - from }
}

const LIMITS = { poolSize: 1, connectTimeoutMs: 10_000, queryTimeoutMs: 10_000 }

/** One message to each of some chats, in the order of their ids, as the server has them. */
function toBatches(chats: readonly Chat[], batch: number) {
  const first = Math.floor(Math.random() * chats.length)
  const some = Array.from({ length: batch }, (_, index) => chats[(first + index) % chats.length])
  const messagesOf = ({ senderId }: Chat) => [{ senderId, clientId: randomUUID(), body: BODY }]
  return some
    .filter((chat) => chat !== undefined)
    .map((chat) => ({ chatId: chat.id, rightsRev: 0, touch: false, messages: messagesOf(chat) }))
    .sort((a, b) => (a.chatId < b.chatId ? -1 : 1))
}

/** CPU time is not a number where the system does not tell it. */
async function usage({ postgres }: Round, connectionString: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const text = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes"
    const { rows } = await client.query<{ bytes: string }>(text)
    const cpu = postgres?.pid === undefined ? undefined : cpuUsWithChildren(postgres.pid)
    return { walBytes: Number(rows[0]?.bytes), cpuUs: cpu ?? Number.NaN }
  } finally {
    await client.end()
  }
}
