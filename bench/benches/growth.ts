import {
  type Bench,
  type Pair,
  type Round,
  type Running,
  type Sample,
  type Scale,
  toPair,
} from '../bench.ts'
import { type Loop, meanOf, runInTurns } from '../closed-loop.ts'
import type { Figures } from '../meter.ts'
import { seed } from '../seed.ts'

const MESSAGES: Record<Scale, number> = { full: 10_000_000, small: 200_000 }
const SOCKETS: Record<Scale, number> = { full: 1_000, small: 200 }
const MESSAGES_OF_CHAT = 1_000
const WINDOW = 32
const SERVER = 'Microchatter, PostgreSQL'
const EMPTY = 'empty database'
const UNIT = 'messages/s'

export const growth: Bench = {
  name: 'growth',
  title: 'Messages per second, 32 in flight, into an empty and into a large database',
  plot: UNIT,
  goals: [
    {
      name: 'of the rate with an empty database',
      better: 'higher',
      bound: 0.9,
      unit: '×',
      of: (samples) => ratio(samples),
      guarded: true,
    },
  ],
  ticks: () => 4,
  async measure(round) {
    if (!round.postgres) return []
    const large = await round.start({ kind: 'microchatter', database: 'postgres' })
    await fill(round, large)
    const empty = await round.start({ kind: 'microchatter', database: 'postgres' })
    const filled = `${MESSAGES[round.scale].toLocaleString('en')} messages in it`
    const [first, second] = await runInTurns(
      round,
      loopOf(round, empty, EMPTY),
      loopOf(round, large, filled),
    )
    await Promise.all([empty.stop(), large.stop()])
    return [toSample(EMPTY, first), toSample(filled, second)]
  },
}

/** The users are those of the load; it opens chats of its own between them, beside the old ones. */
async function fill(round: Round, { databaseUrl = '' }: Running): Promise<void> {
  const messages = MESSAGES[round.scale]
  const plan = {
    users: SOCKETS[round.scale],
    chats: messages / MESSAGES_OF_CHAT,
    messagesPerChat: MESSAGES_OF_CHAT,
  }
  let done = 0
  await seed(databaseUrl, plan, (rows) => {
    done += rows
    round.say(`${Math.round((100 * done) / messages)} % of the messages put in`)
  })
}

function loopOf({ scale, seconds }: Round, running: Running, name: string): Loop {
  return { name, running: [running], sockets: SOCKETS[scale], window: WINDOW, seconds }
}

function toSample(load: string, turns: readonly Figures[]): Sample {
  const values = {
    [UNIT]: meanOf(turns, ({ perSecond }) => perSecond),
    'ack p99 ms': meanOf(turns, ({ ackMs }) => ackMs.p99),
  }
  return { server: SERVER, load, values }
}

function ratio(samples: readonly Sample[]): Pair | undefined {
  const [empty, large] = samples.map(({ values }) => values[UNIT])
  return toPair(large, empty)
}
