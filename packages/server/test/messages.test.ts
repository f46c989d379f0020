/** What can be done with a message in a chat of two: by REST and by socket, told to all devices. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Changes, History, Message } from '@microchatter/protocol'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { engines, skipOf } from './support/databases.ts'
import { admin, newPerson, type Person, startServer, type TestServer } from './support/server.ts'
import { comeBack } from './support/watch.ts'

for (const engine of engines)
  describe(`messages on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())
    const person = (prefix?: string) => newPerson(server, prefix)
    /** Two who have a chat with one message of the first. */
    async function pair() {
      const [ann, bob] = [await person('ann'), await person('bob')]
      const { chatId } = await ann.sendTo(bob, 'first')
      const at = (seq: number) => `/chats/${chatId}/messages/${seq}`
      const send = (by: Person, body: object) =>
        by.ask<Message>('POST', `/chats/${chatId}/messages`, body)
      return { ann, bob, chatId, at, send }
    }
    const codeOf = async (by: Person, method: string, path: string, body?: unknown) => {
      const answer = await by.fetch<any>(method, path, body)
      return `${answer.status} ${answer.body?.code ?? ''}`.trim()
    }

    test('[EDIT-1] an edit is told to all devices, numbered, and kept for moderators', async () => {
      const { ann, bob, chatId, at } = await pair()
      const [desk, phone, bobs] = [await ann.connect(), await ann.connect(), await bob.connect()]
      const { ok, message } = await desk.call('message.edit', { chatId, seq: 1, body: 'second' })
      assert(ok)
      assert.equal(message.body, 'second')
      assert.equal(message.change, 1)
      assert.ok(message.editedAt)
      const { rev, ...told } = await bobs.receives('message.updated')
      assert.deepEqual(told, message)
      assert.equal(typeof rev, 'number')
      assert.deepEqual((await phone.receives('message.updated')).seq, 1)
      assert.equal(desk.named('message.updated').length, 0)
      assert.deepEqual(await bob.history(chatId), [message])
      const chat = await bob.chat(chatId)
      assert.deepEqual([chat.lastMessage, chat.changes], [message, 1])
      const edits = await ann.ask('GET', `${at(1)}/edits`)
      assert.deepEqual(
        edits.items.map(({ body, editedBy }: any) => [body, editedBy]),
        [['first', ann.username]],
      )
      assert.equal(await codeOf(bob, 'GET', `${at(1)}/edits`), '403 forbidden')
      assert.equal(await codeOf(bob, 'PATCH', at(1), { body: 'mine' }), '403 forbidden')
      assert.equal(await codeOf(ann, 'PATCH', at(9), { body: 'x' }), '404 not_found')
      assert.equal(await codeOf(ann, 'PATCH', at(9_999_999_999), { body: 'x' }), '400 invalid')
      // The same text is no change.
      assert.equal((await ann.ask('PATCH', at(1), { body: 'second' })).change, 1)
    })

    test('[EDIT-2] what is deleted for all is gone, but for its place', async () => {
      const { ann, bob, chatId, at, send } = await pair()
      await send(bob, { body: 'answer', reply: 1 })
      const bobs = await bob.connect()
      await ann.ask('PUT', `${at(1)}/reactions/%F0%9F%91%8D`)
      await ann.ask('DELETE', at(1))
      const told = await bobs.receives('message.deleted')
      assert.deepEqual([told.body, told.deletedBy, told.change], ['', ann.username, 2])
      const [gone, answer] = await bob.history(chatId)
      assert.ok(gone?.deletedAt)
      assert.deepEqual([gone.body, gone.reactions, gone.seq], ['', undefined, 1])
      assert.deepEqual([answer?.reply?.body, answer?.reply?.deletedAt], ['', gone.deletedAt])
      for (const [method, path, body] of [
        ['PATCH', at(1), { body: 'back' }],
        ['PUT', `${at(1)}/reactions/%F0%9F%91%8D`, undefined],
        ['PUT', `${at(1)}/pin`, undefined],
      ] as const)
        assert.equal(await codeOf(ann, method, path, body), '409 deleted')
      // Twice is once.
      await ann.ask('DELETE', at(1))
      assert.equal((await ann.chat(chatId)).changes, 2)
      assert.equal(await codeOf(ann, 'DELETE', at(2)), '403 forbidden')
    })

    test('[EDIT-3] an edit meets a delete: one is first, and the message stays deleted', async () => {
      const { ann, chatId, at } = await pair()
      const [edit, removal] = await Promise.all([
        ann.fetch<any>('PATCH', at(1), { body: 'edited' }),
        ann.fetch<any>('DELETE', at(1)),
      ])
      assert.equal(removal.status, 204)
      assert.ok(edit.status === 200 || edit.body.code === 'deleted', JSON.stringify(edit.body))
      const [message] = await ann.history(chatId)
      assert.ok(message?.deletedAt)
      assert.equal(message.change, edit.status === 200 ? 2 : 1)
    })

    test('[EDIT-3] a thread that begins while its message is deleted does not change it', async () => {
      const { ann, bob, chatId, at, send } = await pair()
      const anns = await ann.connect()
      for (let round = 0; round < 40; round += 1) {
        const { seq } = await send(ann, { body: 'hook' })
        const [, removal] = await Promise.all([
          bob.fetch('POST', `/chats/${chatId}/messages`, { body: 'in it', thread: seq }),
          anns.call('message.delete', { chatId, seq }),
        ])
        const left = await ann.ask<Message>('GET', at(seq))
        assert.equal(left.change, removal.message.change)
      }
    })

    test('[EDIT-4] deleted for me: gone for me alone, on all my devices', async () => {
      const { ann, bob, chatId, at } = await pair()
      const [desk, phone] = [await bob.connect(), await bob.connect()]
      assert((await desk.call('message.delete', { chatId, seq: 1, for: 'me' })).ok)
      const { my } = await phone.receives('my.updated')
      assert.equal(my.deleted, true)
      const [message] = await bob.history(chatId)
      assert.deepEqual([message?.body, message?.my], ['', my])
      assert.deepEqual((await bob.chat(chatId)).lastMessage, message)
      assert.equal((await ann.history(chatId))[0]?.body, 'first')
      assert.equal(await codeOf(bob, 'DELETE', `${at(1)}?for=me`), '204')
      assert.equal((await phone.receives('my.updated')).my.deleted, true)
      assert.equal(await codeOf(bob, 'PUT', `${at(1)}/star`), '404 not_found')
    })

    test('[MERGE-11] of what is deleted for all there is nothing that is mine', async () => {
      const { ann, bob, chatId, at } = await pair()
      await bob.ask('PUT', `${at(1)}/star`)
      await bob.ask('PUT', `${at(1)}/reactions/${encodeURIComponent('👍')}`)
      assert.ok((await bob.history(chatId))[0]?.my)
      const state = new Mailbox(bob.username)
      state.open.set(chatId, [])
      const device = await comeBack(bob, state)
      assert.ok(state.open.get(chatId)?.[0]?.my)
      await ann.ask('DELETE', at(1))
      const [left] = await bob.history(chatId)
      assert.deepEqual([left?.deletedAt === undefined, left?.my], [false, undefined])
      await device.receives('message.deleted')
      assert.deepEqual(state.open.get(chatId), [left])
      assert.deepEqual((await bob.chat(chatId)).lastMessage, left)
    })

    test('[EDIT-4] [MSG-1] [MSG-2] [MSG-5] what I have deleted for me is not there to answer or to pass on', async () => {
      const { bob, chatId, at } = await pair()
      await bob.ask('DELETE', `${at(1)}?for=me`)
      const path = `/chats/${chatId}/messages`
      for (const [field, body] of [
        ['/reply', { body: 'what?', reply: 1 }],
        ['/thread', { body: 'more', thread: 1 }],
        ['/forward', { forward: { chatId, seq: 1 } }],
      ] as const) {
        const answer = await bob.fetch('POST', path, body)
        assert.deepEqual([answer.body.code, answer.body.field], ['not_found', field])
      }
    })

    test('[MSG-2] [SEND-4] a message that may not be sent begins no thread', async () => {
      const { ann, bob, chatId } = await pair()
      await ann.ask('PUT', `/users/me/blocks/${bob.username}`)
      const path = `/chats/${chatId}/messages`
      assert.equal(await codeOf(bob, 'POST', path, { body: 'more', thread: 1 }), '403 blocked')
      assert.equal((await ann.chat(chatId)).changes, undefined)
    })

    test('[REACT-1] reactions: counts, who, twice is once, and what is mine', async () => {
      const { ann, bob, chatId, at } = await pair()
      const [anns, bobs] = [await ann.connect(), await bob.connect()]
      const thumb = encodeURIComponent('👍')
      const first = await bob.ask<Message>('PUT', `${at(1)}/reactions/${thumb}`)
      assert.deepEqual(first.reactions, [{ emoji: '👍', count: 1, usernames: [bob.username] }])
      assert.deepEqual(first.my?.reactions, ['👍'])
      assert.equal((await anns.receives('reaction.updated')).change, 1)
      assert.deepEqual((await bobs.receives('my.updated')).my.reactions, ['👍'])
      const { message } = await anns.call('reaction.set', { chatId, seq: 1, emoji: '👍', on: true })
      assert.equal(message.reactions[0].count, 2)
      await ann.ask('PUT', `${at(1)}/reactions/${thumb}`)
      assert.equal((await ann.chat(chatId)).changes, 2)
      const { items } = await ann.ask('GET', `${at(1)}/reactions`)
      assert.deepEqual(
        items.map(({ username }: any) => username).sort(),
        [ann.username, bob.username].sort(),
      )
      assert.deepEqual((await bob.history(chatId))[0]?.my?.reactions, ['👍'])
      const left = await bob.ask<Message>('DELETE', `${at(1)}/reactions/${thumb}`)
      assert.equal(left.reactions?.[0]?.count, 1)
      for (const emoji of ['x', '👍👍', '%00', 'a'.repeat(64), '1'])
        assert.equal(
          await codeOf(ann, 'PUT', `${at(1)}/reactions/${encodeURIComponent(emoji)}`),
          '400 invalid',
          emoji,
        )
    })

    test('[REACT-2] a message takes 20 different emoji, and no more', async () => {
      const { ann, at } = await pair()
      const emoji = [...'😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗']
      assert.equal(emoji.length, 20)
      for (const one of emoji) await ann.ask('PUT', `${at(1)}/reactions/${encodeURIComponent(one)}`)
      const more = `${at(1)}/reactions/${encodeURIComponent('🤩')}`
      assert.equal(await codeOf(ann, 'PUT', more), '403 forbidden')
      assert.equal((await ann.ask('GET', `${at(1)}/reactions?limit=20`)).items.length, 20)
    })

    test('[MSG-1] a reply carries a quote, and the quote follows its message', async () => {
      const { ann, bob, chatId, at, send } = await pair()
      const bobs = await bob.connect()
      const clientId = randomUUID()
      const reply = await send(ann, { body: 'yes', reply: 1, clientId })
      assert.deepEqual(reply.reply, { seq: 1, sender: ann.username, body: 'first' })
      assert.deepEqual(await bobs.receives('message.created'), reply)
      assert.deepEqual(await send(ann, { body: 'yes', reply: 1, clientId }), reply)
      await ann.ask('PATCH', at(1), { body: 'changed' })
      assert.deepEqual((await bob.history(chatId))[1]?.reply, {
        seq: 1,
        sender: ann.username,
        body: 'changed',
        change: 1,
      })
      const path = `/chats/${chatId}/messages`
      assert.equal(await codeOf(ann, 'POST', path, { body: 'x', reply: 99 }), '404 not_found')
    })

    test('[MSG-2] a thread hangs on a message, is counted there, and read by itself', async () => {
      const { ann, bob, chatId, send } = await pair()
      const bobs = await bob.connect()
      for (const body of ['a', 'b', 'c']) await send(ann, { body, thread: 1 })
      assert.equal((await bobs.receives('message.updated')).seq, 1)
      const [root, ...others] = await bob.history(chatId)
      assert.deepEqual(root?.replies, { count: 3, lastSeq: 4 })
      assert.deepEqual(
        others.map(({ thread }) => thread),
        [1, 1, 1],
      )
      const read = (query: string) =>
        bob.ask<History>('GET', `/chats/${chatId}/messages?thread=1&limit=2${query}`)
      const newest = await read('')
      assert.deepEqual(
        newest.items.map(({ body }) => body),
        ['b', 'c'],
      )
      assert.deepEqual([newest.hasBefore, newest.hasAfter], [true, false])
      assert.deepEqual(
        (await read('&before=3')).items.map(({ body }) => body),
        ['a'],
      )
      assert.deepEqual(
        (await read('&after=1')).items.map(({ body }) => body),
        ['a', 'b'],
      )
      const path = `/chats/${chatId}/messages`
      assert.equal(await codeOf(ann, 'POST', path, { body: 'x', thread: 2 }), '400 invalid')
      assert.equal(await codeOf(ann, 'POST', path, { body: 'x', thread: 99 }), '404 not_found')
    })

    test('[MSG-3] mentions are of members, and are counted until they are read', async () => {
      const { ann, bob, chatId, send } = await pair()
      const message = await send(ann, { body: 'see @bob', mentions: [bob.username] })
      assert.deepEqual(message.mentions, [bob.username])
      await send(ann, { body: 'more' })
      assert.equal((await bob.chat(chatId)).mentions, 1)
      assert.equal((await ann.chat(chatId)).mentions, undefined)
      await bob.ask('PUT', `/chats/${chatId}/read`, { seq: 2 })
      assert.equal((await bob.chat(chatId)).mentions, undefined)
      const path = `/chats/${chatId}/messages`
      const stranger = { body: 'x', mentions: ['nobody-like-that'] }
      assert.equal(await codeOf(ann, 'POST', path, stranger), '400 invalid')
      assert.equal(
        await codeOf(ann, 'POST', path, { body: 'x', mentionAll: true }),
        '403 forbidden',
      )
    })

    test('[MSG-4] pins are for all, stars for me', async () => {
      const { ann, bob, chatId, at, send } = await pair()
      await send(ann, { body: 'two' })
      const [anns, desk] = [await ann.connect(), await bob.connect()]
      await bob.ask('PUT', `${at(2)}/pin`)
      await bob.ask('PUT', `${at(1)}/pin`)
      await bob.ask('PUT', `${at(1)}/pin`)
      assert.equal((await anns.receives('message.updated')).pinned, true)
      const { items } = await ann.ask('GET', `/chats/${chatId}/pins`)
      assert.deepEqual(
        items.map(({ seq }: Message) => seq),
        [1, 2],
      )
      await ann.ask('DELETE', `${at(1)}/pin`)
      assert.equal((await ann.ask('GET', `/chats/${chatId}/pins`)).items.length, 1)
      await bob.ask('PUT', `${at(1)}/star`)
      assert.ok((await desk.receives('my.updated')).my.starredAt)
      assert.equal(anns.named('my.updated').length, 0)
      const stars = await bob.ask('GET', '/users/me/stars')
      assert.deepEqual(
        stars.items.map(({ body }: Message) => body),
        ['first'],
      )
      assert.equal((await ann.ask('GET', '/users/me/stars')).items.length, 0)
      await bob.ask('DELETE', `${at(1)}/star`)
      assert.equal((await bob.ask('GET', '/users/me/stars')).items.length, 0)
    })

    test('[MSG-5] what is passed on is a copy, by the rights of who passes it on', async () => {
      const { ann, bob, chatId } = await pair()
      const cat = await person('cat')
      const toCat = await bob.sendTo(cat, 'hello')
      const path = `/chats/${toCat.chatId}/messages`
      const copy = await bob.ask<Message>('POST', path, { forward: { chatId, seq: 1 } })
      assert.deepEqual([copy.body, copy.forwarded, copy.sender], ['first', true, bob.username])
      const stolen = { forward: { chatId, seq: 1 } }
      assert.equal(await codeOf(cat, 'POST', path, stolen), '404 not_found')
      assert.equal(await codeOf(bob, 'POST', path, { ...stolen, body: 'x' }), '400 invalid')
      await ann.ask('DELETE', `/chats/${chatId}/messages/1`)
      assert.equal(await codeOf(bob, 'POST', path, stolen), '404 not_found')
      assert.equal((await cat.history(toCat.chatId))[1]?.body, 'first')
    })

    test('[MSG-6] a poll: one choice or several, changed, closed', async () => {
      const { ann, bob, chatId, at, send } = await pair()
      const anns = await ann.connect()
      const poll = await send(ann, { body: 'tea?', poll: { options: ['yes', 'no'] } })
      assert.deepEqual(poll.poll?.options[0], { text: 'yes', votes: 0, usernames: [] })
      const voted = await bob.ask<Message>('PUT', `${at(2)}/vote`, { options: [1] })
      assert.deepEqual(voted.my?.votes, [1])
      assert.deepEqual(voted.poll?.options[1], { text: 'no', votes: 1, usernames: [bob.username] })
      assert.equal((await anns.receives('message.updated')).poll.voters, 1)
      await bob.ask('PUT', `${at(2)}/vote`, { options: [0] })
      assert.deepEqual(
        (await ann.history(chatId))[1]?.poll?.options.map(({ votes }) => votes),
        [1, 0],
      )
      assert.equal(await codeOf(bob, 'PUT', `${at(2)}/vote`, { options: [0, 1] }), '400 invalid')
      assert.equal(await codeOf(bob, 'PUT', `${at(2)}/vote`, { options: [7] }), '400 invalid')
      assert.equal(await codeOf(bob, 'PUT', `${at(1)}/vote`, { options: [0] }), '400 invalid')
      assert.equal(await codeOf(bob, 'DELETE', `${at(2)}/vote`), '403 forbidden')
      assert.equal((await ann.ask<Message>('DELETE', `${at(2)}/vote`)).poll?.closed, true)
      assert.equal(await codeOf(bob, 'PUT', `${at(2)}/vote`, { options: [1] }), '403 forbidden')
      const hidden = {
        body: 'who?',
        poll: { options: ['a', 'b'], anonymous: true, multiple: true },
      }
      await send(ann, hidden)
      const both = await bob.ask<Message>('PUT', `${at(3)}/vote`, { options: [1, 0] })
      assert.deepEqual(both.poll?.options, [
        { text: 'a', votes: 1 },
        { text: 'b', votes: 1 },
      ])
    })

    test('[MSG-7] a place, the own data of a site, and its cards', async () => {
      const { ann, bob, chatId, send } = await pair()
      const location = { latitude: 52.5, longitude: 13.4, name: 'Berlin' }
      const place = await send(ann, { location })
      assert.deepEqual([place.kind, place.location, place.body], ['location', location, ''])
      const metadata = { order: 7, lines: [{ sku: 'a', n: 2 }] }
      const order = await send(ann, { body: 'order', type: 'order', metadata })
      assert.deepEqual([order.type, order.metadata], ['order', metadata])
      const card = { title: 'Order 7', buttons: [{ id: 'pay', label: 'Pay' }] }
      const path = `/chats/${chatId}/messages`
      assert.equal(await codeOf(ann, 'POST', path, { card }), '403 admin_only')
      const site = admin(server)
      const sent = await site.ask<Message>('POST', `/chats/users/${bob.username}/messages`, {
        as: 'system',
        card,
      })
      assert.deepEqual([sent.kind, sent.card, sent.sender], ['card', card, 'system'])
      assert.deepEqual(await bob.history(sent.chatId), [sent])
      assert.deepEqual((await bob.history(chatId)).slice(1), [place, order])
      for (const bad of [
        { body: 'x', metadata: { text: 'x'.repeat(5_000) } },
        { body: 'x', poll: { options: ['a'] } },
        { body: 'x', poll: { options: ['a', 'a'] } },
        { body: 'x', location: { latitude: 91, longitude: 0 } },
        { location, poll: { options: ['a', 'b'] } },
        { metadata: { a: 1 } },
        { body: 'x', unknown: 1 },
        { body: 'x', type: 'Not Allowed' },
      ])
        assert.equal(await codeOf(ann, 'POST', path, bad), '400 invalid', JSON.stringify(bad))
      const deep = JSON.parse('{"a":'.repeat(9) + '1' + '}'.repeat(9))
      for (const bad of [{ a: 'x\0' }, { 'k\0': 1 }, deep])
        assert.equal(
          await codeOf(ann, 'POST', path, { body: 'x', metadata: bad }),
          '400 invalid_text',
        )
    })

    test('[CHANGE-1] changes are numbered without gap, and fetched after a number', async () => {
      const { ann, bob, chatId, at, send } = await pair()
      for (let n = 2; n <= 6; n += 1) await send(ann, { body: String(n) })
      await Promise.all(
        [1, 2, 3, 4, 5, 6].map((seq) => ann.ask('PATCH', at(seq), { body: `new ${seq}` })),
      )
      await ann.ask('PUT', `${at(1)}/pin`)
      const read = (after: number, limit = 3) =>
        bob.ask<Changes>('GET', `/chats/${chatId}/changes?after=${after}&limit=${limit}`)
      const first = await read(0)
      assert.equal(first.hasAfter, true)
      const second = await read(first.changes)
      assert.deepEqual(
        [...first.items, ...second.items].map(({ change = 0 }) => change).sort((a, b) => a - b),
        // The first of the message that was pinned was taken over by its second.
        [1, 2, 3, 4, 5, 6, 7].filter((n) => n !== firstChangeOf(first, second)),
      )
      assert.deepEqual([second.changes, second.hasAfter], [7, false])
      assert.deepEqual(await read(7), { items: [], changes: 7, hasAfter: false })
      function firstChangeOf(...pages: Changes[]) {
        const seen = new Set(pages.flatMap(({ items }) => items.map(({ change }) => change)))
        return [1, 2, 3, 4, 5, 6].find((n) => !seen.has(n))
      }
    })

    test('[SYNC-8] who was away gets what changed of the messages that it keeps', async () => {
      const { ann, bob, chatId, at, send } = await pair()
      await send(ann, { body: 'two' })
      const phone = await bob.connect()
      const { sync: start } = await phone.call('sync', {})
      const { changes } = await bob.ask<History>('GET', `/chats/${chatId}/messages`)
      assert.equal(changes, 0)
      phone.close()
      await ann.ask('PATCH', at(1), { body: 'new' })
      await bob.ask('PUT', `${at(2)}/star`)
      await send(ann, { body: 'three' })
      await ann.ask('PATCH', at(3), { body: 'drei' })
      const back = await bob.connect()
      const { sync } = await back.call('sync', {
        cursor: start.cursor,
        chats: [{ chatId, seq: 2, change: 0 }],
      })
      const [page] = sync.messages
      assert.deepEqual(
        page.items.map(({ body }: Message) => body),
        ['drei'],
      )
      assert.deepEqual(
        page.changed.map(({ body }: Message) => body),
        ['new'],
      )
      assert.equal(page.changes, 2)
      assert.deepEqual(
        sync.my.map(({ seq, my }: any) => [seq, 'starredAt' in my]),
        [[2, true]],
      )
    })

    test('[SEND-4] a block ends edits, reactions and pins in a chat of two', async () => {
      const { ann, bob, chatId, at } = await pair()
      const bobs = await bob.connect()
      await bob.ask('PUT', `/users/me/blocks/${ann.username}`)
      for (const [method, path, body] of [
        ['PATCH', at(1), { body: 'insult' }],
        ['PUT', `${at(1)}/reactions/%F0%9F%91%8D`, undefined],
        ['PUT', `${at(1)}/pin`, undefined],
      ] as const)
        assert.equal(await codeOf(ann, method, path, body), '403 blocked')
      assert.equal((await bob.history(chatId))[0]?.body, 'first')
      assert.deepEqual(bobs.named('message.updated'), [])
    })

    test('[SEND-3] a repeat after an edit is answered with the message as it is now', async () => {
      const { ann, chatId, at, send } = await pair()
      const clientId = randomUUID()
      await send(ann, { body: 'typo', clientId })
      const edited = await ann.ask<Message>('PATCH', at(2), { body: 'right' })
      assert.deepEqual(await send(ann, { body: 'typo', clientId }), edited)
      assert.equal((await ann.history(chatId)).length, 2)
    })
  })
