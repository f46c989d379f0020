/** What every client has made of its events, what a fetch says, and the model are the same. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Chat, Message } from '@microchatter/protocol'
import { type Member, memberOf, type ModelChat, shownTo, defined } from './model-chats.ts'
import { type ListName, type Model, otherOf } from './model.ts'
import type { Mailbox } from '../../../client/src/merge/mailbox.ts'
import type { Device, Person } from './server.ts'
import type { Client, Site, User } from './site.ts'
import { fetchMissing } from './watch.ts'

/** Events are on their way for so long at most. */
const SETTLE_MS = 2_000

const LISTS: readonly (readonly [ListName, string])[] = [
  ['list', '?limit=100'],
  ['archive', '?limit=100&archived=true'],
  ['requests', '?limit=100&requests=true'],
]

/** By events alone each client comes to have what the model has. */
export async function settle(model: Model, site: Site): Promise<void> {
  await Promise.all(
    site.users.map(async ({ person, clients }) => {
      const expected = expectedBy(model, site, person.username)
      await Promise.all(clients.map((client) => settleClient(person, client, expected)))
    }),
  )
}

async function settleClient(person: Person, { state, device }: Client, expected: object[]) {
  if (!device) return
  const until = performance.now() + SETTLE_MS
  for (;;) {
    for (const id of state.chats.keys()) if (!state.open.has(id)) state.open.set(id, [])
    await fetchMissing(person, state)
    const kept = keptBy(state)
    if (isDeepStrictEqual(kept, expected)) return
    if (performance.now() > until) return assert.deepEqual(kept, expected)
    await device.next(50)
  }
}

/** Of each chat what the client has of it. */
function keptBy({ chats, open }: Mailbox): object[] {
  return [...chats.values()]
    .map((chat) => {
      return { id: chat.id, ...picked(chat), messages: (open.get(chat.id) ?? []).map(wordsOf) }
    })
    .sort(byId)
}

function expectedBy(model: Model, { chatIds }: Site, username: string): object[] {
  return [...model.chats.values()]
    .filter(({ members }) => members.get(username)?.isListed)
    .map((chat) => {
      const expected = expectedOf(model, username, chat)
      return { id: chatIds.get(chat.key) ?? '', ...expected, messages: history(chat, username) }
    })
    .sort(byId)
}

function byId(one: { id: string }, two: { id: string }): number {
  return one.id < two.id ? -1 : 1
}

function history(chat: ModelChat, username: string): object[] {
  const { clearedSeq } = memberOf(chat, username)
  const kept = chat.messages.filter(({ seq }) => seq > clearedSeq)
  return kept.map((message) => shownTo(chat, username, message))
}

/** After `settle`: what a fetch says is what the model has, and, to the millisecond, what clients have. */
export async function compare(model: Model, site: Site): Promise<void> {
  await Promise.all(site.users.map((user) => compareUser(model, site, user)))
}

async function compareUser(model: Model, site: Site, { person, clients }: User): Promise<void> {
  const { username } = person
  const [unread, ...lists] = await Promise.all([
    person.ask('GET', '/unread'),
    ...LISTS.map(([, query]) => person.chats(query)),
  ])
  for (const [index, [which]] of LISTS.entries())
    assertList(site, lists[index] ?? [], model.list(username, which))
  assert.deepEqual(unread, model.unread(username))
  const fetched = await Promise.all(
    lists.flat().map(async (chat) => ({ chat, messages: await person.history(chat.id) })),
  )
  const keys = new Map([...site.chatIds].map(([key, chatId]) => [chatId, key]))
  for (const { chat, messages } of fetched) {
    const known = model.chats.get(keys.get(chat.id) ?? '')
    assert(known, 'the server has a chat that the model has not')
    assert.deepEqual(messages.map(wordsOf), history(known, username))
    assert.deepEqual(picked(chat), expectedOf(model, username, known))
  }
  for (const { device, state } of clients) {
    if (!device) continue
    const kept = [...state.chats.values()].map((chat) => {
      return { chat, messages: state.open.get(chat.id) ?? [] }
    })
    assert.deepEqual(exact(kept), exact(fetched))
    assertUnseen(model, site, username, device)
  }
}

/** [CHAT-4] Times come in whole milliseconds: where two are equal, their order is not looked at. */
function assertList({ chatIds }: Site, chats: Chat[], expected: ModelChat[]): void {
  const ids: (string | undefined)[] = chats.map(({ id }) => id)
  const known = expected.map(({ key }) => chatIds.get(key))
  const isClear = new Set(chats.map(({ updatedAt }) => updatedAt)).size === chats.length
  if (isClear) assert.deepEqual(ids, known)
  else assert.deepEqual(new Set(ids), new Set(known))
}

/** [CHAT-3] */
function assertUnseen(model: Model, { chatIds }: Site, username: string, device: Device): void {
  for (const { key, members } of model.chats.values()) {
    const chatId = chatIds.get(key)
    if (!chatId || !members.get(username)?.isUnseen) continue
    const told = device.events.filter(({ data }) => data.id === chatId || data.chatId === chatId)
    assert.deepEqual(told, [])
  }
}

/** `rev` moves with what others alone see; the order of members is not told. */
function exact(all: { chat: Chat; messages: Message[] }[]) {
  const byName = (one: Chat['members'][number], two: Chat['members'][number]) =>
    (one.username ?? '') < (two.username ?? '') ? -1 : 1
  return all
    .map(({ chat: { rev: _rev, ...chat }, messages }) => {
      return { ...chat, members: chat.members.toSorted(byName), messages }
    })
    .sort(byId)
}

/** A message as the model has it. */
export function wordsOf(message: Message): object {
  const { chatId: _, createdAt: __, clientId, editedAt, deletedAt, reply, my, ...rest } = message
  const isKnown = rest.kind !== 'system' && !my?.deleted
  return defined({
    ...rest,
    clientId: isKnown ? clientId : undefined,
    editedAt: editedAt && true,
    deletedAt: deletedAt && true,
    reply: reply && defined({ ...reply, deletedAt: reply.deletedAt && true }),
    my: my && withoutRev(my),
  })
}

function withoutRev(own: NonNullable<Message['my']>) {
  const { rev: _, starredAt, ...my } = own
  return { ...my, ...(starredAt ? { starredAt: true } : {}) }
}

function picked(view: Chat) {
  const { rev: _, updatedAt: __, id: ___, lastMessage, members, draft, ...chat } = view
  return {
    ...chat,
    members: Object.fromEntries(members.map(({ username, ...member }) => [username, member])),
    ...(draft && { draft: { body: draft.body } }),
    ...(lastMessage && { lastMessage: wordsOf(lastMessage) }),
  }
}

function expectedOf(model: Model, username: string, chat: ModelChat) {
  const { kind, members, messages, changes, title, settings } = chat
  const mine = memberOf(chat, username)
  const { readSeq, clearedSeq, pinned, archived, muted, draft, labels, request, role } = mine
  const last = messages.at(-1)
  const mentions = messages.filter(({ seq, counted }) => seq > readSeq && counted(username)).length
  const isGroup = kind === 'group'
  const blocked = !isGroup && model.hasBlocked(username, otherOf(chat, username))
  return defined({
    kind,
    title,
    settings,
    draft,
    labels,
    request,
    ...(isGroup ? { role, memberCount: members.size } : {}),
    members: Object.fromEntries(
      [...members].map(([name, member]) => [name, shownMember(member, isGroup, name === username)]),
    ),
    lastSeq: messages.length,
    unread: messages.length - readSeq,
    readSeq,
    clearedSeq: clearedSeq || undefined,
    mentions: mentions || undefined,
    changes: changes || undefined,
    pinned: pinned || undefined,
    archived: archived || undefined,
    muted: muted || undefined,
    blocked: blocked || undefined,
    lastMessage: last && last.seq > clearedSeq ? shownTo(chat, username, last) : undefined,
  })
}

/** [PRIV-5] What is read before a request is accepted is told to nobody. */
function shownMember(member: Member, isGroup: boolean, isOwn: boolean) {
  const { role, request, readSeq, deliveredSeq } = member
  const isKept = request !== undefined && !isOwn
  return {
    ...(isGroup ? { role } : {}),
    readSeq: isKept ? 0 : readSeq,
    deliveredSeq: isKept ? 0 : Math.max(readSeq, deliveredSeq),
  }
}
