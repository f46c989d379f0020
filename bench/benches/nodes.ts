import type { Bench, Round, Running, Sample, Scale } from '../bench.ts'
import { runLoop } from '../closed-loop.ts'
import { startRedis } from '../redis.ts'

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
      of: (samples) => ratio(samples),
      guarded: true,
    },
  ],
  ticks: () => 2,
  async measure(round) {
    if (!round.postgres) return []
    const one = await round.start({ kind: 'microchatter', database: 'postgres' })
    const samples = [await send(round, ONE, [one])]
    const redis = await startRedis(round)
    if (redis === undefined) return samples
    return [...samples, await send(round, TWO, await startTwo(round, redis))]
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

async function send(round: Round, server: string, running: Nodes): Promise<Sample> {
  round.say(`nodes: ${server}`)
  const { seconds, scale } = round
  const figures = await runLoop(round, {
    running,
    sockets: SOCKETS[scale],
    window: WINDOW,
    seconds,
  })
  for (const { stop } of running) await stop()
  const { perSecond, ackMs, arrivalMs } = figures
  const values = { [UNIT]: perSecond, 'ack p99 ms': ackMs.p99, 'arrival p99 ms': arrivalMs.p99 }
  return { server, load: `${WINDOW} in flight`, values }
}

function ratio(samples: readonly Sample[]): number | undefined {
  const [one, two] = samples.map(({ values }) => values[UNIT])
  return one === undefined || two === undefined ? undefined : two / one
}
