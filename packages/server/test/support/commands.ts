/** Random commands of a site's users: each is done, and its answer is what the model says. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Chat, type Message, WRITE_FROM, type WriteFrom } from '@microchatter/protocol'
import fc from 'fast-check'
import { type ModelChat, shown } from './model-chats.ts'
import * as groups from './model-groups.ts'
import * as messages from './model-messages.ts'
import type { Model } from './model.ts'
import { settle, wordsOf } from './model-compare.ts'
import type { BySocket, ByRest, Done, Site, User, Via } from './site.ts'

/** Who does something, and in which chat. */
interface Of {
  site: Site
  model: Model
  user: User
  by: string
  /** Another user, or oneself. */
  to: string
  via: Via
  /** undefined: there is none yet. */
  chat: ModelChat | undefined
}
/** In a chat that someone was told of. */
interface In extends Of {
  chat: ModelChat
  chatId: string
}

type Command = fc.Arbitrary<fc.AsyncCommand<Model, Site>>

/** How many users there are, each with so many devices. */
export const DEVICES = [2, 1, 1] as const

let done = 0
export function countCommands(): number {
  return done
}

function command<T>(
  name: string,
  values: fc.Arbitrary<T>,
  run: (of: Of, value: T) => Promise<unknown>,
): Command {
  const user = fc.nat(DEVICES.length - 1)
  const where = fc.record({ at: fc.nat(11), socket: fc.boolean(), device: fc.nat(1) })
  return fc.tuple(user, user, where, values).map(([from, to, { at, ...via }, value]) => ({
    check: () => true,
    async run(model, site) {
      done += 1
      const user = site.user(from)
      const by = user.person.username
      const client = via.socket ? user.clients[via.device % user.clients.length] : undefined
      const [chat, other] = [pick(model, by, at), site.user(to).person.username]
      await run({ site, model, user, by, to: other, via: client, chat }, value)
      await settle(model, site)
    },
    toString: () => {
      const how = via.socket ? `socket ${via.device}` : 'REST'
      return `${name}(${from} → ${to}, chat ${at}, ${how}, ${JSON.stringify(value)})`
    },
  }))
}

/** A chat of this user twice as often as one of others. */
function pick(model: Model, by: string, at: number): ModelChat | undefined {
  const all = [...model.chats.values()]
  const own = all.filter(({ members }) => members.has(by))
  const from = [...own, ...own, ...all]
  return from[at % Math.max(1, from.length)]
}

/** A command in a chat; nothing is done where there is none yet. */
function inChat<T>(
  name: string,
  values: fc.Arbitrary<T>,
  run: (of: In, value: T) => Promise<unknown>,
): Command {
  return command(name, values, async (of, value) => {
    const chatId = of.chat && of.site.chatIds.get(of.chat.key)
    if (of.chat && chatId) await run({ ...of, chat: of.chat, chatId }, value)
  })
}

/** What the model expects: a refusal, or anything else, which is returned. */
function assertDone<T>(done: Done, expected: T | string): Exclude<T, string> | undefined {
  const code = typeof expected === 'string' ? expected : undefined
  assert.equal(done.code, code, JSON.stringify(done))
  return typeof expected === 'string' ? undefined : (expected as Exclude<T, string>)
}

const NOTHING = fc.constant('')
const clientId = fc.oneof(
  fc.uuid(),
  fc.nat(2).map((n) => `00000000-0000-4000-8000-00000000000${n}`),
)
const text = fc.constantFrom('one', 'two')
/** Back from the last message of a person; at the end, the first of all, and one past the last. */
const back = fc.nat(7)
const subset = fc.subarray(DEVICES.map((_, index) => index))

function seqOf({ messages }: ModelChat, back: number): number {
  const texts = messages.filter(({ event }) => !event)
  if (back === 7) return messages.length + 1
  return back === 6 ? 1 : (texts.at(-1 - (back % Math.max(1, texts.length)))?.seq ?? 1)
}

function namesOf(site: Site, indexes: number[]): string[] {
  return indexes.map((index) => site.user(index).person.username)
}

async function send(of: Of & { chatId?: string | undefined }, asked: messages.NewMessage) {
  const { site, model, user, to, via, chat, chatId, by } = of
  const { forward, ...rest } = asked
  const from = forward && { chatId: site.chatIds.get(forward.from.key), seq: forward.seq }
  const body = { ...rest, ...(from ? { forward: from } : {}) }
  const path = chatId ? `/chats/${chatId}/messages` : `/chats/users/${to}/messages`
  const socket: BySocket | undefined = chatId
    ? {
        name: 'message.send',
        body: { chatId, ...body },
        apply: (state, { message }) => state.message(message),
      }
    : undefined
  const done = await site.act(user, via, { method: 'POST', path, body }, socket)
  const target = chat ?? model.chatFor(by, to)
  const expected = typeof target === 'string' ? target : messages.send(model, target, by, asked)
  const sent = assertDone(done, expected)
  if (!sent || typeof target === 'string') return
  const message: Message = done.answer.message ?? done.answer
  site.chatIds.set(target.key, message.chatId)
  assert.deepEqual(wordsOf(message), shown(target, sent))
}

const SENDING = [
  command('send to a user', fc.record({ body: text, clientId }), (of, sent) => {
    const chat = of.model.findDirect(of.by, of.to)
    return send({ ...of, chat, chatId: undefined }, sent)
  }),
  inChat('send', fc.record({ body: text, clientId }), send),
  // Other commands are about messages, and about those that answer one.
  ...['reply', 'reply', 'thread'].map((name) =>
    inChat(name, fc.record({ body: text, clientId: fc.uuid(), back }), (of, asked) => {
      const { back, ...sent } = asked
      return send(of, { ...sent, [name]: seqOf(of.chat, back) })
    }),
  ),
  inChat('mention', fc.record({ clientId: fc.uuid(), who: subset }), (of, { who, clientId }) => {
    const all = who.length === 0 ? { mentionAll: true as const } : {}
    const some = who.length > 0 ? { mentions: namesOf(of.site, who) } : {}
    return send(of, { body: 'you', clientId, ...all, ...some })
  }),
  inChat('poll', fc.record({ clientId: fc.uuid(), multiple: fc.boolean() }), (of, asked) => {
    const { clientId, multiple } = asked
    const poll = { options: ['yes', 'no', 'both'], ...(multiple ? { multiple } : {}) }
    return send(of, { body: 'Which?', clientId, poll })
  }),
  inChat(
    'forward',
    fc.record({ clientId: fc.uuid(), at: fc.nat(11), back }),
    async (of, { clientId, at, back }) => {
      const from = pick(of.model, of.by, at)
      if (!from || !of.site.chatIds.has(from.key)) return
      await send(of, { clientId, forward: { from, seq: seqOf(from, back) } })
    },
  ),
  inChat(
    'burst',
    fc.array(fc.nat(5), { minLength: 2, maxLength: 6 }),
    async ({ site, model, chat, chatId }, turns) => {
      if (!model.isPlain(chat) || chat.members.size === 0) return
      const names = [...chat.members.keys()]
      const sends = turns.map(async (turn, n) => {
        const user = site.find(names[turn % names.length] ?? '')
        const sent = { body: `burst ${n}`, clientId: crypto.randomUUID() }
        const { answer, code } = await site.act(
          user,
          n % 3 ? user.clients[0] : undefined,
          { method: 'POST', path: `/chats/${chatId}/messages`, body: sent },
          {
            name: 'message.send',
            body: { chatId, ...sent },
            apply: (state, { message }) => state.message(message),
          },
        )
        assert.equal(code, undefined)
        return (answer.message ?? answer) as Message
      })
      for (const message of (await Promise.all(sends)).sort((one, two) => one.seq - two.seq)) {
        const { body, clientId, sender = '' } = message
        const sent = messages.send(model, chat, sender, { body, clientId })
        assert(typeof sent !== 'string')
        assert.deepEqual(wordsOf(message), shown(chat, sent))
      }
    },
  ),
]

/** What is done to a message: by REST, or by the socket. */
function change<T extends { back: number }>(
  name: string,
  values: fc.Arbitrary<T>,
  make: (
    of: In & { seq: number },
    value: T,
  ) => { rest: Omit<ByRest, 'path'> & { path?: string }; socket?: BySocket; expected: unknown },
  find = seqOf,
): Command {
  return inChat(name, values, async (of, value) => {
    const seq = find(of.chat, value.back)
    const { rest, socket, expected } = make({ ...of, seq }, value)
    const path = `/chats/${of.chatId}/messages/${seq}${rest.path ?? ''}`
    assertDone(await of.site.act(of.user, of.via, { ...rest, path }, socket), expected)
  })
}

/** The last poll, where there is one. */
function pollOf(chat: ModelChat, back: number): number {
  const seq = chat.messages.findLast(({ poll }) => poll)?.seq
  return seq === undefined || back === 7 ? seqOf(chat, back) : seq
}

const changed: BySocket['apply'] = (state, { message }) => state.changed(message)

const CHANGING = [
  change('edit', fc.record({ back, body: text }), (of, { body }) => ({
    rest: { method: 'PATCH', body: { body } },
    socket: {
      name: 'message.edit',
      body: { chatId: of.chatId, seq: of.seq, body },
      apply: changed,
    },
    expected: messages.edit(of, body),
  })),
  ...['delete', 'delete'].map((name) =>
    change(name, fc.record({ back }), (of) => ({
      rest: { method: 'DELETE' },
      socket: { name: 'message.delete', body: { chatId: of.chatId, seq: of.seq }, apply: changed },
      expected: messages.deleteForAll(of),
    })),
  ),
  change('delete for me', fc.record({ back }), (of) => {
    const { chatId, seq } = of
    const apply: BySocket['apply'] = (state, { my }) => state.my({ chatId, seq, my })
    return {
      rest: { method: 'DELETE', path: '?for=me' },
      socket: { name: 'message.delete', body: { chatId, seq, for: 'me' }, apply },
      expected: messages.deleteForMe(of),
    }
  }),
  ...['👍', '🎉'].map((emoji) =>
    change('react', fc.record({ back, on: fc.boolean() }), (of, { on }) => {
      const body = { chatId: of.chatId, seq: of.seq, emoji, on }
      return {
        rest: { method: on ? 'PUT' : 'DELETE', path: `/reactions/${encodeURIComponent(emoji)}` },
        socket: { name: 'reaction.set', body, apply: changed },
        expected: messages.react(of, { emoji, on }),
      }
    }),
  ),
  change('pin', fc.record({ back, on: fc.boolean() }), (of, { on }) => ({
    rest: { method: on ? 'PUT' : 'DELETE', path: '/pin' },
    expected: messages.pin(of, on),
  })),
  change('star', fc.record({ back, on: fc.boolean() }), (of, { on }) => ({
    rest: { method: on ? 'PUT' : 'DELETE', path: '/star' },
    expected: messages.star(of, on),
  })),
  change(
    'vote',
    fc.record({ back, options: fc.subarray([0, 1, 2, 3], { maxLength: 2 }) }),
    (of, { options }) => ({
      rest: { method: 'PUT', path: '/vote', body: { options } },
      expected: messages.vote(of, options),
    }),
    pollOf,
  ),
  change(
    'close a poll',
    fc.record({ back }),
    (of) => ({ rest: { method: 'DELETE', path: '/vote' }, expected: messages.closePoll(of) }),
    pollOf,
  ),
]

async function createGroup(
  { site, model, user, by }: Omit<Of, 'to' | 'via' | 'chat'>,
  who: number[],
) {
  if (model.hasBlocks) return
  const members = namesOf(site, who)
  const body = { kind: 'group', title: 'Group', members }
  const done = await site.act(user, undefined, { method: 'POST', path: '/chats', body })
  const chat = assertDone(done, groups.createGroup(model, by, 'Group', members))
  if (chat) site.chatIds.set(chat.key, done.answer.id)
}

const GROUPS = [
  command('create a group', subset, createGroup),
  inChat('add members', subset, async ({ site, model, user, by, chat, chatId }, who) => {
    const usernames = namesOf(site, who)
    if (usernames.length === 0) return
    const rest = { method: 'POST', path: `/chats/${chatId}/members`, body: { usernames } }
    const done = await site.act(user, undefined, rest)
    const added = assertDone(done, groups.addMembers(model, chat, by, usernames))
    if (added) assert.deepEqual(done.answer, { added, memberCount: chat.members.size })
  }),
  inChat('remove, or leave', NOTHING, async ({ site, model, user, by, to, chat, chatId }) => {
    const path = `/chats/${chatId}/members/${by === to ? 'me' : to}`
    const done = await site.act(user, undefined, { method: 'DELETE', path })
    assertDone(done, groups.removeMember(model, chat, by, to))
  }),
  inChat(
    'give a role',
    fc.constantFrom('owner' as const, 'admin' as const, 'member' as const),
    async ({ site, model, user, by, to, chat, chatId }, role) => {
      const path = `/chats/${chatId}/members/${to}`
      const done = await site.act(user, undefined, { method: 'PATCH', path, body: { role } })
      assertDone(done, groups.setRole(model, chat, by, { name: to, role }))
    },
  ),
  inChat(
    'edit the group',
    fc.constantFrom<groups.GroupPatch>(
      { title: 'Group' },
      { title: 'Other' },
      { settings: { open: true } },
      { settings: { history: 'joined' } },
      { settings: { history: 'all' } },
      { settings: { permissions: { post: 'admin' } } },
      { title: 'Other', settings: { permissions: { post: 'member', deleteOthers: 'member' } } },
    ),
    async ({ site, model, user, by, chat, chatId }, patch) => {
      const rest = { method: 'PATCH', path: `/chats/${chatId}`, body: patch }
      const done = await site.act(user, undefined, rest)
      assertDone(done, groups.editGroup(model, chat, by, patch))
    },
  ),
  inChat('join', NOTHING, async ({ site, model, user, by, chat, chatId }) => {
    const done = await site.act(user, undefined, { method: 'POST', path: `/chats/${chatId}/join` })
    assertDone(done, groups.join(model, chat, by))
  }),
]

const share = fc.constantFrom(0, 0.5, 1, 2)

const reading = inChat(
  'read',
  fc.record({ share, unread: fc.boolean() }),
  async ({ site, model, user, by, via, chat, chatId }, { share, unread }) => {
    const lastSeq = chat.messages.length
    const body = { seq: Math.ceil(share * lastSeq + (share > 1 ? 1 : 0)), unread }
    const done = await site.act(
      user,
      via,
      { method: 'PUT', path: `/chats/${chatId}/read`, body },
      {
        name: 'chat.read',
        body: { chatId, ...body },
        apply: (state, { read }) => state.read(read),
      },
    )
    const member = assertDone(done, model.markRead(chat, by, body))
    if (member) assert.equal((done.answer.read ?? done.answer).seq, member.readSeq)
  },
)

/** [RECEIPT-1] It is written within half a second: few commands can wait for that. */
const delivering = inChat(
  'deliver',
  share,
  async ({ site, model, user, by, chat, chatId }, share) => {
    const seq = Math.ceil(Math.min(1, share) * chat.messages.length)
    const path = `/chats/${chatId}/delivered`
    const done = await site.act(user, undefined, { method: 'PUT', path, body: { seq } })
    const member = assertDone(done, model.markDelivered(chat, by, seq))
    for (let left = 100; member && left > 0; left -= 1) {
      await sleep(30)
      const { members } = await user.person.ask<Chat>('GET', `/chats/${chatId}`)
      const own = members.find(({ username }) => username === by)
      if ((own?.deliveredSeq ?? 0) >= Math.max(member.deliveredSeq, member.readSeq)) return
    }
  },
)

const OWN = [
  command('open', NOTHING, async ({ site, model, user, by, to }) => {
    const rest = { method: 'POST', path: '/chats', body: { username: to } }
    const done = await site.act(user, undefined, rest)
    const isNew = assertDone(done, model.openChat(by, to))
    const chat = model.findDirect(by, to)
    if (isNew === undefined || !chat) return
    assert.equal(done.status, isNew ? 201 : 200)
    site.chatIds.set(chat.key, done.answer.id)
  }),
  fc.oneof({ weight: 6, arbitrary: reading }, { weight: 1, arbitrary: delivering }),
  inChat(
    'settings',
    fc.record(
      {
        pinned: fc.boolean(),
        archived: fc.boolean(),
        muted: fc.boolean(),
        labels: fc.constantFrom<string[]>([], ['a'], ['b', 'a']),
      },
      { requiredKeys: [] },
    ),
    async ({ site, model, user, by, chat, chatId }, patch) => {
      const rest = { method: 'PATCH', path: `/chats/${chatId}`, body: patch }
      assertDone(await site.act(user, undefined, rest), model.edit(chat, by, patch))
    },
  ),
  inChat('delete the chat', NOTHING, async ({ site, model, user, by, chat, chatId }) => {
    const done = await site.act(user, undefined, { method: 'DELETE', path: `/chats/${chatId}` })
    assertDone(done, model.deleteChat(chat, by))
  }),
  command('block', fc.boolean(), async ({ site, model, user, by, to }, block) => {
    // Who blocks a member has to fetch the group's messages anew [SEND-4]: groups.test.ts.
    if (model.hasGroups) return
    const path = `/users/me/blocks/${to}`
    const done = await site.act(user, undefined, { method: block ? 'PUT' : 'DELETE', path })
    const isDone = assertDone(done, by === to ? 'invalid' : true)
    if (isDone) model.setBlock(by, to, block)
  }),
  command('who may write', fc.constantFrom(...WRITE_FROM), (of, writeFrom) =>
    setWriteFrom(of, of.user, writeFrom),
  ),
  inChat('answer', fc.boolean(), async ({ site, model, user, by, chat, chatId }, accept) => {
    const rest = { method: 'PUT', path: `/chats/${chatId}/request`, body: { accept } }
    const done = await site.act(user, undefined, rest)
    const member = assertDone(done, model.answer(chat, by, accept))
    if (member) assert.equal(done.answer.request, member.request)
  }),
  inChat(
    'draft',
    fc.constantFrom('one', 'two', undefined),
    async ({ site, model, user, by, via, chat, chatId }, body) => {
      const draft = body === undefined ? undefined : { body }
      const method = draft ? 'PUT' : 'DELETE'
      const done = await site.act(
        user,
        via,
        { method, path: `/chats/${chatId}/draft`, body: draft },
        {
          name: 'draft.set',
          body: { chatId, draft: draft ?? null },
          apply: (state, answer) => state.draft(answer.draft),
        },
      )
      assertDone(done, model.setDraft(chat, by, body))
    },
  ),
  command('read all', NOTHING, async ({ site, model, user, by }) => {
    const done = await site.act(user, undefined, { method: 'PUT', path: '/chats/read' })
    assert.equal(done.answer.chats, model.markAllRead(by))
  }),
  command('leave, or come back', fc.nat(1), async ({ site, user }, n) => {
    const client = user.clients[n % user.clients.length]
    assert(client)
    if (client.device) site.leave(client)
    else await site.comeBack(user, client)
  }),
  command('deactivate, and activate again', NOTHING, ({ site, user }) => site.deactivate(user)),
]

export const COMMANDS = [...SENDING, ...CHANGING, ...GROUPS, ...OWN]

/** What there is before the commands: most of those need a chat. */
export const BEGINNINGS = fc.subarray([
  'a request',
  'a direct chat',
  'a group of two',
  'a group of all',
] as const)
export type Beginning = typeof BEGINNINGS extends fc.Arbitrary<(infer T)[]> ? T : never

export async function begin(
  model: Model,
  site: Site,
  beginnings: readonly Beginning[],
): Promise<void> {
  const user = site.user(0)
  const of = { site, model, user, by: user.person.username, via: undefined, chat: undefined }
  const sent = () => ({ body: 'one', clientId: crypto.randomUUID() })
  const to = (index: number) => site.user(index).person.username
  for (const one of beginnings) {
    if (one === 'a request') await setWriteFrom(of, site.user(2), 'requests')
    if (one === 'a request') await send({ ...of, to: to(2) }, sent())
    if (one === 'a direct chat') await send({ ...of, to: to(1) }, sent())
    if (one !== 'a group of two' && one !== 'a group of all') continue
    await createGroup(of, one === 'a group of all' ? [1, 2] : [1])
    const chat = [...model.chats.values()].at(-1)
    const chatId = chat && site.chatIds.get(chat.key)
    if (chat && chatId) await send({ ...of, to: to(1), chat, chatId }, sent())
  }
}

async function setWriteFrom(
  { model }: Pick<Of, 'model'>,
  { person }: User,
  writeFrom: WriteFrom,
): Promise<void> {
  await person.ask('PATCH', '/users/me/settings', { writeFrom })
  model.setWriteFrom(person.username, writeFrom)
}
