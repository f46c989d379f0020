import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Chat } from '@microchatter/protocol'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { engines, skipOf } from './support/databases.ts'
import { Device, newPerson, type Person, startServer, type TestServer } from './support/server.ts'
import { comeBack } from './support/watch.ts'

for (const engine of engines)
  describe(`coming back on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())
    const person = () => newPerson(server)

    async function assertFresh(one: Person, state: Mailbox) {
      const listed = await one.chats('?limit=100')
      const archived = await one.chats('?archived=true&limit=100')
      const fresh = new Map([...listed, ...archived].map((chat) => [chat.id, stripped(chat)]))
      const kept = new Map([...state.chats].map(([id, chat]) => [id, stripped(chat)]))
      assert.deepEqual(sorted(kept), sorted(fresh))
      for (const [chatId, messages] of state.open)
        assert.deepEqual(messages, await one.history(chatId))
    }

    test('[SYNC-1] a client that is cut during a burst equals a fresh fetch, again and again', async () => {
      const [ann, bob, cat] = [await person(), await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'start')
      const second = (await cat.sendTo(bob, 'start')).chatId
      const state = new Mailbox(bob.username)
      state.open.set(chatId, [])
      let device = await comeBack(bob, state)
      const senders = [await ann.connect(), await cat.connect()]
      const sends: Promise<unknown>[] = []
      for (let round = 0; round < 12; round += 1) {
        for (let n = 0; n < 30; n += 1) {
          sends.push(senders[0]!.call('message.send', { chatId, body: `a${round}/${n}` }))
          sends.push(senders[1]!.call('message.send', { chatId: second, body: `c${round}/${n}` }))
          if (n % 10 === 5) {
            sends.push(
              bob.ask('PUT', `/chats/${chatId}/read`, { seq: 1 + round * 10 + n }).catch(() => 0),
            )
            sends.push(bob.ask('PATCH', `/chats/${second}`, { pinned: n % 20 === 5 }))
          }
        }
        device.close()
        if (round % 3 === 1) await new Promise((resolve) => setTimeout(resolve, 30))
        device = await comeBack(bob, state)
      }
      await Promise.all(sends)
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.equal(state.gaps, 0)
      await assertFresh(bob, state)
    })

    test('[SYNC-1] what changed while away: read marks, settings, names, deletions, new chats', async () => {
      const [ann, bob, cat, dan] = [await person(), await person(), await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'one')
      const gone = (await cat.sendTo(bob, 'bye')).chatId
      const state = new Mailbox(bob.username)
      state.open.set(chatId, [])
      const device = await comeBack(bob, state)
      device.close()
      await bob.sendTo(ann, 'mine, from another device')
      await ann.ask('PUT', `/chats/${chatId}/read`, { seq: 2 })
      await bob.ask('PATCH', `/chats/${chatId}`, { muted: true, pinned: true })
      await ann.ask('PATCH', '/users/me', { displayName: 'Ann A.' })
      await bob.ask('DELETE', `/chats/${gone}`)
      await dan.sendTo(bob, 'hello from a new one')
      await bob.ask('PUT', `/users/me/blocks/${dan.username}`)
      await comeBack(bob, state)
      assert.equal(state.chats.has(gone), false)
      assert.equal(state.chats.get(chatId)?.muted, true)
      await assertFresh(bob, state)
      await cat.sendTo(bob, 'I am back')
      await bob.devices.at(-1)?.receives('message.created', ({ body }) => body === 'I am back')
      await bob.devices.at(-1)?.receives('chat.updated', ({ id }) => id === gone)
      await assertFresh(bob, state)
    })

    test('[SYNC-2] an unknown cursor, or a client that is ahead, starts fresh', async () => {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await ann.sendTo(bob, 'one')
      const device = await bob.connect()
      const old = Buffer.from(JSON.stringify(['2001-01-01T00:00:00.000Z'])).toString('base64url')
      for (const cursor of ['nonsense', old, undefined]) {
        const { sync } = await device.call('sync', cursor === undefined ? {} : { cursor })
        assert.equal(sync.reset, true)
        assert.equal(sync.chats.length, 1)
      }
      const first = await device.call('sync', {})
      const ahead = await device.call('sync', {
        cursor: first.sync.cursor,
        chats: [{ chatId, seq: 7 }],
      })
      assert.equal(ahead.sync.reset, true)
      const again = await device.call('sync', { cursor: ahead.sync.cursor })
      assert.equal(again.sync.reset, undefined)
    })

    test('[SYNC-2] events that are held for a client that never syncs end in sync.reset', async () => {
      const [ann, bob] = [await person(), await person()]
      const device = new Device(server.url, { token: bob.token, hold: true })
      bob.devices.push(device)
      await device.connected()
      await ann.sendTo(bob, 'one')
      await device.receives('sync.reset', undefined, 12_000)
      assert.equal(device.named('message.created').length, 0)
      await ann.sendTo(bob, 'two')
      await device.receives('message.created', ({ body }) => body === 'two')
    })

    test('[SYNC-1] messages that were missed come along, and strangers get none', async () => {
      const [ann, bob, eve] = [await person(), await person(), await person()]
      const { chatId } = await ann.sendTo(bob, '1')
      for (let n = 2; n <= 70; n += 1) await ann.sendTo(bob, String(n))
      const device = await bob.connect()
      const { sync } = await device.call('sync', { chats: [{ chatId, seq: 5 }] })
      assert.equal(sync.messages[0].items.length, 50)
      assert.equal(sync.messages[0].items[0].seq, 6)
      assert.equal(sync.messages[0].hasAfter, true)
      const stranger = await (await eve.connect()).call('sync', { chats: [{ chatId, seq: 5 }] })
      assert.deepEqual(stranger.sync.messages, [])
      assert.deepEqual(stranger.sync.chats, [])
    })

    test('[READ-4] what comes after a deletion is the first page after 0, however much was deleted', async () => {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await ann.sendTo(bob, '1')
      for (let n = 2; n <= 7; n += 1) await ann.sendTo(bob, String(n))
      await bob.ask('DELETE', `/chats/${chatId}`)
      await ann.sendTo(bob, '8')
      const page = await bob.ask('GET', `/chats/${chatId}/messages?after=0&limit=5`)
      assert.deepEqual(
        page.items.map(({ body }: { body: string }) => body),
        ['8'],
      )
      assert.equal(page.hasAfter, false)
    })

    test('?with= has the chat with a user wherever it is, and makes none', async () => {
      const [ann, bob] = [await person(), await person()]
      const query = `?with=${bob.username}`
      assert.deepEqual(await ann.chats(query), [])
      const { id } = await bob.ask('POST', '/chats', { username: ann.username })
      assert.deepEqual(await ann.chats(query), [], 'the other has opened it, and written nothing')
      await bob.sendTo(ann, 'hi')
      await ann.ask('PATCH', `/chats/${id}`, { archived: true })
      assert.deepEqual(
        (await ann.chats(query)).map((chat) => [chat.id, chat.archived]),
        [[id, true]],
      )
      assert.equal((await ann.fetch('GET', '/chats?with=nobody-at-all')).status, 404)
    })

    test('[CHAT-1] two users who open their chat at the same moment, 100 times, share one', async () => {
      for (let round = 0; round < 100; round += 1) {
        const [ann, bob] = [await person(), await person()]
        const [one, two] = await Promise.all([
          round % 2 ? ann.sendTo(bob, 'hi') : ann.ask('POST', '/chats', { username: bob.username }),
          bob.sendTo(ann, 'hi'),
        ])
        assert.equal('chatId' in one ? one.chatId : one.id, two.chatId)
        assert.equal((await ann.chats()).length, 1)
        assert.equal((await bob.chats()).length, 1)
      }
    })
  })

function stripped(chat: Chat): Chat {
  return {
    ...chat,
    members: [...chat.members].sort((a, b) => (`${a.username}` < `${b.username}` ? -1 : 1)),
  }
}

function sorted(chats: Map<string, Chat>): [string, Chat][] {
  return [...chats].sort(([a], [b]) => (a < b ? -1 : 1))
}
