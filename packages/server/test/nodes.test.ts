/** Two nodes on one database, with a bus. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createMicrochatter, loadConfig, StartRefused } from '../src/server.ts'
import { skipOf } from './support/databases.ts'
import { productionDatabase } from './support/production.ts'
import { startNodes, type TestNodes } from './support/nodes.ts'
import { skipRedis } from './support/redis.ts'
import { newGroup, newPeople } from './support/groups.ts'
import { newPerson, Person, personAt, type TestServer } from './support/server.ts'

describe('two nodes', { skip: skipOf('postgres') || skipRedis() }, () => {
  let nodes: TestNodes
  let one: TestServer
  let two: TestServer
  before(async () => {
    nodes = await startNodes()
    ;({ one, two } = nodes)
  })
  after(() => nodes.close())
  const person = () => newPerson(one)

  test('messages and read marks reach sockets on the other node', async () => {
    const [ann, bob] = [await person(), await person()]
    const bobs = await personAt(two, bob).connect()
    const anns = await ann.connect()
    const { chatId } = await ann.sendTo(bob, 'hello')
    assert.equal((await bobs.receives('message.created')).body, 'hello')
    assert.equal((await bobs.receives('chat.created')).id, chatId)
    await bobs.call('chat.read', { chatId, seq: 1 })
    assert.equal(
      (await anns.receives('read.updated', ({ username }) => username === bob.username)).seq,
      1,
    )
  })

  test('[PRIV-2] [PRIV-4] settings and answers at one node count at the other', async () => {
    const [ann, cat] = [await person(), await person()]
    const there = personAt(two, cat)
    const { id: chatId } = await there.ask('POST', '/chats', { username: ann.username })
    const path = `/chats/${chatId}/messages`
    await ann.ask('PATCH', '/users/me/settings', { writeFrom: 'nobody' })
    assert.equal((await there.fetch('POST', path, { body: 'hello' })).body.code, 'forbidden')
    await ann.ask('PATCH', '/users/me/settings', { writeFrom: 'requests' })
    await there.ask('POST', path, { body: 'hello' })
    await ann.ask('PUT', `/chats/${chatId}/request`, { accept: false })
    assert.equal((await there.fetch('POST', path, { body: 'please' })).body.code, 'forbidden')
    const device = await there.connect()
    await ann.ask('POST', path, { body: 'well' })
    await device.receives('message.created')
    await there.ask('POST', path, { body: 'thanks' })
    assert.deepEqual(
      (await ann.chats()).map(({ id }) => id),
      [chatId],
    )
  })

  test('[CHAT-11] typing is told at a node that did not store the first message', async () => {
    const [ann, bob] = [await person(), await person()]
    const { id: chatId } = await ann.ask('POST', '/chats', { username: bob.username })
    const anns = await personAt(two, ann).connect()
    const bobs = await bob.connect()
    assert((await anns.call('typing', { chatId, typing: true })).ok)
    await bob.sendTo(ann, 'first')
    assert((await anns.call('typing', { chatId, typing: true })).ok)
    assert.equal((await bobs.receives('typing')).username, ann.username)
  })

  test('[SEND-3] the same clientId at both nodes at once is one message', async () => {
    const [ann, bob] = [await person(), await person()]
    await ann.sendTo(bob, 'first')
    for (let round = 0; round < 20; round += 1) {
      const clientId = randomUUID()
      const [a, b] = await Promise.all([
        ann.sendTo(bob, 'once', { clientId }),
        personAt(two, ann).sendTo(bob, 'once', { clientId }),
      ])
      assert.deepEqual(a, b)
    }
    const [chat] = await ann.chats()
    assert.equal(chat?.lastSeq, 21)
  })

  test('[SEND-4] a block at one node counts at the other at once', async () => {
    const [ann, bob] = [await person(), await person()]
    const { chatId } = await ann.sendTo(bob, 'hi')
    const device = await personAt(two, ann).connect()
    assert((await device.call('message.send', { chatId, body: 'warm' })).ok)
    await bob.ask('PUT', `/users/me/blocks/${ann.username}`)
    const refused = await device.call('message.send', { chatId, body: 'no' })
    assert.equal(refused.error?.code, 'blocked')
    await bob.ask('DELETE', `/users/me/blocks/${ann.username}`)
    assert((await device.call('message.send', { chatId, body: 'yes' })).ok)
  })

  test('[SOCK-3] a revocation at one node ends sockets at the other', async () => {
    const ann = await person()
    const { token } = await ann.ask('POST', '/users/login')
    const device = await personAt(two, ann).connect({ token })
    const begin = Date.now()
    await new Person(one, ann.username, `Bearer ${token}`).ask(
      'DELETE',
      '/users/me/sessions/current',
    )
    assert.deepEqual(await device.receives('session.closed'), { reason: 'session_revoked' })
    assert(Date.now() - begin < 2_000)
    const { status } = await new Person(two, ann.username, `Bearer ${token}`).fetch('GET', '/chats')
    assert.equal(status, 401)
  })

  test('[SEND-6] without the bus messages come within 15 s, and revocations take effect within 30 s', async () => {
    const [ann, bob] = [await person(), await person()]
    const { token } = await bob.ask('POST', '/users/login')
    const { chatId } = await ann.sendTo(bob, 'one')
    const small = await newGroup([ann, bob])
    const large = await newGroup([ann, bob, ...(await newPeople(one, 49))])
    const device = await personAt(two, bob).connect({ token })
    await device.call('sync', {})
    await nodes.redis.kill()
    await ann.ask('DELETE', `/chats/${small.id}/members/${bob.username}`)
    await device.receives('chat.removed', (data) => data.chatId === small.id, 15_000)
    await ann.ask('PATCH', `/chats/${large.id}`, { title: 'Renamed' })
    // Of a large group all hear the same: its last message, and what they share.
    await device.receives('group.updated', ({ title }) => title === 'Renamed', 15_000)
    await device.receives('message.created', ({ event }) => event?.title === 'Renamed')
    await ann.sendTo(bob, 'two')
    const { sync } = await device.call('sync', { chats: [{ chatId, seq: 1 }] })
    assert.equal(sync.messages[0].items[0].body, 'two')
    // The last one of the chat: no gap shows that it is missing.
    await ann.sendTo(bob, 'three')
    await device.receives('chat.updated', (chat) => chat.lastMessage?.body === 'three', 15_000)
    await ann.ask('PUT', `/chats/${chatId}/read`, { seq: 1, unread: true })
    await device.receives(
      'chat.updated',
      ({ members }) => members.some(({ readSeq }: { readSeq: number }) => readSeq === 1),
      15_000,
    )
    const begin = Date.now()
    await new Person(one, bob.username, `Bearer ${token}`).ask(
      'DELETE',
      '/users/me/sessions/current',
    )
    await device.receives('session.closed', undefined, 30_000)
    assert(Date.now() - begin < 30_000)
    await nodes.redis.start()
  })
})

describe('production', { skip: skipOf('postgres') }, () => {
  test('a second node without a bus is refused while the first is alive, and not after it', async () => {
    const { env, drop } = await productionDatabase()
    const create = () => createMicrochatter(loadConfig({ env, cwd: '/' }))
    const first = await create()
    await assert.rejects(create(), (error) => {
      assert(error instanceof StartRefused)
      assert.match(error.message, /REDIS_URL/)
      return true
    })
    await first.close()
    await (await create()).close()
    await drop()
  })

  test('a database role that is a superuser is refused', async () => {
    const { env, drop } = await productionDatabase()
    const superuser = new URL(env.DATABASE_URL ?? '')
    superuser.username = new URL(process.env.MICROCHATTER_TEST_DATABASE_URL ?? '').username
    const loaded = loadConfig({ env: { ...env, DATABASE_URL: superuser.href }, cwd: '/' })
    await assert.rejects(createMicrochatter(loaded), /superuser/)
    await drop()
  })
})
