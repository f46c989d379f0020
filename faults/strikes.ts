/** What faults do, where it is more than a few lines. */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { halfOpen, loseAnswers, type Toxic } from './proxy.ts'
import type { Random } from './random.ts'
import { changeSomething, sendAs } from './workload.ts'
import type { World } from './world.ts'

/** A database that was stopped is missed within this, and used again within this. */
const NOTICED_MS = 3_000
/** More than a reader may let wait, whatever the kernel's buffers take of it. */
const LONG_TEXTS = 600
const TOGETHER = 20
const CLOSED_MS = 8_000

export const OUR_SESSIONS = `SELECT pid FROM pg_stat_activity WHERE application_name = 'microchatter'`

/** A statement that makes messages durable, or the end of a transaction. */
export function commits(bytes: Buffer): boolean {
  return bytes.includes('insert_messages') || bytes.includes('COMMIT')
}

export async function withToxic(
  link: { toxic: Toxic | undefined },
  toxic: Toxic,
  ms: number,
): Promise<void> {
  link.toxic = toxic
  await sleep(ms)
  link.toxic = undefined
}

/** While the database is away: alive, not ready, and so within three seconds. */
export async function stayHonest(world: World, ms: number): Promise<void> {
  const [device] = world.devices
  const from = performance.now()
  const until = from + ms
  let saidAway = false
  while (performance.now() < until) {
    const live = await device?.get('/health/live')
    if (live?.result !== 'ok')
      world.broken.push({ rule: 'I18', text: `live said ${live?.result}`, calls: [] })
    const ready = await device?.get('/health/ready')
    if (ready?.result === 'unavailable') saidAway = true
    else if (performance.now() - from > NOTICED_MS)
      world.broken.push({ rule: 'I18', text: `ready said ${ready?.result}`, calls: [] })
    await sleep(100)
  }
  if (!saidAway && ms > NOTICED_MS)
    world.broken.push({ rule: 'I18', text: 'ready never said that it is away', calls: [] })
}

let counted = 0

/** [SOCK-1] */
export async function neverRead(world: World, random: Random): Promise<void> {
  const chat = world.chats.find(({ users }) => world.devicesOf(users[1]).length > 0)
  const [writer] = world.devicesOf(chat?.users[0] ?? '')
  const [reader] = world.devicesOf(chat?.users[1] ?? '')
  if (!chat || !writer || !reader) return
  const { connections } = reader
  const port = reader.localPort
  const { toxic, release } = halfOpen(({ client }) => client.remotePort === port)
  world.link.toxic = toxic
  for (let sent = 0; sent < LONG_TEXTS; sent += TOGETHER)
    await Promise.all(
      Array.from({ length: TOGETHER }, () => {
        counted += 1
        const body = `long ${counted} ${'🙂'.repeat(7_900)}`
        return sendAs(writer, { chatId: chat.id, body, clientId: randomUUID(), random })
      }),
    )
  await sleep(300)
  world.link.toxic = undefined
  release()
  const until = Date.now() + CLOSED_MS
  while (reader.connections === connections && Date.now() < until) await sleep(50)
  if (reader.connections === connections)
    world.broken.push({ rule: 'I17', text: 'a reader who never reads was kept', calls: [] })
}

/** [I9] Each sender repeats until it is answered; the receivers hear of it all the same. */
export async function loseTheTail(world: World, random: Random): Promise<void> {
  world.dbLink.toxic = loseAnswers(commits)
  const chats = [...world.chats, ...world.groups].filter(() => random.chance(40))
  const calls = chats.flatMap(({ id, users: [user = ''] }) =>
    world.devicesOf(user).map((device) => {
      if (random.chance(50)) return changeSomething(device, id, random)
      counted += 1
      return sendAs(device, { chatId: id, body: `tail ${counted}`, clientId: randomUUID(), random })
    }),
  )
  await sleep(150)
  world.dbLink.toxic = undefined
  await Promise.all(calls)
}

/** Writes are refused meanwhile; nothing is acknowledged that is not stored. */
export async function fillTheDisk({ parts, cluster }: World, random: Random): Promise<void> {
  parts.disk?.fill()
  await sleep(random.between(1_500, 3_000))
  parts.disk?.free()
  // Where the log itself found no room, PostgreSQL has ended.
  if (!cluster.isRunning) await cluster.start()
}

/** [SEND-3] After a restart too. */
export async function sendOldOnesAgain(world: World, random: Random): Promise<void> {
  const old = world.history.calls.filter(({ kind, outcome, again }) => {
    return kind === 'send' && outcome === 'ok' && !again
  })
  await Promise.all(
    Array.from({ length: Math.min(50, old.length) }, () => {
      const { user, chatId, body = '', clientId = '' } = random.of(old)
      const device = random.of(world.devicesOf(user))
      return sendAs(device, { chatId, body, clientId, random, again: true })
    }),
  )
}

interface Trigger {
  on: string
  does: string
}

export async function withTrigger(world: World, { on, does }: Trigger): Promise<void> {
  await world.sql(async (query) => {
    await query(
      `CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${does} END $$`,
    )
    const table = /ON (\w+)/.exec(on)?.[1]
    await query(`DROP TRIGGER IF EXISTS fault ON ${table}`)
    await query(`CREATE TRIGGER fault ${on} EXECUTE FUNCTION fault()`)
    await sleep(1_000)
    await query(`DROP TRIGGER fault ON ${table}`)
  })
}

export async function useUpConnections(world: World, random: Random): Promise<void> {
  // The server has its own already: they are ended, so that it needs new ones.
  const held: pg.Client[] = []
  try {
    for (;;) {
      const client = new pg.Client({ connectionString: world.cluster.url })
      client.on('error', () => undefined)
      await client.connect()
      held.push(client)
      if (held.length === 5)
        await client.query(`SELECT pg_terminate_backend(pid) FROM (${OUR_SESSIONS}) s`)
    }
  } catch {
    await sleep(random.between(500, 2_000))
  } finally {
    await Promise.all(held.map((client) => client.end()))
  }
}

export async function descriptors(pid: number): Promise<{ soft: number; used: number }> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8')
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 1_024)
  return { soft, used: (await readdir(`/proc/${pid}/fd`)).length }
}
