/** What the server does by the clock: on two nodes at once, after a restart, and once. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Changes, Message, Reminder, Scheduled } from '@microchatter/protocol'
import { createMemoryBus } from '../src/bus/memory.ts'
import { databaseOptions, loadConfig } from '../src/config.ts'
import { Clock } from '../src/domain/clock.ts'
import type { Core } from '../src/domain/core.ts'
import { type Database, DatabaseAway, openDatabase } from '../src/store/db.ts'
import { Cluster, type LossyProxy, skipCluster, startLossyProxy } from './support/cluster.ts'
import { engines, skipOf } from './support/databases.ts'
import { createDatabase } from './support/postgres.ts'
import {
  type Device,
  newPerson,
  Person,
  personAt,
  startServer,
  type TestServer,
} from './support/server.ts'

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const later = (ms: number) => new Date(Date.now() + ms).toISOString()
const until = async (holds: () => unknown, withinMs = 5_000) => {
  for (const end = Date.now() + withinMs; !(await holds()); await wait(20))
    assert(Date.now() < end, `not within ${withinMs} ms`)
}
const codeOf = async (by: Person, method: string, path: string, body?: unknown) => {
  const answer = await by.fetch<any>(method, path, body)
  return `${answer.status} ${answer.body?.code ?? ''}`.trim()
}
const open = (server: TestServer) =>
  openDatabase(databaseOptions(loadConfig({ env: server.env, cwd: '/' }).config))

for (const engine of engines)
  describe(`by the clock on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())
    async function pair() {
      const [ann, bob] = [await newPerson(server, 'ann'), await newPerson(server, 'bob')]
      const { chatId } = await ann.sendTo(bob, 'first')
      return { ann, bob, chatId }
    }

    test('[TIME-3] a message is sent at its time, and its devices hear of all that becomes of it', async () => {
      const { ann, bob, chatId } = await pair()
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      const sendAt = later(10_400)
      const made = await ann.ask<Scheduled>('POST', `/chats/${chatId}/scheduled`, {
        body: 'later',
        reply: 1,
        mentions: [bob.username],
        sendAt,
      })
      assert.deepEqual(made, {
        id: made.id,
        chatId,
        body: 'later',
        reply: 1,
        mentions: [bob.username],
        sendAt,
        createdAt: made.createdAt,
      })
      const told = await anns.receives('scheduled.updated')
      assert.deepEqual(told, { id: made.id, chatId, state: 'waiting', scheduled: made })
      const second = await ann.ask<Scheduled>('POST', `/chats/${chatId}/scheduled`, {
        location: { latitude: 1, longitude: 2 },
        sendAt: later(60_000),
      })
      assert.deepEqual((await ann.ask('GET', '/users/me/scheduled')).items, [made, second])
      const { items, nextCursor } = await ann.ask('GET', '/users/me/scheduled?limit=1')
      assert.deepEqual(items, [made])
      const rest = await ann.ask('GET', `/users/me/scheduled?limit=1&cursor=${nextCursor}`)
      assert.deepEqual(rest, { items: [second] })
      assert.deepEqual((await bob.ask('GET', '/users/me/scheduled')).items, [])
      assert.equal(await codeOf(bob, 'DELETE', `/users/me/scheduled/${made.id}`), '404 not_found')
      await ann.ask('DELETE', `/users/me/scheduled/${second.id}`)
      const removed = await anns.receives('scheduled.updated', ({ state }) => state === 'removed')
      assert.deepEqual(removed, { id: second.id, chatId, state: 'removed' })
      const edited = await ann.ask('PATCH', `/users/me/scheduled/${made.id}`, { body: 'edited' })
      assert.equal(edited.body, 'edited')

      const message: Message = await bobs.receives('message.created', () => true, 14_000)
      const lateMs = Date.now() - Date.parse(sendAt)
      assert(lateMs >= 0 && lateMs < 1_500, `${lateMs} ms late`)
      assert.deepEqual(
        [message.body, message.clientId, message.sender, message.reply?.body, message.mentions],
        ['edited', made.id, ann.username, 'first', [bob.username]],
      )
      const sent = await anns.receives('scheduled.updated', ({ state }) => state === 'sent')
      assert.deepEqual(sent, { id: made.id, chatId, state: 'sent', seq: message.seq })
      assert.deepEqual((await ann.ask('GET', '/users/me/scheduled')).items, [])
      assert.deepEqual((await ann.history(chatId)).slice(1), [message])
    })

    test('[TIME-5] a reminder comes at its time, and stays until it is deleted', async () => {
      const { ann, bob, chatId } = await pair()
      const [bobs, anns] = [await bob.connect(), await ann.connect()]
      const path = `/chats/${chatId}/messages/1/reminder`
      const at = later(700)
      const made = await bob.ask<Reminder>('PUT', path, { at, note: 'answer' })
      assert.deepEqual(made, { chatId, seq: 1, at, note: 'answer' })
      const told = await bobs.receives('reminder.updated')
      assert.deepEqual(told, { chatId, seq: 1, reminder: made })
      assert.deepEqual((await bob.ask('GET', '/users/me/reminders')).items, [made])
      const { message, ...due } = await bobs.receives('reminder.due')
      const lateMs = Date.now() - Date.parse(at)
      assert(lateMs >= 0 && lateMs < 1_500, `${lateMs} ms late`)
      assert.deepEqual(due, { ...made, due: true })
      assert.deepEqual([message.body, message.sender], ['first', ann.username])
      assert.deepEqual((await bob.ask('GET', '/users/me/reminders')).items, [
        { ...made, due: true },
      ])
      await wait(600)
      assert.equal(bobs.named('reminder.due').length, 1)
      // Another time takes its place.
      const again = await bob.ask<Reminder>('PUT', path, { at: later(60_000) })
      assert.deepEqual((await bob.ask('GET', '/users/me/reminders')).items, [again])
      await bob.ask('DELETE', path)
      await bobs.receives('reminder.updated', ({ reminder }) => reminder === undefined)
      assert.equal(await codeOf(bob, 'DELETE', path), '404 not_found')
      assert.equal(anns.named('reminder.updated').length + anns.named('reminder.due').length, 0)
    })

    test('[TIME-5] only of what one can see, and in time', async () => {
      const { ann, bob, chatId } = await pair()
      const cat = await newPerson(server, 'cat')
      const path = `/chats/${chatId}/messages/1/reminder`
      const at = later(60_000)
      assert.equal(await codeOf(cat, 'PUT', path, { at }), '404 not_found')
      assert.equal(await codeOf(bob, 'PUT', path.replace('/1/', '/2/'), { at }), '404 not_found')
      for (const bad of [later(-1_000), later(367 * 86_400_000), '2030-02-31', 'soon'])
        assert.equal(await codeOf(bob, 'PUT', path, { at: bad }), '400 invalid')
      assert.equal(await codeOf(bob, 'PUT', path, { at, note: 'a\0' }), '400 invalid_text')
      await bob.ask('DELETE', `/chats/${chatId}/messages/1?for=me`)
      assert.equal(await codeOf(bob, 'PUT', path, { at }), '404 not_found')
      await ann.ask('DELETE', `/chats/${chatId}/messages/1`)
      assert.equal(await codeOf(ann, 'PUT', path, { at }), '409 deleted')
    })

    test('[TIME-4] what may not be sent, or not then, is not taken', async () => {
      const { ann, bob, chatId } = await pair()
      const path = `/chats/${chatId}/scheduled`
      for (const sendAt of [later(5_000), later(367 * 86_400_000), '2030-13-01T00:00:00Z'])
        assert.equal(await codeOf(ann, 'POST', path, { body: 'x', sendAt }), '400 invalid')
      const sendAt = later(60_000)
      const sends: [object, string][] = [
        [{ sendAt }, '400 invalid'],
        [{ sendAt, body: ' ' }, '400 invalid'],
        [{ sendAt, body: 'x', reply: 9 }, '404 not_found'],
        [{ sendAt, body: 'x', clientId: randomUUID() }, '400 invalid'],
        [{ sendAt, body: 'x', mentions: ['nobody'] }, '400 invalid'],
        [{ sendAt, card: { title: 'x' } }, '403 admin_only'],
        [
          { sendAt, body: 'x', poll: { options: ['1', '2'], closesAt: later(30_000) } },
          '400 invalid',
        ],
      ]
      for (const [body, code] of sends) assert.equal(await codeOf(ann, 'POST', path, body), code)
      const one = await ann.ask<Scheduled>('POST', path, { sendAt, forward: { chatId, seq: 1 } })
      const own = `/users/me/scheduled/${one.id}`
      assert.equal(await codeOf(ann, 'PATCH', own, {}), '400 invalid')
      assert.equal(await codeOf(ann, 'PATCH', own, { body: 'x' }), '400 invalid')
      assert.equal(await codeOf(ann, 'PATCH', own, { sendAt: later(5_000) }), '400 invalid')
      // Nothing of it is seen before it is sent.
      await ann.ask('POST', path, { body: 'x', thread: 1, sendAt })
      assert.equal((await bob.chat(chatId)).changes, undefined)
      await bob.ask('PUT', `/users/me/blocks/${ann.username}`)
      assert.equal(await codeOf(ann, 'POST', path, { body: 'x', sendAt }), '403 blocked')
    })
  })

describe('by the clock on two nodes', { skip: skipOf('postgres') }, () => {
  let one: TestServer
  let two: TestServer
  let db: Database
  before(async () => {
    one = await startServer('postgres')
    two = await startServer('postgres', one.env)
    db = await open(one)
  })
  after(async () => {
    await db.close()
    await two.close()
    await one.close()
  })
  const person = (prefix: string) => newPerson(one, prefix)
  /** The same user, with the other node. */
  const beside = (other: Person, server = two) => personAt(server, other)
  async function pair(settings?: object) {
    const [ann, bob] = [await person('ann'), await person('bob')]
    const { chatId } = await ann.sendTo(bob, 'first')
    if (settings) await set(chatId, settings)
    const at = (seq: number) => `/chats/${chatId}/messages/${seq}`
    const send = (by: Person, body: object) =>
      by.ask<Message>('POST', `/chats/${chatId}/messages`, body)
    return { ann, bob, chatId, at, send }
  }
  /** As a change of the group's settings does it. */
  async function set(chatId: string, settings: object) {
    await db.query(
      'UPDATE chats SET settings = $2, rights_rev = rights_rev + 1, active_day = NULL WHERE id = $1',
      [chatId, JSON.stringify(settings)],
    )
  }
  /** By the API there are none yet. */
  async function group(members: [Person, 'owner' | 'admin' | 'member'][], settings: object) {
    const chatId = randomUUID()
    await db.query(
      "INSERT INTO chats (id, kind, title, settings, member_count) VALUES ($1, 'group', 'G', $2, $3)",
      [chatId, JSON.stringify(settings), members.length],
    )
    for (const [{ username }, role] of members)
      await db.query(
        `INSERT INTO members (chat_id, user_id, role, active_day, changed_at)
         SELECT $1, id, $3, current_date, now() FROM users WHERE username = $2`,
        [chatId, username, role],
      )
    return chatId
  }
  /** Something that is due soon has both nodes look. */
  async function nudge({ username, authorization }: Person, chatId: string) {
    for (const server of [one, two])
      await new Person(server, username, authorization).ask(
        'PUT',
        `/chats/${chatId}/messages/1/reminder`,
        { at: later(300) },
      )
  }
  const count = async (table: string, chatId: string) => {
    const [row] = await db.query<{ n: number }>(
      `SELECT count(*) AS n FROM ${table} WHERE chat_id = $1`,
      [chatId],
    )
    return row?.n
  }
  const eventsOf = (devices: Device[], name: string) => devices.flatMap((one) => one.named(name))

  test('[TIME-1] a message disappears at its time, with all that hangs on it', async () => {
    const { ann, bob, chatId, at, send } = await pair({ expireAfterSeconds: 2 })
    const bobs = await bob.connect()
    const clientId = randomUUID()
    const sent = await send(ann, { body: 'secret', clientId })
    const expiresAt = new Date(Date.parse(sent.createdAt) + 2_000).toISOString()
    assert.equal(sent.expiresAt, expiresAt)
    assert.deepEqual(await bobs.receives('message.created'), sent)
    assert.deepEqual(await send(ann, { body: 'secret', clientId }), sent)
    const rows = await db.query<{ expires_at: Date }>(
      'SELECT expires_at FROM expiring WHERE chat_id = $1',
      [chatId],
    )
    assert.deepEqual(rows, [{ expires_at: new Date(expiresAt) }])
    assert.deepEqual((await bob.history(chatId))[1], sent)
    await bob.ask('PUT', `${at(2)}/reactions/%F0%9F%91%8D`)
    await bob.ask('PUT', `${at(2)}/star`)
    await ann.ask('PUT', `${at(2)}/pin`)
    await ann.ask('PATCH', at(2), { body: 'top secret' })
    await set(chatId, {})
    const answer = await send(bob, { body: 'really?', reply: 2 })
    assert.equal(answer.reply?.body, 'top secret')
    assert.equal(answer.expiresAt, undefined)
    const last = (await bob.chat(chatId)).changes ?? 0

    const { rev, ...gone } = await bobs.receives('message.deleted')
    assert.equal(typeof rev, 'number')
    assert.deepEqual(gone, {
      chatId,
      seq: 2,
      sender: ann.username,
      body: '',
      createdAt: sent.createdAt,
      clientId,
      deletedAt: expiresAt,
      change: last + 1,
    })
    const [, second, third] = await bob.history(chatId)
    assert.deepEqual(second, gone)
    assert.deepEqual([third?.reply?.body, third?.reply?.deletedAt], ['', expiresAt])
    assert.equal(JSON.stringify(await db.query('SELECT * FROM messages')).includes('secret'), false)
    for (const table of ['reactions', 'pins', 'message_edits', 'marks', 'expiring'])
      assert.equal(await count(table, chatId), 0, table)
    assert.deepEqual((await bob.ask('GET', '/users/me/stars')).items, [])
    const { items } = await ann.ask<Changes>('GET', `/chats/${chatId}/changes?after=${last}`)
    assert.deepEqual(items, [gone])
  })

  test('[TIME-1] from its time on it cannot be read or changed, erased or not', async () => {
    const { ann, bob, chatId, at, send } = await pair({ expireAfterSeconds: 1 })
    const sent = await send(ann, { body: 'secret' })
    // No node may erase it meanwhile.
    const held = db.transaction(async (tx) => {
      await tx.query('SELECT FROM chats WHERE id = $1 FOR UPDATE', [chatId])
      await wait(Date.parse(sent.expiresAt ?? '') + 30 - Date.now())
      const [, message] = await bob.history(chatId)
      assert.deepEqual([message?.body, message?.deletedAt], ['', sent.expiresAt])
      assert.equal((await bob.chat(chatId)).lastMessage?.body, '')
    })
    const edit = held.then(() => codeOf(ann, 'PATCH', at(2), { body: 'x' }))
    assert.equal(await edit, '409 deleted')
    assert.equal(await codeOf(bob, 'PUT', `${at(2)}/reactions/%F0%9F%91%8D`), '409 deleted')
    assert.equal(await codeOf(bob, 'PUT', `${at(2)}/reminder`, { at: later(1e5) }), '409 deleted')
  })

  test('[TIME-1] what was deleted before has its versions erased then, and is no change', async () => {
    const { ann, chatId, at, send } = await pair({ expireAfterSeconds: 1 })
    const sent = await send(ann, { body: 'secret' })
    await ann.ask('DELETE', at(2))
    assert.equal(await count('message_edits', chatId), 1)
    await until(async () => (await count('message_edits', chatId)) === 0)
    assert.equal(await count('expiring', chatId), 0)
    const [, message] = await ann.history(chatId)
    assert.deepEqual([message?.deletedBy, message?.change], [ann.username, 1])
    assert.notEqual(message?.deletedAt, sent.expiresAt)
    assert.equal((await ann.chat(chatId)).changes, 1)
  })

  test('[TIME-2] two nodes erase each message once, and number the changes without gap', async () => {
    const { ann, bob, chatId } = await pair({ expireAfterSeconds: 3 })
    const devices = [await bob.connect(), await beside(bob).connect()]
    const [desk, other] = [await ann.connect(), await beside(ann).connect()]
    const sends = Array.from({ length: 250 }, (_, n) =>
      (n % 2 === 0 ? desk : other).call('message.send', { chatId, body: `m${n}` }),
    )
    const answers = await Promise.all(sends)
    assert(answers.every(({ ok, message }) => ok && message.expiresAt !== undefined))
    await until(async () => (await count('expiring', chatId)) === 0, 10_000)
    await until(() => eventsOf(devices, 'message.deleted').length >= 250)
    await wait(600)
    const told: Message[] = eventsOf(devices, 'message.deleted')
    assert.deepEqual(
      told.map(({ seq }) => seq).sort((a, b) => a - b),
      Array.from({ length: 250 }, (_, n) => n + 2),
    )
    assert.deepEqual(
      told.map(({ change = 0 }) => change).sort((a, b) => a - b),
      Array.from({ length: 250 }, (_, n) => n + 1),
    )
    assert.equal((await bob.chat(chatId)).changes, 250)
    // Each node tells in the order of change.
    for (const device of devices) {
      const changes: number[] = device.named('message.deleted').map(({ change }) => change)
      assert.deepEqual(
        changes,
        changes.toSorted((a, b) => a - b),
      )
    }
  })

  test('[TIME-3] two nodes send each scheduled message once', async () => {
    const { ann, bob, chatId } = await pair()
    const anns = [await ann.connect(), await beside(ann).connect()]
    const bodies = Array.from({ length: 30 }, (_, n) => `s${n}`)
    for (const body of bodies)
      await ann.ask('POST', `/chats/${chatId}/scheduled`, { body, sendAt: later(60_000) })
    await db.query('UPDATE scheduled SET due_at = now(), try_at = now() WHERE chat_id = $1', [
      chatId,
    ])
    await nudge(bob, chatId)
    await until(async () => (await count('scheduled', chatId)) === 0)
    await until(() => eventsOf(anns, 'scheduled.updated').length >= 60)
    const messages = (await bob.history(chatId)).slice(1)
    assert.deepEqual(messages.map(({ body }) => body).sort(), bodies.sort())
    const sent = eventsOf(anns, 'scheduled.updated').filter(({ state }) => state === 'sent')
    assert.deepEqual(
      sent.map(({ seq }) => seq).sort((a, b) => a - b),
      messages.map(({ seq }) => seq),
    )
  })

  test('[TIME-3] sent before its node went away, it is not sent again', async () => {
    const { ann, bob, chatId, send } = await pair()
    const made = await ann.ask<Scheduled>('POST', `/chats/${chatId}/scheduled`, {
      body: 'once',
      reply: 1,
      sendAt: later(60_000),
    })
    // As the node left it: the message is committed, the row is still there.
    const sent = await send(ann, { body: 'once', reply: 1, clientId: made.id })
    await db.query('UPDATE scheduled SET try_at = now(), taken = true WHERE id = $1', [made.id])
    const own = `/users/me/scheduled/${made.id}`
    assert.equal(await codeOf(ann, 'PATCH', own, { body: 'x' }), '409 in_progress')
    assert.equal(await codeOf(ann, 'DELETE', own), '409 in_progress')
    const devices = [await ann.connect(), await beside(ann).connect()]
    await nudge(bob, chatId)
    await until(async () => (await count('scheduled', chatId)) === 0)
    await until(() => eventsOf(devices, 'scheduled.updated').length > 0)
    assert.deepEqual(eventsOf(devices, 'scheduled.updated'), [
      { id: made.id, chatId, state: 'sent', seq: sent.seq },
    ])
    assert.equal((await bob.history(chatId)).length, 2)
  })

  test('[TIME-4] refused at its time, it stays with the reason, and may be given another time', async () => {
    const { ann, bob, chatId } = await pair()
    const devices = [await ann.connect(), await beside(ann).connect()]
    const made = await ann.ask<Scheduled>('POST', `/chats/${chatId}/scheduled`, {
      body: 'x',
      sendAt: later(60_000),
    })
    await bob.ask('PUT', `/users/me/blocks/${ann.username}`)
    const [due] = await db.query<{ due_at: Date }>(
      "UPDATE scheduled SET due_at = now() - interval '1 s', try_at = now() WHERE id = $1 RETURNING due_at",
      [made.id],
    )
    await nudge(bob, chatId)
    await until(() =>
      eventsOf(devices, 'scheduled.updated').some(({ state }) => state === 'failed'),
    )
    const failed = { ...made, sendAt: due?.due_at.toISOString(), failed: 'blocked' }
    assert.deepEqual((await ann.ask('GET', '/users/me/scheduled')).items, [failed])
    const own = `/users/me/scheduled/${made.id}`
    assert.equal((await ann.ask<Scheduled>('PATCH', own, { body: 'y' })).failed, 'blocked')
    const again = await ann.ask<Scheduled>('PATCH', own, { sendAt: later(60_000) })
    assert.deepEqual([again.body, again.failed], ['y', undefined])
    await ann.ask('DELETE', own)
    assert.deepEqual((await ann.ask('GET', '/users/me/scheduled')).items, [])
    assert.equal((await bob.history(chatId)).length, 1)
  })

  test('[TIME-4] what it refers to is as it is when it is sent', async () => {
    const { ann, bob, chatId, at, send } = await pair()
    await send(bob, { body: 'second' })
    const later1 = { sendAt: later(60_000) }
    const path = `/chats/${chatId}/scheduled`
    await ann.ask('POST', path, { body: 'to deleted', reply: 2, ...later1 })
    await ann.ask('POST', path, { forward: { chatId, seq: 2 }, ...later1 })
    await bob.ask('POST', path, { body: 'to cleared', reply: 1, ...later1 })
    await bob.ask('DELETE', at(2))
    await bob.ask('DELETE', `/chats/${chatId}`)
    await db.query('UPDATE scheduled SET try_at = now() WHERE chat_id = $1', [chatId])
    await nudge(ann, chatId)
    await until(async () => (await count('scheduled', chatId)) === 1)
    const [, , ...sent] = await ann.history(chatId)
    const replies = Object.fromEntries(sent.map(({ body, reply }) => [body, reply]))
    assert.ok(replies['to deleted']?.deletedAt)
    assert.deepEqual([replies['to deleted']?.body, 'to cleared' in replies], ['', true])
    assert.equal(replies['to cleared'], undefined)
    await until(async () => (await ann.ask('GET', '/users/me/scheduled')).items[0].failed)
    const { items } = await ann.ask('GET', '/users/me/scheduled')
    assert.equal(items[0].failed, 'not_found')
  })

  test('[TIME-4] a key makes it once, a hundred wait at most, and an account takes its own along', async () => {
    const { ann, bob, chatId } = await pair()
    const body = { body: 'x', sendAt: later(60_000) }
    const post = async () => {
      const response = await fetch(`${one.url}/chats/${chatId}/scheduled`, {
        method: 'POST',
        headers: {
          authorization: ann.authorization,
          'content-type': 'application/json',
          'idempotency-key': 'k',
        },
        body: JSON.stringify(body),
      })
      return response.json()
    }
    const device = await ann.connect()
    assert.deepEqual(await post(), await post())
    await db.query(
      `INSERT INTO scheduled (id, user_id, chat_id, body, due_at, try_at)
       SELECT gen_random_uuid(), u.id, $1, 'x', now() + interval '1 h', now() + interval '1 h'
       FROM users u, generate_series(1, 97) WHERE u.username = $2`,
      [chatId, ann.username],
    )
    const codes = await Promise.all(
      [ann, beside(ann), ann, beside(ann)].map((by) =>
        codeOf(by, 'POST', `/chats/${chatId}/scheduled`, body),
      ),
    )
    assert.deepEqual(codes.sort(), ['201', '201', '403 forbidden', '403 forbidden'])
    await device.receives('scheduled.updated')
    await ann.ask('PUT', `/chats/${chatId}/messages/1/reminder`, { at: later(60_000) })
    const boss = new Person(one, 'admin', await adminOf(one))
    await boss.ask('DELETE', `/users/${ann.username}`)
    assert.equal(await count('scheduled', chatId), 0)
    assert.equal(await count('reminders', chatId), 0)
    assert.equal((await bob.history(chatId)).length, 1)
  })

  async function adminOf({ env }: TestServer) {
    const password = env.MICROCHATTER_ADMIN_PASSWORD ?? ''
    return `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  }

  test('[TIME-5] of two nodes one tells, and without the message where it is out of sight', async () => {
    const { ann, bob, chatId, send } = await pair()
    for (let n = 2; n <= 20; n += 1) await send(ann, { body: `m${n}` })
    const devices = [await bob.connect(), await beside(bob).connect()]
    await bob.ask('DELETE', `/chats/${chatId}`)
    await send(ann, { body: 'm21' })
    await db.query(
      `INSERT INTO reminders (user_id, chat_id, seq, due_at)
       SELECT u.id, $1, n, now() FROM users u, generate_series(1, 21) n WHERE u.username = $2`,
      [chatId, bob.username],
    )
    await nudge(ann, chatId)
    const ofBob = () => eventsOf(devices, 'reminder.due').filter((one) => one.chatId === chatId)
    await until(() => ofBob().length >= 21)
    await wait(600)
    const told: Reminder[] = ofBob().sort((a, b) => a.seq - b.seq)
    assert.deepEqual(
      told.map(({ seq }) => seq),
      Array.from({ length: 21 }, (_, n) => n + 1),
    )
    assert.deepEqual(
      told.filter(({ message }) => message).map(({ message }) => message?.body),
      ['m21'],
    )
    const { items, nextCursor } = await bob.ask('GET', '/users/me/reminders?limit=20')
    const rest = await bob.ask('GET', `/users/me/reminders?limit=20&cursor=${nextCursor}`)
    assert.deepEqual(
      [...items, ...rest.items].map(({ seq, due }) => [seq, due]),
      Array.from({ length: 21 }, (_, n) => [n + 1, true]),
    )
  })

  test('[TIME-5] a user has 200 reminders at most', async () => {
    const { ann, bob, chatId, at, send } = await pair()
    await send(ann, { body: '2' })
    await db.query(
      `INSERT INTO reminders (user_id, chat_id, seq, due_at)
       SELECT u.id, gen_random_uuid(), n, now() + interval '1 h'
       FROM users u, generate_series(1, 199) n WHERE u.username = $1`,
      [bob.username],
    )
    const body = { at: later(60_000) }
    await bob.ask('PUT', `${at(1)}/reminder`, body)
    assert.equal(await codeOf(bob, 'PUT', `${at(2)}/reminder`, body), '403 forbidden')
    await bob.ask('PUT', `${at(1)}/reminder`, { ...body, note: 'again' })
    assert.equal(await count('reminders', chatId), 1)
  })

  test('[TIME-6] slow mode: one at a time, on whichever node, and exactly so long', async () => {
    const [ann, bob, cat] = [await person('ann'), await person('bob'), await person('cat')]
    const chatId = await group(
      [
        [ann, 'owner'],
        [bob, 'member'],
        [cat, 'member'],
      ],
      { slowModeSeconds: 2 },
    )
    const path = `/chats/${chatId}/messages`
    const sends = [bob, beside(bob), bob, beside(bob), cat].map((by, n) =>
      by.fetch<any>('POST', path, { body: `m${n}`, clientId: randomUUID() }),
    )
    const answers = await Promise.all(sends)
    const refused = answers.filter(({ status }) => status === 429)
    assert.deepEqual([answers.at(-1)?.status, refused.length], [201, 3])
    for (const { body, headers } of refused) {
      assert.equal(body.code, 'slow_mode')
      assert(body.retryAfterMs > 1_000 && body.retryAfterMs <= 2_000, String(body.retryAfterMs))
      assert.equal(headers.get('retry-after'), '2')
    }
    const first = answers.find(({ status }) => status === 201)?.body
    // A repeat is no other message.
    const { body: text, clientId } = first
    assert.deepEqual(await bob.ask('POST', path, { body: text, clientId }), first)
    for (let n = 0; n < 5; n += 1) await ann.ask('POST', path, { body: 'of the owner' })
    const { body: problem } = await bob.fetch<any>('POST', path, { body: 'early' })
    await wait(problem.retryAfterMs)
    await bob.ask('POST', path, { body: 'in time' })
    assert.equal(await codeOf(bob, 'POST', path, { body: 'early' }), '429 slow_mode')
    const bodies = (await ann.history(chatId)).filter(({ sender }) => sender === bob.username)
    assert.deepEqual(
      bodies.map(({ body }) => body),
      [text, 'in time'],
    )
    await set(chatId, { slowModeSeconds: 0 })
    await bob.ask('POST', path, { body: 'fast' })
  })

  test('[TIME-6] a send that stores nothing takes no turn', async () => {
    const [ann, bob] = [await person('ann'), await person('bob')]
    const chatId = await group(
      [
        [ann, 'owner'],
        [bob, 'member'],
      ],
      { slowModeSeconds: 1 },
    )
    const path = `/chats/${chatId}/messages`
    const clientId = randomUUID()
    const first = await bob.ask('POST', path, { body: '1', clientId })
    await wait(1_050)
    assert.deepEqual(await bob.ask('POST', path, { body: '1', clientId }), first)
    assert.equal(await codeOf(bob, 'POST', path, { body: '2', clientId }), '409 client_id_reused')
    await bob.ask('POST', path, { body: '3' })
    // One that was scheduled waits for its turn.
    const made = await bob.ask<Scheduled>('POST', `/chats/${chatId}/scheduled`, {
      body: '4',
      sendAt: later(60_000),
    })
    await set(chatId, { slowModeSeconds: 3 })
    await wait(1_050)
    await bob.ask('POST', path, { body: '5' })
    await db.query('UPDATE scheduled SET try_at = now() WHERE id = $1', [made.id])
    await nudge(bob, chatId)
    await until(async () => (await ann.history(chatId)).at(-1)?.body === '4')
    const [fifth, fourth] = (await ann.history(chatId)).slice(-2)
    const apartMs = Date.parse(fourth?.createdAt ?? '') - Date.parse(fifth?.createdAt ?? '')
    assert(apartMs >= 2_900 && apartMs < 4_500, `${apartMs} ms`)
  })

  test('[TIME-2] [TIME-3] [TIME-5] what came due while no server ran is done at its start', async (t) => {
    const { url: DATABASE_URL, drop } = await createDatabase()
    t.after(drop)
    const first = await startServer('postgres', { DATABASE_URL })
    const own = await open(first)
    t.after(() => own.close())
    const [ann, bob] = [await newPerson(first, 'ann'), await newPerson(first, 'bob')]
    const { chatId } = await ann.sendTo(bob, 'first')
    await own.query(
      `UPDATE chats SET settings = '{"expireAfterSeconds": 3600}', rights_rev = rights_rev + 1,
         active_day = NULL`,
    )
    await ann.sendTo(bob, 'secret')
    const made = await ann.ask<Scheduled>('POST', `/chats/${chatId}/scheduled`, {
      body: 'later',
      sendAt: later(60_000),
    })
    await bob.ask('PUT', `/chats/${chatId}/messages/1/reminder`, { at: later(60_000) })
    await first.close()
    await own.query(
      `UPDATE scheduled SET due_at = now() - interval '1 h', try_at = now() - interval '1 h';
       UPDATE reminders SET due_at = now() - interval '1 h';
       UPDATE expiring SET expires_at = now() - interval '1 s';
       UPDATE messages SET content = jsonb_set(content, '{expiresAt}', '"2026-01-01T00:00:00.000Z"')
       WHERE content ? 'expiresAt'`,
    )
    const again = await startServer('postgres', { DATABASE_URL })
    t.after(() => again.close())
    const late = new Person(again, bob.username, bob.authorization)
    await until(async () => (await late.history(chatId)).length === 3, 1_500)
    await until(async () => (await late.ask('GET', '/users/me/reminders')).items[0].due, 1_500)
    await until(async () => (await late.chat(chatId)).changes === 1, 1_500)
    const [, secret, sent] = await late.history(chatId)
    assert.deepEqual([secret?.body, secret?.change], ['', 1])
    assert.deepEqual([sent?.body, sent?.clientId], ['later', made.id])
  })
})

describe('by the clock while the database is away', { skip: skipCluster() }, () => {
  let cluster: Cluster
  let proxy: LossyProxy
  let server: TestServer
  let db: Database
  before(async () => {
    cluster = await Cluster.start()
    proxy = await startLossyProxy(cluster.url)
    server = await startServer('postgres', { DATABASE_URL: proxy.url })
    db = await openDatabase(
      databaseOptions(loadConfig({ env: server.env, cwd: '/' }).config, cluster.url),
    )
  })
  after(async () => {
    await server.close()
    await db.close()
    await proxy.close()
    await cluster.stop()
  })
  async function waiting() {
    const [ann, bob] = [await newPerson(server, 'ann'), await newPerson(server, 'bob')]
    const { chatId } = await ann.sendTo(bob, 'first')
    const device = await ann.connect()
    const made = await ann.ask<Scheduled>('POST', `/chats/${chatId}/scheduled`, {
      body: 'later',
      sendAt: later(60_000),
    })
    const remind = (ms: number) =>
      ann.ask('PUT', `/chats/${chatId}/messages/1/reminder`, { at: later(ms) })
    return { ann, chatId, device, made, remind }
  }

  test('[TIME-3] [TIME-5] what comes due then is done once, when it is back', async () => {
    const { ann, chatId, device, made, remind } = await waiting()
    await remind(1_000)
    await db.query(`UPDATE scheduled SET try_at = now() + interval '1 s' WHERE id = $1`, [made.id])
    cluster.freeze()
    await wait(3_000)
    cluster.thaw()
    await device.receives('reminder.due', () => true, 5_000)
    const { seq } = await device.receives(
      'scheduled.updated',
      ({ state }) => state === 'sent',
      9_000,
    )
    await wait(600)
    assert.equal(device.named('reminder.due').length, 1)
    const messages = (await ann.history(chatId)).slice(1)
    assert.deepEqual(
      messages.map((message) => [message.seq, message.clientId]),
      [[seq, made.id]],
    )
    ann.close()
  })

  test('[TIME-3] where the word of the commit is lost, it is still one message', async () => {
    const { ann, chatId, device, made, remind } = await waiting()
    await db.query('UPDATE scheduled SET try_at = now() WHERE id = $1', [made.id])
    proxy.loseAnswerTo('insert_messages')
    await remind(200)
    const sent = ({ state }: { state: string }) => state === 'sent'
    const { seq } = await device.receives('scheduled.updated', sent, 12_000)
    const messages = (await ann.history(chatId)).slice(1)
    assert.deepEqual(
      messages.map((message) => [message.seq, message.clientId]),
      [[seq, made.id]],
    )
    const states = device.named('scheduled.updated').map(({ state }) => state)
    assert.deepEqual(states, ['waiting', 'sent'])
    ann.close()
  })
})

test('[TIME-1] [TIME-2] in the embedded database too a message disappears, once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'microchatter-timed-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const first = await startServer('embedded', { MICROCHATTER_DATA_DIR: folder })
  const [ann, bob] = [await newPerson(first, 'ann'), await newPerson(first, 'bob')]
  const { chatId } = await ann.sendTo(bob, 'first')
  await first.close()
  const db = await open(first)
  await db.query(`UPDATE chats SET settings = '{"expireAfterSeconds": 1}'`)
  await db.close()
  const again = await startServer('embedded', { MICROCHATTER_DATA_DIR: folder })
  t.after(() => again.close())
  const late = new Person(again, ann.username, ann.authorization)
  t.after(() => late.close())
  const device = await late.connect()
  const sends = Array.from({ length: 20 }, (_, n) =>
    device.call('message.send', { chatId, body: `m${n}` }),
  )
  const answers = await Promise.all(sends)
  await until(() => device.named('message.deleted').length >= 20)
  const told: Message[] = device.named('message.deleted')
  assert.deepEqual(
    told.map(({ seq, change, deletedAt }) => [seq, change, deletedAt]),
    answers.map(({ message }, n) => [n + 2, n + 1, message.expiresAt]),
  )
  assert.deepEqual((await late.history(chatId)).map(({ body }) => body).join(''), 'first')
})

test('where nothing is due, the database is asked once; where it is away, once a second', async () => {
  let asked = 0
  let answer: () => object[] = () => [{ expiring: null, scheduled: 60_000, reminders: null }]
  const db = {
    query: async () => {
      asked += 1
      return answer()
    },
  }
  const clock = new Clock(createMemoryBus(), { onProblem: (error) => assert.fail(String(error)) })
  clock.start({ db } as unknown as Core)
  await wait(1_200)
  assert.equal(asked, 1)
  clock.expect(200)
  await wait(1_000)
  assert.equal(asked, 2)
  answer = () => {
    throw new DatabaseAway(false, 'away')
  }
  clock.expect(0)
  await wait(2_500)
  assert(asked >= 4 && asked <= 5, String(asked))
  const stoppedAt = Date.now()
  await clock.stop()
  assert(Date.now() - stoppedAt < 50)
})

test('a clock that was ahead and is put right again keeps nothing waiting', async (t) => {
  const { now } = Date
  t.after(() => (Date.now = now))
  let asked = 0
  const db = {
    query: async () => {
      asked += 1
      return [{ expiring: null, scheduled: 60_000, reminders: null }]
    },
  }
  const clock = new Clock(createMemoryBus(), { onProblem: (error) => assert.fail(String(error)) })
  t.after(() => clock.stop())
  Date.now = () => now() + 7_200_000
  clock.start({ db } as unknown as Core)
  await wait(50)
  Date.now = now
  clock.expect(600)
  await wait(1_200)
  assert.equal(asked, 2)
})
