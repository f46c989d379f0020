import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Member } from '@microchatter/protocol'
import WebSocket from 'ws'
import { engines, skipOf } from './support/databases.ts'
import {
  admin,
  Device,
  jwtFor,
  newName,
  newPerson,
  Person,
  personAt,
  startServer,
  type TestServer,
} from './support/server.ts'

for (const engine of engines)
  describe(`sockets on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())
    const person = (prefix?: string) => newPerson(server, prefix)

    test('a message reaches every device of both, and the sender by its answer', async () => {
      const [ann, bob] = [await person('ann'), await person('bob')]
      const [phone, desk, bobs] = [await ann.connect(), await ann.connect(), await bob.connect()]
      const { chatId } = await ann.sendTo(bob, 'first')
      const chat = await bobs.receives('chat.created')
      assert.equal(chat.id, chatId)
      assert.equal(chat.lastMessage.body, 'first')
      const clientId = randomUUID()
      const { ok, message } = await phone.call('message.send', { chatId, body: 'hello', clientId })
      assert(ok)
      assert.equal(message.seq, 2)
      assert.deepEqual(await bobs.receives('message.created', ({ seq }) => seq === 2), message)
      assert.deepEqual(await desk.receives('message.created', ({ seq }) => seq === 2), message)
      assert.equal(phone.named('message.created').filter(({ seq }) => seq === 2).length, 0)
      assert.deepEqual(await bob.history(chatId), [bobs.named('message.created')[0], message])
    })

    test('chat.read goes to the other, and to my other devices with the unread', async () => {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'one')
      await ann.sendTo(bob, 'two')
      const [anns, phone, desk] = [await ann.connect(), await bob.connect(), await bob.connect()]
      const { ok, read } = await phone.call('chat.read', { chatId, seq: 2 })
      assert(ok)
      assert.deepEqual([read.seq, read.unread], [2, 0])
      const told = await anns.receives('read.updated')
      assert.deepEqual(told, {
        chatId,
        username: bob.username,
        seq: 2,
        rev: read.rev,
        lastSeq: 2,
      })
      assert.equal((await desk.receives('read.updated')).unread, 0)
      assert.deepEqual(await desk.receives('unread.updated'), { total: 0, chats: 0 })
      assert.equal(phone.named('read.updated').length, 0)
    })

    test('[READ-4] who deletes a chat has read it, which the other sees, there or away', async () => {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'one')
      const anns = await ann.connect()
      const { sync } = await anns.call('sync', {})
      await bob.ask('DELETE', `/chats/${chatId}`)
      const { username, seq, rev, lastSeq } = await anns.receives('read.updated')
      assert.deepEqual([username, seq, lastSeq], [bob.username, 1, 1])
      assert.equal((await ann.chat(chatId)).rev, rev)
      const after = await anns.call('sync', { cursor: sync.cursor })
      const marks = after.sync.chats[0].members.map((member: Member) => member.readSeq)
      assert.deepEqual(marks, [1, 1])
      // What is read already moves no mark.
      await bob.ask('DELETE', `/chats/${chatId}`)
      await ann.sendTo(bob, 'two')
      await anns.receives('message.created')
      assert.equal(anns.named('read.updated').length, 1)
    })

    test('typing is told to the other, and not to strangers', async () => {
      const [ann, bob, eve] = [await person(), await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'hi')
      const [anns, bobs, eves] = [await ann.connect(), await bob.connect(), await eve.connect()]
      assert.equal((await anns.call('typing', { chatId, typing: true })).ok, true)
      const typing = { chatId, username: ann.username, typing: true }
      assert.deepEqual(await bobs.receives('typing'), typing)
      const refused = await eves.call('typing', { chatId, typing: true })
      assert.equal(refused.error?.code, 'not_found')
    })

    test('[SOCK-2] calls obey the schema and the rights, and name the fault', async () => {
      const [ann, bob, eve] = [await person(), await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'hi')
      const device = await ann.connect()
      const eves = await eve.connect()
      const refusals: [string, unknown, string, string?][] = [
        ['message.send', { chatId, body: '' }, 'invalid', '/body'],
        ['message.send', { chatId, body: 'x', sender: 'eve' }, 'invalid', '/sender'],
        ['message.send', { chatId, body: 'x'.repeat(8_001) }, 'invalid', '/body'],
        ['message.send', { chatId, body: 'a\0b' }, 'invalid_text', '/body'],
        ['message.send', { chatId, body: 'x', clientId: 'no-uuid' }, 'invalid', '/clientId'],
        ['message.send', { chatId: randomUUID(), body: 'x' }, 'not_found'],
        ['message.send', { chatId: ['a'], body: 'x' }, 'invalid', '/chatId'],
        ['message.send', undefined, 'invalid'],
        ['message.send', null, 'invalid'],
        ['chat.read', { chatId, seq: 2 ** 53 }, 'invalid', '/seq'],
        ['chat.read', { chatId, seq: 9 }, 'invalid', '/seq'],
        ['chat.join', { chatId }, 'unknown_event'],
        ['join', chatId, 'unknown_event'],
        ['__proto__', {}, 'unknown_event'],
        ['sync', { cursor: 5 }, 'invalid', '/cursor'],
      ]
      for (const [name, body, code, field] of refusals) {
        const { ok, error } = await device.call(name, body)
        assert.deepEqual([ok, error?.code], [false, code], `${name} ${JSON.stringify(body)}`)
        if (field !== undefined) assert.equal((error as { field?: string }).field, field)
      }
      const stranger = await eves.call('message.send', { chatId, body: 'x' })
      assert.equal(stranger.error?.code, 'not_found')
      assert.equal((await ann.history(chatId)).length, 1)
    })

    test('the handshake: no, wrong and expired credentials are refused by name', async () => {
      const ann = await person()
      const refusals: [object, string][] = [
        [{}, 'unauthenticated'],
        [{ token: 'mcs_nonsense' }, 'bad_credentials'],
        [{ token: 'a.b.c' }, 'bad_credentials'],
        [{ username: 'admin', password: 'wrong-password' }, 'bad_credentials'],
        [{ token: ann.token, room: 'x' }, 'invalid'],
      ]
      for (const [auth, code] of refusals) {
        const device = new Device(server.url, auth)
        await assert.rejects(device.connected(), (error: Error & { data?: { code: string } }) => {
          assert.equal(error.data?.code, code)
          return true
        })
        device.close()
      }
    })

    test('the handshake takes a session token, a JWT, Basic and a header', async () => {
      const ann = await person()
      const { token } = await ann.ask('POST', '/users/login')
      await (await ann.connect({ token })).call('sync', {})
      const root = admin(server)
      const [, basic = ''] = root.authorization.split(' ')
      const [username, password] = Buffer.from(basic, 'base64').toString().split(':')
      await root.connect({ username, password })
      const device = new Device(
        server.url,
        {},
        { extraHeaders: { authorization: ann.authorization } },
      )
      await device.connected()
      device.close()
    })

    test('polling is a fallback', async () => {
      const ann = await person()
      const device = new Device(server.url, { token: ann.token }, { transports: ['polling'] })
      await device.connected()
      assert.equal((await device.call('sync', {})).ok, true)
      device.close()
    })

    test('pages of other sites may not connect, and tokens do not belong into addresses', async () => {
      const path = `${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`
      const origins = ['https://evil.example', 'null', `${server.url}.evil.example`]
      for (const origin of origins) assert.equal(await statusOf(path, { origin }), 403, origin)
      assert.equal(await statusOf(path, { origin: server.url }), 101)
      assert.equal(await statusOf(path), 101)
      assert.equal(await statusOf(`${path}&token=abc`), 403)
      const polling = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
        headers: { origin: 'https://evil.example' },
      })
      assert.equal(polling.status, 403)
      assert.equal(polling.headers.get('access-control-allow-origin'), null)
    })

    test('malformed frames end that client alone', async () => {
      const ann = await person()
      const healthy = await ann.connect()
      const frames = [
        '42[{"toString":"x"}]',
        '451-["e",{"_placeholder":true,"num":99}]',
        '45999999999-["e"]',
        '42[]',
        '42["__proto__"]',
        '42["disconnect"]',
        '421e308["sync",{}]',
        '42'.padEnd(70_000, '['),
        '4',
        '9',
        '',
        '40/admin,{}',
        Buffer.from([0xff, 0xfe, 0xfd]),
        '42["message.send",'.padEnd(60_000, '['),
      ]
      for (const frame of frames) await sendRaw(server.url, ann.token, frame)
      assert.equal((await healthy.call('sync', {})).ok, true)
    })

    test('a socket that does not authenticate is closed after 5 s', async () => {
      const path = `${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`
      const socket = new WebSocket(path)
      const begin = Date.now()
      await new Promise((resolve) => socket.once('close', resolve))
      const tookMs = Date.now() - begin
      assert(tookMs > 4_000 && tookMs < 8_000, `${tookMs} ms`)
    })

    test('[SOCK-3] a session that is revoked ends on its socket, and on no other', async () => {
      const ann = await person()
      const { token: first } = await ann.ask('POST', '/users/login')
      const { token: second } = await ann.ask('POST', '/users/login')
      const [one, two] = [await ann.connect({ token: first }), await ann.connect({ token: second })]
      const gone = one.disconnected()
      const mine = new Person(server, ann.username, `Bearer ${first}`)
      await mine.ask('DELETE', '/users/me/sessions/current')
      assert.deepEqual(await one.receives('session.closed'), { reason: 'session_revoked' })
      await gone
      assert.equal((await two.call('sync', {})).ok, true)
      const refused = await mine.fetch('GET', '/chats')
      assert.deepEqual([refused.status, refused.body.code], [401, 'bad_credentials'])
      const again = new Device(server.url, { token: first })
      await assert.rejects(again.connected())
      again.close()
    })

    test('[SOCK-3] log out everywhere, deactivation and deletion end every socket', async () => {
      const root = admin(server)
      const ends: [string, (person: Person) => Promise<unknown>][] = [
        ['session_revoked', (one) => one.ask('DELETE', '/users/me/sessions')],
        [
          'account_deactivated',
          (one) => root.ask('PATCH', `/users/${one.username}`, { active: false }),
        ],
        ['account_removed', (one) => root.ask('DELETE', `/users/${one.username}`)],
      ]
      for (const [reason, end] of ends) {
        const ann = await person()
        const { token } = await ann.ask('POST', '/users/login')
        const devices = [await ann.connect(), await ann.connect({ token })]
        await end(ann)
        for (const device of devices)
          assert.deepEqual(await device.receives('session.closed'), { reason })
        const { status } = await ann.fetch('GET', '/chats')
        assert([401, 403].includes(status), `${reason}: ${status}`)
      }
    })

    test('a token that ends is announced, refreshed, or ends the socket by name', async () => {
      const username = newName()
      const short = personAt(server, {
        username,
        authorization: `Bearer ${await jwtFor(username, { seconds: 3 })}`,
      })
      const [stays, goes] = [await short.connect(), await short.connect()]
      await stays.receives('session.expiring')
      await goes.receives('session.expiring')
      const other = await person()
      const wrong = await stays.call('auth.refresh', { token: other.token })
      assert.equal(wrong.error?.code, 'forbidden')
      const { ok, expiresAt } = await stays.call('auth.refresh', { token: await jwtFor(username) })
      assert(ok)
      assert(Date.parse(expiresAt) > Date.now() + 3_000_000)
      assert.deepEqual(await goes.receives('session.closed', undefined, 6_000), {
        reason: 'session_expired',
      })
      assert.equal((await stays.call('sync', {})).ok, true)
    })

    test('[SEND-4] nothing of a blocked sender arrives: no message, no typing', async () => {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'hi')
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      await bob.ask('PUT', `/users/me/blocks/${ann.username}`)
      assert.equal((await bobs.receives('chat.updated')).blocked, true)
      const before = bobs.events.length
      const sent = await anns.call('message.send', { chatId, body: 'still there?' })
      assert.equal(sent.error?.code, 'blocked')
      await anns.call('typing', { chatId, typing: true })
      await bob.ask('DELETE', `/users/me/blocks/${ann.username}`)
      assert.equal((await anns.call('message.send', { chatId, body: 'again' })).ok, true)
      await bobs.receives('message.created', ({ body }) => body === 'again')
      const names = bobs.events.slice(before).map(({ name }) => name)
      assert(!names.includes('typing'))
      assert.deepEqual(
        bobs.named('message.created').map(({ body }) => body),
        ['again'],
      )
    })

    test('[SOCK-1] a reader that does not read is closed, whether of events or of its own answers', async () => {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'x'.repeat(8_000))
      for (let n = 0; n < 20; n += 1) await ann.sendTo(bob, 'x'.repeat(8_000))
      const raw = await rawSocket(server.url, bob.token)
      raw.pause()
      const before = server.sockets
      const frame = `420["sync",{"chats":[{"chatId":"${chatId}","seq":0}]}]`
      for (let n = 0; n < 400 && server.sockets === before; n += 1) {
        raw.send(frame)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      assert.equal(server.sockets, before - 1)
      raw.terminate()
      assert.equal((await bob.chats()).length, 1)
    })

    test('[CHAT-3] a chat that was opened or blocked, and never written to, is not shown to the other', async () => {
      const [ann, bob] = [await person(), await person()]
      const bobs = await bob.connect()
      const { sync } = await bobs.call('sync', {})
      const { id } = await ann.ask('POST', '/chats', { username: bob.username })
      await ann.ask('PUT', `/users/me/blocks/${bob.username}`)
      const anns = await ann.connect()
      await anns.call('typing', { chatId: id, typing: true })
      await anns.call('chat.read', { chatId: id, seq: 0, unread: true })
      await ann.ask('PATCH', '/users/me', { displayName: 'Ann A.' })
      const after = await bobs.call('sync', { cursor: sync.cursor })
      assert.deepEqual([after.sync.chats, after.sync.removed], [[], []])
      for (const path of [`/chats/${id}`, `/chats/${id}/messages`])
        assert.equal((await bob.fetch('GET', path)).status, 404)
      assert.deepEqual(bobs.events, [])
      await ann.ask('DELETE', `/users/me/blocks/${bob.username}`)
      await ann.sendTo(bob, 'now')
      assert.equal((await bob.chat(id)).lastSeq, 1)
    })

    test('[SOCK-1] a client that does not wait for answers is slowed, not refused, and keeps its order', async () => {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await ann.sendTo(bob, '0')
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      const bodies = Array.from({ length: 3_000 }, (_, n) => String(n + 1))
      const answers = await Promise.all(
        bodies.map((body) => anns.call('message.send', { chatId, body })),
      )
      assert.deepEqual(
        answers.map(({ message }) => message.seq),
        bodies.map((_, n) => n + 2),
      )
      await bobs.receives('message.created', ({ seq }) => seq === 3_001)
      assert.deepEqual(
        bobs.named('message.created').map(({ body }) => body),
        bodies,
      )
    })
  })

async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url, { headers })
  return new Promise((resolve) => {
    socket.once('open', () => {
      socket.close()
      resolve(101)
    })
    socket.once('unexpected-response', (request, response) => {
      request.destroy()
      resolve(response.statusCode === 400 ? 403 : (response.statusCode ?? 0))
    })
    socket.on('error', () => undefined)
  })
}

/** Connects by hand and authenticates: what follows is up to the test. */
async function rawSocket(url: string, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`)
      if (text.startsWith('40')) resolve()
    })
  })
  return socket
}

/** Sends one frame, and waits a moment for what comes of it. */
async function sendRaw(url: string, token: string, frame: string | Buffer): Promise<void> {
  const socket = await rawSocket(url, token)
  socket.send(frame)
  await new Promise((resolve) => setTimeout(resolve, 100))
  socket.terminate()
}
