/** Drafts, labels, and marking everything as read. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Chat, ReadAll } from '@microchatter/protocol'
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
  describe(`the mailbox on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())

    const person = () => newPerson(server)

    /** Of ann and bob, with two messages of bob's. */
    async function pair() {
      const [ann, bob] = [await person(), await person()]
      const { chatId } = await bob.sendTo(ann, 'one')
      await bob.sendTo(ann, 'two')
      return { ann, bob, chatId, path: `/chats/${chatId}` }
    }

    test('[MAIL-1] a draft is on all my devices, and nobody else sees it', async () => {
      const { ann, bob, chatId, path } = await pair()
      const [one, two, theirs] = [await ann.connect(), await ann.connect(), await bob.connect()]
      const { ok, draft: state } = await one.call('draft.set', {
        chatId,
        draft: { body: 'I was about', reply: 2 },
      })
      assert(ok)
      const told = await two.receives('draft.updated')
      assert.deepEqual(told, state)
      const { updatedAt, ...draft } = told.draft
      assert.deepEqual(draft, { body: 'I was about', reply: 2 })
      assert.deepEqual((await ann.chat(chatId)).draft, told.draft)
      assert.equal((await bob.chat(chatId)).draft, undefined)
      await ann.ask('PUT', `${path}/draft`, { body: 'to say' })
      const later = await one.receives('draft.updated', ({ rev }) => rev > told.rev)
      assert.deepEqual(
        [later.draft.body, later.draft.reply, later.lastSeq],
        ['to say', undefined, 2],
      )
      assert(later.draft.updatedAt >= updatedAt)
      await ann.sendTo(bob, 'something else')
      assert.equal((await ann.chat(chatId)).draft?.body, 'to say')
      await ann.ask('DELETE', `${path}/draft`)
      const gone = await two.receives('draft.updated', ({ rev }) => rev > later.rev)
      assert.equal(gone.draft, undefined)
      assert.equal((await ann.chat(chatId)).draft, undefined)
      await ann.ask('DELETE', `${path}/draft`)
      assert((await two.call('draft.set', { chatId, draft: null })).ok)
      assert.equal(two.named('draft.updated').length, 3)
      assert.equal(one.named('draft.updated').length, 2)
      await theirs.receives('message.created')
      assert.deepEqual(theirs.named('draft.updated'), [])
    })

    test('[MAIL-1] [SEND-7] what cannot be sent is no draft', async () => {
      const { ann, chatId, path } = await pair()
      for (const [body, code, field] of [
        [{ body: ' ' }, 'invalid', '/body'],
        [{ body: 'a\0b' }, 'invalid_text', '/body'],
        [{ body: 'x'.repeat(8_001) }, 'invalid', '/body'],
        [{ body: 'x', reply: 3 }, 'invalid', '/reply'],
        [{ body: 'x', reply: 0 }, 'invalid', '/reply'],
        [{ body: 'x', html: true }, 'invalid', '/html'],
      ] as const) {
        const { status, body: problem } = await ann.fetch('PUT', `${path}/draft`, body)
        assert.deepEqual([status, problem.code, problem.field], [400, code, field])
      }
      assert.equal((await ann.chat(chatId)).draft, undefined)
    })

    test('[MAIL-1] [MERGE-3] of drafts at once the last commit counts, for every device', async () => {
      const { ann, chatId, path } = await pair()
      const states = [new Mailbox(ann.username), new Mailbox(ann.username)]
      for (const state of states) await comeBack(ann, state)
      await Promise.all(
        Array.from({ length: 30 }, (_, n) =>
          n % 5 === 4
            ? ann.ask('DELETE', `${path}/draft`)
            : ann.ask('PUT', `${path}/draft`, { body: `draft ${n}` }),
        ),
      )
      await ann.ask('PUT', `${path}/draft`, { body: 'the last' })
      await assertKept(ann, states)
      await ann.ask('PATCH', path, { pinned: true })
      await ann.ask('DELETE', `${path}/draft`)
      await assertKept(ann, states)
      // What comes late is older, whichever it is.
      const { rev, lastSeq }: Chat = await ann.chat(chatId)
      const draft = { body: 'old', updatedAt: new Date().toISOString() }
      for (const state of states)
        state.apply('draft.updated', { chatId, rev: rev - 1, lastSeq, draft })
      await assertKept(ann, states)
    })

    test('[MAIL-1] [MAIL-2] [SYNC-1] drafts and labels of another device come with a sync', async () => {
      const { ann, path } = await pair()
      const state = new Mailbox(ann.username)
      const device = await comeBack(ann, state)
      device.close()
      await ann.ask('PUT', `${path}/draft`, { body: 'while away' })
      await ann.ask('PATCH', path, { labels: ['work'] })
      await comeBack(ann, state)
      const [chat] = [...state.chats.values()]
      assert.deepEqual([chat?.draft?.body, chat?.labels], ['while away', ['work']])
      await assertKept(ann, [state])
    })

    test('[MAIL-1] [MAIL-2] [READ-4] a chat that is deleted has no draft and no label left', async () => {
      const { ann, bob, chatId, path } = await pair()
      await ann.ask('PUT', `${path}/draft`, { body: 'hm' })
      await ann.ask('PATCH', path, { labels: ['work'] })
      await ann.ask('DELETE', path)
      await bob.sendTo(ann, 'again')
      const chat = await ann.chat(chatId)
      assert.deepEqual([chat.draft, chat.labels], [undefined, undefined])
      assert.deepEqual(await ann.ask('GET', '/users/me/labels'), { items: [] })
    })

    test('[MAIL-2] [MAIL-3] labels are set, told, listed and filtered by', async () => {
      const { ann, bob, chatId, path } = await pair()
      const device = await ann.connect()
      const cat = await person()
      const second = (await cat.sendTo(ann, 'hello')).chatId
      const third = (await (await person()).sendTo(ann, 'hello')).chatId
      const chat: Chat = await ann.ask('PATCH', path, { labels: ['work', 'Ünï 😀'] })
      assert.deepEqual(chat.labels, ['work', 'Ünï 😀'])
      assert.deepEqual(await device.receives('chat.updated', ({ labels }) => labels), chat)
      assert.equal((await bob.chat(chatId)).labels, undefined)
      await ann.ask('PATCH', `/chats/${second}`, { labels: ['work'], archived: true })
      await ann.ask('PATCH', `/chats/${third}`, { labels: ['work'], muted: true })
      assert.deepEqual(await ann.ask('GET', '/users/me/labels'), {
        items: [
          { label: 'work', chats: 3, unread: 3 },
          { label: 'Ünï 😀', chats: 1, unread: 2 },
        ],
      })
      const ids = async (query: string) => (await ann.chats(query)).map(({ id }) => id)
      assert.deepEqual(await ids('?label=work'), [third, chatId])
      assert.deepEqual(await ids('?label=work&archived=true'), [second])
      assert.deepEqual(await ids(`?label=${encodeURIComponent('Ünï 😀')}`), [chatId])
      assert.deepEqual(await ids('?label=WORK'), [])
      const first = await ann.ask('GET', '/chats?label=work&limit=1')
      assert.deepEqual(first.items[0].id, third)
      const cursor = encodeURIComponent(first.nextCursor)
      assert.deepEqual(await ids(`?label=work&limit=1&cursor=${cursor}`), [chatId])
      await ann.ask('PATCH', path, { pinned: true })
      assert.deepEqual((await ann.chat(chatId)).labels, ['work', 'Ünï 😀'])
      await ann.ask('PATCH', path, { labels: [] })
      assert.equal((await ann.chat(chatId)).labels, undefined)
      assert.deepEqual(await ids('?label=work'), [third])
    })

    test('[MAIL-2] labels are bounded: in length, of a chat, of a user, also at once', async () => {
      const { ann, path } = await pair()
      const many = (from: number, count: number) =>
        Array.from({ length: count }, (_, n) => `label ${from + n}`)
      for (const [labels, code, field] of [
        [many(0, 11), 'invalid', '/labels'],
        [['x'.repeat(41)], 'invalid', '/labels/0'],
        [[''], 'invalid', '/labels/0'],
        [['a', 'a'], 'invalid', '/labels'],
        [['a', 'b\n'], 'invalid_text', '/labels/1'],
        [[' a'], 'invalid_text', '/labels/0'],
        [['a\u202Eb'], 'invalid_text', '/labels/0'],
      ] as const) {
        const { status, body } = await ann.fetch('PATCH', path, { labels })
        assert.deepEqual([status, body.code, body.field], [400, code, field], labels.join())
      }
      const chats = await Promise.all(
        Array.from({ length: 22 }, async () => (await (await person()).sendTo(ann, 'hi')).chatId),
      )
      for (let n = 0; n < 19; n += 1)
        await ann.ask('PATCH', `/chats/${chats[n]}`, { labels: many(10 * n, 10) })
      const answers = await Promise.all(
        chats
          .slice(19)
          .map((id, n) => ann.fetch('PATCH', `/chats/${id}`, { labels: many(190 + 10 * n, 10) })),
      )
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      const refused = answers.find(({ status }) => status === 400)
      assert.deepEqual([refused?.body.code, refused?.body.field], ['invalid', '/labels'])
      const { items } = await ann.ask('GET', '/users/me/labels')
      assert.equal(items.length, 200)
      // Known ones are no further ones.
      await ann.ask('PATCH', path, { labels: many(0, 10) })
    })

    test('[MAIL-4] everything is read, archived and muted chats too, and all are told', async () => {
      const { ann, bob, chatId, path } = await pair()
      const [cat, dan] = [await person(), await person()]
      const second = (await cat.sendTo(ann, 'hello')).chatId
      await ann.ask('PATCH', path, { archived: true, muted: true })
      await ann.ask('PATCH', '/users/me/settings', { writeFrom: 'requests' })
      const asked = (await dan.sendTo(ann, 'hello')).chatId
      const states = [new Mailbox(ann.username), new Mailbox(bob.username)]
      const mine = await comeBack(ann, states[0]!)
      states[0]!.view(await ann.chat(chatId))
      const theirs = await comeBack(bob, states[1]!)
      const stranger = await dan.connect()
      assert.deepEqual(await ann.ask('PUT', '/chats/read'), { chats: 2 } satisfies ReadAll)
      const read = await theirs.receives('read.updated')
      assert.deepEqual([read.chatId, read.username, read.seq], [chatId, ann.username, 2])
      assert.equal(read.unread, undefined)
      const own = await mine.receives('read.updated', (event) => event.chatId === second)
      assert.deepEqual([own.seq, own.unread], [1, 0])
      const unread = { total: 0, chats: 0, requests: 1 }
      assert.deepEqual(await mine.receives('unread.updated'), unread)
      assert.deepEqual(await ann.ask('GET', '/unread'), unread)
      assert.equal((await ann.chat(asked)).unread, 1)
      assert.equal((await ann.chat(chatId)).archived, true)
      await assertKept(ann, [states[0]!])
      await assertKept(bob, [states[1]!])
      assert.deepEqual(await ann.ask('PUT', '/chats/read'), { chats: 0 })
      assert.equal(mine.named('unread.updated').length, 1)
      assert.deepEqual(stranger.named('read.updated'), [])
    })

    test('[MAIL-4] [SYNC-1] over many chats and while messages come, events and a fetch agree', async () => {
      const ann = await person()
      const others = await Promise.all(Array.from({ length: 230 }, () => person()))
      await Promise.all(others.map((other) => other.sendTo(ann, 'hello')))
      const state = new Mailbox(ann.username)
      const device = await comeBack(ann, state)
      for (const chat of await allChats(ann)) state.view(chat)
      const [answer] = await Promise.all([
        ann.ask<ReadAll>('PUT', '/chats/read'),
        ...others.slice(0, 20).map((other) => other.sendTo(ann, 'meanwhile')),
      ])
      assert.deepEqual(answer, { chats: 230 })
      await device.receives('unread.updated')
      const chats = await allChats(ann)
      assert(chats.every(({ unread }) => unread <= 1))
      assert(chats.filter(({ unread }) => unread === 1).length <= 20)
      await assertKept(ann, [state])
      assert.deepEqual(await ann.ask('PUT', '/chats/read').then(() => ann.ask('GET', '/unread')), {
        total: 0,
        chats: 0,
      })
    })

    test('[AUTH-9] of a deleted account neither drafts, labels nor settings are left', {
      skip: engine === 'embedded' && 'the server alone has the database',
    }, async () => {
      const { ann, chatId, path } = await pair()
      await ann.ask('PUT', `${path}/draft`, { body: 'hm' })
      await ann.ask('PATCH', path, { labels: ['work'] })
      await ann.ask('PATCH', '/users/me/settings', { writeFrom: 'nobody', lastSeenTo: 'nobody' })
      const count = () =>
        withDatabase(server, (db) =>
          db.query(
            `SELECT num_nonnulls(m.draft, m.labels, u.write_from, u.last_seen_to) AS kept
             FROM members m JOIN users u ON u.id = m.user_id WHERE m.chat_id = $1
             ORDER BY kept DESC`,
            [chatId],
          ),
        )
      assert.deepEqual(await count(), [{ kept: 4 }, { kept: 0 }])
      await admin(server).ask('DELETE', `/users/${ann.username}`)
      assert.deepEqual(await count(), [{ kept: 0 }, { kept: 0 }])
    })
  })

async function allChats(one: Person): Promise<Chat[]> {
  const all: Chat[] = []
  for (const archived of [false, true]) {
    let cursor = ''
    do {
      const page = await one.ask('GET', `/chats?limit=100&archived=${archived}${cursor}`)
      all.push(...page.items)
      cursor = page.nextCursor ? `&cursor=${encodeURIComponent(page.nextCursor)}` : ''
    } while (cursor !== '')
  }
  return all
}

/** By events alone the devices come to have what a fetch says. */
async function assertKept(one: Person, states: Mailbox[]): Promise<void> {
  const sorted = (chats: Chat[]) =>
    chats.map((chat) => ({ ...chat, rev: 0 })).sort((a, b) => (a.id < b.id ? -1 : 1))
  const due = sorted([...(await allChats(one)), ...(await one.chats('?requests=true&limit=100'))])
  const until = Date.now() + 2_000
  for (const state of states)
    while (true) {
      try {
        assert.deepEqual(sorted([...state.chats.values()]), due)
        break
      } catch (error) {
        if (Date.now() > until) throw error
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
}
