import type { Bench, Round, Running, Sample, Scale } from '../bench.ts'
import { gather } from '../crowd.ts'
import { seed } from '../seed.ts'
import { pairOf } from '../servers.ts'

const SOCKETS: Record<Scale, number> = { full: 5_000, small: 300 }
const CHATS_OF_USER = 4
const MESSAGES_OF_CHAT = 10
const FLOOR = 'bare Socket.IO, connect'
const OURS = 'Microchatter, PostgreSQL, connect and sync'
const UNIT = 'ms until the last is live'

export const storm: Bench = {
  name: 'storm',
  title: 'All sockets drop and return at once: ms until the last one is live',
  plot: UNIT,
  goals: [
    {
      name: 'of the time bare Socket.IO takes to connect them',
      better: 'lower',
      bound: 1.5,
      unit: '×',
      of: (samples) => pairOf(samples, { of: OURS, to: FLOOR, value: UNIT }),
      guarded: true,
    },
    {
      name: 'failed',
      better: 'lower',
      bound: 0,
      unit: '',
      of: (samples) => samples.find(({ server }) => server === OURS)?.values.failed,
    },
  ],
  ticks: () => 2,
  async measure(round) {
    const bare = await round.start({ kind: 'script', script: 'floors/bare.ts' })
    const samples = [await blow(round, FLOOR, bare)]
    if (!round.postgres) return samples
    const ours = await round.start({ kind: 'microchatter', database: 'postgres' })
    await seedCrowd(ours, SOCKETS[round.scale])
    return [...samples, await blow(round, OURS, ours)]
  },
}

async function seedCrowd({ databaseUrl = '' }: Running, users: number): Promise<void> {
  const chats = (users * CHATS_OF_USER) / 2
  await seed(databaseUrl, { users, chats, messagesPerChat: MESSAGES_OF_CHAT })
}

async function blow(round: Round, server: string, running: Running): Promise<Sample> {
  const sockets = SOCKETS[round.scale]
  const { url, secret, stop } = running
  const plan = { url, secret }
  const crowd = gather(round, secret === '' ? plan : { ...plan, sync: true })
  round.say(`${server}, ${sockets.toLocaleString('en')} sockets`)
  const { ms: firstMs } = await crowd.open(sockets)
  if (secret !== '') await crowd.sync()
  round.tick()
  const { ms, failed } = await crowd.storm()
  crowd.close()
  await stop()
  const load = `${sockets.toLocaleString('en')} sockets`
  return { server, load, values: { [UNIT]: ms, failed, 'ms for the first time': firstMs } }
}
