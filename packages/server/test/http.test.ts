import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setTimeout } from 'node:timers/promises'
import type {
  Block,
  Chat,
  History,
  Login,
  Message,
  Problem,
  ReadState,
  Session,
  Unread,
  User,
} from '@microchatter/protocol'
import { pino } from 'pino'
import { ROUTES } from '../src/http/routes.ts'
import { topicOf } from '../src/http/topics.ts'
import { signJwt } from '../src/domain/jwt.ts'
import {
  ADMIN_PASSWORD,
  basic,
  checkProblem,
  type Person,
  type Reply,
  SECRET,
  SKIP,
  startServer,
  type TestServer,
} from './support/http.ts'

interface Page<T> {
  items: T[]
  nextCursor?: string
}
interface Expected {
  field?: string
  detail?: RegExp
}

/** A refusal with this code; the server checks of support/http.ts have seen that it is a problem. */
function refused(reply: Reply, code: string, { field, detail }: Expected = {}): void {
  assert.equal(reply.body?.code, code, reply.text)
  if (field !== undefined) assert.equal(reply.body.field, field, reply.text)
  if (detail !== undefined) assert.match(reply.body.detail ?? '', detail)
}

const NAMES = new Set<string>()
/** A username that no other test has. */
function name(start: string): string {
  const username = `${start}-${NAMES.size}`
  NAMES.add(username)
  return username
}

describe('REST', { skip: SKIP }, () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  async function pair(): Promise<{ ann: Person; bob: Person; chat: string }> {
    const [ann, bob] = [await server.person(name('ann')), await server.person(name('bob'))]
    const { body, status } = await ann.call<Chat>('POST /chats', { username: bob.username })
    assert.equal(status, 201)
    return { ann, bob, chat: body.id }
  }

  describe('log-in and sessions', () => {
    test('Basic and a JWT give a token; a session gives none', async () => {
      const byBasic = await server.admin.call<Login>('POST /users/login')
      assert.equal(byBasic.status, 200)
      assert.equal(byBasic.body.user.role, 'admin')
      assert.ok(Date.parse(byBasic.body.expiresAt) > Date.now())
      const ann = await server.person(name('ann'))
      const byJwt = await ann.call<Login>('POST /users/login')
      const session = server.as(ann.username, `Bearer ${byJwt.body.token}`)
      assert.equal((await session.call<User>('GET /users/me')).body.username, ann.username)
      const again = await session.call('POST /users/login')
      assert.equal(again.status, 403)
      refused(again, 'forbidden', { detail: /Basic or a JWT/ })
    })

    test('no, broken and wrong credentials are 401, with the challenge and the same words', async () => {
      const { anyone } = server
      const ann = await server.admin.call<User>('POST /users/register', {
        username: name('ann'),
        password: 'right-password',
      })
      const attempts: [string, string][] = [
        ['', 'unauthenticated'],
        ['Bearer', 'bad_credentials'],
        ['Bearer a b', 'bad_credentials'],
        ['Digest abc', 'bad_credentials'],
        ['Basic !!!', 'bad_credentials'],
        ['Basic /w==', 'bad_credentials'],
        [basic(ann.body.username, 'wrong'), 'bad_credentials'],
        [basic('nobody', 'wrong'), 'bad_credentials'],
        [basic('no\0body', 'wrong'), 'bad_credentials'],
        ['Bearer mcs_unknown', 'bad_credentials'],
        ['Bearer a.b.c', 'bad_credentials'],
        [`Bearer ${'x'.repeat(10_000)}`, 'bad_credentials'],
        [
          `Bearer ${await signJwt(SECRET, { username: 'old' }, { expiresInSeconds: -3_600 })}`,
          'token_expired',
        ],
      ]
      for (const [authorization, code] of attempts) {
        const reply = await anyone.call('POST /users/login', undefined, { authorization })
        refused(reply, code)
        assert.equal(reply.status, 401)
        assert.equal(reply.headers.get('www-authenticate'), 'Bearer')
      }
      const [wrong, unknown] = await Promise.all(
        [ann.body.username, 'nobody'].map((username) =>
          anyone.call('GET /unread', undefined, { authorization: basic(username, 'wrong') }),
        ),
      )
      assert.equal(wrong?.text, unknown?.text)
    })

    test('sessions are listed, and end one by one or all at once', async () => {
      const ann = await server.person(name('ann'))
      const [one, two] = await Promise.all(
        [1, 2].map(async () => {
          const { body } = await ann.call<Login>('POST /users/login', undefined, {
            'user-agent': 'test/1',
          })
          return server.as(ann.username, `Bearer ${body.token}`)
        }),
      )
      assert.ok(one && two)
      const { items } = (await one.call<Page<Session>>('GET /users/me/sessions')).body
      assert.equal(items.length, 2)
      assert.equal(items.filter(({ current }) => current === true).length, 1)
      assert.ok(items.every(({ userAgent }) => userAgent === 'test/1'))
      assert.equal((await one.call('DELETE /users/me/sessions/current')).status, 204)
      assert.equal((await one.call('GET /unread')).status, 401)
      const [left] = (await two.call<Page<Session>>('GET /users/me/sessions')).body.items
      assert.equal((await two.call(`DELETE /users/me/sessions/${left?.id}`)).status, 204)
      assert.equal((await two.call('GET /unread')).status, 401)
      const { body } = await ann.call<Login>('POST /users/login')
      const three = server.as(ann.username, `Bearer ${body.token}`)
      assert.equal((await three.call('DELETE /users/me/sessions')).status, 204)
      assert.equal((await three.call('GET /unread')).status, 401)
      refused(await ann.call('GET /unread'), 'bad_credentials', { detail: /logged out everywhere/ })
    })

    test('a session that is not there is 404, whatever its id looks like', async () => {
      const ann = await server.person(name('ann'))
      for (const id of ['current', 'x', randomUUID(), '%00', '%F0%9F%98%80'])
        refused(await ann.call(`DELETE /users/me/sessions/${id}`), 'not_found')
      refused(await ann.call(`DELETE /users/me/sessions/${'x'.repeat(65)}`), 'invalid', {
        field: 'id',
        detail: /^id must have at most 64 characters$/,
      })
    })
  })

  describe('users', () => {
    test('are added, found, listed, changed and deleted by admins', async () => {
      const { admin } = server
      const username = name('zoë/ann +%')
      const path = `/users/${encodeURIComponent(username)}`
      const made = await admin.call<User>('POST /users/register', {
        username,
        password: 'long enough',
        displayName: 'Zoë',
        role: 'user',
        picture: 'https://example.org/zoe.png',
      })
      assert.equal(made.status, 201)
      const { createdAt, ...user } = made.body
      assert.deepEqual(user, {
        username,
        displayName: 'Zoë',
        role: 'user',
        active: true,
        picture: 'https://example.org/zoe.png',
      })
      assert.ok(Date.parse(createdAt) <= Date.now() + 1_000)
      assert.deepEqual((await admin.call<User>(`GET ${path}`)).body, made.body)
      refused(await admin.call('POST /users/register', { username }), 'username_taken', {
        field: '/username',
      })
      const zoe = server.as(username, basic(username, 'long enough'))
      assert.deepEqual((await zoe.call<User>('GET /users/me')).body, made.body)
      const edited = await zoe.call<User>('PATCH /users/me', { displayName: null, picture: null })
      assert.deepEqual(edited.body, { username, role: 'user', active: true, createdAt })
      const found = await admin.call<Page<User>>(
        `GET /users?search=${encodeURIComponent(username.slice(0, 8))}&active=true`,
      )
      assert.deepEqual(found.body, { items: [edited.body] })
      assert.equal((await admin.call(`DELETE ${path}`)).status, 204)
      refused(await admin.call(`GET ${path}`), 'not_found')
      refused(await zoe.call('GET /users/me'), 'bad_credentials')
    })

    test('others see a profile', async () => {
      const { ann, bob } = await pair()
      await bob.call('PATCH /users/me', { displayName: 'Bob' })
      const { body } = await ann.call(`GET /users/${bob.username}`)
      assert.deepEqual(body, { username: bob.username, displayName: 'Bob' })
    })

    test('oneself cannot become an admin, and a new password asks for the current one', async () => {
      const username = name('ann')
      await server.admin.call('POST /users/register', { username, password: 'first password' })
      const ann = server.as(username, basic(username, 'first password'))
      refused(await ann.call('PATCH /users/me', { role: 'admin' }), 'admin_only')
      refused(await ann.call('PATCH /users/me', { active: true }), 'admin_only')
      refused(await ann.call('PATCH /users/me', { password: 'second password' }), 'forbidden', {
        field: '/currentPassword',
      })
      const changed = await ann.call<User>('PATCH /users/me', {
        password: 'second password',
        currentPassword: 'first password',
      })
      assert.equal(changed.status, 200)
      assert.equal((await ann.call('GET /unread')).status, 401)
      const anew = server.as(username, basic(username, 'second password'))
      assert.equal((await anew.call('GET /unread')).status, 200)
    })

    test('the built-in ones stay', async () => {
      for (const username of ['admin', 'system'])
        refused(await server.admin.call(`DELETE /users/${username}`), 'forbidden')
      refused(await server.admin.call('PATCH /users/me', { active: false }), 'forbidden')
    })

    test('a list goes on where its cursor says', async () => {
      const start = name('page')
      for (const n of [1, 2, 3])
        await server.admin.call('POST /users/register', { username: `${start}.${n}` })
      const first = await server.admin.call<Page<User>>(`GET /users?search=${start}&limit=2`)
      const { items, nextCursor = '' } = first.body
      const rest = await server.admin.call<Page<User>>(
        `GET /users?search=${start}&limit=2&cursor=${nextCursor}`,
      )
      assert.deepEqual(
        [...items, ...rest.body.items].map(({ username }) => username),
        [1, 2, 3].map((n) => `${start}.${n}`),
      )
      assert.equal(rest.body.nextCursor, undefined)
    })
  })

  describe('blocks', () => {
    test('[SEND-4] a block stops both, is listed, and goes; twice is once', async () => {
      const { ann, bob, chat } = await pair()
      for (const _ of [1, 2])
        assert.equal((await ann.call(`PUT /users/me/blocks/${bob.username}`)).status, 204)
      const { items } = (await ann.call<Page<Block>>('GET /users/me/blocks')).body
      assert.deepEqual(
        items.map(({ username }) => username),
        [bob.username],
      )
      assert.deepEqual((await bob.call<Page<Block>>('GET /users/me/blocks')).body, { items: [] })
      for (const person of [ann, bob])
        refused(await person.call(`POST /chats/${chat}/messages`, { body: 'hello' }), 'blocked')
      for (const _ of [1, 2])
        assert.equal((await ann.call(`DELETE /users/me/blocks/${bob.username}`)).status, 204)
      const sent = await bob.call<Message>(`POST /chats/${chat}/messages`, { body: 'hello' })
      assert.equal(sent.status, 201)
    })

    test('nobody blocks oneself, the system, or who is not there', async () => {
      const ann = await server.person(name('ann'))
      refused(await ann.call(`PUT /users/me/blocks/${ann.username}`), 'invalid')
      refused(await ann.call('PUT /users/me/blocks/system'), 'forbidden')
      refused(await ann.call('PUT /users/me/blocks/nobody'), 'not_found')
    })
  })

  describe('chats and messages', () => {
    test('a chat is opened once, whoever opens it', async () => {
      const { ann, bob, chat } = await pair()
      for (const [one, other] of [
        [ann, bob],
        [bob, ann],
      ] as const) {
        const again = await one.call<Chat>('POST /chats', {
          kind: 'direct',
          username: other.username,
        })
        assert.deepEqual([again.status, again.body.id], [200, chat])
      }
      const { body } = await ann.call<Chat>(`GET /chats/${chat}`)
      assert.deepEqual(
        new Set(body.members.map(({ username }) => username)),
        new Set([ann.username, bob.username]),
      )
      refused(await ann.call('POST /chats', { username: 'nobody' }), 'not_found')
    })

    test('[SEND-2] [SEND-3] messages are numbered, and the same clientId is one message', async () => {
      const { ann, bob, chat } = await pair()
      const clientId = randomUUID()
      const first = await ann.call<Message>(`POST /chats/${chat}/messages`, { body: '1', clientId })
      const again = await ann.call<Message>(`POST /chats/${chat}/messages`, { body: '1', clientId })
      assert.deepEqual([first.status, again.status], [201, 201])
      assert.deepEqual(again.body, first.body)
      const { createdAt: _, ...message } = first.body
      assert.deepEqual(message, { chatId: chat, seq: 1, sender: ann.username, body: '1', clientId })
      const other = await ann.call(`POST /chats/${chat}/messages`, { body: 'other', clientId })
      assert.equal(other.status, 409)
      refused(other, 'client_id_reused', { field: '/clientId' })
      const answer = await bob.call<Message>(`POST /chats/users/${ann.username}/messages`, {
        body: '😀 \u202E \\ " <b>',
      })
      assert.deepEqual([answer.body.seq, answer.body.body], [2, '😀 \u202E \\ " <b>'])
      const { body } = await bob.call<History>(`GET /chats/${chat}/messages`)
      assert.deepEqual(
        body.items.map(({ seq }) => seq),
        [1, 2],
      )
      assert.deepEqual([body.hasBefore, body.hasAfter], [false, false])
    })

    test('[READ-3] history goes before, after and around a seq', async () => {
      const { ann, chat } = await pair()
      for (let n = 1; n <= 9; n += 1)
        await ann.call(`POST /chats/${chat}/messages`, { body: String(n) })
      const pages: Record<string, [number[], boolean, boolean]> = {
        'limit=3': [[7, 8, 9], true, false],
        'before=4&limit=2': [[2, 3], true, true],
        'after=7': [[8, 9], true, false],
        'around=5&limit=3': [[4, 5, 6], true, true],
        'after=2147483647': [[], true, false],
      }
      for (const [query, [seqs, hasBefore, hasAfter]] of Object.entries(pages)) {
        const { body } = await ann.call<History>(`GET /chats/${chat}/messages?${query}`)
        assert.deepEqual(
          [body.items.map(({ seq }) => seq), body.hasBefore, body.hasAfter],
          [seqs, hasBefore, hasAfter],
          query,
        )
      }
      refused(await ann.call(`GET /chats/${chat}/messages?before=1&after=1`), 'invalid')
    })

    test('[READ-1] [READ-2] reading moves unread, and the badge follows', async () => {
      const { ann, bob, chat } = await pair()
      for (const body of ['1', '2', '3']) await ann.call(`POST /chats/${chat}/messages`, { body })
      assert.deepEqual((await bob.call<Unread>('GET /unread')).body, { total: 3, chats: 1 })
      assert.deepEqual((await ann.call<Unread>('GET /unread')).body, { total: 0, chats: 0 })
      const read = await bob.call<ReadState>(`PUT /chats/${chat}/read`, { seq: 2 })
      assert.deepEqual([read.body.seq, read.body.unread], [2, 1])
      const back = await bob.call<ReadState>(`PUT /chats/${chat}/read`, { seq: 1 })
      assert.equal(back.body.seq, 2)
      const unread = await bob.call<ReadState>(`PUT /chats/${chat}/read`, { seq: 0, unread: true })
      assert.deepEqual([unread.body.seq, unread.body.unread], [0, 3])
      refused(await bob.call(`PUT /chats/${chat}/read`, { seq: 4 }), 'invalid', {
        field: '/seq',
        detail: /last seq is 3/,
      })
    })

    test('the list: newest first, pinned before all, archived and unread apart', async () => {
      const ann = await server.person(name('ann'))
      const others = [await server.person(name('x')), await server.person(name('y'))]
      for (const other of others) {
        await other.call(`POST /chats/users/${ann.username}/messages`, { body: other.username })
      }
      const list = async (query = '') => {
        const { body } = await ann.call<Page<Chat>>(`GET /chats${query}`)
        return body.items.map(({ lastMessage }) => lastMessage?.body)
      }
      const [x, y] = others.map(({ username }) => username)
      assert.deepEqual(await list(), [y, x])
      const { items } = (await ann.call<Page<Chat>>('GET /chats?limit=1')).body
      const one = await ann.call<Page<Chat>>('GET /chats?limit=1')
      assert.deepEqual(await list(`?limit=1&cursor=${one.body.nextCursor}`), [x])
      const [older] = (await ann.call<Page<Chat>>('GET /chats')).body.items.slice(1)
      const pinned = await ann.call<Chat>(`PATCH /chats/${older?.id}`, { pinned: true })
      assert.equal(pinned.body.pinned, true)
      assert.deepEqual(await list(), [x, y])
      await ann.call(`PATCH /chats/${items[0]?.id}`, { archived: true })
      assert.deepEqual([await list(), await list('?archived=true')], [[x], [y]])
      await ann.call(`PUT /chats/${older?.id}/read`, { seq: 1 })
      assert.deepEqual([await list('?unread=true'), await list('?unread=false')], [[], [x]])
    })

    test('[READ-4] a deleted chat is gone for me until a new message', async () => {
      const { ann, bob, chat } = await pair()
      await ann.call(`POST /chats/${chat}/messages`, { body: '1' })
      assert.equal((await ann.call(`DELETE /chats/${chat}`)).status, 204)
      assert.deepEqual((await ann.call<Page<Chat>>('GET /chats')).body.items, [])
      await bob.call(`POST /chats/${chat}/messages`, { body: '2' })
      const { body } = await ann.call<History>(`GET /chats/${chat}/messages`)
      assert.deepEqual(
        body.items.map(({ seq }) => seq),
        [2],
      )
    })

    test('muting ends by itself, now or at a time to come', async () => {
      const { ann, chat } = await pair()
      const mutedUntil = '2999-01-01T00:00:00.000Z'
      const muted = await ann.call<Chat>(`PATCH /chats/${chat}`, { mutedUntil })
      assert.deepEqual([muted.body.muted, muted.body.mutedUntil], [true, mutedUntil])
      const loud = await ann.call<Chat>(`PATCH /chats/${chat}`, { muted: false })
      assert.equal(loud.body.muted, undefined)
      for (const wrong of ['2001-01-01T00:00:00Z', '2999-13-45T99:99:99Z'])
        refused(await ann.call(`PATCH /chats/${chat}`, { mutedUntil: wrong }), 'invalid', {
          field: '/mutedUntil',
        })
    })

    test('admins send as the system, which cannot be answered', async () => {
      const ann = await server.person(name('ann'))
      const address = `POST /chats/users/${ann.username}/messages`
      const sent = await server.admin.call<Message>(address, { body: 'welcome', as: 'system' })
      assert.equal(sent.body.sender, 'system')
      refused(await ann.call(address, { body: 'x', as: 'system' }), 'admin_only')
      const { chatId } = sent.body
      refused(await ann.call(`POST /chats/${chatId}/messages`, { body: 'thanks' }), 'forbidden')
      refused(await ann.call('POST /chats/users/system/messages', { body: 'hi' }), 'forbidden')
    })
  })

  describe('what is asked wrongly', () => {
    interface Case {
      address: string
      json?: unknown
      code?: string
      field?: string
      detail: RegExp
    }
    const cases: Case[] = [
      { address: 'GET /chats?limit=101', field: 'limit', detail: /^limit must be at most 100$/ },
      { address: 'GET /chats?limit=0', field: 'limit', detail: /^limit must be at least 1$/ },
      { address: 'GET /chats?limit=x', field: 'limit', detail: /^limit must be an integer$/ },
      { address: 'GET /chats?limit=1.5', field: 'limit', detail: /integer/ },
      { address: 'GET /chats?limit=1e400', field: 'limit', detail: /integer/ },
      { address: 'GET /chats?limit=1000000000', field: 'limit', detail: /at most 100/ },
      { address: 'GET /chats?limit=', field: 'limit', detail: /integer/ },
      { address: 'GET /users?active=1', field: 'active', detail: /boolean/ },
      { address: 'GET /chats?limit=1&limit=2', field: 'limit', detail: /integer/ },
      { address: 'GET /chats?unread=maybe', field: 'unread', detail: /"true" or "false"/ },
      { address: 'GET /chats?page=2', field: 'page', detail: /^page is not a field here/ },
      { address: 'GET /chats?__proto__=2', field: '__proto__', detail: /not a field/ },
      { address: 'GET /unread?x=1', field: 'x', detail: /not a field/ },
      {
        address: 'GET /chats?cursor=xyz',
        code: 'invalid_cursor',
        field: 'cursor',
        detail: /leave/,
      },
      {
        address: `GET /chats?cursor=${Buffer.from('["","a","b","c"]').toString('base64url')}`,
        code: 'invalid_cursor',
        field: 'cursor',
        detail: /^/,
      },
      {
        address: `GET /chats?cursor=${Buffer.from('["1","2024-01-01","300000-01-01 00:00:00+00","x"]').toString('base64url')}`,
        code: 'invalid_cursor',
        field: 'cursor',
        detail: /^/,
      },
      {
        address: `GET /users/me/blocks?cursor=${Buffer.from('["\\u0000"]').toString('base64url')}`,
        code: 'invalid_cursor',
        field: 'cursor',
        detail: /leave it out/,
      },
      { address: `GET /users/${'x'.repeat(129)}`, field: 'username', detail: /at most 128/ },
      { address: `GET /users/${'x'.repeat(10_000)}`, field: 'username', detail: /at most 128/ },
      { address: 'GET /users/', field: 'username', detail: /must not be empty/ },
      { address: `GET /chats/${'x'.repeat(65)}`, field: 'chatId', detail: /at most 64/ },
      { address: 'GET /users/%00', code: 'not_found', detail: /no such user/ },
      { address: 'GET /users/no-such', code: 'not_found', detail: /no such user/ },
      { address: 'GET /users/__proto__', code: 'not_found', detail: /no such user/ },
      { address: "GET /users/'%20OR%201=1--", code: 'not_found', detail: /no such user/ },
      { address: 'GET /users/..%2F..%2Fetc%2Fpasswd', code: 'not_found', detail: /no such user/ },
      { address: 'GET /chats/not-a-uuid', code: 'not_found', detail: /no such chat/ },
      { address: 'GET /chats/%00/messages', code: 'not_found', detail: /no such chat/ },
      { address: 'GET /chats/x/messages?before=2147483648', field: 'before', detail: /at most/ },
      {
        address: 'GET /chats/x/messages?before=9223372036854775808',
        field: 'before',
        detail: /at most/,
      },
      { address: 'GET /chats/x/messages?before=-1', field: 'before', detail: /at least 0/ },
      { address: 'POST /chats', json: {}, field: '/username', detail: /`username`; for a group/ },
      { address: 'POST /chats', json: [], field: '', detail: /^The body must be an object$/ },
      { address: 'POST /chats', json: null, detail: /needs a body/ },
      { address: 'POST /chats', json: 'x', field: '', detail: /must be an object/ },
      { address: 'POST /chats', json: { username: 5 }, field: '/username', detail: /a string/ },
      { address: 'POST /chats', json: { username: '' }, field: '/username', detail: /empty/ },
      {
        address: 'POST /chats',
        json: { username: 'x'.repeat(10_240) },
        field: '/username',
        detail: /128/,
      },
      {
        address: 'POST /chats',
        json: { username: 'x', admin: true },
        field: '/admin',
        detail: /^\/admin is not a field here; leave it out$/,
      },
      {
        address: 'POST /chats',
        json: { username: 'x', 'a/b~c': 1 },
        field: '/a~1b~0c',
        detail: /not a field/,
      },
      { address: 'POST /chats', json: { username: '\0' }, code: 'not_found', detail: /user/ },
      { address: 'POST /chats', json: { username: '\uD800' }, code: 'not_found', detail: /user/ },
      {
        address: 'PATCH /users/me',
        json: { role: 'boss' },
        field: '/role',
        detail: /"user" or "ad/,
      },
      {
        address: 'PATCH /users/me',
        json: { displayName: '' },
        field: '/displayName',
        detail: /em/,
      },
      {
        address: 'PATCH /users/me',
        json: { displayName: '\u200B\u202E' },
        code: 'invalid_text',
        field: '/displayName',
        detail: /no visible/,
      },
      {
        address: 'PATCH /users/me',
        json: { picture: 'javascript:alert(1)' },
        field: '/picture',
        detail: /form/,
      },
      { address: 'PATCH /chats/x', json: { pinned: 'true' }, field: '/pinned', detail: /boolean/ },
      { address: 'PUT /chats/x/read', json: { seq: '1' }, field: '/seq', detail: /an integer/ },
      { address: 'PUT /chats/x/read', json: { seq: 2 ** 63 }, field: '/seq', detail: /at most/ },
      { address: 'PUT /chats/x/read', json: { seq: 1.5 }, field: '/seq', detail: /an integer/ },
    ]
    for (const { address, json, code = 'invalid', field, detail } of cases) {
      const shown = `${address.slice(0, 70)} ${json === undefined ? '' : JSON.stringify(json).slice(0, 50)}`
      test(`${shown} is ${code}${field ? ` at ${field}` : ''}`, async () => {
        const ann = await server.person('ann')
        refused(await ann.call(address, json), code, {
          ...(field === undefined ? {} : { field }),
          detail,
        })
      })
    }

    test('texts that cannot be stored, or are too long or empty, are refused', async () => {
      const { ann, chat } = await pair()
      const wrong: [unknown, string][] = [
        ['a\0b', 'invalid_text'],
        ['\uDC00', 'invalid_text'],
        ['', 'invalid'],
        [' \n', 'invalid'],
        ['x'.repeat(8_001), 'invalid'],
        [5, 'invalid'],
        [{ toString: 'x' }, 'invalid'],
      ]
      for (const [body, code] of wrong)
        refused(await ann.call(`POST /chats/${chat}/messages`, { body }), code, { field: '/body' })
      const most = await ann.call<Message>(`POST /chats/${chat}/messages`, {
        body: '😀'.repeat(8_000),
      })
      assert.equal(most.status, 201)
      for (const forged of [{ sender: 'admin' }, { seq: 1 }, { createdAt: 'x' }])
        refused(
          await ann.call(`POST /chats/${chat}/messages`, { body: 'x', ...forged }),
          'invalid',
          {
            field: `/${Object.keys(forged)[0]}`,
          },
        )
    })

    test('usernames that could pose as another are not registered', async () => {
      for (const username of ['a\u202Eb', ' a', 'a\0', '\uD800', 'me', '__proto__'])
        assert.equal((await server.admin.call('POST /users/register', { username })).status, 400)
      const long = await server.admin.call('POST /users/register', {
        username: name('x'),
        password: 'x'.repeat(1_025),
      })
      refused(long, 'invalid')
    })
  })

  describe('bodies', () => {
    let ann: Person
    before(async () => {
      ann = await server.person(name('ann'))
    })
    const post = (bytes: string | Uint8Array, type = 'application/json') =>
      server.call('POST /chats', {
        bytes,
        headers: { authorization: ann.authorization, 'content-type': type },
      })

    test('prototypes in JSON are fields that nobody knows', async () => {
      const known = { username: 'x' }
      for (const field of ['__proto__', 'constructor']) {
        const bytes = `{"username":"x","${field}":{"prototype":{"admin":1},"admin":1}}`
        refused(await post(bytes), 'invalid', { field: `/${field}` })
      }
      refused(await post(`{"username":{"__proto__":{"admin":1}}}`), 'invalid')
      assert.equal('admin' in known, false)
    })

    test('broken JSON says where', async () => {
      refused(await post('{"username":"x",}'), 'invalid_json', { detail: /JSON/ })
      for (const bytes of ['{', 'x', '{"username":1e}', '"\\u12"', '\uFEFF{}'])
        refused(await post(bytes), 'invalid_json', { detail: /./ })
    })

    test('bytes that are not UTF-8 are refused', async () => {
      const bytes = Buffer.concat([
        Buffer.from('{"username":"'),
        Buffer.from([0xff]),
        Buffer.from('"}'),
      ])
      refused(await post(bytes), 'invalid_utf8')
      const surrogate = Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])
      refused(await post(surrogate), 'invalid_utf8')
    })

    test('numbers beyond all numbers are refused', async () => {
      const put = (seq: string) =>
        server.call('PUT /chats/x/read', {
          bytes: `{"seq":${seq}}`,
          headers: { authorization: ann.authorization, 'content-type': 'application/json' },
        })
      for (const seq of ['1e400', '-1e400', '9223372036854775808', '1e-400'])
        assert.ok([400, 404].includes((await put(seq)).status), seq)
    })

    test('depth costs nothing', async () => {
      for (const bytes of [
        '['.repeat(30_000),
        '['.repeat(30_000) + ']'.repeat(30_000),
        `{"username":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
        '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000),
      ]) {
        const start = performance.now()
        assert.equal((await post(bytes)).status, 400)
        assert.ok(performance.now() - start < 500)
      }
    })

    test('64 KB pass, one byte more does not, announced or not', async () => {
      const full = `{"username":"x","y":"${'y'.repeat(65_536 - 23)}"}`
      assert.equal(full.length, 65_536)
      refused(await post(full), 'invalid', { field: '/y' })
      const over = await post(`${full} `)
      assert.equal(over.status, 413)
      refused(over, 'too_large', { detail: /64 KB/ })
      const chunked = await server.raw(
        [
          'POST /chats HTTP/1.1',
          'Host: x',
          `Authorization: ${ann.authorization}`,
          'Content-Type: application/json',
          'Transfer-Encoding: chunked',
          '',
          `${(70_000).toString(16)}`,
          'x'.repeat(70_000),
          '0',
          '',
          '',
        ].join('\r\n'),
      )
      assert.match(chunked, /^HTTP\/1\.1 413 /)
      assert.match(chunked, /"code":"too_large"/)
    })

    test('only JSON in UTF-8 is taken', async () => {
      for (const type of [
        'application/json',
        'Application/JSON; charset=UTF-8',
        'application/json;charset="utf-8"',
      ])
        refused(await post('{}', type), 'invalid', { field: '/username' })
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/json\ta',
        'application/jsonx',
        'application/json; charset=latin1',
        'application/json; charset=utf-8; x=y',
        'application/json, text/plain',
        'application/problem+json',
        'json',
        '*/*',
      ]) {
        const reply = await post('{"username":"x"}', type)
        assert.equal(reply.status, 415, type)
        refused(reply, 'wrong_type')
      }
    })

    test('a body without a type is refused, also on a raw connection', async () => {
      for (const type of [[], ['Content-Type:'], ['Content-Type: application/json\ta']]) {
        const lines = ['Host: x', `Authorization: ${ann.authorization}`, ...type]
        const head = ['POST /chats HTTP/1.1', ...lines, 'Content-Length: 16', '', ''].join('\r\n')
        const text = await server.raw(`${head}{"username":"x"}`)
        assert.match(text, /^HTTP\/1\.1 415 /)
        assert.match(text, /"code":"wrong_type"/)
      }
    })

    test('no body where one is needed is 400; one where none is needed is not looked at', async () => {
      const headers = { authorization: ann.authorization }
      for (const { method, path, body } of ROUTES.filter((route) => route.access === 'user')) {
        const seq = path.replace(':seq', '1').replace(':emoji', encodeURIComponent('👍'))
        const address = `${method} ${seq.replaceAll(/:\w+/g, randomUUID())}`
        if (body)
          refused(await server.call(address, { headers }), 'invalid', { detail: /needs a bo/ })
        else if (method === 'DELETE' && path !== '/users/me/sessions') {
          const reply = await ann.call(address, { anything: 1 })
          assert.ok([204, 404].includes(reply.status), address)
          const form = await server.call(address, {
            bytes: 'a=b',
            headers: { ...headers, 'content-type': 'text/plain' },
          })
          assert.ok([204, 404].includes(form.status), address)
        }
      }
      const lines = ['GET /unread HTTP/1.1', 'Host: x', `Authorization: ${ann.authorization}`]
      const text = await server.raw([...lines, 'Content-Length: 3', '', 'abc'].join('\r\n'))
      assert.match(text, /^HTTP\/1\.1 200 /)
    })
  })

  describe('addresses', () => {
    test('an unknown one is 404 for everyone, before anything else', async () => {
      for (const address of ['GET /', 'GET /nothing', 'POST /users/a/b', 'GET /unread/']) {
        const reply = await server.anyone.call(address)
        assert.equal(reply.status, 404)
        refused(reply, 'not_found', { detail: /\/docs lists them/ })
      }
      const broken = await server.call('POST /nothing?token=x', {
        bytes: '{',
        headers: { 'content-type': 'text/plain' },
      })
      refused(broken, 'not_found')
    })

    test('a method that is not there is 405 with those that are', async () => {
      const allowed: Record<string, string> = {
        'DELETE /users': 'GET, HEAD, OPTIONS',
        'POST /chats/x': 'GET, HEAD, PATCH, DELETE, OPTIONS',
        'PUT /chats': 'GET, HEAD, POST, OPTIONS',
        'POST /unread': 'GET, HEAD, OPTIONS',
        'PUT /users/login': 'POST, GET, HEAD, PATCH, DELETE, OPTIONS',
        'PATCH /health/live': 'GET, HEAD, OPTIONS',
      }
      for (const [address, allow] of Object.entries(allowed)) {
        const reply = await server.anyone.call(address)
        assert.equal(reply.status, 405)
        refused(reply, 'method_not_allowed')
        assert.equal(reply.headers.get('allow'), allow, address)
      }
      for (const method of ['TRACE', 'PROPFIND', 'SEARCH']) {
        const text = await server.raw(`${method} /unread HTTP/1.1\r\nHost: x\r\n\r\n`)
        assert.match(text, /^HTTP\/1\.1 405 /)
        assert.match(text, /allow: GET, HEAD, OPTIONS/i)
      }
    })

    test('OPTIONS tells the methods of every address', async () => {
      for (const { method, path } of ROUTES) {
        const { status, headers } = await server.call(`OPTIONS ${path.replaceAll(/:\w+/g, 'x')}`)
        assert.equal(status, 204)
        assert.ok(headers.get('allow')?.split(', ').includes(method), path)
      }
      assert.equal((await server.call('OPTIONS /nothing')).status, 404)
    })

    test('HEAD answers like GET, without the body', async () => {
      const get = await server.call<unknown>('GET /health/live')
      const head = await server.call('HEAD /health/live')
      assert.deepEqual([head.status, head.text], [200, ''])
      assert.equal(head.headers.get('content-length'), get.headers.get('content-length'))
      assert.equal((await server.call('HEAD /unread')).status, 401)
    })

    test('credentials in an address are refused', async () => {
      for (const query of ['token=x', 'access_token=x', 'jwt=x', 'JWT=', 'a=b&%74oken=x'])
        for (const address of ['GET /unread', 'GET /docs', 'POST /users/login']) {
          const reply = await server.anyone.call(`${address}?${query}`)
          assert.equal(reply.status, 400)
          refused(reply, 'token_in_url', { detail: /Authorization: Bearer/ })
        }
    })

    test('malformed ones are 400', async () => {
      for (const path of [
        '/users/%',
        '/users/%zz',
        '/users/%ff',
        '/users/%ED%A0%80',
        '/no/%C0%80',
      ]) {
        const text = await server.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        assert.match(text, /^HTTP\/1\.1 400 /, path)
        assert.match(text, /"code":"invalid_url"/, path)
        assert.match(text, /x-content-type-options: nosniff/i)
      }
      for (const target of ['*', 'http://other/unread', 'unread']) {
        const text = await server.raw(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
        assert.match(text, /^HTTP\/1\.1 40[04] /, target)
        assert.match(text, /application\/problem\+json/, target)
      }
    })
  })

  describe('headers', () => {
    test('what no parser takes is answered with a problem, too, and the connection ends', async () => {
      const wrong: Record<string, [string, string]> = {
        [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]: [
          '431',
          'headers_too_large',
        ],
        'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n': ['400', 'invalid'],
        'nonsense\r\n\r\n': ['400', 'invalid'],
        'GET /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n': [
          '400',
          'inv',
        ],
        'POST /chats HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc':
          ['400', 'invalid'],
        'POST /users/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n': ['400', 'invalid'],
      }
      for (const [bytes, [status, code]] of Object.entries(wrong)) {
        const text = await server.raw(bytes)
        const [head = '', body = ''] = text.split('\r\n\r\n')
        assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), bytes.slice(0, 40))
        assert.match(head, /connection: close/i)
        assert.match(head, /x-content-type-options: nosniff/i)
        const problem = JSON.parse(body) as Problem
        const headers = new Headers({ 'content-type': 'application/problem+json' })
        checkProblem({ status: Number(status), headers, text: body, body: problem }, undefined)
        assert.ok(problem.code.startsWith(code), problem.code)
      }
      const { status } = await server.call('GET /health/live')
      assert.equal(status, 200)
    })

    test('2,000 headers do no harm', async () => {
      const many = Array.from({ length: 2_000 }, (_, n) => `${n.toString(36)}:`).join('\r\n')
      const text = await server.raw(`GET /health/live HTTP/1.1\r\nHost: x\r\n${many}\r\n\r\n`)
      assert.match(text, /^HTTP\/1\.1 (200|431) /)
    })

    test('a request has its id, also where it is refused', async () => {
      const ids = await Promise.all(
        ['GET /health/live', 'GET /nothing', 'GET /unread'].map(async (address) => {
          const { headers } = await server.anyone.call(address, undefined, {
            'x-request-id': 'mine',
            'request-id': 'mine',
          })
          return headers.get('x-request-id')
        }),
      )
      assert.equal(new Set(ids).size, 3)
      assert.ok(!ids.includes('mine'))
    })
  })

  describe('Idempotency-Key', () => {
    test('replays the first answer, to the same user and the same request alone', async () => {
      const { admin } = server
      const headers = { 'idempotency-key': randomUUID() }
      const body = { username: name('ann'), password: 'long enough' }
      const first = await admin.call<User>('POST /users/register', body, headers)
      const again = await admin.call<User>('POST /users/register', body, headers)
      assert.deepEqual([first.status, again.status], [201, 201])
      assert.deepEqual(again.body, first.body)
      const other = await admin.call('POST /users/register', { username: name('x') }, headers)
      assert.equal(other.status, 409)
      refused(other, 'idempotency_key_reused', { field: 'Idempotency-Key' })
      refused(
        await admin.call('POST /chats', { username: body.username }, headers),
        'idempotency_key_reused',
      )
      const [ann, bob] = [await server.person(name('ann')), await server.person(name('bob'))]
      const opened = await ann.call<Chat>('POST /chats', { username: bob.username }, headers)
      const replayed = await ann.call<Chat>('POST /chats', { username: bob.username }, headers)
      assert.deepEqual([opened.status, replayed.status], [201, 201])
      assert.deepEqual(replayed.body, opened.body)
    })

    test('a call that failed frees its key', async () => {
      const headers = { 'idempotency-key': randomUUID() }
      const username = name('late')
      const ann = await server.person(name('ann'))
      refused(await ann.call('POST /chats', { username }, headers), 'not_found')
      await server.person(username)
      assert.equal((await ann.call<Chat>('POST /chats', { username }, headers)).status, 201)
    })

    test('while the first call is at work, the second is told to wait', async () => {
      const headers = { 'idempotency-key': randomUUID() }
      const body = { username: name('ann') }
      const register = () => server.admin.call('POST /users/register', body, headers)
      let first: Promise<Reply> | undefined
      await server.db.transaction(async (tx) => {
        await tx.query('LOCK TABLE users IN SHARE MODE')
        first = register()
        const lock = `SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
          WHERE locktype = 'advisory' AND d.datname = current_database()`
        for (let ms = 0; (await tx.query(lock)).length === 0; ms += 5) {
          assert.ok(ms < 1_000, 'the first call has not locked its key')
          await setTimeout(5)
        }
        const second = await register()
        assert.equal(second.status, 409)
        refused(second, 'in_progress')
        assert.equal(second.headers.get('retry-after'), '1')
      })
      assert.equal((await first)?.status, 201)
    })

    test('two at once are done once', async () => {
      const headers = { 'idempotency-key': randomUUID() }
      const body = { username: name('ann') }
      const replies = await Promise.all(
        Array.from({ length: 5 }, () => server.admin.call('POST /users/register', body, headers)),
      )
      const statuses = replies.map(({ status }) => status)
      assert.ok(statuses.includes(201))
      assert.ok(statuses.every((status) => status === 201 || status === 409))
      assert.ok(replies.every((reply) => reply.status === 201 || reply.body.code === 'in_progress'))
    })

    test('a key that is none is refused', async () => {
      for (const key of ['', 'a b', 'x'.repeat(201), 'ä'])
        refused(
          await server.admin.call(
            'POST /users/register',
            { username: 'x' },
            { 'idempotency-key': key },
          ),
          'invalid',
          { field: 'Idempotency-Key' },
        )
    })
  })

  describe('documents', () => {
    test('OpenAPI has every call, its schemas, and no reference into the void', async () => {
      const { body, headers } = await server.call<OpenApi>('GET /openapi.json')
      assert.match(headers.get('content-type') ?? '', /^application\/json/)
      assert.equal(body.openapi, '3.1.0')
      const listed = Object.entries(body.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(
          ([method, { operationId }]) => `${method} ${path} ${operationId}`,
        ),
      )
      assert.deepEqual(
        new Set(listed),
        new Set(
          ROUTES.map(({ method, path, name: id }) => {
            return `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')} ${id}`
          }),
        ),
      )
      const text = JSON.stringify(body)
      const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, ref]) => ref ?? '')
      assert.deepEqual(new Set(names), new Set(Object.keys(body.components.schemas)))
      const register = body.paths['/users/register']?.post
      assert.deepEqual(
        register?.parameters.map((parameter) => parameter.name),
        ['Idempotency-Key'],
      )
      assert.deepEqual(body.paths['/health/live']?.get?.security, [])
    })

    test('the page has every call, event and error, no script, and no link into the void', async () => {
      const { text, headers } = await server.call<unknown>('GET /docs')
      assert.match(headers.get('content-type') ?? '', /^text\/html; charset=utf-8/)
      assert.equal(
        headers.get('content-security-policy'),
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
      )
      assert.doesNotMatch(text, /<script| on\w+=| style=|undefined|\[object/)
      const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
      assert.equal(new Set(ids).size, ids.length)
      for (const [, target] of text.matchAll(/ href="#([^"]+)"/g))
        assert.ok(ids.includes(target), target)
      for (const id of [
        ...ROUTES.map((route) => route.name),
        'event-message.created',
        'call-sync',
        'error-blocked',
      ])
        assert.ok(ids.includes(id), id)
      // What has no topic of its own would be here.
      for (const { path, access } of ROUTES)
        assert.equal(topicOf(path) === 'The server', access === 'public', path)
      const style = await server.call<unknown>('GET /docs/style.css')
      assert.match(style.headers.get('content-type') ?? '', /^text\/css/)
      assert.match(style.text, /prefers-color-scheme: dark/)
    })
  })

  test('100 people at once', async () => {
    const { ann, chat } = await pair()
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        ann.call<Message>(`POST /chats/${chat}/messages`, { body: String(n) }),
      ),
    )
    assert.deepEqual(
      replies.map(({ body }) => body.seq).sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, n) => n + 1),
    )
  })
})

interface OpenApi {
  openapi: string
  paths: Record<
    string,
    Record<string, { operationId: string; security?: unknown[]; parameters: { name: string }[] }>
  >
  components: { schemas: Record<string, unknown> }
}

describe('REST, set up otherwise', { skip: SKIP }, () => {
  async function withServer(
    options: Parameters<typeof startServer>[0],
    work: (server: TestServer) => Promise<void>,
  ): Promise<void> {
    const server = await startServer(options)
    try {
      await work(server)
    } finally {
      await server.stop()
    }
  }

  test('limits answer 429 with Retry-After and the RateLimit fields', async () => {
    const settings = {
      MICROCHATTER_LIMITS: 'on',
      MICROCHATTER_RATES_SENDS_BURST: '2',
      MICROCHATTER_RATES_SENDS_PER_MINUTE: '1',
      MICROCHATTER_RATES_CALLS_PER_SECOND: '5',
      MICROCHATTER_RATES_LOGIN_FAILURES_PER_ACCOUNT: '2',
    }
    await withServer({ settings }, async (server) => {
      const [ann] = [await server.person('ann'), await server.person('bob')]
      const send = () => ann.call('POST /chats/users/bob/messages', { body: 'x' })
      await send()
      await send()
      const reply = await send()
      assert.equal(reply.status, 429)
      refused(reply, 'rate_limited', { detail: /try again in \d+ s/ })
      const after = Number(reply.headers.get('retry-after'))
      assert.equal(after, Math.ceil((reply.body.retryAfterMs ?? 0) / 1_000))
      assert.ok(after > 50 && after <= 60)
      assert.equal(reply.headers.get('ratelimit-policy'), '"messages";q=2;w=120')
      assert.equal(reply.headers.get('ratelimit'), `"messages";r=0;t=${after}`)
      const calls = await Promise.all(Array.from({ length: 15 }, () => ann.call('GET /unread')))
      const over = calls.find(({ status }) => status === 429)
      assert.equal(over?.headers.get('ratelimit-policy'), '"calls";q=10;w=2')
      const wrong = () => server.as('bob', basic('bob', 'wrong')).call('POST /users/login')
      assert.deepEqual([(await wrong()).status, (await wrong()).status], [401, 401])
      const slowed = await wrong()
      assert.equal(slowed.headers.get('ratelimit-policy'), '"failed-log-ins";q=2;w=600')
    })
  })

  test('pages of listed origins alone may read, and none with credentials', async () => {
    const settings = { MICROCHATTER_ORIGINS: 'https://a.example,https://b.example:8443' }
    await withServer({ settings }, async (server) => {
      const ask = (origin: string, address = 'GET /unread') =>
        server.call(address, {
          headers: { origin, 'access-control-request-method': 'POST' },
        })
      for (const origin of ['https://a.example', 'https://b.example:8443']) {
        const { headers, status } = await ask(origin)
        assert.equal(status, 401)
        assert.equal(headers.get('access-control-allow-origin'), origin)
        assert.equal(headers.get('access-control-allow-credentials'), null)
        assert.equal(
          headers.get('access-control-expose-headers'),
          'Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Location, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset',
        )
        const preflight = await ask(origin, 'OPTIONS /chats')
        assert.equal(preflight.status, 204)
        assert.equal(preflight.headers.get('access-control-allow-origin'), origin)
        assert.equal(
          preflight.headers.get('access-control-allow-headers'),
          'authorization, content-type, idempotency-key, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset',
        )
        assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PATCH/)
      }
      for (const origin of [
        'https://evil.example',
        'https://a.example.evil.example',
        'http://a.example',
        'https://a.example:444',
        'https://A.example',
        'http://localhost:3000',
        'null',
      ])
        for (const address of ['GET /unread', 'OPTIONS /chats']) {
          const { headers } = await ask(origin, address)
          for (const [header] of headers)
            assert.ok(!header.startsWith('access-control-'), `${origin} got ${header}`)
        }
      const plain = await server.call('OPTIONS /chats')
      assert.equal(plain.headers.get('allow'), 'GET, HEAD, POST, OPTIONS')
    })
  })

  test('while developing, pages of this machine may read, and no others', async () => {
    await withServer({}, async (server) => {
      const allowed = async (origin: string) => {
        const { headers } = await server.call('GET /health/live', { headers: { origin } })
        return headers.get('access-control-allow-origin') === origin
      }
      for (const origin of ['http://localhost:5173', 'https://localhost', 'http://127.0.0.1:8080'])
        assert.ok(await allowed(origin), origin)
      for (const origin of [
        'http://localhost.evil.example',
        'http://evil.example#localhost',
        'http://localhost@evil.example',
        'file://localhost',
        'null',
        'https://example.org',
      ])
        assert.ok(!(await allowed(origin)), origin)
    })
  })

  test('X-Forwarded-… counts from listed proxies alone', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' }
    const address = async (server: TestServer) => {
      await server.admin.call('POST /users/login', undefined, headers)
      const { body } = await server.admin.call<Page<Session>>('GET /users/me/sessions')
      return body.items[0]?.address
    }
    await withServer({ settings: { MICROCHATTER_TRUST_PROXY: '127.0.0.1' } }, async (server) => {
      assert.equal(await address(server), '203.0.113.7')
      const secure = await server.call('GET /health/live', { headers })
      assert.equal(secure.headers.get('strict-transport-security'), 'max-age=31536000')
      const plain = await server.call('GET /health/live')
      assert.equal(plain.headers.get('strict-transport-security'), null)
    })
    await withServer({ settings: { MICROCHATTER_TRUST_PROXY: '10.0.0.0/8' } }, async (server) => {
      assert.equal(await address(server), '127.0.0.1')
      const forged = await server.call('GET /health/live', { headers })
      assert.equal(forged.headers.get('strict-transport-security'), null)
    })
  })

  test('production takes Basic over HTTPS only', async () => {
    const settings = {
      NODE_ENV: 'production',
      MICROCHATTER_LIMITS: 'on',
      MICROCHATTER_PUBLIC_URL: 'https://chat.example.org',
      MICROCHATTER_ORIGINS: 'https://example.org',
      MICROCHATTER_TRUST_PROXY: '127.0.0.1',
    }
    await withServer({ settings, owner: true }, async (server) => {
      const open = await server.admin.call('GET /unread')
      assert.equal(open.status, 403)
      refused(open, 'insecure', { detail: /HTTPS/ })
      const https = { 'x-forwarded-proto': 'https' }
      assert.equal((await server.admin.call('GET /unread', undefined, https)).status, 200)
      const ann = await server.person('ann')
      assert.equal((await ann.call('GET /unread')).status, 200)
      const local = await server.call('GET /health/live', {
        headers: { origin: 'http://localhost:5173' },
      })
      assert.equal(local.headers.get('access-control-allow-origin'), null)
    })
  })

  test('a database that is away is 503 with Retry-After, and the process lives', async () => {
    await withServer({}, async (server) => {
      const ann = await server.person('ann')
      assert.equal((await server.call('GET /health/ready')).status, 200)
      await server.dropDatabase()
      const calls = ['GET /unread', 'GET /chats', 'POST /users/login'].map((call) => ann.call(call))
      for (const reply of await Promise.all(calls)) {
        assert.equal(reply.status, 503)
        assert.ok(['unavailable', 'outcome_unknown'].includes(reply.body.code))
        assert.equal(reply.headers.get('retry-after'), '1')
        assert.doesNotMatch(reply.text, /SELECT|postgres|microchatter_test/i)
      }
      const send = await ann.call(`POST /chats/${randomUUID()}/messages`, { body: 'x' })
      assert.equal(send.status, 503)
      // Readiness asks the database once a second at most.
      await sleep(1_100)
      assert.equal((await server.call('GET /health/ready')).status, 503)
      assert.equal((await server.call('GET /health/live')).status, 200)
    })
  })

  test('what waits too long for a lock is 503, and may be tried again', async () => {
    await withServer({}, async (server) => {
      const ann = await server.person('ann')
      await server.db.transaction(async (tx) => {
        await tx.query('LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE')
        const reply = await ann.call('GET /users/me/sessions')
        assert.equal(reply.status, 503)
        refused(reply, 'busy')
        assert.equal(reply.headers.get('retry-after'), '1')
      })
      assert.equal((await ann.call('GET /users/me/sessions')).status, 200)
    })
  })

  test('a defect of ours is 500: logged under its id, told without its cause', async () => {
    const lines: string[] = []
    const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) })
    await withServer({ log }, async (server) => {
      const ann = await server.person('ann')
      await server.db.query('ALTER TABLE blocks RENAME TO blocks_away')
      const reply = await ann.call('GET /users/me/blocks')
      assert.equal(reply.status, 500)
      refused(reply, 'internal')
      assert.doesNotMatch(reply.text, /blocks|SELECT|\.ts|stack/)
      const id = reply.headers.get('x-request-id')
      assert.match(reply.body.detail ?? '', new RegExp(id ?? 'none'))
      const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
      const defect = logged.find(({ err, reqId }) => err !== undefined && reqId === id)
      assert.match(JSON.stringify(defect), /blocks/)
    })
  })

  test('logs have no credentials, bodies or addresses, and one line a request', async () => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })
    await withServer({ log }, async (server) => {
      const ann = await server.person('canary-ann')
      const login = await ann.call<Login>('POST /users/login')
      const password = 'canary-password'
      await server.admin.call('POST /users/register', { username: 'canary-bob', password })
      await server.as('x', basic('canary-bob', password)).call('GET /users?search=canary-search')
      await ann.call('POST /chats/users/canary-bob/messages', { body: 'canary-text' })
      await ann.call('GET /users/me?token=canary-token')
      await ann.call('GET /nothing/canary-path')
      const secrets = [ann.authorization.slice(7), login.body.token, ADMIN_PASSWORD, SECRET]
      const text = lines.join('')
      for (const secret of [...secrets, 'canary', 'Basic ', 'Bearer '])
        assert.ok(!text.includes(secret), `${secret} is in the log`)
      const answers = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
      const sent = answers.filter(({ route }) => route === '/chats/users/:username/messages')
      assert.equal(sent.length, 1)
      const [{ method, status, level, reqId, user } = {}] = sent
      assert.deepEqual(
        [method, status, level, typeof reqId, typeof user],
        ['POST', 201, 20, 'string', 'number'],
      )
    })
  })

  test('half a request is given up after its time, with 408', async () => {
    await withServer({}, async (server) => {
      const { port } = new URL(server.url)
      const start = performance.now()
      const text = await new Promise<string>((resolve) => {
        let all = ''
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write('POST /chats HTTP/1.1\r\nHost: x\r\nContent-Le')
        })
        socket.setEncoding('utf8').on('data', (chunk: string) => {
          all += chunk
        })
        socket.on('close', () => resolve(all))
      })
      assert.match(text, /^HTTP\/1\.1 408 /)
      assert.match(text, /"code":"request_timeout"/)
      assert.ok(performance.now() - start < 15_000)
    })
  })
})
