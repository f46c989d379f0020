import type { Bench, Round, Running, Sample, Scale } from '../bench.ts'
import { type Loop, meanOf, runInTurns } from '../closed-loop.ts'
import type { Figures } from '../meter.ts'
import { startRedis } from '../redis.ts'
import { pairOf } from '../servers.ts'

type Nodes = [Running, ...Running[]]

const SOCKETS: Record<Scale, number> = { full: 1_000, small: 200 }
const WINDOW = 256
const ONE = 'Microchatter, 1 node'
const TWO = 'Microchatter, 2 nodes and Redis'
const UNIT = 'messages/s'

export const nodes: Bench = {
  name: 'nodes',
  title: 'Messages per second, 256 in flight: one node, and two nodes on the same cores',
  plot: UNIT,
  goals: [
    {
      name: 'two nodes, of one',
      better: 'higher',
      bound: 0.8,
      unit: '×',
      of: (samples) => pairOf(samples, { of: TWO, to: ONE, value: UNIT }),
      guarded: true,
    },
  ],
  ticks: () => 4,
  async measure(round) {
    const redis = round.postgres && (await startRedis(round))
    if (redis === undefined) return []
    const one = await round.start({ kind: 'microchatter', database: 'postgres' })
    const two = await startTwo(round, redis)
    const [first, second] = await runInTurns(
      round,
      loopOf(round, [one], ONE),
      loopOf(round, two, TWO),
    )
    for (const { stop } of [one, ...two]) await stop()
    return [toSample(ONE, first), toSample(TWO, second)]
  },
}

/** On the same database, with the same key. */
async function startTwo(round: Round, redis: string): Promise<Nodes> {
  const settings = { REDIS_URL: redis }
  const first = await round.start({ kind: 'microchatter', database: 'postgres', settings })
  const shared = { DATABASE_URL: first.databaseUrl ?? '', MICROCHATTER_JWT_SECRET: first.secret }
  const second = await round.start({
    kind: 'microchatter',
    database: 'postgres',
    settings: { ...settings, ...shared },
  })
  return [first, second]
}

function loopOf({ scale, seconds }: Round, running: Nodes, name: string): Loop {
  return { name, running, sockets: SOCKETS[scale], window: WINDOW, seconds }
}

function toSample(server: string, turns: readonly Figures[]): Sample {
  const values = {
    [UNIT]: meanOf(turns, ({ perSecond }) => perSecond),
    'ack p99 ms': meanOf(turns, ({ ackMs }) => ackMs.p99),
    'arrival p99 ms': meanOf(turns, ({ arrivalMs }) => arrivalMs.p99),
  }
  return { server, load: `${WINDOW} in flight`, values }
}
