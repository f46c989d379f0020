import { randomUUID } from 'node:crypto'
import type { Bench, Round, Running, Sample, Scale } from '../bench.ts'
import { generate } from '../children.ts'
import { makeGroup } from '../groups.ts'
import { cpuValues, each, onPostgres, OURS, pairOf, planOf, script } from '../servers.ts'

const FLOOR = 'bare Socket.IO room'
const SERVERS = [script(FLOOR, 'floors/broadcast.ts'), onPostgres]
const MEMBERS: Record<Scale, readonly number[]> = { full: [1_000, 10_000], small: [200] }
const WINDOW = 4
const UNIT = 'deliveries/s'

export const fanOut: Bench = {
  name: 'fan-out',
  title: 'A group whose members are all online, one of whom writes: deliveries per second',
  plot: UNIT,
  goals: [
    {
      name: 'of a bare room',
      better: 'higher',
      bound: 0.9,
      unit: '×',
      of: (samples) => goalOf(samples, MEMBERS.full[0]) ?? goalOf(samples, MEMBERS.small[0]),
      guarded: true,
    },
    {
      name: 'of a bare room, 10,000 members',
      better: 'higher',
      bound: 0.9,
      unit: '×',
      of: (samples) => goalOf(samples, MEMBERS.full[1]),
    },
  ],
  ticks: (scale) => SERVERS.length * MEMBERS[scale].length,
  async measure(round) {
    const samples: Sample[] = []
    for (const members of MEMBERS[round.scale])
      samples.push(
        ...(await each(round, SERVERS, (server, running) =>
          measure(round, running, { server, members }),
        )),
      )
    return samples
  },
}

function goalOf(samples: readonly Sample[], members: number | undefined) {
  const load = loadOf(members ?? 0)
  return pairOf(samples, { of: OURS.postgres, to: FLOOR, value: UNIT, load })
}

function loadOf(members: number): string {
  return `${members.toLocaleString('en')} members`
}

async function measure(
  round: Round,
  running: Running,
  { server, members }: { server: string; members: number },
): Promise<Sample[]> {
  const { databaseUrl } = running
  const chatId = randomUUID()
  round.say(`${server}: ${loadOf(members)}`)
  if (databaseUrl !== undefined) await makeGroup(databaseUrl, { chatId, members })
  const plan = planOf(round, running, {
    sockets: members,
    talk: { chatId },
    windows: [WINDOW],
  })
  const measured = await generate(plan, () => round.say(server))
  round.tick()
  return [...measured.values()].map((figures) => {
    const { perSecond, arrivalMs } = figures
    const values = {
      [UNIT]: perSecond * (members - 1),
      'messages/s': perSecond,
      'last arrival p50 ms': arrivalMs.p50,
      'last arrival p99 ms': arrivalMs.p99,
      ...cpuValues(figures),
    }
    return { server, load: loadOf(members), values }
  })
}
