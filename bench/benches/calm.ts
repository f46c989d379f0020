import type { Bench, Goal, Round, Running, Sample, Scale } from '../bench.ts'
import { generate } from '../children.ts'
import { cpuValues, each, embedded, onPostgres, OURS, planOf, relay } from '../servers.ts'

const SERVERS = [relay, onPostgres, embedded]
const SOCKETS: Record<Scale, number> = { full: 1_000, small: 200 }
const RATE = 500
/** Four seconds behind, and it is no open loop any more. */
const IN_FLIGHT = 2_000
const P50 = 'arrival p50 ms'
const P99 = 'arrival p99 ms'

export const calm: Bench = {
  name: 'calm',
  title: '500 messages a second, whatever comes back: ms from the intended time to the arrival',
  plot: P99,
  goals: [goalOf(P50, 2), goalOf(P99, 10)],
  ticks: () => SERVERS.length,
  measure: (round) => each(round, SERVERS, (server, running) => measure(round, server, running)),
}

function goalOf(value: string, bound: number): Goal {
  return {
    name: `${value.replace(' ms', '')}, with PostgreSQL`,
    better: 'lower',
    bound,
    unit: 'ms',
    of: (samples) => samples.find(({ server }) => server === OURS.postgres)?.values[value],
  }
}

async function measure(round: Round, server: string, running: Running): Promise<Sample[]> {
  round.say(`${server}: users and chats`)
  const plan = planOf(round, running, {
    sockets: SOCKETS[round.scale],
    windows: [IN_FLIGHT],
    rate: RATE,
  })
  const measured = await generate(plan, () => round.say(server))
  round.tick()
  return [...measured.values()].map((figures) => {
    const { ackMs, arrivalMs } = figures
    const values = {
      [P50]: arrivalMs.p50,
      'arrival p90 ms': arrivalMs.p90,
      [P99]: arrivalMs.p99,
      'arrival p99.9 ms': arrivalMs.p999,
      'arrival max ms': arrivalMs.max,
      'ack p99 ms': ackMs.p99,
      ...cpuValues(figures),
    }
    return { server, load: `${RATE}/s`, values }
  })
}
