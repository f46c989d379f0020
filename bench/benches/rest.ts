import type { Bench, Round, Running, Sample } from '../bench.ts'
import { generate } from '../children.ts'
import { cpuValues, each, onPostgres, OURS, planOf, pairOf, script } from '../servers.ts'

const FLOOR = 'an empty validated POST'
const SERVERS = [script(FLOOR, 'floors/post.ts'), onPostgres]
const USERS = 200
const CONNECTIONS = 64
const UNIT = 'requests/s'

export const rest: Bench = {
  name: 'rest',
  title: 'Messages per second by REST, answered after commit, 64 connections',
  plot: UNIT,
  goals: [
    {
      name: 'of an empty validated POST',
      better: 'higher',
      bound: 0.6,
      unit: '×',
      of: (samples) => pairOf(samples, { of: OURS.postgres, to: FLOOR, value: UNIT }),
      guarded: true,
    },
  ],
  ticks: () => SERVERS.length,
  measure: (round) => each(round, SERVERS, (server, running) => measure(round, server, running)),
}

async function measure(round: Round, server: string, running: Running): Promise<Sample[]> {
  round.say(`${server}: users and chats`)
  const plan = planOf(round, running, {
    sockets: USERS,
    talk: 'rest',
    windows: [CONNECTIONS],
  })
  const measured = await generate(plan, () => round.say(server))
  round.tick()
  return [...measured.values()].map((figures) => {
    const { perSecond, ackMs } = figures
    const times = { 'p50 ms': ackMs.p50, 'p99 ms': ackMs.p99, 'p99.9 ms': ackMs.p999 }
    const values = { [UNIT]: perSecond, ...times, ...cpuValues(figures) }
    return { server, load: `${CONNECTIONS} connections`, values }
  })
}
