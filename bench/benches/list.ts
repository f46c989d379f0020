import type { Bench, Round, Running, Sample, Scale } from '../bench.ts'
import { Connection } from '../http.ts'
import { signJwt } from '../jwt.ts'
import { analyze } from '../seed.ts'
import { percentiles, repeat } from '../times.ts'

type Database = 'postgres' | 'embedded'

const CHATS: Record<Scale, Record<Database, readonly number[]>> = {
  full: { postgres: [10, 1_000, 5_000], embedded: [10, 1_000] },
  small: { postgres: [10, 500], embedded: [10, 500] },
}
const GOAL_AT: Record<Scale, number> = { full: 1_000, small: 500 }
const NAMES = { postgres: 'Microchatter, PostgreSQL', embedded: 'Microchatter, embedded' }
const UNIT = 'p99 ms'
const CONNECTIONS = 32
const WARM_UP_MS = 2_000

export const list: Bench = {
  name: 'list',
  title: 'GET /chats, the newest 50 of a user all of whose chats had a message today: p99, ms',
  plot: UNIT,
  goals: [
    {
      name: 'p99 of a user with 1,000 chats, PostgreSQL',
      better: 'lower',
      bound: 10,
      unit: 'ms',
      of: (samples) => goalOf(samples, 'full') ?? goalOf(samples, 'small'),
    },
  ],
  ticks: (scale) => CHATS[scale].postgres.length + CHATS[scale].embedded.length,
  async measure(round) {
    const samples: Sample[] = []
    for (const database of ['postgres', 'embedded'] as const)
      if (database === 'embedded' || round.postgres)
        samples.push(...(await onDatabase(round, database)))
    return samples
  },
}

async function onDatabase(round: Round, database: Database): Promise<Sample[]> {
  const running = await round.start({ kind: 'microchatter', database })
  const samples: Sample[] = []
  for (const chats of CHATS[round.scale][database]) {
    round.say(`${NAMES[database]}, ${chats.toLocaleString('en')} chats`)
    await fill(running, chats)
    samples.push(await ask(round, running, { chats, server: NAMES[database] }))
  }
  await running.stop()
  const first = samples[0]?.values[UNIT] ?? Number.NaN
  for (const { values } of samples) values['× the p99 of 10 chats'] = (values[UNIT] ?? 0) / first
  return samples
}

/** As it happens: others write to the user, and each is a chat. */
async function fill({ url, secret, databaseUrl }: Running, chats: number): Promise<void> {
  const reader = new Connection(url)
  // Known from now on: a user that was never seen cannot be written to.
  await reader.send({ path: '/unread', token: signJwt(secret, nameOf(chats)) })
  reader.close()
  let next = 0
  const write = async () => {
    const connection = new Connection(url)
    for (let number = next++; number < chats; number = next++) {
      const path = `/chats/users/${nameOf(chats)}/messages`
      const token = signJwt(secret, `user${number}`)
      await connection.send({ method: 'POST', path, token, body: { body: 'x'.repeat(100) } })
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, write))
  if (databaseUrl !== undefined) await analyze(databaseUrl)
}

async function ask(
  round: Round,
  { url, secret }: Running,
  { chats, server }: { chats: number; server: string },
): Promise<Sample> {
  const connection = new Connection(url)
  const request = { path: '/chats', token: signJwt(secret, nameOf(chats)) }
  await repeat(WARM_UP_MS, () => connection.send(request))
  round.tick()
  const times = await repeat(round.seconds * 1_000, () => connection.send(request))
  connection.close()
  const { p50, p99 } = percentiles(times)
  const values = { 'p50 ms': p50, [UNIT]: p99, requests: times.length }
  return { server, load: loadOf(chats), values }
}

function nameOf(chats: number): string {
  return `reader${chats}`
}

function loadOf(chats: number): string {
  return `${chats.toLocaleString('en')} chats`
}

function goalOf(samples: readonly Sample[], scale: Scale): number | undefined {
  const load = loadOf(GOAL_AT[scale])
  return samples.find((one) => one.server === NAMES.postgres && one.load === load)?.values[UNIT]
}
