/** /widget.js, as pages of other sites get it, and the demo: who may have its tokens, and what is in it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { Chat, History, Message } from '@microchatter/protocol'
import { createWidget, onGetWidget } from '../src/http/widget.ts'
import { engines, skipOf } from './support/databases.ts'
import { Person, startServer, type TestServer, withDatabase } from './support/server.ts'

interface Raw {
  status: number
  headers: Record<string, string | string[] | undefined>
  bytes: Buffer
}

/** Without what fetch adds and unpacks by itself. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, method }, (response) => {
      response.toArray().then(
        (parts) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes: Buffer.concat(parts as Buffer[]),
          }),
        reject,
      )
    })
    request.on('error', reject).end()
  })
}

const codeOf = ({ bytes }: Raw) => (JSON.parse(bytes.toString()) as { code: string }).code

describe('the widget', () => {
  let server: TestServer
  before(async () => {
    server = await startServer('embedded')
  })
  after(() => server.close())
  const load = (headers?: Record<string, string>, method?: string) =>
    ask(`${server.url}/widget.js`, headers, method)

  test('pages of any site may load it, and ask again by its tag', async () => {
    const whole = await load({ origin: 'https://example.org' })
    assert.equal(whole.status, 200)
    assert.match(whole.bytes.toString(), /micro-chatter/)
    const { headers } = whole
    assert.deepEqual(
      [
        headers['content-type'],
        headers['access-control-allow-origin'],
        headers['cross-origin-resource-policy'],
        headers['x-content-type-options'],
        headers['cache-control'],
        headers.vary,
        headers['content-encoding'],
      ],
      [
        'text/javascript; charset=utf-8',
        '*',
        'cross-origin',
        'nosniff',
        'public, max-age=300, must-revalidate',
        'Accept-Encoding',
        undefined,
      ],
    )
    const tag = String(headers.etag)
    assert.match(tag, /^"[\w-]{20,}"$/)
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await load({ 'if-none-match': known })
      assert.deepEqual([again.status, again.bytes.length, again.headers.etag], [304, 0, tag], known)
      assert.equal(again.headers['access-control-allow-origin'], '*')
    }
    assert.equal((await load({ 'if-none-match': '"other"' })).status, 200)
  })

  test('an allowed origin is answered as any other: caches between may keep it', async () => {
    const { headers } = await load({ origin: 'http://localhost:5173' })
    assert.deepEqual(
      [headers['access-control-allow-origin'], headers.vary],
      ['*', 'Accept-Encoding'],
    )
  })

  test('it is smaller for who takes Brotli or gzip, and the same', async () => {
    const { bytes: plain } = await load()
    const unpack = { br: brotliDecompressSync, gzip: gunzipSync }
    const tags = new Set<unknown>()
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip;q=0.8, br;q=0', 'gzip'],
      ['GZIP', 'gzip'],
    ] as const) {
      const packed = await load({ 'accept-encoding': accepted })
      assert.equal(packed.headers['content-encoding'], encoding)
      assert.ok(unpack[encoding](packed.bytes).equals(plain))
      assert.equal(packed.headers['content-length'], String(packed.bytes.length))
      tags.add(packed.headers.etag)
    }
    assert.equal(tags.size, 2)
    for (const accepted of ['identity', 'br;q=0, gzip;q=0.0', 'zstd'])
      assert.equal(
        (await load({ 'accept-encoding': accepted })).headers['content-encoding'],
        undefined,
      )
    const head = await load({}, 'HEAD')
    assert.deepEqual([head.status, head.bytes.length], [200, 0])
    assert.equal(head.headers['content-length'], String(plain.length))
  })

  test('an encoding is made once, and another build has another tag', async () => {
    const one = createWidget(randomBytes(50_000))
    assert.equal(await one.bytes('br'), await one.bytes('br'))
    assert.notEqual(one.tag('br'), createWidget(randomBytes(50_000)).tag('br'))
  })

  test('where it was not built, the answer names the command', async () => {
    const call = { site: { widget: undefined } } as Parameters<typeof onGetWidget>[0]
    await assert.rejects(onGetWidget(call), { code: 'not_found', message: /npm run build/ })
  })
})

describe('the demo page', () => {
  let server: TestServer
  before(async () => {
    server = await startServer('embedded')
  })
  after(() => server.close())

  test('runs its own script and the widget, and has nothing inline', async () => {
    const page = await ask(`${server.url}/demo`)
    assert.equal(page.status, 200)
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    const policy = String(page.headers['content-security-policy']).split('; ')
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"])
      assert.ok(policy.includes(part), part)
    assert.ok(!policy.join().includes('unsafe'))
    const text = page.bytes.toString()
    assert.match(text, /<title>Microchatter demo<\/title>/)
    assert.doesNotMatch(text, / style=| on\w+=|<script[^>]*>[^<]|undefined|\[object/)
    const sources = Array.from(text.matchAll(/ (?:src|href)="(\/[^"]+)"/g), ([, path]) => path)
    assert.deepEqual(
      new Set(sources),
      new Set(['/demo/demo.css', '/demo/demo.js', '/docs', '/widget.js']),
    )
    for (const path of sources) assert.equal((await ask(server.url + path)).status, 200, path)
    const tokens = Array.from(text.matchAll(/<micro-chatter token-url="(\/demo[^"]+)"/g))
    assert.deepEqual(
      tokens.map(([, path]) => path),
      ['/demo/tokens/anna', '/demo/tokens/ben'],
    )
  })

  test('tokens are for the two alone, and for pages of this server', async () => {
    const token = (name: string, headers?: Record<string, string>) =>
      ask(`${server.url}/demo/tokens/${name}`, headers)
    for (const name of ['chiara', 'demo-anna', 'admin', 'system', '__proto__'])
      assert.equal(codeOf(await token(name)), 'not_found', name)
    for (const site of ['cross-site', 'same-site', 'none'])
      assert.equal(codeOf(await token('anna', { 'sec-fetch-site': site })), 'forbidden', site)
    for (const origin of ['http://localhost:5173', 'null', 'https://example.org'])
      assert.equal(codeOf(await token('anna', { origin })), 'forbidden', origin)
    const own = await token('anna', { 'sec-fetch-site': 'same-origin' })
    assert.equal(own.status, 200)
    assert.equal(own.headers['cache-control'], 'no-store')
    assert.equal((await token('ben', { origin: server.url })).status, 200)
    const given = JSON.parse(own.bytes.toString()) as { token: string }
    assert.deepEqual(Object.keys(given), ['token'])
    const anna = new Person(server, 'demo-anna', `Bearer ${given.token}`)
    const { username, role, displayName } = await anna.ask('GET', '/users/me')
    assert.deepEqual([username, role, displayName], ['demo-anna', 'user', 'Anna Lind'])
    assert.equal((await anna.fetch('GET', '/users')).status, 403)
    assert.equal(codeOf(await ask(`${server.url}/demo?token=${given.token}`)), 'token_in_url')
  })

  test('a user of that name who is more than a user of the demo is left alone', async () => {
    const admin = new Person(
      server,
      'admin',
      `Basic ${Buffer.from('admin:only-for-these-tests').toString('base64')}`,
    )
    await admin.ask('PATCH', '/users/demo-ben', { role: 'admin' })
    const refused = await ask(`${server.url}/demo/tokens/ben`)
    assert.equal(codeOf(refused), 'forbidden')
    await admin.ask('PATCH', '/users/demo-ben', { role: 'user' })
    assert.equal((await ask(`${server.url}/demo/tokens/ben`)).status, 200)
  })
})

describe('without a demo', () => {
  const off: Record<string, Record<string, string>> = {
    'by its setting': { MICROCHATTER_DEMO: 'off' },
    'in production': {
      NODE_ENV: 'production',
      MICROCHATTER_PUBLIC_URL: 'https://chat.example.org',
      MICROCHATTER_LIMITS: 'on',
    },
  }
  for (const [how, settings] of Object.entries(off))
    test(`${how}: its addresses answer like one that is not there`, async (t) => {
      const server = await startServer('embedded', settings)
      t.after(() => server.close())
      const nowhere = await ask(`${server.url}/nowhere`)
      const about = ({ status, headers, bytes }: Raw) => {
        const { date: _, 'x-request-id': id, ...others } = headers
        return [status, others, bytes.toString().replaceAll(String(id), '')]
      }
      for (const path of ['/demo', '/demo/demo.css', '/demo/demo.js', '/demo/tokens/anna'])
        for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD']) {
          const expected =
            method === 'GET' ? nowhere : await ask(`${server.url}/nowhere`, {}, method)
          assert.deepEqual(about(await ask(server.url + path, {}, method)), about(expected), path)
        }
      assert.equal((await ask(`${server.url}/widget.js`)).status, 200)
    })

  test('production cannot have it: there is no such setting', async () => {
    await assert.rejects(startServer('embedded', { MICROCHATTER_DEMO: 'on' }), /MICROCHATTER_DEMO/)
  })
})

for (const engine of engines)
  describe(`what is in the demo, ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    let people: Record<'anna' | 'ben', Person>
    before(async () => {
      // Rates do not count what the demo itself says.
      server = await startServer(engine, {
        MICROCHATTER_LIMITS: 'on',
        MICROCHATTER_FILES_UPLOADS: 'on',
        MICROCHATTER_PRIVACY_WRITE_FROM: 'nobody',
      })
      const [anna, ben] = await Promise.all([enter(server, 'anna'), enter(server, 'ben')])
      people = { anna, ben }
    })
    after(() => server.close())

    test('two first calls at once fill it once, and so do others later', async () => {
      const titles = async () => (await people.anna.chats()).flatMap(({ title }) => title ?? [])
      const before = await titles()
      assert.equal(before.length, 3)
      assert.equal(new Set(before).size, 3)
      await enter(server, 'anna')
      assert.deepEqual(await titles(), before)
    })

    for (const name of ['anna', 'ben'] as const)
      test(`${name} has chats, groups, what is unread, and a request`, async () => {
        const person = people[name]
        const chats = await person.chats()
        const direct = chats.filter(({ kind }) => kind === 'direct')
        assert.ok(direct.length >= 5 && chats.length - direct.length === 3)
        assert.equal((await person.chats('?archived=true')).length, 1)
        assert.equal((await person.chats('?requests=true')).length, 1)
        for (const has of [
          ({ unread }: Chat) => unread > 0,
          ({ mentions }: Chat) => mentions !== undefined,
          ({ muted }: Chat) => muted === true,
          ({ pinned }: Chat) => pinned === true,
          ({ draft }: Chat) => draft !== undefined,
          ({ labels }: Chat) => labels !== undefined,
        ])
          assert.ok(chats.some(has), String(has))
        assert.ok(chats.some(({ unread }) => unread === 0))
      })

    test('the chats have all that there is in chats, and one is long', async () => {
      const chats = [...(await people.anna.chats()), ...(await people.ben.chats())]
      assert.ok(Math.max(...chats.map(({ lastSeq }) => lastSeq)) >= 150)
      const all: Message[] = []
      for (const { id } of await people.anna.chats()) all.push(...(await people.anna.history(id)))
      const kinds: Record<string, (message: Message) => boolean> = {
        poll: ({ poll }) => (poll?.voters ?? 0) > 3,
        place: ({ location }) => location !== undefined,
        card: ({ card }) => card?.buttons?.length === 2,
        reaction: ({ reactions }) => reactions?.some(({ count }) => count > 1) === true,
        answer: ({ reply }) => reply !== undefined,
        thread: ({ replies }) => (replies?.count ?? 0) > 3,
        mention: ({ mentions }) => mentions?.includes('demo-ben') === true,
        pin: ({ pinned }) => pinned === true,
        edit: ({ editedAt }) => editedAt !== undefined,
        deletion: ({ deletedAt }) => deletedAt !== undefined,
        star: ({ my }) => my?.starredAt !== undefined,
        link: ({ body }) => body.includes('https://'),
        image: ({ files }) => files?.[0]?.kind === 'image' && files[0].width === 960,
        voice: ({ files }) => files?.[0]?.voice === true && files[0].waveform?.length === 64,
      }
      for (const [what, fits] of Object.entries(kinds)) assert.ok(all.some(fits), what)
    })

    test('what one writes comes at the other', async () => {
      const { anna, ben } = people
      const device = await ben.connect()
      await anna.sendTo(ben, 'On my way')
      const told = await device.receives('message.created', ({ body }) => body === 'On my way')
      const { items } = await ben.ask<History>('GET', `/chats/${told.chatId}/messages?limit=3`)
      assert.equal(items.at(-1)?.body, 'On my way')
      ben.close()
    })
  })

test('files that the site does not take are left out; a restart adds nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'microchatter-demo-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const start = () => startServer('embedded', { MICROCHATTER_DATA_DIR: folder })
  const lengths = async (server: TestServer) =>
    (await (await enter(server, 'ben')).chats()).map(({ id, lastSeq }) => [id, lastSeq])
  const first = await start()
  const before = await lengths(first)
  // Whoever is Ben may do that.
  const ben = await enter(first, 'ben')
  const [chat] = await ben.chats()
  await ben.ask('PATCH', `/chats/${chat?.id}/messages/${chat?.lastSeq}`, { body: 'Something else' })
  await first.close()
  const again = await start()
  t.after(() => again.close())
  assert.deepEqual(await lengths(again), before)
})

test('what was cut off half-way is completed: nothing is there twice', {
  skip: skipOf('postgres'),
}, async (t) => {
  const settings = {
    MICROCHATTER_MESSAGES_EDIT_MINUTES: '0',
    MICROCHATTER_MESSAGES_DELETE_MINUTES: '0',
  }
  const first = await startServer('postgres', settings)
  t.after(() => first.close())
  const chatsOf = async (server: TestServer) => (await enter(server, 'anna')).chats()
  const before = await chatsOf(first)
  await withDatabase(first, (db) =>
    db.query(`UPDATE microchatter.messages SET client_id = gen_random_uuid()
              WHERE body LIKE 'And bring an appetite%' OR body LIKE 'Perfect, I know%'`),
  )
  const again = await startServer('postgres', first.env)
  t.after(() => again.close())
  const lengths = (chats: Chat[], more: number) =>
    new Map(
      chats.map(({ id, lastSeq, members }) => {
        const isTwo =
          members.some(({ username }) => username === 'demo-ben') && members.length === 2
        return [id, lastSeq + (isTwo ? more : 0)]
      }),
    )
  assert.deepEqual(lengths(await chatsOf(again), 0), lengths(before, 2))
})

async function enter(server: TestServer, name: string): Promise<Person> {
  const { status, bytes } = await ask(`${server.url}/demo/tokens/${name}`)
  assert.equal(status, 200, bytes.toString())
  const { token } = JSON.parse(bytes.toString()) as { token: string }
  const person = new Person(server, `demo-${name}`, `Bearer ${token}`)
  server.people.push(person)
  return person
}
