/**
 * Random commands of users who write to each other, by REST and by socket, against a model: after each
 * of them, what every client has made of its events, what a fetch says, and the model are the same.
 * Each engine takes about 15 s. Seeds: test/support/seed.ts.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Chat, type Message, type ReadAll, WRITE_FROM } from '@microchatter/protocol'
import fc from 'fast-check'
import { checkDatabase } from '../src/cli/check.ts'
import type { Drift } from '../src/store/check.ts'
import type { Database } from '../src/store/db.ts'
import { engines, skipOf } from './support/databases.ts'
import { type Member, Model } from './support/model.ts'
import { SEED } from './support/seed.ts'
import { Site, type User } from './support/site.ts'
import { startServer, type TestServer, withDatabase } from './support/server.ts'
import { fetchMissing } from './support/watch.ts'

const USERS = 3
const TIME_MS = 15_000
/** Events are on their way for so long at most. */
const SETTLE_MS = 3_000

/** A command is of one user, and of the chat with another one or oneself. */
interface Of {
  site: Site
  model: Model
  user: User
  names: readonly [string, string]
  /** undefined: nobody was told. */
  chatId: string | undefined
}

let deadline = 0
let steps = 0

function command<T>(
  name: string,
  values: fc.Arbitrary<T>,
  run: (of: Of, value: T) => Promise<unknown>,
): fc.Arbitrary<fc.AsyncCommand<Model, Site>> {
  const user = fc.nat(USERS - 1)
  return fc.tuple(user, user, values).map(([by, to, value]) => ({
    check: () => performance.now() < deadline,
    async run(model, site) {
      steps += 1
      const user = site.user(by)
      const names = [user.person.username, site.user(to).person.username] as const
      await run({ site, model, user, names, chatId: site.chatIds.get(keyOf(names)) }, value)
      await compare(model, site)
    },
    toString: () => `${name}(${by} → ${to}, ${JSON.stringify(value)})`,
  }))
}

const clientId = fc.oneof(
  fc.uuid(),
  fc.nat(2).map((n) => `00000000-0000-4000-8000-00000000000${n}`),
)
const share = fc.constantFrom(0, 0.5, 1, 2)
const via = fc.constantFrom('rest' as const, 'socket' as const)

const COMMANDS = [
  command('open', fc.constant(''), async ({ site, user, model, names }) => {
    const { status, body } = await user.person.fetch('POST', '/chats', { username: names[1] })
    const expected = model.openChat(...names)
    if (expected === 'forbidden') return assert.equal(body.code, expected)
    assert.equal(status, expected ? 201 : 200, JSON.stringify(body))
    site.chatIds.set(keyOf(names), body.id)
  }),
  command(
    'send',
    fc.record({ body: fc.constantFrom('one', 'two'), clientId, via }),
    async ({ site, user, model, names, chatId }, { via, ...sent }) => {
      const answer = await site.send(user, { via, chatId, to: names[1] }, sent)
      const expected = model.send(...names, sent)
      if (typeof expected === 'string') return assert.deepEqual(answer, { code: expected })
      const { message } = answer
      assert(message, JSON.stringify(answer))
      site.chatIds.set(keyOf(names), message.chatId)
      assert.deepEqual(wordsOf(message), expected)
    },
  ),
  command(
    'burst',
    fc.array(fc.boolean(), { minLength: 2, maxLength: 12 }),
    async ({ site, user, model, names, chatId }, turns) => {
      const other = site.find(names[1])
      if (!chatId || !model.isPlain(...names)) return
      const sends = turns.map(async (isMine, n) => {
        const [by, to] = isMine ? [user, names[1]] : [other, names[0]]
        const sent = { body: `burst ${n}`, clientId: crypto.randomUUID() }
        const { message } = await site.send(
          by,
          { via: n % 3 ? 'socket' : 'rest', chatId, to },
          sent,
        )
        assert(message)
        return message
      })
      const messages = (await Promise.all(sends)).sort((one, two) => one.seq - two.seq)
      for (const message of messages) {
        const { body, clientId, sender = '' } = message
        const to = sender === names[0] ? names[1] : names[0]
        assert.deepEqual(wordsOf(message), model.send(sender, to, { body, clientId }))
      }
    },
  ),
  command(
    'read',
    fc.record({ share, unread: fc.boolean(), via }),
    async ({ site, user, model, names, chatId }, { share, unread, via }) => {
      if (!chatId) return
      const lastSeq = model.find(...names)?.messages.length ?? 0
      const body = { seq: Math.ceil(share * lastSeq + (share > 1 ? 1 : 0)), unread }
      const answer = await site.read(user, { via, chatId }, body)
      const expected = model.markRead(...names, body)
      if (typeof expected === 'string') return assert.deepEqual(answer, { code: expected })
      assert.equal(answer.read?.seq, expected.readSeq, JSON.stringify(answer))
    },
  ),
  command(
    'edit',
    fc.record(
      {
        pinned: fc.boolean(),
        archived: fc.boolean(),
        muted: fc.boolean(),
        labels: fc.constantFrom<string[]>([], ['a'], ['b', 'a']),
      },
      { requiredKeys: [] },
    ),
    async ({ user, model, names, chatId }, patch) => {
      if (!chatId) return
      const { status } = await user.person.fetch('PATCH', `/chats/${chatId}`, patch)
      assert.equal(status, model.edit(...names, patch) === 'not_found' ? 404 : 200)
    },
  ),
  command('delete', fc.constant(''), async ({ user, model, names, chatId }) => {
    if (!chatId) return
    const { status } = await user.person.fetch('DELETE', `/chats/${chatId}`)
    assert.equal(status, model.deleteChat(...names) === 'not_found' ? 404 : 204)
  }),
  command('block', fc.boolean(), async ({ user, model, names }, block) => {
    const path = `/users/me/blocks/${names[1]}`
    const { status } = await user.person.fetch(block ? 'PUT' : 'DELETE', path)
    assert.equal(status, names[0] === names[1] ? 400 : 204)
    if (status === 204) model.setBlock(...names, block)
  }),
  command(
    'who may write',
    fc.constantFrom(...WRITE_FROM, 'requests' as const),
    async ({ user, model, names }, writeFrom) => {
      await user.person.ask('PATCH', '/users/me/settings', { writeFrom })
      model.setWriteFrom(names[0], writeFrom)
    },
  ),
  command('answer', fc.boolean(), async ({ user, model, names, chatId }, accept) => {
    if (!chatId) return
    const path = `/chats/${chatId}/request`
    const { body } = await user.person.fetch('PUT', path, { accept })
    const expected = model.answer(...names, accept)
    if (typeof expected === 'string') return assert.equal(body.code, expected)
    assert.equal(body.request, expected.request)
  }),
  command(
    'draft',
    fc.record({ body: fc.constantFrom('one', 'two', undefined), via }),
    async ({ site, user, model, names, chatId }, { body, via }) => {
      if (!chatId) return
      const expected = model.setDraft(...names, body)
      const code = await site.setDraft(user, { via, chatId }, body)
      assert.equal(code, typeof expected === 'string' ? expected : undefined)
    },
  ),
  command('read all', fc.constant(''), async ({ user, model, names }) => {
    const { chats } = await user.person.ask<ReadAll>('PUT', '/chats/read')
    assert.equal(chats, model.markAllRead(names[0]))
  }),
  command('leave, or come back', fc.constant(''), ({ site, user }) =>
    user.device ? site.leave(user) : site.comeBack(user),
  ),
  command('deactivate, and activate again', fc.constant(''), ({ site, user }) =>
    site.deactivate(user),
  ),
]

const LISTS = [
  ['list', '?limit=100'],
  ['archive', '?limit=100&archived=true'],
  ['requests', '?limit=100&requests=true'],
] as const

async function compare(model: Model, site: Site): Promise<void> {
  await Promise.all(site.users.map((user) => compareUser(model, site, user)))
}

async function compareUser(model: Model, site: Site, user: User): Promise<void> {
  const { person, device } = user
  const lists = await Promise.all(LISTS.map(([, query]) => person.chats(query)))
  for (const [index, [which]] of LISTS.entries()) assertList(model, user, lists[index] ?? [], which)
  assert.deepEqual(await person.ask('GET', '/unread'), model.unread(person.username))
  const chats = lists.flat()
  const histories = await Promise.all(chats.map(({ id }) => person.history(id)))
  for (const [index, chat] of chats.entries()) {
    assert.deepEqual(picked(chat), expectedOf(model, site, person.username, chat))
    const { clearedSeq = 0 } = chat
    const kept = chatOf(model, person.username, chat).messages.filter(({ seq }) => seq > clearedSeq)
    assert.deepEqual(histories[index]?.map(wordsOf), kept)
  }
  if (device)
    await settle(user, new Map(chats.map((chat, index) => [chat, histories[index] ?? []])))
  assertUnseen(model, site, user)
}

/** [CHAT-4] Times come in whole milliseconds: where two are equal, their order is not looked at. */
function assertList(
  model: Model,
  { person }: User,
  chats: Chat[],
  which: (typeof LISTS)[number][0],
): void {
  const names = chats.map((chat) => otherOf(chat, person.username))
  const expected = model.list(person.username, which)
  const isClear = new Set(chats.map(({ updatedAt }) => updatedAt)).size === chats.length
  if (isClear) assert.deepEqual(names, expected)
  else assert.deepEqual(names.sort(), expected.sort())
}

/** [CHAT-3] */
function assertUnseen(model: Model, { chatIds }: Site, { person, device }: User): void {
  for (const other of model.users) {
    const chatId = chatIds.get(keyOf([person.username, other]))
    const member = model.find(person.username, other)?.members.get(person.username)
    if (!chatId || !member?.isUnseen) continue
    const told = device?.events.filter(({ data }) => data.id === chatId || data.chatId === chatId)
    assert.deepEqual(told ?? [], [])
  }
}

/** By its events alone the client comes to have what was fetched. */
async function settle({ person, state }: User, fetched: Map<Chat, Message[]>): Promise<void> {
  const expected = byId([...fetched].map(([chat, messages]) => ({ ...chat, rev: 0, messages })))
  const until = performance.now() + SETTLE_MS
  for (;;) {
    for (const id of state.chats.keys()) if (!state.open.has(id)) state.open.set(id, [])
    await fetchMissing(person, state)
    const kept = byId(
      [...state.chats.values()].map((chat) => ({
        ...chat,
        rev: 0,
        messages: state.open.get(chat.id) ?? [],
      })),
    )
    if (isDeepStrictEqual(kept, expected)) return
    if (performance.now() > until) return assert.deepEqual(kept, expected)
    await sleep(2)
  }
}

function byId<T extends { id: string }>(chats: T[]): T[] {
  return chats.sort((one, two) => (one.id < two.id ? -1 : 1))
}

function keyOf(names: readonly [string, string]): string {
  return [...names].sort().join(' ')
}

function otherOf({ members }: Chat, username: string): string {
  return members.find((member) => member.username !== username)?.username ?? username
}

function chatOf(model: Model, username: string, chat: Chat) {
  const found = model.find(username, otherOf(chat, username))
  assert(found, 'the server has a chat that the model has not')
  return found
}

function wordsOf({ seq, sender, body, clientId }: Message) {
  return { seq, sender, body, clientId }
}

function picked({ rev: _rev, updatedAt: _at, lastMessage, members, draft, ...chat }: Chat) {
  const marks = members.map(({ username, readSeq }) => [username, readSeq] as const)
  return {
    ...chat,
    members: Object.fromEntries(marks),
    ...(draft && { draft: { body: draft.body } }),
    ...(lastMessage && { lastMessage: wordsOf(lastMessage) }),
  }
}

function expectedOf(model: Model, { chatIds }: Site, username: string, chat: Chat) {
  const other = otherOf(chat, username)
  const { members, messages } = chatOf(model, username, chat)
  const mine = members.get(username)
  assert(mine)
  const { readSeq, clearedSeq, pinned, archived, muted, draft, labels, request } = mine
  // [PRIV-5]
  const markOf = (name: string, member: Member) =>
    member.request && name !== username ? 0 : member.readSeq
  const last = messages.at(-1)
  return {
    id: chatIds.get(keyOf([username, other])) ?? chat.id,
    kind: 'direct',
    members: Object.fromEntries([...members].map(([name, member]) => [name, markOf(name, member)])),
    lastSeq: messages.length,
    unread: messages.length - readSeq,
    readSeq,
    ...(clearedSeq > 0 && { clearedSeq }),
    ...(pinned && { pinned }),
    ...(archived && { archived }),
    ...(muted && { muted }),
    ...(draft && { draft }),
    ...(labels && { labels }),
    ...(request && { request }),
    ...(model.hasBlocked(username, other) && { blocked: true }),
    ...(last && last.seq > clearedSeq && { lastMessage: last }),
  }
}

for (const engine of engines)
  describe(`the model on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine)
    })
    after(() => server.close())

    test('[SYNC-1] [SEND-2] [SEND-3] [SEND-4] [READ-1] [READ-2] [READ-4] [READ-5] [CHAT-3] [CHAT-4] [CHAT-5] [PRIV-2] [PRIV-3] [PRIV-4] [PRIV-5] [MAIL-1] [MAIL-4] state by events = state by fetch = model', async (t) => {
      deadline = performance.now() + TIME_MS
      steps = 0
      await fc.assert(
        fc.asyncProperty(
          fc.commands(COMMANDS, { maxCommands: 40, size: '+1' }),
          async (commands) => {
            if (performance.now() > deadline) return
            const site = await Site.open(server, USERS)
            try {
              const model = new Model(site.users.map(({ person }) => person.username))
              await fc.asyncModelRun(() => ({ model, real: site }), commands)
            } finally {
              site.close()
            }
          },
        ),
        { numRuns: 1_000, ...SEED },
      )
      t.diagnostic(`${steps} commands`)
      if (engine === 'postgres') assert.deepEqual(await findDrifts(server), [])
    })
  })

/** What `microchatter check` says after all of it. */
async function findDrifts(server: TestServer): Promise<Drift[]> {
  const check = async (db: Database) => (await checkDatabase(db, { err: process.stderr })).drifts
  return withDatabase(server, check)
}
