/** Finding messages again, by whom, and only what they may see. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from '@microchatter/protocol'
import pg from 'pg'
import { engines, skipOf } from './support/databases.ts'
import { photo, sendFiles, upload } from './support/files.ts'
import { newGroup, newPeople } from './support/groups.ts'
import { createDatabase } from './support/postgres.ts'
import { type Person, startServer, type TestServer } from './support/server.ts'

interface Found {
  items: Message[]
  nextCursor?: string
}

for (const engine of engines)
  describe(`search on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    before(async () => {
      server = await startServer(engine, {
        MICROCHATTER_SEARCH_LANGUAGE: 'english',
        MICROCHATTER_FILES_UPLOADS: 'on',
      })
    })
    after(() => server.close())

    const some = (count: number) => newPeople(server, count) as Promise<any>
    const find = (one: Person, query: Record<string, string | number>) =>
      one.ask<Found>(
        'GET',
        `/search?${new URLSearchParams(query as Record<string, string>).toString()}`,
      )
    const bodies = async (one: Person, query: Record<string, string | number>) =>
      (await find(one, query)).items.map(({ body }) => body)
    const say = (one: Person, chatId: string, body: string, more: object = {}) =>
      one.ask<Message>('POST', `/chats/${chatId}/messages`, { body, ...more })

    /** Before the index has it, and after. */
    async function twice(check: () => Promise<void>): Promise<void> {
      await check()
      await sleep(2_500)
      await check()
    }

    test('[SEARCH-1] by words, the last of which may be unfinished; newest first', async () => {
      const [ann, bob, cat] = await some(3)
      const { chatId } = await ann.sendTo(bob, 'The quick brown fox runs')
      await say(bob, chatId, 'a slow brown bear')
      const other = await cat.sendTo(ann, 'brown paper')
      await twice(async () => {
        assert.deepEqual(await bodies(ann, { q: 'brown' }), [
          'brown paper',
          'a slow brown bear',
          'The quick brown fox runs',
        ])
        assert.deepEqual(await bodies(ann, { q: 'BROWN fo' }), ['The quick brown fox runs'])
        assert.deepEqual(await bodies(ann, { q: 'run brown' }), ['The quick brown fox runs'])
        assert.deepEqual(await bodies(ann, { q: 'fo ' }), [])
        assert.deepEqual(await bodies(ann, { q: 'brown', chatId }), [
          'a slow brown bear',
          'The quick brown fox runs',
        ])
        assert.deepEqual(await bodies(bob, { q: 'paper' }), [])
        assert.equal((await bob.fetch('GET', `/search?q=brown&chatId=${other.chatId}`)).status, 404)
        assert.deepEqual(await bodies(ann, { q: 'the' }), [], 'a word that says nothing')
      })
      const [hit] = (await find(ann, { q: 'fox' })).items
      assert.deepEqual([hit?.chatId, hit?.seq], [chatId, 1])
    })

    test('[SEARCH-1] by sender, kind, link and time', async () => {
      const [ann, bob] = await some(2)
      const { chatId } = await ann.sendTo(bob, 'look at https://example.org/page')
      await say(bob, chatId, 'nice', { poll: { options: ['a', 'b'] } })
      const last = await say(bob, chatId, 'nice too')
      await twice(async () => {
        assert.deepEqual(await bodies(ann, { from: bob.username }), ['nice too', 'nice'])
        assert.deepEqual(await bodies(ann, { kind: 'poll' }), ['nice'])
        assert.deepEqual(await bodies(ann, { has: 'link' }), ['look at https://example.org/page'])
        assert.deepEqual(await bodies(ann, { q: 'nice', kind: 'text', from: bob.username }), [
          'nice too',
        ])
        assert.deepEqual(await bodies(ann, { q: 'nice', before: last.createdAt }), ['nice'])
        assert.deepEqual(await bodies(ann, { from: bob.username, after: last.createdAt }), [])
        assert.deepEqual(await bodies(ann, { from: 'nobody-of-that-name' }), [])
      })
    })

    test('[SEARCH-1] by the names of files, and by what kind they are', async () => {
      const [ann, bob, cat] = await some(3)
      const { chatId } = await ann.sendTo(bob, 'no file')
      const picture = await upload(ann, await photo(), { name: 'Summer_2026-beach.jpg' })
      const paper = await upload(ann, Buffer.from('text'), { name: 'report.txt' })
      await sendFiles(ann, chatId, [picture, paper], { body: 'both' })
      await sendFiles(ann, chatId, [paper], { body: 'one' })
      await twice(async () => {
        assert.deepEqual(await bodies(bob, { has: 'file' }), ['one', 'both'])
        assert.deepEqual(await bodies(bob, { has: 'image' }), ['both'])
        assert.deepEqual(await bodies(bob, { has: 'video' }), [])
        assert.deepEqual(await bodies(bob, { q: 'beach' }), ['both'])
        assert.deepEqual(await bodies(bob, { q: 'summer bea' }), ['both'])
        assert.deepEqual(await bodies(bob, { q: 'report.txt', from: ann.username }), [
          'one',
          'both',
        ])
        assert.deepEqual(await bodies(bob, { q: 'one report', has: 'file' }), ['one'])
        assert.deepEqual(await bodies(cat, { has: 'file' }), [])
        assert.deepEqual(await bodies(cat, { q: 'beach' }), [])
      })
    })

    test('[SEARCH-1] page by page, each once', async () => {
      const [ann, bob, cat] = await some(3)
      const { chatId } = await ann.sendTo(bob, 'number 0')
      for (let n = 1; n < 23; n += 1) await say(n % 2 ? ann : bob, chatId, `number ${n}`)
      for (let n = 23; n < 40; n += 1) await cat.sendTo(ann, `number ${n}`)
      await twice(async () => {
        const found: string[] = []
        let cursor: string | undefined
        do {
          const page = await find(ann, { q: 'number', limit: 7, ...(cursor ? { cursor } : {}) })
          found.push(...page.items.map(({ body }) => body))
          cursor = page.nextCursor
        } while (cursor)
        assert.deepEqual(
          found,
          Array.from({ length: 40 }, (_, n) => `number ${39 - n}`),
        )
      })
    })

    test('[SEARCH-1] nothing of a chat that one is not in, or what is gone for one', async () => {
      const [ann, bob, cat] = await some(3)
      const { id } = await newGroup([ann, bob], { settings: { history: 'joined' } })
      const word = 'canary'
      for (const name of ['one', 'two', 'three', 'four']) await say(bob, id, `${word} ${name}`)
      await twice(async () => {
        assert.equal((await bodies(ann, { q: word })).length, 4)
        assert.deepEqual(await find(cat, { q: word }), { items: [] })
        assert.equal((await cat.fetch('GET', `/search?q=${word}&chatId=${id}`)).status, 404)
      })
      const path = `/chats/${id}/messages`
      await bob.ask('DELETE', `${path}/2`)
      await ann.ask('DELETE', `${path}/3?for=me`)
      await bob.ask('PATCH', `${path}/4`, { body: 'it has flown' })
      await twice(async () => {
        assert.deepEqual(await bodies(ann, { q: word }), [`${word} four`])
        assert.deepEqual(await bodies(ann, { q: 'flown' }), ['it has flown'])
        assert.equal((await bodies(bob, { q: word })).length, 2)
      })
      await ann.ask('POST', `/chats/${id}/members`, { usernames: [cat.username] })
      assert.deepEqual(await bodies(cat, { q: word }), [], 'from before it came')
      await ann.ask('PUT', `/users/me/blocks/${bob.username}`)
      assert.deepEqual(await bodies(ann, { q: word }), [], 'of whom it has blocked')
      await ann.ask('DELETE', `/users/me/blocks/${bob.username}`)
      await ann.ask('DELETE', `/chats/${id}`)
      assert.deepEqual(await bodies(ann, { q: word }), [], 'cleared')
      await bob.ask('DELETE', `/chats/${id}/members/me`)
      assert.deepEqual(await bodies(bob, { q: word }), [], 'left')
    })

    test('[SEARCH-1] what has disappeared is found no more', async () => {
      const [ann, bob] = await some(2)
      const { id } = await newGroup([ann, bob])
      await ann.ask('PATCH', `/chats/${id}`, { settings: { expireAfterSeconds: 3 } })
      await say(ann, id, 'vanishing')
      assert.deepEqual(await bodies(bob, { q: 'vanishing' }), ['vanishing'])
      await sleep(3_200)
      assert.deepEqual(await bodies(bob, { q: 'vanishing' }), [])
    })

    test('[SEARCH-3] whatever is asked for, the answer is a clear one, soon', async () => {
      const [ann, bob] = await some(2)
      await ann.sendTo(bob, `it's a back\\slash & "quotes" | wi-fi <b> 100%`)
      for (const [q, count] of [
        ['back\\slash', 1],
        ['"quotes"', 1],
        ['wi-fi', 1],
        ['wi-f', 1],
        ['100%', 1],
        // Words that say nothing, and marks without a word.
        [`it's`, 0],
        ['<b>', 0],
      ] as const)
        assert.equal((await bodies(ann, { q })).length, count, q)
      assert.equal((await bodies(ann, { q: 'wi-fi quot' })).length, 1)
      for (const q of [
        `'`,
        `\\`,
        `''\\'':*`,
        '&|!()<->:*',
        '%%%',
        '@a'.repeat(100),
        '['.repeat(200),
        'a.'.repeat(100),
        '😀',
        '\ud800',
        `'; DROP TABLE messages; --`,
      ]) {
        const began = performance.now()
        const { status } = await ann.fetch(
          'GET',
          `/search?q=${encodeURIComponent(q.toWellFormed())}`,
        )
        assert(status === 200 || status === 400, `${q}: ${status}`)
        assert(performance.now() - began < 500, q)
      }
      for (const [query, status] of [
        ['', 400],
        ['q=', 400],
        ['q=%20', 400],
        ['q=a%00b', 400],
        [`q=${'x'.repeat(201)}`, 400],
        ['q=a&limit=101', 400],
        ['q=a&cursor=abc', 400],
        ['q=a&after=yesterday', 400],
        ['q=a&has=everything', 400],
        ['q=a&chatId=nothing', 404],
      ] as const)
        assert.equal((await ann.fetch('GET', `/search?${query}`)).status, status, query)
    })
  })

describe('the index of words', { skip: skipOf('postgres') }, () => {
  let database: { url: string; drop: () => Promise<void> }
  let client: pg.Client
  before(async () => {
    database = await createDatabase()
    client = new pg.Client({
      connectionString: database.url,
      options: '-c search_path=microchatter',
    })
    await client.connect()
  })
  after(async () => {
    await client.end()
    await database.drop()
  })

  /** Until it has so many messages, 15 s at most. */
  async function reaches(count: number): Promise<void> {
    let rows = -1
    for (let left = 150; left > 0 && rows !== count; left -= 1) {
      await sleep(100)
      const found = await client.query<{ n: number }>('SELECT count(*)::int AS n FROM findable')
      rows = found.rows[0]?.n ?? -1
    }
    assert.equal(rows, count)
  }

  test('[SEARCH-2] it has all within moments, what is erased no more, and after a start what it lacked', async () => {
    const server = await startServer('postgres', { DATABASE_URL: database.url })
    const [ann, bob] = (await newPeople(server, 2)) as [Person, Person]
    const { chatId } = await ann.sendTo(bob, 'first')
    // Longer than a word of the index may be.
    const longest = ['x'.repeat(8_000), `${'y'.repeat(2_040)} z`, '語'.repeat(700), 'https://']
    for (const body of longest) await ann.sendTo(bob, body)
    await Promise.all(Array.from({ length: 300 }, (_, n) => ann.sendTo(bob, `word${n}`)))
    await reaches(305)
    await ann.ask('DELETE', `/chats/${chatId}/messages/1`)
    await reaches(304)
    await server.close()
    await client.query('TRUNCATE findable, indexed')
    const again = await startServer('postgres', { DATABASE_URL: database.url })
    await reaches(304)
    await again.close()
  })
})
