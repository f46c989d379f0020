/** The servers that several benches compare, and how their figures are told. */
import { existsSync } from 'node:fs'
import { type Pair, toPair } from './bench.ts'
import type { Round, Running, Sample, Scale, ServerCommand } from './bench.ts'
import type { Plan } from './generator.ts'
import type { Figures } from './meter.ts'

export const RELAY = 'bare Socket.IO relay'
export const TUTORIAL = 'Socket.IO + INSERT, as tutorials write it'
export const EJABBERD = 'ejabberd, archive in PostgreSQL'
const EJABBERD_TABLES = '/usr/share/ejabberd/sql/pg.sql'
export const OURS = { postgres: 'Microchatter, PostgreSQL', embedded: 'Microchatter, embedded' }

/** Code is compiled, caches fill. */
export const WARM_UP_MS: Record<Scale, number> = { full: 3_000, small: 700 }

export interface Server {
  name: string
  /** undefined: a part of it is not on this machine. */
  start(round: Round): Promise<Running | undefined>
}

export const relay: Server = script(RELAY, 'floors/relay.ts')
export const onPostgres: Server = {
  name: OURS.postgres,
  start: async (round) =>
    round.postgres && round.start({ kind: 'microchatter', database: 'postgres' }),
}
export const embedded: Server = {
  name: OURS.embedded,
  start: (round) => round.start({ kind: 'microchatter', database: 'embedded' }),
}
export const tutorial: Server = {
  name: TUTORIAL,
  start: (round) => startOnDatabase(round, 'peers/tutorial.ts'),
}

export const ejabberd: Server = {
  name: EJABBERD,
  start: async (round) =>
    existsSync(EJABBERD_TABLES) ? startOnDatabase(round, 'peers/ejabberd.ts') : undefined,
}

export function script(name: string, path: string): Server {
  return { name, start: (round) => round.start({ kind: 'script', script: path }) }
}

/** A script with a database of its own. */
async function startOnDatabase(round: Round, path: string): Promise<Running | undefined> {
  if (!round.postgres) return undefined
  const { url, drop } = await round.postgres.create()
  round.defer(drop)
  const command: ServerCommand = { kind: 'script', script: path, settings: { DATABASE_URL: url } }
  return round.start(command)
}

/** All of them, one after the other. */
export async function each(
  round: Round,
  servers: readonly Server[],
  measure: (server: string, running: Running) => Promise<Sample[]>,
): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const { name, start } of servers) {
    if (!isWanted(round, name)) continue
    round.say(`${name}: starts`)
    const running = await start(round)
    if (!running) continue
    samples.push(...(await measure(name, running)))
    await running.stop()
  }
  return samples
}

function isWanted({ only }: Round, name: string): boolean {
  return only === undefined || name.toLowerCase().includes(only.toLowerCase())
}

/** What all loads have in common. */
export function planOf(round: Round, running: Running, load: Load): Plan {
  const { url, secret, databaseUrl } = running
  return {
    url,
    secret,
    databaseUrl,
    warmUpMs: WARM_UP_MS[round.scale],
    measureMs: round.seconds * 1_000,
    watch: watchOf(round, running),
    ...load,
  }
}

type Load = Pick<Plan, 'sockets' | 'windows' | 'talk' | 'rate'>

function watchOf(round: Round, { pid, databaseUrl }: Running) {
  const usesPostgres = databaseUrl !== undefined
  return { server: [pid], postmaster: usesPostgres ? round.postgres?.pid : undefined }
}

export function cpuValues({ cpuUs }: Figures): Record<string, number> {
  return Object.fromEntries(
    Object.entries(cpuUs).map(([who, us]) => [`${who} CPU µs/message`, us] as const),
  )
}

/** One figure of a server, divided by that of another one in the same round. */
export function pairOf(
  samples: readonly Sample[],
  { of, to, value, load }: { of: string; to: string; value: string; load?: string },
): Pair | undefined {
  const find = (server: string) =>
    samples.find((one) => one.server === server && (load === undefined || one.load === load))
  return toPair(find(of)?.values[value], find(to)?.values[value])
}
