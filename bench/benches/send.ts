import type { Bench, Goal, Round, Running, Sample, Scale } from '../bench.ts'
import { generate } from '../children.ts'
import type { Figures } from '../meter.ts'
import {
  cpuValues,
  each,
  EJABBERD,
  ejabberd,
  embedded,
  onPostgres,
  OURS,
  planOf,
  pairOf,
  RELAY,
  relay,
  type Server,
  tutorial,
} from '../servers.ts'

const SERVERS: Record<Scale, readonly Server[]> = {
  full: [relay, onPostgres, embedded, tutorial, ejabberd],
  small: [relay, onPostgres],
}
const SOCKETS: Record<Scale, number> = { full: 1_000, small: 200 }
const WINDOWS = [32, 256]
const UNIT = 'messages/s'

export const send: Bench = {
  name: 'send',
  title: '1:1 messages per second, acknowledged after commit and received',
  plot: UNIT,
  goals: [
    ...WINDOWS.map(ofRelay),
    {
      name: 'of ejabberd with its archive, 32 in flight',
      better: 'higher',
      bound: 5,
      unit: '×',
      of: (samples) =>
        pairOf(samples, { of: OURS.postgres, to: EJABBERD, value: UNIT, load: loadOf(32) }),
    },
    {
      name: 'with PostgreSQL, 256 in flight',
      better: 'higher',
      bound: 20_000,
      unit: '/s',
      of: (samples) => perSecond(samples, OURS.postgres, loadOf(256)),
    },
  ],
  ticks: (scale) => SERVERS[scale].length * WINDOWS.length,
  measure: (round) =>
    each(round, SERVERS[round.scale], (server, running) => measure(round, server, running)),
}

function ofRelay(window: number): Goal {
  return {
    name: `of the bare relay, ${loadOf(window)}`,
    better: 'higher',
    bound: 0.6,
    unit: '×',
    of: (samples) =>
      pairOf(samples, { of: OURS.postgres, to: RELAY, value: UNIT, load: loadOf(window) }),
    guarded: true,
  }
}

async function measure(round: Round, server: string, running: Running): Promise<Sample[]> {
  round.say(`${server}: users and chats`)
  const plan = planOf(round, running, {
    sockets: SOCKETS[round.scale],
    windows: WINDOWS,
    ...(server === EJABBERD && { talk: 'xmpp' }),
  })
  const measured = await generate(plan, () => round.say(server))
  for (const _ of WINDOWS) round.tick()
  return [...measured].map(([window, figures]) => toSample(server, loadOf(window), figures))
}

function toSample(server: string, load: string, figures: Figures): Sample {
  const { perSecond, ackMs, arrivalMs } = figures
  const values = {
    [UNIT]: perSecond,
    'ack p50 ms': ackMs.p50,
    'ack p99 ms': ackMs.p99,
    'arrival p50 ms': arrivalMs.p50,
    'arrival p99 ms': arrivalMs.p99,
    'arrival p99.9 ms': arrivalMs.p999,
    ...cpuValues(figures),
  }
  return { server, load, values }
}

function loadOf(window: number): string {
  return `${window} in flight`
}

function perSecond(samples: readonly Sample[], server: string, load: string): number | undefined {
  return samples.find((one) => one.server === server && one.load === load)?.values[UNIT]
}
