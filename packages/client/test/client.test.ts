/** The client beside a real server: what it shows, and what it does where the way is bad. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chat, Message } from '../src/protocol.ts'
import { Client } from '../src/client.ts'
import type { Conversation } from '../src/conversation.ts'
import { ChatError } from '../src/errors.ts'
import { MemoryStorage } from '../src/storage.ts'
import type { Value } from '../src/value.ts'
import { type Running, startProcess } from '../../server/test/support/process.ts'
import {
  jwtFor,
  newName,
  newPerson,
  Person,
  SECRET,
  startServer,
  type TestServer,
} from '../../server/test/support/server.ts'

/** Waits until what is shown fits. */
async function shows<T>(
  value: Value<T>,
  fits: (shown: T) => unknown,
  withinMs = 5_000,
): Promise<T> {
  for (const until = Date.now() + withinMs; ; await sleep(10)) {
    const shown = value.getSnapshot()
    if (fits(shown)) return shown
    assert(Date.now() < until, `it shows ${JSON.stringify(shown)?.slice(0, 2_000)}`)
  }
}

const bodies = ({ view }: Conversation) => view.getSnapshot().messages.map(({ body }) => body)

describe('the client', () => {
  let server: TestServer
  const clients: Client[] = []
  before(async () => {
    server = await startServer('embedded', { MICROCHATTER_FILES_UPLOADS: 'on' })
  })
  after(async () => {
    for (const client of clients) client.stop()
    await server.close()
  })

  function clientOf(person: Person, more: object = {}): Client {
    const client = new Client({ url: server.url, getToken: () => person.token, ...more })
    clients.push(client)
    return client
  }
  async function online(person: Person, more: object = {}): Promise<Client> {
    const client = clientOf(person, more)
    await client.start()
    await shows(client.status, (status) => status === 'online')
    return client
  }
  async function pair() {
    const [ann, bob] = [await newPerson(server, 'ann'), await newPerson(server, 'bob')]
    const first = await ann.sendTo(bob, 'first')
    return { ann, bob, chatId: first.chatId }
  }

  test('what one writes is shown at once, then as the server has it, and to the other', async () => {
    const { ann, bob, chatId } = await pair()
    const [anns, bobs] = [await online(ann), await online(bob)]
    const [left, right] = [anns.open(chatId), bobs.open(chatId)]
    await shows(left.view, ({ isLoading }) => !isLoading)
    await shows(right.view, ({ isLoading }) => !isLoading)
    const steps: string[] = []
    left.view.subscribe(() => {
      const { messages, pending } = left.view.getSnapshot()
      const step = `${messages.length} and ${pending.length}`
      if (steps.at(-1) !== step) steps.push(step)
    })
    const message = await anns.send(chatId, 'hello')
    const shown = await shows(left.view, ({ pending }) => pending.length === 0)
    assert.deepEqual(shown.messages.at(-1), message)
    assert.deepEqual(steps, ['1 and 1', '2 and 0'], 'never both, never neither')
    await shows(right.view, ({ messages }) => messages.at(-1)?.body === 'hello')
    const chat = await shows(bobs.chat(chatId), (one) => one?.unread === 2)
    assert.equal(chat?.lastMessage?.body, 'hello')
    await bobs.markRead(chatId)
    assert.equal(bobs.chat(chatId).getSnapshot()?.unread, 0)
    await shows(anns.chat(chatId), (one) => one?.members.every(({ readSeq }) => readSeq === 2))
    await shows(bobs.unread, ({ total }) => total === 0)
    await anns.send(chatId, 'one more')
    await shows(bobs.unread, ({ total, chats }) => total === 1 && chats === 1)
    await bobs.send(chatId, 'an answer reads what was before')
    await shows(bobs.unread, ({ total }) => total === 0)
    assert.deepEqual(await bobs.api.getUnread(), bobs.unread.getSnapshot())
  })

  test('edits, reactions, deletions, typing and presence reach the other', async () => {
    const { ann, bob, chatId } = await pair()
    const [anns, bobs] = [await online(ann), await online(bob)]
    const [left, right] = [anns.open(chatId), bobs.open(chatId)]
    await shows(right.view, ({ isLoading }) => !isLoading)
    const [before] = right.view.getSnapshot().messages
    await ann.sendTo(bob, 'another one')
    await shows(right.view, ({ messages }) => messages.length === 2)
    assert.equal(
      right.view.getSnapshot().messages[0],
      before,
      'what did not change is the same object',
    )
    await anns.edit(chatId, 1, 'edited')
    await shows(right.view, ({ messages }) => messages[0]?.body === 'edited')
    await bobs.react(chatId, 1, '👍')
    await shows(left.view, ({ messages }) => messages[0]?.reactions?.[0]?.emoji === '👍')
    await shows(right.view, ({ messages }) => messages[0]?.my?.reactions?.includes('👍'))
    anns.setTyping(chatId)
    anns.setTyping(chatId)
    await shows(bobs.typing(chatId), (names) => names.includes(ann.username))
    anns.setTyping(chatId, false)
    await shows(bobs.typing(chatId), (names) => names.length === 0)
    const there = bobs.presence(ann.username)
    const end = there.subscribe(() => undefined)
    await shows(there, (one) => one?.state === 'online')
    await anns.setPresence('away')
    await shows(there, (one) => one?.state === 'away')
    end()
    await anns.delete(chatId, 1)
    await shows(right.view, ({ messages }) => messages[0]?.deletedAt)
  })

  test('a long chat: the newest page first, older ones on demand, without gap', async () => {
    const { ann, bob, chatId } = await pair()
    for (let n = 2; n <= 130; n += 1) await ann.sendTo(bob, `number ${n}`)
    const client = await online(bob)
    const conversation = client.open(chatId)
    const { hasOlder } = await shows(conversation.view, ({ isLoading }) => !isLoading)
    assert.deepEqual([hasOlder, bodies(conversation).length], [true, 50])
    await conversation.loadOlder()
    await conversation.loadOlder()
    const { messages, hasOlder: isMore } = await shows(
      conversation.view,
      (view) => view.messages.length === 130,
    )
    assert.equal(isMore, false)
    assert.deepEqual(
      messages.map(({ seq }) => seq),
      Array.from({ length: 130 }, (_, index) => index + 1),
    )
    conversation.close()
    await ann.sendTo(bob, 'later')
    await shows(client.chat(chatId), (chat) => chat?.lastSeq === 131)
    const again = client.open(chatId)
    await shows(again.view, ({ messages }) => messages.at(-1)?.body === 'later')
  })

  test('the lists: pinned first, then newest; archive and requests beside them', async () => {
    const ann = await newPerson(server)
    const others = await Promise.all(Array.from({ length: 3 }, () => newPerson(server)))
    const ids: string[] = []
    for (const one of others) ids.push((await one.sendTo(ann, 'hi')).chatId)
    const client = await online(ann)
    const listed = () => client.chats.getSnapshot().map(({ id }) => id)
    await shows(client.chats, (chats) => chats.length === 3)
    assert.deepEqual(listed(), ids.toReversed())
    const [first = '', second = ''] = ids
    await client.editChat({ chatId: first, pinned: true })
    await shows(client.chats, ([top]) => top?.id === first)
    await client.editChat({ chatId: second, archived: true })
    await shows(client.archived, (chats) => chats[0]?.id === second)
    assert.equal(client.chats.getSnapshot().length, 2)
    const same = client.chats.getSnapshot()
    assert.equal(client.chats.getSnapshot(), same, 'the same object until it changes')
  })

  test('a refused message stays, says why, and can be tried again or given up', async () => {
    const { ann, bob, chatId } = await pair()
    const client = await online(ann)
    const conversation = client.open(chatId)
    await bob.ask('PUT', `/users/me/blocks/${ann.username}`)
    await assert.rejects(client.send(chatId, 'are you there?'), (error: unknown) => {
      assert(error instanceof ChatError)
      return error.code === 'blocked'
    })
    const { pending } = await shows(conversation.view, (view) => view.pending[0]?.failed)
    assert.equal(pending[0]?.failed?.code, 'blocked')
    await bob.ask('DELETE', `/users/me/blocks/${ann.username}`)
    await client.retry(chatId, pending[0]?.clientId ?? '')
    await shows(conversation.view, (view) => view.pending.length === 0)
    await shows(conversation.view, ({ messages }) => messages.at(-1)?.body === 'are you there?')
  })

  test('what is written offline is kept over a reload, and sent once, in its order', async () => {
    const { ann, bob, chatId } = await pair()
    const storage = new MemoryStorage()
    const before = clientOf(ann, { storage })
    for (const body of ['one', 'two', 'three']) void before.send(chatId, body)
    await sleep(50)
    before.stop()
    // One of them has arrived already, and only its answer was lost.
    const [first] = await storage.pending()
    await ann.ask('POST', `/chats/${chatId}/messages`, { body: 'one', clientId: first?.clientId })
    const after = await online(ann, { storage })
    const conversation = after.open(chatId)
    await shows(conversation.view, ({ messages }) => messages.length === 4)
    assert.deepEqual(bodies(conversation), ['first', 'one', 'two', 'three'])
    await shows(conversation.view, ({ pending }) => pending.length === 0)
    assert.deepEqual(await storage.pending(), [])
    const all = await bob.history(chatId)
    assert.equal(all.length, 4)
  })

  test('what was seen can be read offline, and nothing is left after a log-out', async () => {
    const { ann, chatId } = await pair()
    const storage = new MemoryStorage()
    const first = await online(ann, { storage })
    const conversation = first.open(chatId)
    await shows(conversation.view, ({ isLoading }) => !isLoading)
    await sleep(1_200)
    first.stop()
    const offline = new Client({ url: 'http://127.0.0.1:1', getToken: () => ann.token, storage })
    await offline.start()
    await shows(offline.chats, ([chat]) => chat?.lastMessage?.body === 'first')
    const kept = offline.open(chatId)
    await shows(kept.view, ({ messages }) => messages[0]?.body === 'first')
    await offline.logOut()
    assert.equal(await storage.kept(), undefined)
    await shows(offline.chats, (chats) => chats.length === 0)
  })

  test('a file is uploaded in parts, sent, and found by its kind', async () => {
    const { ann, chatId } = await pair()
    const client = await online(ann)
    const progress: number[] = []
    const bytes = new Blob([randomBytes(9_000_000)], { type: 'application/x-thing' })
    const file = await client.upload(bytes, {
      name: 'größer.bin',
      onProgress: (part) => progress.push(part),
    })
    assert.deepEqual([file.name, file.size, file.kind], ['größer.bin', 9_000_000, 'file'])
    assert.equal(progress.length, 3)
    assert.equal(progress.at(-1), 1)
    const message = await client.send(chatId, { files: [{ id: file.id }] })
    assert.equal(message.files?.[0]?.id, file.id)
    const found = await client.api.searchMessages({ has: 'file' })
    assert.equal(found.items[0]?.seq, message.seq)
    const { items } = await client.api.linkFiles({
      files: [{ chatId, seq: message.seq, fileId: file.id }],
    })
    assert.equal(items.length, 1)
    const links = await Promise.all(
      [0, 1].map((back) => client.fileLink(chatId, message.seq - back, file.id)),
    )
    assert.equal(links[1], undefined, 'the message before has no such file')
    const bytesOf = await (await fetch(links[0]?.url ?? '')).arrayBuffer()
    assert.equal(bytesOf.byteLength, 9_000_000)
    assert.deepEqual(
      await client.fileLink(chatId, message.seq, file.id),
      links[0],
      'kept for a while',
    )
    const aborted = client.upload(bytes, { signal: AbortSignal.abort(new Error('enough')) })
    await assert.rejects(aborted, /enough/)
  })

  test('before a token ends the next one is asked for, and the socket goes on', async () => {
    const ann = await newPerson(server)
    let asked = 0
    const getToken = () => {
      asked += 1
      return jwtFor(ann.username, { seconds: 62 })
    }
    const client = await online(ann, { getToken })
    const states: string[] = []
    client.status.subscribe(() => states.push(client.status.getSnapshot()))
    for (const until = Date.now() + 6_000; asked < 2; await sleep(50)) assert(Date.now() < until)
    await sleep(300)
    assert.deepEqual([client.status.getSnapshot(), states], ['online', []])
  })

  test('who is not logged in is told, and asks no more', async () => {
    const errors: ChatError[] = []
    const client = new Client({
      url: server.url,
      getToken: () => undefined,
      onEnd: (error) => errors.push(error),
    })
    await client.start()
    await shows(client.status, (status) => status === 'closed')
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['signed_out'],
    )
    await assert.rejects(client.api.listChats(), { code: 'signed_out' })
    const wrong = new Client({ url: server.url, getToken: () => 'not-a-token' })
    await assert.rejects(wrong.api.listChats(), { code: 'bad_credentials' })
    await assert.rejects(clientOf(await newPerson(server)).api.getChat({ chatId: 'x' }), {
      code: 'not_found',
    })
  })

  test('events come by name and type', async () => {
    const { ann, bob, chatId } = await pair()
    const client = await online(bob)
    const heard: Message[] = []
    const end = client.on('message.created', (message) => heard.push(message))
    await ann.sendTo(bob, 'second')
    await shows(client.chat(chatId), (chat) => chat?.lastSeq === 2)
    end()
    await ann.sendTo(bob, 'third')
    await shows(client.chat(chatId), (chat) => chat?.lastSeq === 3)
    assert.deepEqual(
      heard.map(({ body }) => body),
      ['second'],
    )
  })
})

describe('the client, and a server that is killed', () => {
  let folder: string
  let running: Running
  let env: Record<string, string>
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'microchatter-client-'))
    env = {
      MICROCHATTER_DATA_DIR: join(folder, 'data'),
      MICROCHATTER_JWT_SECRET: SECRET,
      MICROCHATTER_LIMITS: 'off',
    }
    running = await startProcess(env)
  })
  after(async () => {
    await running.end()
    await rm(folder, { recursive: true, force: true })
  })

  test('nothing that was written is lost or doubled, and both see the same', async () => {
    const { url } = running
    const port = new URL(url).port
    const people = await Promise.all(
      ['ann', 'bob'].map(async () => {
        const username = newName()
        const person = new Person({ url }, username, `Bearer ${await jwtFor(username)}`)
        await person.ask('GET', '/users/me')
        return person
      }),
    )
    const [ann, bob] = people as [Person, Person]
    const { chatId } = await ann.sendTo(bob, 'first')
    const clients = people.map((person) => new Client({ url, getToken: () => person.token }))
    for (const client of clients) await client.start()
    for (const client of clients) await shows(client.status, (status) => status === 'online')
    const views = clients.map((client) => client.open(chatId))
    const sent: Promise<Message>[] = []
    const writing = (async () => {
      for (let n = 0; n < 60; n += 1) {
        const [client] = n % 2 ? clients : clients.toReversed()
        if (client) sent.push(client.send(chatId, `message ${n}`))
        await sleep(25)
      }
    })()
    await sleep(500)
    await running.end('SIGKILL')
    await sleep(300)
    running = await startProcess({ ...env, PORT: port })
    await writing
    await Promise.all(sent)
    const all = await ann.history(chatId)
    assert.equal(all.length, 61)
    assert.equal(new Set(all.map(({ body }) => body)).size, 61)
    for (const { view } of views) {
      const shown = await shows(
        view,
        ({ messages }) => messages.length >= 50 && messages.at(-1)?.seq === 61,
      )
      const [oldest] = shown.messages
      assert.deepEqual(
        shown.messages,
        all.filter(({ seq }) => seq >= (oldest?.seq ?? 0)),
      )
      assert.deepEqual(shown.pending, [])
    }
    const fresh = (await ann.chats()).map(({ id, lastSeq, unread }: Chat) => ({
      id,
      lastSeq,
      unread,
    }))
    const kept = clients[0]?.chats
      .getSnapshot()
      .map(({ id, lastSeq, unread }) => ({ id, lastSeq, unread }))
    assert.deepEqual(kept, fresh)
    for (const client of clients) client.stop()
  })
})
