import type { Bench, Round, Sample, Scale, ServerCommand } from '../bench.ts'
import { gather } from '../crowd.ts'
import { settledRssKb, slope } from '../rss.ts'
import { pairOf } from '../servers.ts'

const STEPS: Record<Scale, readonly number[]> = {
  full: [1_000, 2_500, 5_000, 7_500, 10_000],
  small: [200, 1_000],
}
const FLOOR = 'bare Socket.IO'
const OURS = 'Microchatter, PostgreSQL'
const UNIT = 'kB/socket'

export const idle: Bench = {
  name: 'idle',
  title: 'Memory of an idle, authenticated socket: kB of the RSS of the server, by slope',
  plot: UNIT,
  goals: [
    {
      name: 'of bare Socket.IO, kB a socket',
      better: 'lower',
      bound: 1.2,
      unit: '×',
      of: (samples) => pairOf(samples, { of: OURS, to: FLOOR, value: UNIT }),
      guarded: true,
    },
  ],
  ticks: (scale) => 2 * STEPS[scale].length,
  async measure(round) {
    const samples = [await hold(round, FLOOR, { kind: 'script', script: 'floors/bare.ts' })]
    if (round.postgres)
      samples.push(await hold(round, OURS, { kind: 'microchatter', database: 'postgres' }))
    return samples
  },
}

async function hold(round: Round, server: string, command: ServerCommand): Promise<Sample> {
  const steps = STEPS[round.scale]
  const { url, secret, pid, stop } = await round.start(command)
  const crowd = gather(round, { url, secret })
  const points: { x: number; y: number }[] = []
  for (const sockets of steps) {
    round.say(`${server}, ${sockets.toLocaleString('en')} sockets`)
    await crowd.open(sockets)
    points.push({ x: sockets, y: await settledRssKb(pid) })
    round.tick()
  }
  crowd.close()
  await stop()
  const [first, last] = [points.at(0), points.at(-1)]
  const load = `${steps[0]?.toLocaleString('en')} to ${steps.at(-1)?.toLocaleString('en')} sockets`
  const values = {
    [UNIT]: slope(points),
    'MB at the first': (first?.y ?? 0) / 1_024,
    'MB at the last': (last?.y ?? 0) / 1_024,
  }
  return { server, load, values }
}
