import { randomUUID } from 'node:crypto'
import { io, type Socket } from 'socket.io-client'
import type { Bench, Round, Running, Sample, Scale } from '../bench.ts'
import { gather } from '../crowd.ts'
import { makeGroup } from '../groups.ts'
import { signJwt } from '../jwt.ts'
import { each, onPostgres, OURS } from '../servers.ts'
import { percentiles, repeat } from '../times.ts'

const MEMBERS: Record<Scale, readonly number[]> = { full: [1_000, 10_000], small: [200] }
/** What is on a screen. */
const WATCHED = 200
const UNIT = 'subscribe p99 ms'
const ANSWER_MS = 10_000

/** Nobody is told who does not look: what counts is what looking costs, however many are there. */
export const presence: Bench = {
  name: 'presence',
  title: `Who of ${WATCHED} members of a group is there, all of them online: time of a subscription, p99, ms`,
  plot: UNIT,
  goals: [
    {
      name: 'times that of 1,000 members, 10,000 of them',
      better: 'lower',
      bound: 2,
      unit: '',
      of: (samples) => growthOf(samples),
    },
  ],
  ticks: (scale) => MEMBERS[scale].length,
  async measure(round) {
    const samples: Sample[] = []
    for (const members of MEMBERS[round.scale])
      samples.push(
        ...(await each(round, [onPostgres], (_server, running) => look(round, running, members))),
      )
    return samples
  },
}

async function look(round: Round, running: Running, members: number): Promise<Sample[]> {
  const { url, secret, databaseUrl = '' } = running
  const load = `${members.toLocaleString('en')} members`
  round.say(`${OURS.postgres}: ${load}`)
  await makeGroup(databaseUrl, { chatId: randomUUID(), members })
  const crowd = gather(round, { url, secret })
  // The last two are not in the crowd: one looks, and one comes and goes.
  await crowd.open(members - 2)
  const [watcher, mover] = [members - 1, members - 2].map((n) => connect(running, `user${n}`))
  if (!watcher || !mover) throw new Error('A group has two members at least')
  const usernames = Array.from({ length: WATCHED - 1 }, (_, n) => `user${n}`)
  const watched = { usernames: [...usernames, `user${members - 2}`] }
  const subscribe = () => watcher.timeout(ANSWER_MS).emitWithAck('presence.subscribe', watched)
  await repeat(1_000, subscribe)
  const asked = percentiles(await repeat(round.seconds * 500, subscribe))
  const seen = percentiles(await repeat(round.seconds * 500, changeAndSee(watcher, mover)))
  for (const socket of [watcher, mover]) socket.disconnect()
  crowd.close()
  round.tick()
  const values = {
    'subscribe p50 ms': asked.p50,
    [UNIT]: asked.p99,
    'a change is seen p50 ms': seen.p50,
    'a change is seen p99 ms': seen.p99,
  }
  return [{ server: OURS.postgres, load, values }]
}

function connect({ url, secret }: Running, username: string): Socket {
  const auth = { token: signJwt(secret, username) }
  return io(url, { auth, transports: ['websocket'], forceNew: true })
}

/** From the call of the one who goes away, or comes back, until the one who looks has the word. */
function changeAndSee(watcher: Socket, mover: Socket): () => Promise<unknown> {
  let state: 'away' | 'online' = 'online'
  return () => {
    state = state === 'away' ? 'online' : 'away'
    return new Promise<void>((resolve) => {
      const listen = (shown: { state: string }) => {
        if (shown.state !== state) return
        watcher.off('presence.updated', listen)
        resolve()
      }
      watcher.on('presence.updated', listen)
      mover.emit('presence.set', { state }, () => undefined)
    })
  }
}

function growthOf(samples: readonly Sample[]): number | undefined {
  const [few, many] = samples.map(({ values }) => values['subscribe p50 ms'])
  return few === undefined || many === undefined ? undefined : many / few
}
