/** Who may begin a chat, and what becomes of message requests. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Chat, Unread, UserSettings, Receipts } from '@microchatter/protocol'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { engines, skipOf } from './support/databases.ts'
import {
  admin,
  newPerson,
  type Person,
  startServer,
  type TestServer,
  withDatabase,
} from './support/server.ts'
import { comeBack } from './support/watch.ts'

for (const engine of engines)
  describe(`privacy on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())

    async function person(writeFrom?: UserSettings['writeFrom']) {
      const one = await newPerson(server)
      if (writeFrom) await set(one, { writeFrom })
      return one
    }

    /** Cat has begun a chat with ann, who takes strangers as requests. */
    async function request() {
      const [ann, cat] = [await person('requests'), await person()]
      const { chatId } = await cat.sendTo(ann, 'hello')
      return { ann, cat, chatId, path: `/chats/${chatId}/request` }
    }

    test('[PRIV-1] settings are as the site says until they are set, and again with null', async () => {
      const ann = await person()
      const device = await ann.connect()
      const site = { writeFrom: 'everyone', lastSeenTo: 'contacts', receipts: true }
      assert.deepEqual(await ann.ask('GET', '/users/me/settings'), site)
      const mine = { writeFrom: 'contacts', lastSeenTo: 'nobody', receipts: false } as const
      assert.deepEqual(await set(ann, mine), mine)
      assert.deepEqual(await device.receives('settings.updated'), mine)
      assert.deepEqual(await set(ann, { writeFrom: null }), { ...mine, writeFrom: 'everyone' })
      assert.deepEqual(await set(ann, { lastSeenTo: null, receipts: null }), site)
      assert.deepEqual(await ann.ask('GET', '/users/me/settings'), site)
      const { status, body } = await ann.fetch('PATCH', '/users/me/settings', { writeFrom: 'all' })
      assert.deepEqual([status, body.code, body.field], [400, 'invalid', '/writeFrom'])
    })

    test('[PRIV-2] contacts and nobody: a stranger can neither open the chat nor write', async () => {
      for (const writeFrom of ['contacts', 'nobody'] as const) {
        const [ann, cat] = [await person(writeFrom), await person()]
        for (const send of [
          cat.fetch('POST', '/chats', { username: ann.username }),
          cat.fetch('POST', `/chats/users/${ann.username}/messages`, { body: 'hello' }),
        ]) {
          const { status, body } = await send
          assert.deepEqual(
            [status, body.code, body.detail],
            [403, 'forbidden', 'This user does not take messages from you'],
          )
        }
        assert.deepEqual(await cat.chats(), [])
        // She writes to whom she likes, and is answered.
        const { chatId } = await ann.sendTo(cat, 'from me')
        assert.equal((await cat.sendTo(ann, 'back')).chatId, chatId)
        assert.equal((await ann.chats()).length, 1)
        const notice = await admin(server).sendTo(ann, 'a notice', { as: 'system' })
        assert.equal((await ann.chat(notice.chatId)).request, undefined)
      }
    })

    test('[PRIV-2] a first message is judged when it comes, also where the chat was there before', async () => {
      const [ann, cat] = [await person(), await person()]
      const chat: Chat = await cat.ask('POST', '/chats', { username: ann.username })
      const send = () => cat.fetch('POST', `/chats/${chat.id}/messages`, { body: 'hello' })
      await set(ann, { writeFrom: 'nobody' })
      assert.equal((await send()).body.code, 'forbidden')
      const device = await cat.connect()
      const answer = await device.call('message.send', { chatId: chat.id, body: 'hello' })
      assert.equal(answer.error?.code, 'forbidden')
      await set(ann, { writeFrom: 'requests' })
      assert.equal((await send()).status, 201)
      assert.equal((await ann.chat(chat.id)).request, 'pending')
      // It has begun: later settings do not touch it.
      await set(ann, { writeFrom: 'nobody' })
      assert.equal((await send()).status, 201)
    })

    const inDatabase = { skip: engine === 'embedded' && 'the server alone has the database' }

    test('[PRIV-2] what an unsent first message has left does not count', inDatabase, async () => {
      const [ann, cat] = [await person('requests'), await person()]
      const chat: Chat = await cat.ask('POST', '/chats', { username: ann.username })
      await withDatabase(server, (db) =>
        db.query(
          `UPDATE members SET request = 'pending' WHERE chat_id = $1
           AND user_id = (SELECT id FROM users WHERE username = $2)`,
          [chat.id, ann.username],
        ),
      )
      await set(ann, { writeFrom: 'everyone' })
      await cat.sendTo(ann, 'hello')
      assert.equal((await ann.chat(chat.id)).request, undefined)
      assert.deepEqual(
        (await ann.chats()).map(({ id }) => id),
        [chat.id],
      )
    })

    test('[PRIV-2] who shares a group is no stranger', inDatabase, async () => {
      const [ann, bob, cat] = [await person('contacts'), await person(), await person('requests')]
      await withDatabase(server, (db) =>
        db.query(
          `WITH c AS (INSERT INTO chats (id, kind) VALUES ($1, 'group') RETURNING id)
           INSERT INTO members (chat_id, user_id)
           SELECT c.id, u.id FROM c, users u WHERE u.username = ANY($2::text[])`,
          [randomUUID(), [ann.username, bob.username, cat.username]],
        ),
      )
      for (const other of [ann, cat]) {
        const { chatId } = await bob.sendTo(other, 'we know each other')
        assert.equal((await other.chat(chatId)).request, undefined)
      }
    })

    test('[PRIV-2] whose chat was opened is no stranger', async () => {
      const [ann, cat] = [await person('requests'), await person()]
      const { id }: Chat = await ann.ask('POST', '/chats', { username: cat.username })
      await cat.sendTo(ann, 'yes?')
      assert.equal((await ann.chat(id)).request, undefined)
    })

    test('[PRIV-3] a request is in its own list, out of the badge, and shown as one', async () => {
      const [ann, bob, cat] = [await person('requests'), await person(), await person()]
      await ann.sendTo(bob, 'hi')
      await bob.sendTo(ann, 'hi')
      const device = await ann.connect()
      const { chatId } = await cat.sendTo(ann, 'hello')
      const created = await device.receives('chat.created', ({ id }) => id === chatId)
      assert.equal(created.request, 'pending')
      await device.receives('message.created', (message) => message.chatId === chatId)
      const lists = ['', '?archived=true', '?unread=true'].map((query) => ann.chats(query))
      for (const list of await Promise.all(lists)) assert(list.every(({ id }) => id !== chatId))
      assert.deepEqual(await ann.chats('?requests=true'), [await ann.chat(chatId)])
      const unread: Unread = await ann.ask('GET', '/unread')
      assert.deepEqual(unread, { total: 1, chats: 1, requests: 1 })
      await ann.ask('PUT', `/chats/${chatId}/read`, { seq: 1 })
      assert.deepEqual(await ann.ask('GET', '/unread'), { total: 1, chats: 1 })
      const theirs = await cat.chat(chatId)
      assert.equal(theirs.request, undefined)
      assert.deepEqual(
        (await cat.chats()).map(({ id }) => id),
        [chatId],
      )
    })

    test('[PRIV-3] [READ-4] a request that is deleted comes back as one', async () => {
      const { ann, cat, chatId } = await request()
      await ann.ask('DELETE', `/chats/${chatId}`)
      assert.deepEqual(await ann.chats('?requests=true'), [])
      assert.equal((await ann.ask('GET', '/unread')).requests, undefined)
      await cat.sendTo(ann, 'again')
      const [chat] = await ann.chats('?requests=true')
      assert.deepEqual([chat?.id, chat?.clearedSeq, chat?.unread], [chatId, 1, 1])
      assert.deepEqual(await ann.chats(), [])
    })

    test('[PRIV-4] accepted, it is a chat like any other, for all devices', async () => {
      const { ann, cat, path } = await request()
      const device = await ann.connect()
      const chat: Chat = await ann.ask('PUT', path, { accept: true })
      assert.equal(chat.request, undefined)
      assert.deepEqual(await ann.chats(), [chat])
      assert.deepEqual(await ann.chats('?requests=true'), [])
      assert.deepEqual(await device.receives('chat.updated'), chat)
      assert.deepEqual(await device.receives('unread.updated'), { total: 1, chats: 1 })
      assert.deepEqual(await ann.ask('PUT', path, { accept: true }), chat)
      await cat.sendTo(ann, 'thanks')
      const { status, body } = await ann.fetch('PUT', path, { accept: false })
      assert.deepEqual([status, body.code, body.field], [400, 'invalid', '/accept'])
      assert.equal((await cat.fetch('PUT', path, { accept: false })).status, 400)
    })

    test('[PRIV-4] declined, it is gone, and nothing more comes until I write or accept', async () => {
      for (const way of ['write', 'accept', 'write by socket']) {
        const { ann, cat, chatId, path } = await request()
        const device = await ann.connect()
        const chat: Chat = await ann.ask('PUT', path, { accept: false })
        assert.deepEqual([chat.request, chat.clearedSeq, chat.unread], ['declined', 1, 0])
        assert.equal((await device.receives('chat.removed')).chatId, chatId)
        for (const query of ['', '?archived=true', '?requests=true'])
          assert.deepEqual(await ann.chats(query), [])
        const refused = await cat.fetch('POST', `/chats/${chatId}/messages`, { body: 'please' })
        assert.deepEqual(
          [refused.body.code, refused.body.detail],
          ['forbidden', 'This user does not take messages from you'],
        )
        assert.deepEqual(await ann.ask('PUT', path, { accept: false }), chat)
        if (way === 'accept') await ann.ask('PUT', path, { accept: true })
        if (way === 'write') await ann.sendTo(cat, 'well')
        if (way === 'write by socket') {
          const { ok } = await device.call('message.send', { chatId, body: 'well' })
          assert(ok)
        }
        await cat.sendTo(ann, 'thanks')
        assert.deepEqual(
          (await ann.chats()).map(({ id }) => id),
          [chatId],
        )
        assert.equal((await ann.chat(chatId)).request, undefined)
      }
    })

    test('[PRIV-4] writing accepts, where it may be sent', async () => {
      const { ann, cat, chatId } = await request()
      await ann.ask('PUT', `/users/me/blocks/${cat.username}`)
      const refused = await ann.fetch('POST', `/chats/${chatId}/messages`, { body: 'no' })
      assert.equal(refused.body.code, 'blocked')
      assert.equal((await ann.chat(chatId)).request, 'pending')
      await ann.ask('DELETE', `/users/me/blocks/${cat.username}`)
      const device = await ann.connect()
      await ann.sendTo(cat, 'hi')
      const updated = await device.receives('chat.updated', ({ request }) => request === undefined)
      assert.equal(updated.id, chatId)
      assert.deepEqual(
        (await ann.chats()).map(({ id }) => id),
        [chatId],
      )
    })

    test('[PRIV-4] of answers and messages at once, what is left is as one after the other', async () => {
      for (let round = 0; round < 15; round += 1) {
        const { ann, cat, chatId, path } = await request()
        const [sent, declined, accepted] = await Promise.all([
          cat.fetch('POST', `/chats/${chatId}/messages`, { body: 'again' }),
          ann.fetch('PUT', path, { accept: false }),
          ann.fetch('PUT', path, { accept: round % 2 === 0 }),
        ])
        const chat = await ann.chat(chatId)
        const [listed] = await ann.chats()
        assert([200, 400].includes(declined.status) && accepted.status === 200)
        if (round % 2 === 0) {
          assert.equal(chat.request, undefined)
          assert.equal(
            (await cat.fetch('POST', `/chats/${chatId}/messages`, { body: '!' })).status,
            201,
          )
          continue
        }
        assert.deepEqual([chat.request, listed], ['declined', undefined])
        assert.equal(chat.unread, 0)
        assert.equal(chat.lastSeq, sent.status === 201 ? 2 : 1)
      }
    })

    test('[PRIV-3] of two who write first at once, who takes requests has none', async () => {
      for (let round = 0; round < 15; round += 1) {
        const [ann, cat] = [await person('requests'), await person('requests')]
        const [one] = await Promise.all([
          ann.sendTo(cat, 'hello'),
          cat.sendTo(ann, 'hello'),
          cat.sendTo(ann, 'hello?'),
        ])
        const chats = await Promise.all([ann, cat].map((who) => who.chat(one.chatId)))
        assert.deepEqual(
          chats.map(({ request, lastSeq }) => [request, lastSeq]),
          [
            [undefined, 3],
            [undefined, 3],
          ],
        )
      }
    })

    test('[SEND-8] first messages that are not waited for keep their order in a request', async () => {
      const [ann, cat] = [await person('requests'), await person()]
      const { id }: Chat = await cat.ask('POST', '/chats', { username: ann.username })
      const device = await cat.connect()
      const bodies = Array.from({ length: 50 }, (_, n) => `${n}`)
      const answers = await Promise.all(
        bodies.map((body) => device.call('message.send', { chatId: id, body })),
      )
      assert.deepEqual(
        answers.map(({ message }) => message.seq),
        bodies.map((body) => Number(body) + 1),
      )
      assert.equal((await ann.chat(id)).request, 'pending')
    })

    test('[PRIV-5] the stranger sees nothing of what I do, until I accept', async () => {
      const { ann, cat, chatId, path } = await request()
      const mine = await ann.connect()
      const theirs = await cat.connect()
      await ann.ask('PUT', `/chats/${chatId}/read`, { seq: 1 })
      await mine.call('typing', { chatId, typing: true })
      await theirs.call('typing', { chatId, typing: true })
      const markOf = async () => {
        const { members } = await cat.chat(chatId)
        return members.find(({ username }) => username === ann.username)?.readSeq
      }
      assert.equal(await markOf(), 0)
      assert.equal(
        (await ann.chat(chatId)).members.every(({ readSeq }) => readSeq === 1),
        true,
      )
      await ann.ask('PUT', path, { accept: true })
      const read = await theirs.receives('read.updated')
      assert.deepEqual([read.username, read.seq, read.unread], [ann.username, 1, undefined])
      assert.deepEqual(theirs.named('typing'), [])
      assert.deepEqual(mine.named('typing'), [])
      assert.equal(theirs.named('read.updated').length, 1)
      assert.equal(await markOf(), 1)
      await mine.call('typing', { chatId, typing: true })
      await theirs.receives('typing')
    })

    test('[PRIV-5] [RECEIPT-4] nor what my devices have, by events or by receipts', async () => {
      const { ann, cat, chatId, path } = await request()
      const [mine, theirs] = [await ann.connect(), await cat.connect()]
      const receipts = () => cat.ask<Receipts>('GET', `/chats/${chatId}/messages/1/receipts`)
      await mine.call('chat.delivered', { chatId, seq: 1 })
      await mine.receives('delivered.updated')
      await cat.sendTo(cat, 'a mark in the stream')
      await theirs.receives('message.created')
      assert.deepEqual(theirs.named('delivered.updated'), [])
      assert.deepEqual(await receipts(), { read: 0, delivered: 0, items: [] })
      await ann.ask('PUT', path, { accept: true })
      const told = await theirs.receives('delivered.updated')
      assert.deepEqual([told.username, told.seq], [ann.username, 1])
      assert.equal((await receipts()).delivered, 1)
    })

    test('[PRIV-5] a decline is not told', async () => {
      const { cat, ann, path } = await request()
      const theirs = await cat.connect()
      await ann.ask('PUT', path, { accept: false })
      await cat.sendTo(cat, 'a mark in the stream')
      await theirs.receives('message.created')
      assert.deepEqual(theirs.named('read.updated'), [])
    })

    test('[SYNC-1] [SYNC-5] requests come with a sync, fresh or not, and by events', async () => {
      const [ann, bob] = [await person('requests'), await person()]
      const state = new Mailbox(ann.username)
      const device = await comeBack(ann, state)
      const strangers = await Promise.all(Array.from({ length: 22 }, () => person()))
      device.close()
      await ann.sendTo(bob, 'hi')
      const ids: string[] = []
      for (const cat of strangers) ids.push((await cat.sendTo(ann, 'hello')).chatId)
      const back = await comeBack(ann, state)
      await assertFresh(ann, state, 22)
      const fresh = new Mailbox(ann.username)
      const other = await comeBack(ann, fresh)
      assert.equal([...fresh.chats.values()].filter((chat) => chat.request).length, 20)
      assert.equal(fresh.chats.size, 21)
      await ann.ask('PUT', `/chats/${ids[0]}/request`, { accept: true })
      await ann.ask('PUT', `/chats/${ids[1]}/request`, { accept: false })
      await ann.sendTo(strangers[2]!, 'you too')
      for (const one of [back, other])
        await one.receives('message.created', ({ body }) => body === 'you too')
      await assertFresh(ann, state, 19)
      back.close()
      other.close()
    })

    test('[PRIV-5] [SYNC-1] the stranger keeps what a fetch says, before the acceptance and after it', async () => {
      const [ann, cat] = [await person('requests'), await person()]
      const state = new Mailbox(cat.username)
      const device = await comeBack(cat, state)
      const { chatId } = await cat.sendTo(ann, 'hello')
      await device.receives('chat.created')
      await ann.ask('PUT', `/chats/${chatId}/read`, { seq: 1 })
      await assertFresh(cat, state, 0)
      await ann.ask('PUT', `/chats/${chatId}/request`, { accept: true })
      await device.receives('read.updated')
      await assertFresh(cat, state, 0)
      const later = new Mailbox(cat.username)
      await comeBack(cat, later)
      await assertFresh(cat, later, 0)
    })
  })

test('[PRIV-1] the site says what holds for who has set nothing', {
  skip: skipOf('embedded'),
}, async () => {
  const server = await startServer('embedded', {
    MICROCHATTER_PRIVACY_WRITE_FROM: 'requests',
    MICROCHATTER_PRESENCE_VISIBLE_TO: 'everyone',
  })
  try {
    const [ann, cat] = [await newPerson(server), await newPerson(server)]
    assert.deepEqual(await ann.ask('GET', '/users/me/settings'), {
      writeFrom: 'requests',
      lastSeenTo: 'everyone',
      receipts: true,
    })
    const { chatId } = await cat.sendTo(ann, 'hello')
    assert.equal((await ann.chat(chatId)).request, 'pending')
    await set(ann, { writeFrom: 'everyone' })
    const dan = await newPerson(server)
    const sent = await dan.sendTo(ann, 'hello')
    assert.equal((await ann.chat(sent.chatId)).request, undefined)
  } finally {
    await server.close()
  }
})

function set(one: Person, patch: object): Promise<UserSettings> {
  return one.ask('PATCH', '/users/me/settings', patch)
}

async function assertFresh(one: Person, state: Mailbox, requests: number) {
  const asked = await one.chats('?requests=true&limit=100')
  assert.equal(asked.length, requests)
  const chats = [...(await one.chats('?limit=100')), ...asked]
  const sorted = (list: Chat[]) =>
    list.map((chat) => ({ ...chat, rev: 0 })).sort((a, b) => (a.id < b.id ? -1 : 1))
  const until = Date.now() + 2_000
  for (;;) {
    try {
      assert.deepEqual(sorted([...state.chats.values()]), sorted(chats))
      return
    } catch (error) {
      if (Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
