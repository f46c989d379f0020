import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Bench, Round, Running, Sample, Scale } from '../bench.ts'
import { generate } from '../children.ts'
import { cpuValues, each, onPostgres, OURS, planOf, pairOf, script } from '../servers.ts'

const FLOOR = 'bare Socket.IO room'
const SERVERS = [script(FLOOR, 'floors/broadcast.ts'), onPostgres]
const MEMBERS: Record<Scale, number> = { full: 1_000, small: 200 }
const WINDOW = 4
const UNIT = 'deliveries/s'

export const fanOut: Bench = {
  name: 'fan-out',
  title: 'A group whose members are all online, one of whom writes: deliveries per second',
  plot: UNIT,
  goals: [
    {
      name: 'of a bare room',
      better: 'higher',
      bound: 0.9,
      unit: '×',
      of: (samples) => pairOf(samples, { of: OURS.postgres, to: FLOOR, value: UNIT }),
      guarded: true,
    },
  ],
  ticks: () => SERVERS.length,
  measure: (round) => each(round, SERVERS, (server, running) => measure(round, server, running)),
}

async function measure(round: Round, server: string, running: Running): Promise<Sample[]> {
  const { databaseUrl } = running
  const members = MEMBERS[round.scale]
  const chatId = randomUUID()
  round.say(`${server}: members`)
  if (databaseUrl !== undefined) await makeGroup(databaseUrl, { chatId, members })
  const plan = planOf(round, running, {
    sockets: members,
    talk: { chatId },
    windows: [WINDOW],
  })
  const measured = await generate(plan, () => round.say(server))
  round.tick()
  return [...measured.values()].map((figures) => {
    const { perSecond, arrivalMs } = figures
    const values = {
      [UNIT]: perSecond * (members - 1),
      'messages/s': perSecond,
      'last arrival p50 ms': arrivalMs.p50,
      'last arrival p99 ms': arrivalMs.p99,
      ...cpuValues(figures),
    }
    return { server, load: `${members.toLocaleString('en')} members`, values }
  })
}

/** By SQL: there is no call for it. As if all had been in it since before today's first message. */
async function makeGroup(
  connectionString: string,
  { chatId, members }: { chatId: string; members: number },
): Promise<void> {
  const client = new pg.Client({ connectionString, options: '-c search_path=microchatter' })
  await client.connect()
  try {
    await client.query(
      `WITH made AS (
         INSERT INTO users (username) SELECT 'user' || n FROM generate_series(0, $1::int - 1) n
         RETURNING id),
       chat AS (
         INSERT INTO chats (id, kind, active_day) VALUES ($2, 'group', current_date) RETURNING id)
       INSERT INTO members (chat_id, user_id, active_day)
       SELECT chat.id, made.id, current_date FROM chat, made`,
      [members, chatId],
    )
  } finally {
    await client.end()
  }
}
