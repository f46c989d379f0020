/** What is read and delivered, and who hears of it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chat, Message, Receipts } from '@microchatter/protocol'
import { loadConfig } from '../src/server.ts'
import { type Database, openDatabase } from '../src/store/db.ts'
import { touchChats } from '../src/store/chats.ts'
import { CHAT_CHECKS, selectDrifts } from '../src/store/check.ts'
import { updateDelivered } from '../src/store/delivered.ts'
import { updateReadSeq } from '../src/store/members.ts'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { engines, freshDatabase, skipOf } from './support/databases.ts'
import { insertGroup } from './support/group.ts'
import { newPeople } from './support/groups.ts'
import { newPerson, type Person, startServer, type TestServer } from './support/server.ts'
import { comeBack } from './support/watch.ts'

/** Longer than what is delivered is gathered. */
const GATHERED_MS = 900

function markOf({ members }: Chat, { username }: Person) {
  const member = members.find((one) => one.username === username)
  return member && [member.readSeq, member.deliveredSeq]
}

for (const engine of engines)
  describe(`receipts on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())
    async function pair(): Promise<[Person, Person]> {
      return [await newPerson(server), await newPerson(server)]
    }

    test('[RECEIPT-1] [RECEIPT-2] what is delivered is told to all, by socket and by REST, and only moves forward', async () => {
      const [ann, bob] = await pair()
      const { chatId } = await ann.sendTo(bob, 'one')
      await ann.sendTo(bob, 'two')
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      assert.deepEqual(await bobs.call('chat.delivered', { chatId, seq: 1 }), { ok: true })
      const first = await anns.receives('delivered.updated')
      assert.deepEqual(first, {
        chatId,
        username: bob.username,
        seq: 1,
        rev: (await ann.chat(chatId)).rev,
        lastSeq: 2,
      })
      assert.deepEqual(await bobs.receives('delivered.updated'), first)
      assert.deepEqual(markOf(await ann.chat(chatId), bob), [0, 1])
      // Past the last message is up to the last message; less is nothing.
      assert.deepEqual(await bob.ask('PUT', `/chats/${chatId}/delivered`, { seq: 99 }), {})
      assert.equal((await anns.receives('delivered.updated', ({ seq }) => seq > 1)).seq, 2)
      const { rev } = await ann.chat(chatId)
      await bobs.call('chat.delivered', { chatId, seq: 1 })
      await bobs.call('chat.delivered', { chatId, seq: 2 })
      await sleep(GATHERED_MS)
      assert.equal(anns.named('delivered.updated').length, 2)
      assert.equal((await ann.chat(chatId)).rev, rev)
    })

    test('[RECEIPT-2] what was read stays delivered, also where it is marked as unread', async () => {
      const [ann, bob] = await pair()
      const { chatId } = await ann.sendTo(bob, 'one')
      await ann.sendTo(bob, 'two')
      await bob.ask('PUT', `/chats/${chatId}/read`, { seq: 2 })
      assert.deepEqual(markOf(await ann.chat(chatId), bob), [2, 2])
      await bob.ask('PUT', `/chats/${chatId}/read`, { seq: 0, unread: true })
      assert.deepEqual(markOf(await ann.chat(chatId), bob), [0, 2])
      await bob.sendTo(ann, 'three')
      assert.deepEqual(markOf(await ann.chat(chatId), bob), [3, 3])
    })

    test('[RECEIPT-6] [SYNC-1] the state by events is the one of a fetch', async () => {
      const [ann, bob] = await pair()
      const state = new Mailbox(ann.username)
      await comeBack(ann, state)
      const bobs = await bob.connect()
      const { chatId } = await bob.sendTo(ann, 'one')
      for (const body of ['two', 'three', 'four']) await ann.sendTo(bob, body)
      for (const seq of [2, 4, 3]) await bobs.call('chat.delivered', { chatId, seq })
      await bobs.receives('delivered.updated', ({ seq }) => seq === 4)
      await bobs.call('chat.read', { chatId, seq: 3 })
      await bobs.call('chat.read', { chatId, seq: 1, unread: true })
      await sleep(GATHERED_MS)
      assert.deepEqual([...state.chats.values()], await ann.chats())
      assert.deepEqual(markOf(state.chats.get(chatId) as Chat, bob), [1, 4])
      const later = new Mailbox(ann.username)
      await comeBack(ann, later)
      assert.deepEqual([...later.chats.values()], await ann.chats())
    })

    test('[RECEIPT-1] a chat that was opened for nobody to see takes no word of the other', async () => {
      const [ann, bob] = await pair()
      const { id: chatId } = await ann.ask('POST', '/chats', { username: bob.username })
      const put = (one: Person) => one.fetch('PUT', `/chats/${chatId}/delivered`, { seq: 1 })
      assert.equal((await put(ann)).status, 200)
      assert.equal((await put(bob)).status, 404)
    })

    test('[RECEIPT-1] what a stopping node was told is written', async () => {
      const own = engine === 'postgres' ? server.env : {}
      const node = await startServer(engine, { ...own, PORT: '0' })
      const [ann, bob] = [await newPerson(node), await newPerson(node)]
      const { chatId } = await ann.sendTo(bob, 'one')
      await bob.ask('PUT', `/chats/${chatId}/delivered`, { seq: 1 })
      await node.close()
      if (engine !== 'postgres') return
      const [row] = await withDatabase(node, (db) =>
        db.query('SELECT delivered_seq FROM members WHERE chat_id = $1 AND delivered_seq > 0', [
          chatId,
        ]),
      )
      assert.deepEqual(row, { delivered_seq: 1 })
    })
  })

test('[RECEIPT-1] nothing is lost where the same members read at the same time', {
  skip: skipOf('postgres'),
}, async (t) => {
  const one = await freshDatabase('postgres')
  t.after(() => one.drop())
  const { db } = one
  const names = Array.from({ length: 12 }, (_, index) => `user-${index}`)
  await db.query('INSERT INTO users (username) SELECT unnest($1::text[])', [names])
  const groups = await Promise.all([1, 2, 3].map(() => insertGroup(db, names)))
  await db.query('UPDATE chats SET last_seq = 1000')
  const users = await db.query<{ id: number }>(`SELECT id FROM users WHERE username LIKE 'user-%'`)
  const pairs = groups.flatMap(({ chatId }) => users.map(({ id }) => ({ chatId, userId: id })))
  const read = (pair: { chatId: string; userId: number }, seq: number) =>
    db.transaction(async (tx) => {
      await touchChats(tx, [pair.chatId])
      await updateReadSeq(tx, { ...pair, seq, back: false })
    })
  for (let seq = 10; seq < 400; seq += 10) {
    const reads = pairs.filter((_, index) => index % 3 > 0).map((pair) => read(pair, seq - 5))
    await sleep(Math.random() * 10)
    const moved = await updateDelivered(
      db,
      pairs.map((pair) => ({ ...pair, seq })),
    )
    await Promise.all(reads)
    assert.equal(moved.length, pairs.length)
    const behind = await db.query('SELECT user_id FROM members WHERE delivered_seq <> $1', [seq])
    assert.deepEqual(behind, [])
  }
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

describe('receipts of groups, and switched off', { skip: skipOf('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startServer('postgres')
  })
  after(() => server.close())
  const group = (members: Person[], extra = 0) =>
    withDatabase(server, (db) =>
      insertGroup(
        db,
        members.map(({ username }) => username),
        extra,
      ),
    )
  const send = (one: Person, chatId: string, body: string) =>
    one.ask<Message>('POST', `/chats/${chatId}/messages`, { body })
  const receipts = (one: Person, chatId: string, query = '') =>
    one.ask<Receipts>('GET', `/chats/${chatId}/messages/1/receipts${query}`)
  /** As the settings of the user do: written, then told to all caches. */
  async function setReceipts(one: Person, on: boolean): Promise<void> {
    await withDatabase(server, (db) =>
      db.query('UPDATE users SET receipts = $2 WHERE username = $1', [one.username, on]),
    )
    await one.ask('PATCH', '/users/me', { displayName: `${one.username} ${on}` })
  }

  test('[RECEIPT-3] in a chat with more than 50 members marks are told to nobody else, and change no view', async () => {
    const [ann, bob] = (await newPeople(server, 2)) as [Person, Person]
    const { chatId } = await group([ann, bob], 49)
    await send(ann, chatId, 'one')
    const [anns, bobs, bobsOther] = [await ann.connect(), await bob.connect(), await bob.connect()]
    const { rev, changed_at } = await rowOf(chatId)
    await bobs.call('chat.delivered', { chatId, seq: 1 })
    await sleep(GATHERED_MS)
    assert.deepEqual(await receipts(ann, chatId), {
      read: 0,
      delivered: 1,
      items: [{ username: bob.username, state: 'delivered' }],
    })
    assert.deepEqual(await rowOf(chatId), { rev, changed_at })
    await bobs.call('chat.read', { chatId, seq: 1 })
    const own = await bobsOther.receives('read.updated')
    assert.deepEqual([own.seq, own.unread], [1, 0])
    assert.deepEqual(await rowOf(chatId), { rev: own.rev, changed_at })
    assert.equal((await receipts(ann, chatId)).read, 1)
    await sleep(200)
    for (const name of ['read.updated', 'delivered.updated'])
      assert.deepEqual(anns.named(name), [], name)
    assert.deepEqual(bobsOther.named('delivered.updated'), [])
  })

  async function rowOf(chatId: string) {
    const [row] = await withDatabase(server, (db) =>
      db.query<{ rev: number; changed_at: Date }>(
        'SELECT rev, changed_at FROM chats WHERE id = $1',
        [chatId],
      ),
    )
    assert(row)
    return row
  }

  test('[RECEIPT-3] in a chat with 50 members all are told, once', async () => {
    const [ann, bob] = (await newPeople(server, 2)) as [Person, Person]
    const { chatId } = await group([ann, bob], 48)
    await send(ann, chatId, 'one')
    const [anns, bobs] = [await ann.connect(), await bob.connect()]
    await bobs.call('chat.delivered', { chatId, seq: 1 })
    assert.equal((await anns.receives('delivered.updated')).username, bob.username)
    await bobs.call('chat.read', { chatId, seq: 1 })
    assert.equal((await anns.receives('read.updated')).seq, 1)
    assert.deepEqual(markOf(await ann.chat(chatId), bob), [1, 1])
  })

  test('[RECEIPT-4] receipts are counted and paged without the sender, for those who see the message', async () => {
    const [ann, bob, cat, dan, eve] = (await newPeople(server, 5)) as [
      Person,
      Person,
      Person,
      Person,
      Person,
    ]
    const { chatId } = await group([ann, bob, cat, dan])
    await send(ann, chatId, 'one')
    await bob.ask('PUT', `/chats/${chatId}/read`, { seq: 1 })
    for (const one of [cat, dan]) await one.ask('PUT', `/chats/${chatId}/delivered`, { seq: 1 })
    await sleep(GATHERED_MS)
    const states = new Map([
      [bob.username, 'read'],
      [cat.username, 'delivered'],
      [dan.username, 'delivered'],
    ])
    const items = [...states.keys()].sort().map((username) => ({
      username,
      state: states.get(username),
    }))
    assert.deepEqual(await receipts(ann, chatId), { read: 1, delivered: 3, items })
    const page = await receipts(bob, chatId, '?limit=2')
    assert.deepEqual([page.delivered, page.items], [3, items.slice(0, 2)])
    const last = await receipts(bob, chatId, `?limit=2&cursor=${page.nextCursor}`)
    assert.deepEqual(last, { read: 1, delivered: 3, items: items.slice(2) })

    const statusOf = async (one: Person, seq: number) =>
      (await one.fetch('GET', `/chats/${chatId}/messages/${seq}/receipts`)).status
    assert.deepEqual(
      [await statusOf(ann, 2), await statusOf(ann, 0), await statusOf(eve, 1)],
      [404, 400, 404],
    )
    await dan.ask('DELETE', `/chats/${chatId}`)
    assert.equal(await statusOf(dan, 1), 404)
    assert.equal((await receipts(ann, chatId)).read, 2)
  })

  test('[RECEIPT-5] who switches receipts off tells nothing and sees nothing, but for the own devices', async () => {
    const [ann, bob, cat] = (await newPeople(server, 3)) as [Person, Person, Person]
    const { chatId } = await group([ann, bob, cat])
    await send(ann, chatId, 'one')
    await setReceipts(bob, false)
    const [anns, bobs, bobsOther, cats] = [
      await ann.connect(),
      await bob.connect(),
      await bob.connect(),
      await cat.connect(),
    ]
    await bobs.call('chat.delivered', { chatId, seq: 1 })
    await bobs.call('chat.read', { chatId, seq: 1 })
    await cats.call('chat.read', { chatId, seq: 1 })
    await anns.receives('read.updated', ({ username }) => username === cat.username)
    assert.equal((await bobsOther.receives('read.updated')).username, bob.username)
    await sleep(GATHERED_MS)
    const about = (events: { username: string }[]) => new Set(events.map((one) => one.username))
    for (const name of ['read.updated', 'delivered.updated']) {
      assert(!about(anns.named(name)).has(bob.username), name)
      assert(!about(bobsOther.named(name)).has(cat.username), name)
    }
    const marks = async (one: Person) => {
      const chat = await one.chat(chatId)
      return [ann, bob, cat].map((member) => markOf(chat, member))
    }
    assert.deepEqual(await marks(ann), [
      [1, 1],
      [undefined, undefined],
      [1, 1],
    ])
    assert.deepEqual(await marks(bob), [
      [undefined, undefined],
      [1, 1],
      [undefined, undefined],
    ])
    assert.deepEqual((await receipts(ann, chatId)).items, [
      { username: cat.username, state: 'read' },
    ])
    assert.deepEqual(await receipts(bob, chatId), { read: 0, delivered: 0, items: [] })

    await setReceipts(bob, true)
    assert.deepEqual(await marks(ann), [
      [1, 1],
      [1, 1],
      [1, 1],
    ])
    await bobs.call('chat.read', { chatId, seq: 0, unread: true })
    const back = await anns.receives('read.updated', ({ username }) => username === bob.username)
    assert.equal(back.seq, 0)
  })

  test('[RECEIPT-1] a crowd that says it at once ends with what each said last, and rows as they should be', async () => {
    const crowd = await newPeople(server, 12)
    const [first, ...others] = crowd as [Person, ...Person[]]
    const groups = await Promise.all(Array.from({ length: 3 }, () => group(crowd)))
    for (const { chatId } of groups)
      for (const body of ['1', '2', '3', '4', '5']) await send(first, chatId, body)
    await Promise.all(
      others.flatMap((one, index) =>
        groups.flatMap(({ chatId }) =>
          [5, 1, 2 + (index % 3)].map(async (seq) => {
            await sleep(Math.random() * 800)
            await one.ask('PUT', `/chats/${chatId}/delivered`, { seq })
          }),
        ),
      ),
    )
    // The chats are written to, read and delivered at once: none may stay in the other's way.
    await Promise.all(
      groups.flatMap(({ chatId }) =>
        others.map((one) => one.ask('PUT', `/chats/${chatId}/read`, { seq: 2 })),
      ),
    )
    for (const { chatId } of groups) {
      const marks = async () => {
        const chat = await first.chat(chatId)
        return others.map((one) => markOf(chat, one))
      }
      for (const end = Date.now() + 5_000; Date.now() < end; await sleep(50))
        if ((await marks()).every((mark) => mark?.[1] === 5)) break
      assert.deepEqual(
        await marks(),
        others.map(() => [2, 5]),
      )
    }
    await withDatabase(server, async (db) => {
      for (const check of CHAT_CHECKS.filter(
        ({ name }) => name.includes('_seq') || name === 'changed_day',
      ))
        assert.deepEqual((await selectDrifts(db, check)).drifts, [], check.name)
      const { chatId = '' } = groups[0] ?? {}
      await db.query('UPDATE members SET delivered_seq = 9 WHERE chat_id = $1 AND read_seq = 5', [
        chatId,
      ])
      const check = CHAT_CHECKS.find(({ name }) => name === 'delivered_seq')
      assert(check)
      const { drifts } = await selectDrifts(db, check)
      assert.deepEqual(
        drifts.map(({ username, found, due }) => [username, found, due]),
        [[first.username, 'delivered_seq is 9', '0 to 5']],
      )
    })
  })
})
