import { randomInt } from 'node:crypto'
import pg from 'pg'
import {
  type Bench,
  type Pair,
  type Round,
  type Running,
  type Sample,
  type Scale,
  toPair,
} from '../bench.ts'
import { Connection } from '../http.ts'
import { signJwt } from '../jwt.ts'
import { type Seed, seed, seededChat } from '../seed.ts'
import { percentiles, repeat } from '../times.ts'

const MESSAGES: Record<Scale, readonly number[]> = {
  full: [100_000, 1_000_000, 10_000_000],
  small: [10_000, 100_000],
}
const MESSAGES_OF_CHAT = 1_000
const USERS = 1_000
const PAGE = 50
const WARM_UP_MS = 2_000
/** The tables take turns: what else the machine does meets all of them. */
const TURN_MS = 500
const REST = 'Microchatter, PostgreSQL'
const SQL = 'PostgreSQL, the same page by SQL'
const UNIT = 'p99 ms'

export const history: Bench = {
  name: 'history',
  title: 'A page of 50 messages from anywhere in a random chat: p99, ms',
  plot: UNIT,
  goals: [
    {
      name: 'growth of the p99 from the smallest table to the largest',
      better: 'lower',
      bound: 1.2,
      unit: '×',
      of: (samples) => growth(samples),
    },
  ],
  ticks: (scale) => 2 * MESSAGES[scale].length,
  async measure(round) {
    if (!round.postgres) return []
    const seeded: Seeded[] = []
    for (const messages of MESSAGES[round.scale]) seeded.push(await fill(round, messages))
    round.say('pages')
    const tables = await Promise.all(seeded.map((one) => openTable(round, one)))
    for (const table of tables) for (const way of table.ways) await repeat(WARM_UP_MS, way.read)
    for (const { ways } of tables) for (const _ of ways) round.tick()
    for (let left = round.seconds * 1_000; left > 0; left -= TURN_MS)
      for (const way of tables.flatMap(({ ways }) => ways))
        way.times.push(...(await repeat(TURN_MS, way.read)))
    return tables.flatMap(toSamples)
  },
}

interface Seeded {
  messages: number
  running: Running
  plan: Seed
}

async function fill(round: Round, messages: number): Promise<Seeded> {
  const running = await round.start({ kind: 'microchatter', database: 'postgres' })
  const chats = messages / MESSAGES_OF_CHAT
  const plan = { users: USERS, chats, messagesPerChat: MESSAGES_OF_CHAT }
  let done = 0
  await seed(running.databaseUrl ?? '', plan, (rows) => {
    done += rows
    round.say(`${millions(done)} of ${millions(messages)} messages put in`)
  })
  return { messages, running, plan }
}

interface Table {
  load: string
  ways: { name: string; read: () => Promise<unknown>; times: number[] }[]
}

async function openTable(round: Round, { messages, running, plan }: Seeded): Promise<Table> {
  const { url, secret, databaseUrl } = running
  const rest = new Connection(url)
  round.defer(() => rest.close())
  const sql = new pg.Client({ connectionString: databaseUrl })
  await sql.connect()
  round.defer(() => sql.end())
  const tokens = Array.from({ length: USERS }, (_, number) => signJwt(secret, `user${number}`))
  const ways = [
    { name: REST, read: () => rest.send(byRest(plan, tokens)), times: [] },
    { name: SQL, read: () => sql.query(bySql(plan)), times: [] },
  ]
  return { load: `${messages.toLocaleString('en')} messages`, ways }
}

/** Full wherever it lies. */
function anyPage({ chats, messagesPerChat }: Seed) {
  return { number: randomInt(chats), before: randomInt(PAGE + 1, messagesPerChat + 1) }
}

function byRest(plan: Seed, tokens: readonly string[]) {
  const { number, before } = anyPage(plan)
  const path = `/chats/${seededChat(plan, number).id}/messages?before=${before}&limit=${PAGE}`
  return { path, token: tokens[number % plan.users] ?? '' }
}

/** As the server's own statement for it. */
function bySql(plan: Seed) {
  const { number, before } = anyPage(plan)
  const values = [seededChat(plan, number).id, before - PAGE, before - 1]
  const text = `SELECT m.seq, u.username, m.client_id, m.body, m.created_at
    FROM microchatter.messages m JOIN microchatter.users u ON u.id = m.sender_id
    WHERE m.chat_id = $1 AND m.seq BETWEEN $2 AND $3 ORDER BY m.seq`
  return { name: 'page', text, values }
}

function toSamples({ load, ways }: Table): Sample[] {
  return ways.map(({ name, times }) => {
    const { p50, p99 } = percentiles(times)
    return { server: name, load, values: { 'p50 ms': p50, [UNIT]: p99, pages: times.length } }
  })
}

function millions(messages: number): string {
  return `${messages / 1_000_000} million`
}

function growth(samples: readonly Sample[]): Pair | undefined {
  const ofRest = samples.filter(({ server }) => server === REST)
  const [first, last] = [ofRest.at(0)?.values[UNIT], ofRest.at(-1)?.values[UNIT]]
  return toPair(last, first)
}
