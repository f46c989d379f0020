/** Who is there, who may know, and who types. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Presence } from '@microchatter/protocol'
import type { PresenceEvent } from '../src/bus/bus.ts'
import { createMemoryBus } from '../src/bus/memory.ts'
import { LastSeen } from '../src/domain/last-seen.ts'
import { States } from '../src/domain/states.ts'
import { loadConfig } from '../src/server.ts'
import { type Database, openDatabase } from '../src/store/db.ts'
import { engines, freshDatabase, skipOf } from './support/databases.ts'
import { insertGroup } from './support/group.ts'
import { startNodes, type TestNodes } from './support/nodes.ts'
import { skipRedis } from './support/redis.ts'
import {
  admin,
  type Device,
  newName,
  newPerson,
  Person,
  personAt,
  startServer,
  type TestServer,
} from './support/server.ts'

const GRACE_MS = 5_000
const TYPING_MS = 6_000
/** Enough for an event that must not come. */
const QUIET_MS = 300

const namesOf = (people: readonly Person[]) => people.map(({ username }) => username)
const offline = ({ username }: { username: string }): Presence => ({ username, state: 'offline' })

async function watch(device: Device, people: readonly Person[]): Promise<Presence[]> {
  const answer = await device.call('presence.subscribe', { usernames: namesOf(people) })
  assert(answer.ok, JSON.stringify(answer))
  return answer.items
}

async function look(one: Person, people: readonly { username: string }[]): Promise<Presence[]> {
  const usernames = people.map(({ username }) => encodeURIComponent(username)).join(',')
  return (await one.ask('GET', `/presence?usernames=${usernames}`)).items
}

/** What a device was told of a user's presence, the newest last. */
function told(device: Device, { username }: Person): string[] {
  return device
    .named('presence.updated')
    .filter((event: Presence) => event.username === username)
    .map(({ state }: Presence) => state)
}

const is = (state: string) => (event: Presence) => event.state === state

async function until(holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  for (const end = Date.now() + withinMs; !(await holds()); await sleep(20))
    assert(Date.now() < end, 'it did not come about in time')
}

for (const engine of engines)
  describe(`presence on ${engine}`, { skip: skipOf(engine), concurrency: true }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())
    /** Two who have written to each other. */
    async function pair() {
      const [ann, bob] = [await newPerson(server), await newPerson(server)]
      const { chatId } = await ann.sendTo(bob, 'hello')
      return { ann, bob, chatId }
    }

    test('[PRES-1] [PRES-4] the best of all sockets counts, and those that watch are told, no others', async () => {
      const { ann, bob } = await pair()
      const [anns, other] = [await ann.connect(), await ann.connect()]
      assert.deepEqual(await watch(anns, [bob]), [offline(bob)])
      const bobs = await bob.connect()
      assert.deepEqual(await anns.receives('presence.updated'), {
        username: bob.username,
        state: 'online',
      })
      assert((await bobs.call('presence.set', { state: 'away' })).ok)
      await anns.receives('presence.updated', is('away'))
      await bob.connect()
      await until(() => told(anns, bob).length === 3)
      assert.deepEqual(told(anns, bob), ['online', 'away', 'online'])
      assert.deepEqual(told(other, bob), [])
      assert.deepEqual(await look(ann, [bob, ann]), [
        { username: bob.username, state: 'online' },
        { username: ann.username, state: 'online' },
      ])
    })

    test('[PRES-2] who comes back within 5 s was never offline; later it was, with the time it went', async () => {
      const { ann, bob } = await pair()
      const anns = await ann.connect()
      const bobs = await bob.connect()
      await watch(anns, [bob])
      bobs.close()
      await sleep(GRACE_MS - 2_000)
      const again = await bob.connect()
      await sleep(3_000)
      assert.deepEqual(told(anns, bob), [])
      const wentAt = Date.now()
      again.close()
      const { lastSeenAt } = await anns.receives('presence.updated', is('offline'), 8_000)
      assert(Date.now() - wentAt >= GRACE_MS - 100)
      assert(Math.abs(Date.parse(lastSeenAt) - wentAt) < 1_000, lastSeenAt)
      const [seen] = await look(ann, [bob])
      assert.deepEqual(seen, { ...offline(bob), lastSeenAt })
    })

    test('[PRES-3] strangers, an opened chat, a name that is not there: all the same', async () => {
      const { ann, bob } = await pair()
      const cat = await newPerson(server)
      await cat.ask('POST', '/chats', { username: ann.username })
      await ann.connect()
      const nobody = { username: newName() }
      const odd = { username: 'é € \u0001' }
      const cats = await cat.connect()
      assert.deepEqual(
        await look(cat, [ann, bob, nobody, odd]),
        [ann, bob, nobody, odd].map(offline),
      )
      assert.deepEqual(await watch(cats, [ann]), [offline(ann)])
      await cat.sendTo(ann, 'hello')
      assert.deepEqual((await look(cat, [ann]))[0]?.state, 'online')
      assert.deepEqual((await watch(cats, [ann]))[0]?.state, 'online')
    })

    test('[PRES-4] a subscription takes the place of the one before, has 200 at most, and ends with its socket', async () => {
      const { ann, bob } = await pair()
      const { ann: cat } = await pair()
      await cat.sendTo(ann, 'hello')
      const anns = await ann.connect()
      await watch(anns, [bob])
      await watch(anns, [cat])
      await bob.connect()
      await cat.connect()
      await anns.receives('presence.updated', ({ username }) => username === cat.username)
      assert.deepEqual(told(anns, bob), [])
      const many = Array.from({ length: 201 }, (_, index) => `many-${index}`)
      const refused = await anns.call('presence.subscribe', { usernames: many })
      assert.equal(refused.error?.code, 'invalid')
      const by = async (usernames: string) =>
        (await ann.fetch('GET', `/presence?usernames=${usernames}`)).status
      assert.deepEqual(
        [
          await by(many.join(',')),
          await by('a,,b'),
          await by(''),
          await by(many.slice(1).join(',')),
        ],
        [400, 400, 400, 200],
      )
      const asked = ['x', bob.username, 'x']
      const { items } = await anns.call('presence.subscribe', { usernames: asked })
      assert.deepEqual(
        items.map(({ username }: Presence) => username),
        asked,
      )
    })

    test('[PRES-6] a block ends what is seen at once, either way; its end gives it back', async () => {
      const { ann, bob } = await pair()
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      await watch(anns, [bob])
      await watch(bobs, [ann])
      await ann.ask('PUT', `/users/me/blocks/${bob.username}`)
      assert.deepEqual(await bobs.receives('presence.updated'), offline(ann))
      assert.deepEqual(await anns.receives('presence.updated'), offline(bob))
      assert.deepEqual(await look(bob, [ann]), [offline(ann)])
      await (await ann.connect()).call('presence.set', { state: 'away' })
      await anns.call('presence.set', { state: 'away' })
      await sleep(QUIET_MS)
      assert.deepEqual(told(bobs, ann), ['offline'])
      await ann.ask('DELETE', `/users/me/blocks/${bob.username}`)
      await bobs.receives('presence.updated', is('away'))
      assert.deepEqual(await look(ann, [bob]), [{ username: bob.username, state: 'online' }])
    })

    test('[PRES-6] a deactivation ends it at once', async () => {
      const { ann, bob } = await pair()
      const [anns] = [await ann.connect(), await bob.connect()]
      await watch(anns, [bob])
      await admin(server).ask('PATCH', `/users/${bob.username}`, { active: false })
      assert.deepEqual(await anns.receives('presence.updated'), offline(bob))
      await sleep(GRACE_MS + 1_500)
      assert.deepEqual(told(anns, bob), ['offline'])
      assert.deepEqual(await look(ann, [bob]), [offline(bob)])
    })

    test('[PRES-5] a sync does not hold it', async () => {
      const { ann, bob } = await pair()
      const anns = await ann.connect({ token: ann.token, hold: true })
      await watch(anns, [bob])
      await bob.connect()
      await anns.receives('presence.updated')
    })

    test('[TYPE-1] typing ends 6 s after its last repeat, or when its socket ends', async () => {
      const { ann, bob, chatId } = await pair()
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      const begunAt = Date.now()
      assert((await anns.call('typing', { chatId, typing: true })).ok)
      await anns.call('typing', { chatId, typing: true })
      await sleep(2_500)
      await anns.call('typing', { chatId, typing: true })
      await bobs.receives('typing', ({ typing }) => !typing, 10_000)
      assert(Date.now() - begunAt >= 2_500 + TYPING_MS - 100)
      const all = () => bobs.named('typing').map(({ typing }) => typing)
      assert.deepEqual(all(), [true, true, false])
      const other = await ann.connect()
      for (const device of [anns, other]) await device.call('typing', { chatId, typing: true })
      await until(() => all().length === 4)
      anns.close()
      await sleep(QUIET_MS)
      assert.deepEqual(all().slice(3), [true])
      other.close()
      await until(() => all().length === 5)
      assert.deepEqual(bobs.named('typing').at(-1), {
        chatId,
        username: ann.username,
        typing: false,
      })
    })

    test('[TYPE-3] a message ends it without a word, by whichever way it comes', async () => {
      const { ann, bob, chatId } = await pair()
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      await anns.call('typing', { chatId, typing: true })
      await ann.sendTo(bob, 'by REST')
      // Within 2 s of the last one: it is another one.
      await anns.call('typing', { chatId, typing: true })
      await until(() => bobs.named('typing').length === 2)
      await anns.call('message.send', { chatId, body: 'by socket' })
      await anns.call('typing', { chatId, typing: false })
      await sleep(TYPING_MS + 1_000)
      assert.deepEqual(
        bobs.named('typing').map(({ typing }) => typing),
        [true, true],
      )
    })

    test('[TYPE-1] one socket types in 10 chats at most: the first ends', async () => {
      const { ann, bob, chatId } = await pair()
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      const chats: string[] = []
      for (let count = 0; count < 10; count += 1) {
        const { bob: other } = await pair()
        chats.push((await ann.sendTo(other, 'hello')).chatId)
      }
      const [last = ''] = chats.splice(9)
      const type = (id: string) => anns.call('typing', { chatId: id, typing: true })
      const all = () => bobs.named('typing').map(({ typing }) => typing)
      for (const id of [chatId, ...chats]) await type(id)
      await sleep(QUIET_MS)
      assert.deepEqual(all(), [true])
      await type(last)
      await until(() => all().length === 2, 2_000)
      assert.deepEqual(all(), [true, false])
    })
  })

async function withDatabase<T>(server: TestServer, work: (db: Database) => Promise<T>): Promise<T> {
  const { config } = loadConfig({ env: server.env, cwd: '/' })
  const db = await openDatabase({ ...config, ...config.database, url: config.databaseUrl })
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

describe('presence of groups, and as users want it', {
  skip: skipOf('postgres'),
  concurrency: true,
}, () => {
  let server: TestServer
  before(async () => {
    server = await startServer('postgres')
  })
  after(() => server.close())
  async function persons(): Promise<[Person, Person, Person]> {
    return [await newPerson(server), await newPerson(server), await newPerson(server)]
  }
  const query = (text: string, values: unknown[]) =>
    withDatabase(server, (db) => db.query(text, values))
  const group = (members: readonly Person[], extra = 0) =>
    withDatabase(server, (db) => insertGroup(db, namesOf(members), extra))
  /** As the settings of the user do: written, then told to all caches. */
  async function show(one: Person, to: string | null): Promise<void> {
    await query('UPDATE users SET last_seen_to = $2 WHERE username = $1', [one.username, to])
    await one.ask('PATCH', '/users/me', { displayName: `${one.username} ${to}` })
  }
  const statesOf = (items: Presence[]) => items.map(({ state }) => state)

  test('[PRES-3] the members of a group see each other; who leaves it sees nobody and is not seen [PRES-6]', async () => {
    const [ann, bob, cat] = await persons()
    const { chatId } = await group([ann, bob, cat])
    const [anns, bobs, cats] = [await ann.connect(), await bob.connect(), await cat.connect()]
    assert.deepEqual(statesOf(await watch(anns, [bob, cat])), ['online', 'online'])
    await watch(bobs, [ann, cat])
    await watch(cats, [ann, bob])
    // As the end of a membership does: the row goes, and then `rights` is told.
    await query(
      `DELETE FROM members WHERE chat_id = $1
       AND user_id = (SELECT id FROM users WHERE username = $2)`,
      [chatId, cat.username],
    )
    await ann.ask('PATCH', `/chats/${chatId}`, { archived: true })
    assert.deepEqual(await anns.receives('presence.updated'), offline(cat))
    assert.deepEqual(await bobs.receives('presence.updated'), offline(cat))
    await until(() => cats.named('presence.updated').length === 2)
    await bobs.call('presence.set', { state: 'away' })
    await anns.receives('presence.updated', is('away'))
    await sleep(QUIET_MS)
    assert.deepEqual(told(cats, bob), ['offline'])
    assert.deepEqual(statesOf(await look(cat, [ann, bob])), ['offline', 'offline'])
  })

  test('[PRES-3] who hides from all is hidden, and sees nobody; everyone is everyone', async () => {
    const [ann, bob, cat] = await persons()
    await ann.sendTo(bob, 'hello')
    const [anns, bobs, cats] = [await ann.connect(), await bob.connect(), await cat.connect()]
    await watch(anns, [bob])
    await watch(bobs, [ann])
    await watch(cats, [ann])
    await show(ann, 'nobody')
    assert.deepEqual(await bobs.receives('presence.updated'), offline(ann))
    assert.deepEqual(await anns.receives('presence.updated'), offline(bob))
    assert.deepEqual(statesOf(await look(ann, [bob, ann])), ['offline', 'online'])
    await show(ann, 'everyone')
    for (const device of [bobs, cats]) await device.receives('presence.updated', is('online'))
    await anns.receives('presence.updated', is('online'))
    await show(ann, 'contacts')
    assert.deepEqual(await cats.receives('presence.updated', is('offline')), offline(ann))
    await sleep(QUIET_MS)
    assert.deepEqual(told(bobs, ann), ['offline', 'online'])
  })

  test('[PRES-3] the site says it for those who say nothing', async () => {
    const open = await startServer('postgres', { MICROCHATTER_PRESENCE_VISIBLE_TO: 'everyone' })
    const [ann, bob] = [await newPerson(open), await newPerson(open)]
    await ann.connect()
    assert.deepEqual(statesOf(await look(bob, [ann])), ['online'])
    ann.close()
    await open.close()
  })

  test('[PRES-3] whom a stranger asks to write to is not seen by it', async () => {
    const [ann, bob] = await persons()
    const { chatId } = await ann.sendTo(bob, 'hello')
    await query(
      `UPDATE members SET request = 'pending' WHERE chat_id = $1
       AND user_id = (SELECT id FROM users WHERE username = $2)`,
      [chatId, bob.username],
    )
    await ann.connect()
    await bob.connect()
    assert.deepEqual(statesOf(await look(ann, [bob])), ['offline'])
    assert.deepEqual(statesOf(await look(bob, [ann])), ['online'])
  })

  test('[PRES-2] the time is written, also when the node stops', async () => {
    const [ann, bob] = await persons()
    const node = await startServer('postgres', { ...server.env, PORT: '0' })
    const there = personAt(node, bob)
    await ann.connect()
    await there.connect()
    ann.close()
    const seenAt = async (one: Person) => {
      const rows = await query('SELECT last_seen_at FROM users WHERE username = $1', [one.username])
      return (rows[0] as { last_seen_at: Date | null }).last_seen_at?.getTime()
    }
    assert.equal(await seenAt(bob), undefined)
    await node.close()
    assert(Math.abs(Date.now() - ((await seenAt(bob)) ?? 0)) < 6_000)
    await until(async () => (await seenAt(ann)) !== undefined, 9_000)
  })

  test('[TYPE-4] in a chat with more than 50 members nobody hears of typing; with 50, all do', async () => {
    const [ann, bob] = await persons()
    const large = await group([ann, bob], 49)
    const small = await group([ann, bob], 48)
    const [anns, bobs] = [await ann.connect(), await bob.connect()]
    for (const { chatId } of [large, small]) {
      await ann.ask('POST', `/chats/${chatId}/messages`, { body: 'hello' })
      assert((await anns.call('typing', { chatId, typing: true })).ok)
    }
    assert.equal((await bobs.receives('typing')).chatId, small.chatId)
    assert.equal(bobs.named('typing').length, 1)
  })
})

describe('presence over two nodes', { skip: skipOf('postgres') || skipRedis() }, () => {
  let nodes: TestNodes
  let one: TestServer
  let two: TestServer
  before(async () => {
    nodes = await startNodes()
    ;({ one, two } = nodes)
  })
  after(() => nodes.close())
  async function pair() {
    const [ann, bob] = [await newPerson(one), await newPerson(one)]
    await ann.sendTo(bob, 'hello')
    return { ann, bob }
  }

  test('[PRES-1] the states of both nodes make one', async () => {
    const { ann, bob } = await pair()
    const anns = await ann.connect()
    await watch(anns, [bob])
    const there = await personAt(two, bob).connect()
    await anns.receives('presence.updated', is('online'))
    const here = await bob.connect()
    await there.call('presence.set', { state: 'away' })
    await sleep(QUIET_MS)
    assert.deepEqual(told(anns, bob), ['online'])
    await here.call('presence.set', { state: 'away' })
    await until(() => told(anns, bob).length === 2)
    assert.deepEqual(told(anns, bob), ['online', 'away'])
    here.close()
    await sleep(GRACE_MS + 1_000)
    assert.deepEqual(told(anns, bob), ['online', 'away'])
    assert.deepEqual(await look(personAt(two, ann), [bob, ann]), [
      { username: bob.username, state: 'away' },
      { username: ann.username, state: 'online' },
    ])
    there.close()
    const { lastSeenAt } = await anns.receives('presence.updated', is('offline'), 8_000)
    assert.deepEqual(await look(personAt(two, ann), [bob]), [{ ...offline(bob), lastSeenAt }])
  })

  test('[PRES-6] a block at one node ends what is seen at the other', async () => {
    const { ann, bob } = await pair()
    await ann.connect()
    const bobs = await personAt(two, bob).connect()
    assert.equal((await watch(bobs, [ann]))[0]?.state, 'online')
    await ann.ask('PUT', `/users/me/blocks/${bob.username}`)
    assert.deepEqual(await bobs.receives('presence.updated'), offline(ann))
  })

  test('[PRES-7] a node that comes later knows who is there, and one that stops takes its users along', async () => {
    const { ann, bob } = await pair()
    const anns = await ann.connect()
    await watch(anns, [bob])
    const three = await startServer('postgres', { ...one.env, PORT: '0' })
    await until(async () => (await look(personAt(three, bob), [ann]))[0]?.state === 'online')
    await personAt(three, bob).connect()
    await anns.receives('presence.updated', is('online'))
    const stoppedAt = Date.now()
    await three.close()
    await anns.receives('presence.updated', is('offline'), 9_000)
    // Its users have a moment to come back elsewhere.
    assert(Date.now() - stoppedAt > 3_000)
  })

  test('[PRES-7] [PRES-6] what was missed while the bus was away is made up for', async () => {
    const { ann, bob } = await pair()
    const { bob: cat } = await pair()
    await ann.sendTo(cat, 'hello')
    const anns = await personAt(two, ann).connect()
    assert.deepEqual(await watch(anns, [bob, cat]), [bob, cat].map(offline))
    await nodes.redis.kill()
    await bob.connect()
    await cat.connect()
    await cat.ask('PUT', `/users/me/blocks/${ann.username}`)
    await nodes.redis.start()
    await anns.receives('presence.updated', is('online'), 15_000)
    assert.deepEqual(told(anns, bob), ['online'])
    assert(!told(anns, cat).includes('online'))
  })
})

describe('the states of nodes', { skip: skipOf('postgres'), concurrency: true }, () => {
  /** A node of its own, and what it says; `say` is another node's word. */
  async function node() {
    const { db, drop } = await freshDatabase('postgres')
    const bus = createMemoryBus()
    const said: PresenceEvent[] = []
    const heard: string[] = []
    bus.subscribe('presence', (event) => {
      if (event.node !== 'other') said.push(event)
    })
    const lastSeen = new LastSeen(db, assert.ifError)
    const here = new Map<number, 'online' | 'away'>()
    const states = new States({
      bus,
      lastSeen,
      stateHere: (userId) => here.get(userId) ?? 'offline',
      onChange: (userId, state) => heard.push(`${userId} ${state}`),
    })
    type Word<E = PresenceEvent> = E extends PresenceEvent ? Omit<E, 'kind' | 'node'> : never
    return {
      states,
      here,
      said,
      heard,
      lastSeen,
      say: (word: Word) => bus.publish({ kind: 'presence', node: 'other', ...word }),
      async stop() {
        states.stop()
        await lastSeen.stop()
        await drop()
      },
    }
  }

  test('[PRES-7] a lost word shows at the beat; who is not named in a new round is gone', async () => {
    const { states, say, said, heard, stop } = await node()
    say({
      says: 'states',
      round: 0,
      states: [
        [7, 'online'],
        [8, 'away'],
      ],
    })
    assert.deepEqual(heard, ['7 online', '8 away'])
    say({ says: 'beat', round: 0, sum: 7 * 2 + 8 })
    assert.equal(said.length, 0)
    // 8 has come back, and 9 went: their words were lost.
    say({ says: 'beat', round: 0, sum: 7 * 2 + 8 * 2 })
    assert.deepEqual(
      said.map((event) => [event.says, event.says === 'ask' ? event.of : undefined]),
      [['ask', 'other']],
    )
    say({ says: 'states', round: 1, states: [[8, 'online']] })
    say({ says: 'beat', round: 1, sum: 8 * 2 })
    assert.deepEqual(heard.slice(2), ['8 online', '7 offline'])
    assert.deepEqual([states.of(7), states.of(8)], ['offline', 'online'])
    assert.equal(said.length, 1)
    await stop()
  })

  test('[PRES-7] a node that asks is told all; beats come every 10 s', async () => {
    const { states, here, said, say, stop } = await node()
    for (let userId = 1; userId <= 1_001; userId += 1) {
      here.set(userId, userId % 2 === 0 ? 'online' : 'away')
      states.changed(userId)
    }
    assert.equal(said.length, 1_001)
    said.length = 0
    say({ says: 'ask', of: 'someone else' })
    say({ says: 'ask' })
    say({ says: 'ask' })
    await until(() => said.length > 0)
    assert.deepEqual(
      said.map((event) => (event.says === 'states' ? event.states.length : event.says)),
      [1_000, 1, 'beat'],
    )
    await until(() => said.length === 4, 12_000)
    assert.equal(said.at(-1)?.says, 'beat')
    await stop()
    assert.equal(said.at(-1)?.says, 'bye')
  })

  test('[PRES-7] the users of a node that is silent for 30 s are gone, since it was heard last', async () => {
    const { states, say, heard, lastSeen, stop } = await node()
    say({ says: 'states', round: 0, states: [[7, 'online']] })
    const heardAt = Date.now()
    await sleep(28_000)
    assert.equal(states.of(7), 'online')
    await until(() => states.of(7) === 'offline')
    assert.deepEqual(heard, ['7 online', '7 offline'])
    const at = lastSeen.of(7, null)?.getTime() ?? 0
    assert(Math.abs(at - heardAt) < 1_000)
    await stop()
  })
})
