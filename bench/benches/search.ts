import { randomInt } from 'node:crypto'
import pg from 'pg'
import { type Bench, type Round, type Running, type Sample, type Scale } from '../bench.ts'
import { Connection } from '../http.ts'
import { signJwt } from '../jwt.ts'
import { type Seed, seed, seededChat, VOCABULARY } from '../seed.ts'
import { percentiles, repeat } from '../times.ts'

const USERS = 1_000
const MESSAGES: Record<Scale, { postgres: number; embedded: number }> = {
  full: { postgres: 1_000_000, embedded: 100_000 },
  small: { postgres: 50_000, embedded: 0 },
}
const OF_CHAT = 100
const CONNECTIONS = 32
const WARM_UP_MS = 2_000
const SETTLE_MS = 300_000
const QUICK_TIMES = 100
const QUICK_MS = 20
const NAMES = { postgres: 'Microchatter, PostgreSQL', embedded: 'Microchatter, embedded' }
const UNIT = 'p99 ms'

export const search: Bench = {
  name: 'search',
  title: 'The newest 20 messages with a word, or two, of any user: p99, ms',
  plot: UNIT,
  goals: [
    {
      name: 'p99 of any load, PostgreSQL',
      better: 'lower',
      bound: 50,
      unit: 'ms',
      of: (samples) => worst(samples),
    },
  ],
  ticks: (scale) => (MESSAGES[scale].embedded > 0 ? 2 : 1) * LOADS.length,
  async measure(round) {
    const samples: Sample[] = []
    const { postgres, embedded } = MESSAGES[round.scale]
    if (round.postgres) samples.push(...(await onDatabase(round, 'postgres', postgres)))
    if (embedded > 0) samples.push(...(await onDatabase(round, 'embedded', embedded)))
    return samples
  },
}

/** Words of the vocabulary as often as they are in messages, so most searches are for common ones. */
function word(): string {
  return `w${Math.floor(Math.exp((randomInt(1e6) / 1e6) * Math.log(VOCABULARY)))}`
}

interface Load {
  name: string
  query: (chatId: string) => string
}

const LOADS: readonly Load[] = [
  { name: 'one word, all my chats', query: () => `q=${word()}%20` },
  { name: 'two words, all my chats', query: () => `q=${word()}%20${word()}%20` },
  { name: 'the beginning of a word', query: () => `q=${word().slice(0, 3)}` },
  {
    name: 'one word, one chat',
    query: (chatId) => `q=${word()}%20&chatId=${chatId}`,
  },
]

async function onDatabase(
  round: Round,
  database: 'postgres' | 'embedded',
  messages: number,
): Promise<Sample[]> {
  const running = await round.start({ kind: 'microchatter', database })
  const plan = { users: USERS, chats: messages / OF_CHAT, messagesPerChat: OF_CHAT, hasWords: true }
  await fill(round, running, plan)
  const connection = new Connection(running.url)
  const chatIds = await chatsOf(connection, running.secret)
  if (database === 'embedded') await settle(round, connection, running)
  const samples: Sample[] = []
  for (const { name, query } of LOADS) {
    const ask = () => {
      const user = randomInt(USERS)
      const token = signJwt(running.secret, `user${user}`)
      return connection.send({ path: `/search?${query(chatIds[user] ?? '')}`, token })
    }
    round.say(`${NAMES[database]}: ${name}`)
    await repeat(WARM_UP_MS, ask)
    round.tick()
    const times = await repeat(round.seconds * 1_000, ask)
    const { p50, p99 } = percentiles(times)
    const load = `${messages.toLocaleString('en')} messages, ${name}`
    samples.push({
      server: NAMES[database],
      load,
      values: { 'p50 ms': p50, [UNIT]: p99, searches: times.length },
    })
  }
  connection.close()
  await running.stop()
  return samples
}

/**
 * Until the index has all. An embedded database can only be asked by its server; what is not in the index yet makes a
 * search slow, so many quick ones in a row, of anyone, say that there is nothing left.
 */
async function settle(round: Round, connection: Connection, { secret }: Running): Promise<void> {
  let quick = 0
  for (const until = Date.now() + SETTLE_MS; quick < QUICK_TIMES && Date.now() < until; ) {
    const token = signJwt(secret, `user${randomInt(USERS)}`)
    const began = performance.now()
    await connection.send({ path: `/search?q=${word()}%20`, token })
    quick = performance.now() - began < QUICK_MS ? quick + 1 : 0
    round.say('the index catches up')
    if (quick === 0) await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** Of each user the newest. */
async function chatsOf(connection: Connection, secret: string): Promise<string[]> {
  const ids: string[] = []
  for (let user = 0; user < USERS; user += 1) {
    const token = signJwt(secret, `user${user}`)
    const { body } = await connection.send({ path: '/chats?limit=1', token })
    ids.push((JSON.parse(body) as { items: { id: string }[] }).items[0]?.id ?? '')
  }
  return ids
}

async function fill(round: Round, running: Running, plan: Seed): Promise<void> {
  const { databaseUrl } = running
  if (databaseUrl === undefined) return sendAll(round, running, plan)
  round.say('messages put in')
  await seed(databaseUrl, plan)
  // The server hears of each chat by a message, and indexes what it has.
  await sendAll(round, running, { ...plan, messagesPerChat: 1 })
  const client = new pg.Client({
    connectionString: databaseUrl,
    options: '-c search_path=microchatter',
  })
  await client.connect()
  const expected = plan.chats * (plan.messagesPerChat + 1)
  for (;;) {
    const { rows } = await client.query<{ n: number }>('SELECT count(*)::int AS n FROM findable')
    const indexed = rows[0]?.n ?? 0
    round.say(`${Math.floor((100 * indexed) / expected)} % of the messages indexed`)
    if (indexed >= expected) break
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  await client.query('VACUUM (ANALYZE) findable, messages')
  await client.end()
}

/** In rounds over the seeded chats. */
async function sendAll(round: Round, { url, secret }: Running, plan: Seed): Promise<void> {
  const { users, chats, messagesPerChat } = plan
  const tokens = Array.from({ length: users }, (_, user) => signJwt(secret, `user${user}`))
  const total = chats * messagesPerChat
  let next = 0
  const write = async () => {
    const connection = new Connection(url)
    for (let row = next++; row < total; row = next++) {
      const number = row % chats
      const [one, other] = seededChat(plan, number).usernames
      const user = Number(one.slice(4))
      const body = { body: Array.from({ length: 8 }, word).join(' ') }
      const path = `/chats/users/${other}/messages`
      await connection.send({ method: 'POST', path, token: tokens[user] ?? '', body })
      if (row % 10_000 === 0) round.say(`${row.toLocaleString('en')} messages sent`)
    }
    connection.close()
  }
  // Known from now on: a user that was never seen cannot be written to.
  const reader = new Connection(url)
  for (const token of tokens) await reader.send({ path: '/unread', token })
  reader.close()
  await Promise.all(Array.from({ length: CONNECTIONS }, write))
}

function worst(samples: readonly Sample[]): number | undefined {
  const of = samples.filter(({ server }) => server === NAMES.postgres)
  return of.length === 0 ? undefined : Math.max(...of.map(({ values }) => values[UNIT] ?? 0))
}
