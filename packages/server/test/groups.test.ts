/** Groups: who is in them, who may do what, and what all are told. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Chat, Invite, Message } from '@microchatter/protocol'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { engines, skipOf } from './support/databases.ts'
import { assertFresh, newGroup, newPeople, until } from './support/groups.ts'
import {
  admin,
  type Answer,
  newPerson,
  type Person,
  startServer,
  type TestServer,
} from './support/server.ts'
import { comeBack, fetchMissing } from './support/watch.ts'

interface Problem {
  code: string
  field?: string
  detail?: string
}

/** What was refused, and with which code. */
async function refused(answer: Promise<Answer<Problem>>, code: string, field?: string) {
  const { status, body } = await answer
  assert.deepEqual([body?.code, body?.field], [code, field], `${status} ${JSON.stringify(body)}`)
}

for (const engine of engines)
  describe(`groups on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())
    async function some<const N extends number>(count: N) {
      const made = await newPeople(server, count)
      return made as [Person, Person, Person, Person, Person, Person]
    }
    const role = (by: Person, id: string, of: Person, to: string) =>
      by.fetch('PATCH', `/chats/${id}/members/${of.username}`, { role: to })
    const remove = (by: Person, id: string, of: Person | 'me') =>
      by.fetch('DELETE', `/chats/${id}/members/${of === 'me' ? 'me' : of.username}`)
    const add = (by: Person, id: string, ...who: Person[]) =>
      by.fetch('POST', `/chats/${id}/members`, { usernames: who.map(({ username }) => username) })
    const events = async (by: Person, id: string) =>
      (await by.history(id)).map(({ sender, event }) => [sender, event?.type, event?.usernames])

    test('[GROUP-1] who makes a group owns it, and all in it have it at once', async () => {
      const [ann, bob, cat] = await some(3)
      const device = await bob.connect()
      const chat = await newGroup([ann, bob, cat, ann], {
        picture: 'https://x.test/p.png',
        description: 'All\nof us',
        metadata: { room: 7 },
        settings: { history: 'joined' },
      })
      assert.deepEqual(
        [chat.kind, chat.title, chat.role, chat.memberCount, chat.description, chat.metadata],
        ['group', 'Group', 'owner', 3, 'All\nof us', { room: 7 }],
      )
      assert.deepEqual(chat.settings, { history: 'joined' })
      const told: Chat = await device.receives('chat.created')
      assert.deepEqual(
        [
          told.role,
          told.memberCount,
          told.unread,
          told.members.filter((one) => one.role === 'owner').length,
        ],
        ['member', 3, 1, 1],
      )
      const names = device.events.map(({ name }) => name)
      assert.deepEqual(names, ['message.created', 'chat.created'])
      assert.deepEqual(await events(ann, chat.id), [
        [ann.username, 'group.created', [bob.username, cat.username]],
      ])
      assert.equal((await cat.chats())[0]?.lastMessage?.kind, 'system')
    })

    test('[GROUP-1] [ERR-4] the same key makes it once; what cannot be made leaves nothing', async () => {
      const [ann, bob] = await some(2)
      const key = randomUUID()
      const make = async (title: string) => {
        const response = await fetch(`${server.url}/chats`, {
          method: 'POST',
          headers: {
            authorization: ann.authorization,
            'content-type': 'application/json',
            'idempotency-key': key,
          },
          body: JSON.stringify({ kind: 'group', title, members: [bob.username] }),
        })
        return { status: response.status, body: (await response.json()) as Chat & Problem }
      }
      const first = await make('One')
      const again = await make('One')
      assert.deepEqual([again.status, again.body.id], [201, first.body.id])
      assert.equal((await make('Two')).body.code, 'idempotency_key_reused')
      const post = (body: object) => ann.fetch('POST', '/chats', body)
      const group = { kind: 'group', title: 'Group' }
      await refused(post({ kind: 'group' }), 'invalid', '/title')
      await refused(post({ ...group, username: bob.username }), 'invalid', '/username')
      await refused(post({ ...group, title: '\u200b' }), 'invalid_text', '/title')
      await refused(post({ ...group, description: 'a\0' }), 'invalid_text', '/description')
      await refused(post({ ...group, metadata: { a: 'x'.repeat(4_096) } }), 'invalid', '/metadata')
      await refused(post({ ...group, metadata: { a: ['\0'] } }), 'invalid_text', '/metadata')
      await refused(post({ ...group, metadata: { a: '\ud800' } }), 'invalid_text', '/metadata')
      await refused(post({ username: bob.username, title: 'x' }), 'invalid', '/title')
      const nobody = { ...group, members: [bob.username, 'nobody'] }
      await refused(post(nobody), 'not_found', '/members/1')
      const many = { ...group, members: Array.from({ length: 201 }, (_, n) => `u${n}`) }
      await refused(post(many), 'invalid', '/members')
      assert.equal((await ann.chats()).length, 1)
      assert.equal((await bob.chats()).length, 1)
      const escaped = await ann.ask('POST', '/chats', { ...group, metadata: { a: '\\u0000' } })
      assert.deepEqual(escaped.metadata, { a: '\\u0000' })
    })

    test('[GROUP-2] each right has a least role, which the owner sets', async () => {
      const [ann, bob, cat, dan, eve] = await some(5)
      const { id } = await newGroup([ann, bob, cat])
      await ann.ask('PATCH', `/chats/${id}/members/${bob.username}`, { role: 'admin' })
      const invite = () => `/chats/${id}/invites`
      const deeds: Record<string, (by: Person) => Promise<Answer<Problem>>> = {
        post: (by) => by.fetch('POST', `/chats/${id}/messages`, { body: 'hello' }),
        add: (by) => add(by, id, by === cat ? dan : eve),
        remove: (by) => remove(by, id, by === cat ? dan : eve),
        edit: (by) => by.fetch('PATCH', `/chats/${id}`, { title: `by ${by.username}` }),
        invite: (by) => by.fetch('POST', invite(), {}),
      }
      const allow = (right: string, least: string) =>
        ann.ask('PATCH', `/chats/${id}`, { settings: { permissions: { [right]: least } } })
      for (const [right, deed] of Object.entries(deeds)) {
        if (right !== 'post') await refused(deed(cat), 'forbidden')
        assert((await deed(bob)).status < 300, right)
        await allow(right, 'member')
        assert((await deed(cat)).status < 300, right)
        await allow(right, 'owner')
        await refused(deed(bob), 'forbidden')
        await refused(deed(cat), 'forbidden')
      }
      assert.equal((await deeds.post!(ann)).status, 201)
      const chat = await cat.chat(id)
      assert.deepEqual(chat.settings, {
        permissions: {
          post: 'owner',
          add: 'owner',
          remove: 'owner',
          edit: 'owner',
          invite: 'owner',
        },
      })
    })

    test('[GROUP-2] who may no longer write is refused from the commit on; only owners set rights', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob, cat])
      await role(ann, id, cat, 'admin')
      const device = await bob.connect()
      const send = async (by = device) =>
        (await by.call('message.send', { chatId: id, body: 'x' })).error?.code
      assert.equal(await send(), undefined)
      const permissions = { settings: { permissions: { post: 'admin' } } }
      await refused(cat.fetch('PATCH', `/chats/${id}`, permissions), 'forbidden')
      await cat.ask('PATCH', `/chats/${id}`, { settings: { slowModeSeconds: 0 } })
      const told = await ann.ask<Chat>('PATCH', `/chats/${id}`, permissions)
      assert.deepEqual(told.settings, { slowModeSeconds: 0, permissions: { post: 'admin' } })
      assert.equal(await send(), 'forbidden')
      assert.equal(await send(await cat.connect()), undefined)
      await role(ann, id, bob, 'admin')
      assert.equal(await send(), undefined)
      await role(cat, id, bob, 'member')
      assert.equal(await send(), 'forbidden')
    })

    test('[GROUP-3] [GROUP-11] what all share is changed for all, told once, and null removes it', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann, bob], { description: 'old', metadata: { a: 1 } })
      const device = await bob.connect()
      const patch = (body: object) => ann.ask<Chat>('PATCH', `/chats/${id}`, body)
      const chat = await patch({ title: ' New ', picture: 'https://x.test/p', description: null })
      assert.deepEqual(
        [chat.title, chat.picture, chat.description],
        ['New', 'https://x.test/p', undefined],
      )
      const { memberCount, ...told } = await device.receives('group.updated')
      assert.equal(memberCount, 2)
      assert.deepEqual(told, {
        chatId: id,
        rev: chat.rev,
        lastSeq: 2,
        title: 'New',
        picture: 'https://x.test/p',
        metadata: { a: 1 },
      })
      assert.deepEqual(device.named('message.created').at(-1)?.event, {
        type: 'group.updated',
        fields: ['title', 'picture', 'description'],
        title: 'New',
      })
      // The same again is no change, and the site's own data no news.
      const same = await patch({ title: 'New', settings: {}, metadata: { a: 1 } })
      assert.deepEqual([same.rev, same.lastSeq], [chat.rev, 2])
      const data = await patch({ metadata: { b: { c: [] } }, pinned: true })
      assert.deepEqual([data.metadata, data.lastSeq, data.pinned], [{ b: { c: [] } }, 2, true])
      assert.equal((await patch({ metadata: null })).metadata, undefined)
      await device.receives('group.updated', ({ metadata }) => metadata === undefined)
      assert.equal((await bob.chat(id)).pinned, undefined)
      await refused(ann.fetch('PATCH', `/chats/${id}`, { title: null }), 'invalid', '/title')
    })

    test('[GROUP-3] a direct chat has no such things, but either sets how long messages stay', async () => {
      const [ann, bob] = await some(2)
      const { chatId } = await ann.sendTo(bob, 'one')
      const patch = (by: Person, body: object) => by.fetch('PATCH', `/chats/${chatId}`, body)
      for (const [field, value] of Object.entries({ title: 'x', description: 'x', metadata: {} }))
        await refused(patch(ann, { [field]: value }), 'invalid', `/${field}`)
      await refused(patch(ann, { settings: { open: true } }), 'invalid', '/settings/open')
      const device = await ann.connect()
      const answer = await patch(bob, { settings: { expireAfterSeconds: 60 } })
      assert.equal(answer.status, 200)
      const told = await device.receives('chat.updated')
      assert.deepEqual(told.settings, { expireAfterSeconds: 60 })
      assert.deepEqual((await ann.chat(chatId)).settings, { expireAfterSeconds: 60 })
      await refused(add(ann, chatId, bob), 'forbidden')
      await refused(remove(ann, chatId, 'me'), 'forbidden')
    })

    test('[GROUP-4] roles: nobody touches who is above, or makes anyone more than oneself', async () => {
      const [ann, bob, cat, dan] = await some(4)
      const { id } = await newGroup([ann, bob, cat, dan])
      await role(ann, id, bob, 'admin')
      await refused(role(cat, id, dan, 'admin'), 'forbidden')
      await refused(role(bob, id, cat, 'owner'), 'forbidden')
      await refused(role(bob, id, ann, 'member'), 'forbidden')
      await refused(remove(bob, id, ann), 'forbidden')
      const device = await dan.connect()
      assert.equal((await role(bob, id, cat, 'admin')).status, 200)
      const told = await device.receives('member.updated')
      assert.deepEqual([told.member.username, told.member.role], [cat.username, 'admin'])
      assert.equal((await role(cat, id, bob, 'member')).status, 200)
      assert.equal((await role(cat, id, bob, 'admin')).status, 200)
      assert.equal((await remove(bob, id, cat)).status, 204)
      await refused(role(ann, id, cat, 'admin'), 'not_found')
      const unchanged = await ann.chat(id)
      assert.equal((await role(bob, id, bob, 'admin')).status, 200)
      assert.equal((await ann.chat(id)).rev, unchanged.rev)
      assert.deepEqual((await events(ann, id)).slice(-1), [
        [bob.username, 'member.removed', [cat.username]],
      ])
    })

    test('[GROUP-4] the last owner stays while others are there, and the last member ends the group', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann, bob])
      const { code } = await ann.ask<Invite>('POST', `/chats/${id}/invites`, {})
      await refused(remove(ann, id, 'me'), 'last_owner')
      await refused(role(ann, id, ann, 'admin'), 'last_owner')
      assert.equal((await role(ann, id, bob, 'owner')).status, 200)
      const device = await ann.connect()
      assert.equal((await remove(ann, id, 'me')).status, 204)
      assert.deepEqual(Object.keys(await device.receives('chat.removed')), ['chatId', 'rev'])
      await device.receives('unread.updated')
      await refused(ann.fetch('GET', `/chats/${id}`), 'not_found')
      await refused(ann.fetch('GET', `/chats/${id}/messages`), 'not_found')
      await refused(ann.fetch('POST', `/chats/${id}/messages`, { body: 'x' }), 'not_found')
      assert.equal(device.named('member.removed').length, 0)
      await refused(remove(bob, id, ann), 'not_found')
      assert.equal((await remove(bob, id, 'me')).status, 204)
      await refused(ann.fetch('POST', `/chats/invites/${code}`), 'not_found')
      await refused(ann.fetch('GET', `/chats/invites/${code}`), 'not_found')
      assert.deepEqual(await bob.chats(), [])
    })

    test('[GROUP-5] who cannot be added: all or none, and a block is not told', async () => {
      const [ann, bob, cat, dan, eve, fay] = await some(6)
      const { id } = await newGroup([ann, bob])
      await cat.ask('PUT', `/users/me/blocks/${ann.username}`)
      await ann.ask('PUT', `/users/me/blocks/${dan.username}`)
      await admin(server).ask('PATCH', `/users/${eve.username}`, { active: false })
      const answers = []
      for (const one of [cat, dan, eve, { username: 'system' } as Person]) {
        const { body } = await add(ann, id, fay, one)
        answers.push({ ...body, instance: undefined })
        assert.deepEqual([body.code, body.field], ['forbidden', '/usernames/1'])
      }
      for (const body of answers) assert.deepEqual(body, answers[0])
      await refused(
        add(ann, id, fay, { username: 'nobody' } as Person),
        'not_found',
        '/usernames/1',
      )
      assert.equal((await ann.chat(id)).memberCount, 2)
      await ann.ask('PUT', `/users/me/blocks/${bob.username}`)
      const device = await bob.connect()
      const { body } = await add(ann, id, fay, bob, fay)
      assert.deepEqual(body, { added: [fay.username], memberCount: 3 })
      const told = await device.receives('member.added')
      assert.deepEqual(told.member, {
        username: fay.username,
        role: 'member',
        readSeq: 1,
        deliveredSeq: 1,
      })
      assert.deepEqual([told.lastSeq, told.memberCount], [2, 3])
      const again = await add(ann, id, bob, fay)
      assert.deepEqual(again.body, { added: [], memberCount: 3 })
      assert.equal((await ann.chat(id)).lastSeq, 2)
    })

    test('[GROUP-5] who was removed comes back only by someone who may add', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob, cat], { settings: { open: true } })
      const { code } = await ann.ask<Invite>('POST', `/chats/${id}/invites`, {})
      await remove(ann, id, bob)
      await remove(cat, id, 'me')
      await refused(bob.fetch('POST', `/chats/${id}/join`), 'forbidden')
      await refused(bob.fetch('POST', `/chats/invites/${code}`), 'forbidden')
      const [invite] = (await ann.ask<{ items: Invite[] }>('GET', `/chats/${id}/invites`)).items
      assert.equal(invite?.uses, 0)
      assert.equal((await cat.fetch('POST', `/chats/${id}/join`)).status, 200)
      assert.deepEqual((await add(ann, id, bob)).body.added, [bob.username])
      assert.equal((await remove(bob, id, 'me')).status, 204)
      assert.equal((await bob.fetch('POST', `/chats/${id}/join`)).status, 200)
    })

    test('[GROUP-6] [GROUP-11] a deleted account leaves its groups, and its name; the longest there owns them', async () => {
      const [ann, bob, cat, dan] = await some(4)
      const { id } = await newGroup([ann, bob])
      const other = (await newGroup([ann, bob, cat])).id
      await add(ann, id, cat, dan)
      await role(ann, id, dan, 'admin')
      await role(ann, id, cat, 'admin')
      const device = await bob.connect()
      const gone = ann.username
      await admin(server).ask('DELETE', `/users/${gone}`)
      const removed = await device.receives('member.removed', ({ chatId }) => chatId === id)
      assert.deepEqual([removed.username, removed.memberCount], [gone, 3])
      const updated = await device.receives('member.updated', ({ chatId }) => chatId === id)
      const heir = updated.member.username
      assert([cat.username, dan.username].includes(heir))
      const roles = async (chatId: string) =>
        (await bob.chat(chatId)).members.map((one) => [one.username, one.role])
      assert.deepEqual(
        (await roles(id)).filter(([, is]) => is === 'owner').map(([name]) => name),
        [heir],
      )
      assert.equal((await roles(other)).filter(([, is]) => is === 'owner').length, 1)
      await admin(server).ask('DELETE', `/users/${dan.username}`)
      const told = (await bob.history(id)).map(({ sender, event }) => [sender, event?.usernames])
      assert(!JSON.stringify(told).includes(gone))
      assert(!JSON.stringify(told).includes(dan.username))
      assert.deepEqual(told[1], [undefined, [cat.username]])
      assert.equal((await bob.chat(id)).memberCount, 2)
    })

    test('[GROUP-7] a link lets in as many as it says, each once, and not when it has ended', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann], { description: 'us', settings: { history: 'joined' } })
      const path = `/chats/${id}/invites`
      const invite = await ann.ask<Invite>('POST', path, { maxUses: 2 })
      assert.match(invite.code, /^[\w-]{32}$/)
      assert.deepEqual(await bob.ask('GET', `/chats/invites/${invite.code}`), {
        title: 'Group',
        description: 'us',
        memberCount: 1,
      })
      const join = (by: Person, code = invite.code) => by.fetch('POST', `/chats/invites/${code}`)
      const device = await ann.connect()
      const joined = (await join(bob)).body as unknown as Chat
      assert.deepEqual([joined.id, joined.role, joined.unread], [id, 'member', 0])
      const told = await device.receives('member.added')
      assert.deepEqual(told.member, {
        username: bob.username,
        role: 'member',
        readSeq: 2,
        deliveredSeq: 2,
      })
      assert.equal((await join(bob)).status, 200)
      const list = async () => (await ann.ask<{ items: Invite[] }>('GET', path)).items
      assert.deepEqual(
        (await list()).map(({ uses, createdBy }) => [uses, createdBy]),
        [[1, ann.username]],
      )
      const past = new Date(Date.now() - 1_000).toISOString()
      await refused(ann.fetch('POST', path, { expiresAt: past }), 'invalid', '/expiresAt')
      const soon = new Date(Date.now() + 400).toISOString()
      const expired = await ann.ask<Invite>('POST', path, { expiresAt: soon })
      const revoked = await ann.ask<Invite>('POST', path, {})
      assert.equal((await ann.fetch('DELETE', `${path}/${revoked.code}`)).status, 204)
      await refused(ann.fetch('DELETE', `${path}/${revoked.code}`), 'not_found')
      await until(500)
      const answers = []
      for (const code of [expired.code, revoked.code, 'x'.repeat(32), 'nonsense', '%00'])
        for (const method of ['GET', 'POST'])
          answers.push(await cat.fetch(method, `/chats/invites/${code}`))
      for (const { status, body } of answers)
        assert.deepEqual([status, body], [404, answers[0]?.body])
      assert.equal((await list()).length, 1)
    })

    test('[GROUP-7] a group has at most 50 links that can be used', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann])
      const make = (body: object) => ann.fetch('POST', `/chats/${id}/invites`, body)
      const once = (await make({ maxUses: 1 })).body as Invite
      const made = await Promise.all(Array.from({ length: 60 }, () => make({})))
      assert.deepEqual(
        [201, 403].map((due) => made.filter(({ status }) => status === due).length),
        [49, 11],
      )
      // One that is used up makes room.
      await bob.ask('POST', `/chats/invites/${once.code}`)
      assert.equal((await make({})).status, 201)
      assert.equal((await make({})).status, 403)
    })

    test('[GROUP-8] open groups are found by the start of their title, in any case', async () => {
      const [ann, bob] = await some(2)
      const tag = randomUUID().slice(0, 8)
      const titles = [`${tag} b`, `${tag.toUpperCase()} A`, `${tag} Ä%`, `${tag} c_`, `${tag} c_`]
      for (const title of titles) await newGroup([ann], { title, settings: { open: true } })
      await newGroup([ann], { title: `${tag} closed` })
      const found: { chatId: string; title: string }[] = []
      let cursor = ''
      do {
        const query = `search=${tag.toUpperCase()}&limit=2${cursor && `&cursor=${cursor}`}`
        const page = await bob.ask('GET', `/chats/open?${query}`)
        found.push(...page.items)
        cursor = page.nextCursor ?? ''
      } while (cursor)
      assert.deepEqual(
        found.map(({ title }) => title.slice(9)),
        ['A', 'b', 'c_', 'c_', 'Ä%'],
      )
      assert.equal(new Set(found.map(({ chatId }) => chatId)).size, 5)
      const search = async (text: string) =>
        (await bob.ask('GET', `/chats/open?search=${encodeURIComponent(text)}`)).items
      assert.equal((await search(`${tag} ä%`)).length, 1)
      assert.equal((await search(`${tag} %`)).length, 0)
      assert.equal((await search(`${tag}\0`)).length, 0)
      const id = found[0]!.chatId
      const chat = await bob.ask<Chat>('POST', `/chats/${id}/join`)
      assert.equal(chat.memberCount, 2)
      assert.deepEqual((await search(`${tag} a`))[0], {
        chatId: id,
        title: titles[1],
        memberCount: 2,
        joined: true,
      })
      await ann.ask('PATCH', `/chats/${id}`, { settings: { open: false } })
      assert.equal((await search(`${tag} a`)).length, 0)
      assert.equal((await bob.fetch('POST', `/chats/${id}/join`)).status, 200)
      const [cat] = await some(1)
      const closed = await cat.fetch('POST', `/chats/${id}/join`)
      const none = await cat.fetch('POST', `/chats/${randomUUID()}/join`)
      assert.deepEqual([closed.status, closed.body], [404, none.body])
      for (const bad of ['x', 'WyJhIiwiYiJd'])
        await refused(bob.fetch('GET', `/chats/open?cursor=${bad}`), 'invalid_cursor', 'cursor')
    })

    test('[GROUP-10] a newcomer sees all of the past, or what comes from then on', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann])
      await ann.ask('POST', `/chats/${id}/messages`, { body: 'secret' })
      await add(ann, id, bob)
      assert.deepEqual(
        (await bob.history(id)).map(({ seq }) => seq),
        [1, 2, 3],
      )
      const view = await bob.chat(id)
      assert.deepEqual([view.unread, view.readSeq, view.clearedSeq], [1, 2, undefined])
      await ann.ask('PATCH', `/chats/${id}`, { settings: { history: 'joined' } })
      await add(ann, id, cat)
      const later = await cat.chat(id)
      assert.deepEqual([later.unread, later.readSeq, later.clearedSeq], [1, 4, 4])
      assert.deepEqual(
        (await cat.history(id)).map(({ seq }) => seq),
        [5],
      )
      // Who comes back sees what its second coming lets it see.
      await remove(bob, id, 'me')
      await ann.ask('POST', `/chats/${id}/messages`, { body: 'without bob' })
      await add(ann, id, bob)
      assert.deepEqual(
        (await bob.history(id)).map(({ seq }) => seq),
        [8],
      )
    })

    test('[EDIT-4] [MSG-4] who comes back has the stars of before, and not what was deleted', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann, bob])
      await ann.ask('POST', `/chats/${id}/messages`, { body: 'hello' })
      await bob.ask('DELETE', `/chats/${id}/messages/1?for=me`)
      await bob.ask('PUT', `/chats/${id}/messages/2/star`)
      await remove(bob, id, 'me')
      await add(ann, id, bob)
      const [first, second] = await bob.history(id)
      assert.equal(first?.my?.deleted, true)
      assert.ok(second?.my?.starredAt)
    })

    test('[GROUP-10] who comes back finds its stars and reactions again', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann, bob])
      const { seq } = await ann.ask<Message>('POST', `/chats/${id}/messages`, { body: 'star' })
      await bob.ask('PUT', `/chats/${id}/messages/${seq}/star`)
      await bob.ask('PUT', `/chats/${id}/messages/${seq}/reactions/${encodeURIComponent('👍')}`)
      const { my } = await bob.ask<Message>('GET', `/chats/${id}/messages/${seq}`)
      assert.deepEqual([typeof my?.starredAt, my?.reactions], ['string', ['👍']])
      await remove(ann, id, bob)
      await add(ann, id, bob)
      assert.deepEqual((await bob.ask<Message>('GET', `/chats/${id}/messages/${seq}`)).my, my)
    })

    test('[READ-4] [GROUP-1] deleting a group clears it for me, and I stay in it', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann, bob])
      await bob.ask('DELETE', `/chats/${id}`)
      assert.deepEqual(await bob.chats(), [])
      assert.equal((await ann.chat(id)).memberCount, 2)
      const device = await bob.connect()
      await ann.ask('POST', `/chats/${id}/messages`, { body: 'hello' })
      const back = await device.receives('chat.updated')
      assert.deepEqual([back.id, back.unread, back.clearedSeq], [id, 1, 1])
      // A system message brings it back as well.
      await bob.ask('DELETE', `/chats/${id}`)
      await ann.ask('PATCH', `/chats/${id}`, { title: 'New' })
      await device.receives('chat.updated', ({ title }) => title === 'New')
      assert.deepEqual(
        (await bob.history(id)).map(({ seq }) => seq),
        [3],
      )
    })

    test('[MERGE-6] the first message of a day tells those alone who did not see the chat', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob, cat])
      const devices = [await ann.connect(), await bob.connect(), await cat.connect()]
      await bob.ask('PATCH', `/chats/${id}`, { archived: true })
      await cat.ask('DELETE', `/chats/${id}`)
      const events = devices.map((device) => device.events.splice(0))
      assert(events)
      await ann.ask('POST', `/chats/${id}/messages`, { body: 'hello' })
      for (const device of devices.slice(1)) await device.receives('chat.updated')
      await ann.ask('POST', `/chats/${id}/messages`, { body: 'again' })
      for (const device of devices)
        await device.receives('message.created', ({ body }) => body === 'again')
      assert.deepEqual(
        devices.map((device) => device.named('chat.updated').length),
        [0, 1, 1],
      )
      assert.equal((await bob.chats()).length, 1)
    })

    test('[SEND-4] in a group, who has blocked a member gets its messages without what they say', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob, cat])
      const path = `/chats/${id}/messages`
      await bob.ask('POST', path, { body: 'before' })
      const [anns, desk, cats] = [await ann.connect(), await ann.connect(), await cat.connect()]
      await ann.ask('PUT', `/users/me/blocks/${bob.username}`)
      const blocked = { username: bob.username, blocked: true }
      assert.deepEqual(await desk.receives('block.updated'), blocked)
      const marked = await anns.receives('chat.updated', (one) => one.id === id)
      assert.deepEqual([marked.lastMessage.body, marked.lastMessage.hidden], ['', true])
      const said = 'what ann does not want to read'
      const message = await bob.ask<Message>('POST', path, { body: said, reply: 2 })
      assert.deepEqual(await cats.receives('message.created', ({ seq }) => seq === 3), message)
      const place = await anns.receives('message.created', ({ seq }) => seq === 3)
      assert.deepEqual([place.body, place.hidden, place.sender], ['', true, bob.username])
      await bob.ask('PATCH', `${path}/3`, { body: `${said}!` })
      const changed = await anns.receives('message.updated')
      assert.deepEqual([changed.body, changed.hidden, changed.change], ['', true, 1])
      assert.deepEqual(
        (await ann.history(id)).slice(1).map(({ body }) => body),
        ['', ''],
      )
      assert.equal((await ann.chat(id)).lastMessage?.hidden, true)
      assert.equal((await ann.ask('GET', `/chats/${id}/changes?after=0`)).items[0].hidden, true)
      const { sync } = await desk.call('sync', { chats: [{ chatId: id, seq: 1 }] })
      assert.deepEqual(
        sync.messages[0].items.map(({ hidden }: Message) => hidden),
        [true, true],
      )
      assert.equal(JSON.stringify([anns.events, desk.events, sync]).includes(said), false)
      const asked = await ann.ask<Message>('GET', `${path}/3`)
      assert.deepEqual([asked.body, asked.hidden], [`${said}!`, true])
      // What quotes the blocked is shown without the quote, wherever it stands.
      const reply = await cat.ask<Message>('POST', path, { body: 'mind your words', reply: 3 })
      assert.equal(reply.reply?.body, `${said}!`)
      const quote = { seq: 3, body: '' }
      const told = await anns.receives('message.created', ({ seq }) => seq === 4)
      const after = await desk.call('sync', {
        cursor: sync.cursor,
        chats: [{ chatId: id, seq: 3 }],
      })
      const [synced] = after.sync.chats
      const views = [await ann.chat(id), ...(await ann.chats()), synced].map((it) => it.lastMessage)
      const messages = [told, ...views, (await ann.history(id))[3], after.sync.messages[0].items[0]]
      assert.deepEqual(messages, Array(6).fill({ ...reply, reply: quote }))
      // What happens to the group is told to all; so is what ann says, to bob.
      await bob.ask('DELETE', `/chats/${id}/members/me`)
      const left = await anns.receives('message.created', ({ seq }) => seq === 5)
      assert.equal(left.event.type, 'member.left')
      await ann.ask('DELETE', `/users/me/blocks/${bob.username}`)
      await ann.ask('POST', `/chats/${id}/members`, { usernames: [bob.username] })
      assert.equal((await ann.history(id))[2]?.body, `${said}!`)
    })

    test('[SYNC-9] who was away while another device blocked, or took it back, fetches anew', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob, cat])
      for (const one of [bob, cat])
        await one.ask('POST', `/chats/${id}/messages`, { body: `of ${one.username}` })
      const state = new Mailbox(ann.username)
      state.open.set(id, [])
      ;(await comeBack(ann, state)).close()
      await fetchMissing(ann, state)
      assert.equal(state.open.get(id)?.[1]?.body, `of ${bob.username}`)
      for (const method of ['PUT', 'DELETE']) {
        await ann.ask(method, `/users/me/blocks/${bob.username}`)
        ;(await comeBack(ann, state)).close()
        await fetchMissing(ann, state)
        await assertFresh(ann, state)
        assert.equal(state.open.get(id)?.[1]?.hidden, method === 'PUT' ? true : undefined)
      }
    })

    test('[GROUP-9] [MERGE-12] [SYNC-1] what a client makes of the events is what a fetch gives', async () => {
      const all = await some(6)
      const [ann, bob, cat, dan, eve, fay] = all
      const { id } = await newGroup([ann, bob, cat])
      const states = all.map((one) => new Mailbox(one.username))
      for (const state of states.slice(0, 3)) state.open.set(id, [])
      for (const [index, one] of all.entries()) await comeBack(one, states[index]!)
      const code = (await ann.ask<Invite>('POST', `/chats/${id}/invites`, {})).code
      const steps: (() => Promise<unknown>)[] = [
        () => add(ann, id, dan, eve),
        () => role(ann, id, bob, 'admin'),
        () => dan.ask('POST', `/chats/${id}/messages`, { body: 'hello' }),
        () => ann.ask('PATCH', `/chats/${id}`, { title: 'New', description: 'words' }),
        () => eve.ask('PUT', `/chats/${id}/read`, { seq: 3 }),
        () => remove(bob, id, dan),
        () => fay.ask('POST', `/chats/invites/${code}`),
        () => role(ann, id, cat, 'owner'),
        () => remove(ann, id, 'me'),
        () => cat.ask('PATCH', `/chats/${id}`, { description: null, metadata: { a: 1 } }),
        () => add(bob, id, dan, ann),
        () => role(cat, id, cat, 'member').then(() => role(cat, id, bob, 'owner')),
      ]
      for (const [nth, step] of steps.entries()) {
        await step()
        await until(60)
        for (const [index, one] of all.entries()) {
          await fetchMissing(one, states[index]!)
          await assertFresh(one, states[index]!).catch((error: Error) => {
            error.message = `step ${nth}, person ${index}: ${error.message}`
            throw error
          })
        }
      }
      // All at once, in whatever order.
      await Promise.all([
        role(cat, id, bob, 'owner'),
        ann.ask('POST', `/chats/${id}/messages`, { body: 'one' }),
        remove(bob, id, dan),
        remove(eve, id, 'me'),
        cat.ask('PATCH', `/chats/${id}`, { title: 'Newer' }),
        fay.ask('POST', `/chats/${id}/messages`, { body: 'two' }),
      ])
      await until(300)
      for (const [index, one] of all.entries()) {
        await fetchMissing(one, states[index]!)
        await assertFresh(one, states[index]!)
      }
    })

    test('[SYNC-1] who was away hears that it was removed, or removed and taken back', async () => {
      const [ann, bob] = await some(2)
      const [gone, back] = [await newGroup([ann, bob]), await newGroup([ann, bob])]
      const state = new Mailbox(bob.username)
      state.open.set(gone.id, [])
      const device = await comeBack(bob, state)
      assert.equal(state.chats.size, 2)
      device.close()
      await remove(ann, gone.id, bob)
      await remove(ann, back.id, bob)
      await add(ann, back.id, bob)
      await comeBack(bob, state)
      assert.deepEqual([...state.chats.keys()], [back.id])
      assert.equal(state.open.has(gone.id), false)
      await assertFresh(bob, state)
    })

    test('[CHAT-11] [CHAT-12] [GROUP-9] in a large group nobody hears of each, and the list comes by pages', async () => {
      const [ann, bob, ...others] = await newPeople(server, 53)
      assert(ann && bob)
      const { id } = await newGroup([ann, bob, ...others.slice(0, 47)])
      const state = new Mailbox(bob.username)
      await comeBack(bob, state)
      const annState = new Mailbox(ann.username)
      const device = await comeBack(ann, annState)
      assert.equal(state.chats.get(id)?.members.length, 49)
      const check = async () => {
        await until(150)
        await assertFresh(bob, state)
        await assertFresh(ann, annState)
      }
      await add(ann, id, others[47]!)
      await check()
      assert.equal(state.chats.get(id)?.members.length, 50)
      await add(ann, id, ...others.slice(48, 51))
      await check()
      assert.deepEqual([state.chats.get(id)?.memberCount, state.chats.get(id)?.members], [53, []])
      assert.equal(bob.devices.at(-1)?.named('member.added').length, 1)
      // Read marks and typing stay with oneself.
      const own = await bob.connect()
      await bob.ask('PUT', `/chats/${id}/read`, { seq: 2 })
      assert.equal((await own.receives('read.updated')).unread, 1)
      await own.call('typing', { chatId: id, typing: true })
      await role(ann, id, bob, 'admin')
      await check()
      assert.equal(state.chats.get(id)?.role, 'admin')
      assert.deepEqual([device.named('read.updated'), device.named('typing')], [[], []])
      const pages = await readPages(ann, id, 20)
      assert.deepEqual(
        pages.map((page) => page.length),
        [20, 20, 13],
      )
      const roles = pages.flat().map((member) => member.role)
      assert.deepEqual(roles.slice(0, 3), ['owner', 'admin', 'member'])
      assert.equal(new Set(pages.flat().map((member) => member.username)).size, 53)
      const one = others[30]!.username
      const found = await ann.ask('GET', `/chats/${id}/members?search=${one.toUpperCase()}`)
      assert.deepEqual(
        found.items.map((member: { username: string }) => member.username),
        [one],
      )
      await refused(ann.fetch('GET', `/chats/${id}/members?cursor=x`), 'invalid_cursor', 'cursor')
      // Few enough are left to show them again.
      for (const person of others.slice(0, 3)) await remove(ann, id, person)
      await check()
      assert.equal(state.chats.get(id)?.members.length, 50)
    })

    async function readPages(by: Person, id: string, limit: number) {
      const pages: { username: string; role: string }[][] = []
      let cursor = ''
      do {
        const page = await by.ask('GET', `/chats/${id}/members?limit=${limit}${cursor}`)
        pages.push(page.items)
        cursor = page.nextCursor ? `&cursor=${page.nextCursor}` : ''
      } while (cursor)
      return pages
    }

    test('[GROUP-12] two admins who remove each other: one of them does', async () => {
      for (let round = 0; round < 5; round += 1) {
        const [ann, bob, cat] = await some(3)
        const { id } = await newGroup([ann, bob, cat])
        await role(ann, id, bob, 'admin')
        await role(ann, id, cat, 'admin')
        const answers = await Promise.all([remove(bob, id, cat), remove(cat, id, bob)])
        assert.deepEqual(
          answers.map(({ status }) => status).sort((a, b) => a - b),
          [204, 404],
        )
        assert.equal((await ann.chat(id)).memberCount, 2)
      }
    })

    test('[GROUP-12] the last owner who leaves while handing over: the group has an owner', async () => {
      for (let round = 0; round < 5; round += 1) {
        const [ann, bob] = await some(2)
        const { id } = await newGroup([ann, bob])
        const [handed, left] = await Promise.all([
          role(ann, id, bob, 'owner'),
          remove(ann, id, 'me'),
        ])
        const view = await bob.chat(id)
        if (left.status === 204) assert.deepEqual([handed.status, view.role], [200, 'owner'])
        else
          assert.deepEqual([left.body.code, handed.status, view.role], ['last_owner', 200, 'owner'])
        assert.equal(view.memberCount, left.status === 204 ? 1 : 2)
      }
    })

    test('[GROUP-12] two owners who step down at once: one stays', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob, cat])
      await role(ann, id, bob, 'owner')
      const answers = await Promise.all([role(ann, id, ann, 'member'), remove(bob, id, 'me')])
      assert.equal(answers.filter(({ body }) => body?.code === 'last_owner').length, 1)
      const owners = (await cat.chat(id)).members.filter((one) => one.role === 'owner')
      assert.equal(owners.length, 1)
    })

    test('[GROUP-12] a member who is added by many at once is added once', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob])
      await role(ann, id, bob, 'admin')
      const by = [ann, bob, ann, bob, ann, bob]
      const answers = await Promise.all(by.map((one) => add(one, id, cat)))
      const added = answers.map(({ body }) => (body as { added: string[] }).added.length)
      assert.deepEqual(
        added.sort((a, b) => a - b),
        [0, 0, 0, 0, 0, 1],
      )
      const view = await cat.chat(id)
      assert.deepEqual([view.memberCount, view.lastSeq], [3, 3])
    })

    test('[GROUP-12] who is removed while sending: the message is before, or not there', async () => {
      const [ann, bob] = await some(2)
      for (let round = 0; round < 4; round += 1) {
        const { id } = await newGroup([ann, bob])
        const device = await bob.connect()
        const sends = Array.from({ length: 30 }, (_, n) =>
          device.call('message.send', { chatId: id, body: `${n}` }),
        )
        const removed = until(round * 2).then(() => remove(ann, id, bob))
        const answers = await Promise.all(sends)
        assert.equal((await removed).status, 204)
        const history = await ann.history(id)
        const end = history.find(({ event }) => event?.type === 'member.removed')?.seq ?? 0
        const kept = answers.flatMap(({ ok, message }) => (ok ? [(message as Message).seq] : []))
        for (const { ok, error } of answers) if (!ok) assert.equal(error?.code, 'not_found')
        assert(kept.every((seq) => seq < end))
        assert.equal(
          history.filter(({ sender, kind }) => sender === bob.username && !kind).length,
          kept.length,
        )
        assert.deepEqual(
          history.map(({ seq }) => seq),
          history.map((_, n) => n + 1),
        )
        device.close()
      }
    })

    test('[GROUP-7] [GROUP-12] a link for 5 that 20 use at once lets 5 in', async () => {
      const [ann, ...others] = await newPeople(server, 21)
      const { id } = await newGroup([ann!])
      const { code } = await ann!.ask<Invite>('POST', `/chats/${id}/invites`, { maxUses: 5 })
      const join = (one: Person) => one.fetch('POST', `/chats/invites/${code}`)
      const answers = await Promise.all(others.flatMap((one) => [join(one), join(one)]))
      const entered = others.filter((_, n) =>
        answers.slice(2 * n, 2 * n + 2).some(({ status }) => status === 200),
      )
      assert.equal(entered.length, 5)
      assert.equal((await ann!.chat(id)).memberCount, 6)
      for (const { status } of answers) assert([200, 404].includes(status))
    })

    test('[GROUP-12] two who rename it at once: both did, and one came last', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann, bob])
      await role(ann, id, bob, 'admin')
      const device = await bob.connect()
      const rename = (by: Person, title: string) => by.ask<Chat>('PATCH', `/chats/${id}`, { title })
      const chats = await Promise.all([rename(ann, 'A'), rename(bob, 'B')])
      const last = chats.toSorted((one, other) => other.rev - one.rev)[0]
      assert.notEqual(chats[0].rev, chats[1].rev)
      assert.equal((await ann.chat(id)).title, last?.title)
      await device.receives('group.updated', ({ title }) => title === 'A')
      await device.receives('group.updated', ({ title }) => title === 'B')
      const titles = (await ann.history(id)).slice(-2).map(({ event }) => event?.title)
      assert.deepEqual(titles.at(-1), last?.title)
    })

    test('[GROUP-12] who is added while its account is deleted is in no group', async () => {
      const [ann] = await some(1)
      const { id } = await newGroup([ann])
      for (let round = 0; round < 5; round += 1) {
        const bob = await newPerson(server)
        await Promise.all([
          add(ann, id, bob),
          admin(server).fetch('DELETE', `/users/${bob.username}`),
        ])
        const { memberCount, members } = await ann.chat(id)
        assert.deepEqual([memberCount, members.length], [1, 1])
      }
    })
  })

test('[GROUP-5] a full group takes nobody', { skip: skipOf('embedded') }, async (t) => {
  const server = await startServer('embedded', { MICROCHATTER_GROUPS_MAX_MEMBERS: '3' })
  t.after(() => server.close())
  const [ann, bob, cat, dan] = await newPeople(server, 4)
  assert(ann && bob && cat && dan)
  const names = [bob, cat, dan].map(({ username }) => username)
  await refused(
    ann.fetch('POST', '/chats', { kind: 'group', title: 'Group', members: names }),
    'group_full',
  )
  const { id } = await newGroup([ann], { settings: { open: true } })
  await refused(ann.fetch('POST', `/chats/${id}/members`, { usernames: names }), 'group_full')
  const joins = await Promise.all(
    [bob, cat, dan].map((one) => one.fetch('POST', `/chats/${id}/join`)),
  )
  assert.deepEqual(
    joins.map(({ status }) => status).sort((a, b) => a - b),
    [200, 200, 409],
  )
  assert.equal((await ann.chat(id)).memberCount, 3)
})
