/** Previews of links: what a page says, and where the server never goes. */
import assert from 'node:assert/strict'
import { createServer as createHttp, type RequestListener, type Server } from 'node:http'
import { createServer as createTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Message } from '@microchatter/protocol'
import sharp from 'sharp'
import { firstLink } from '../src/domain/links.ts'
import { fetchOutside } from '../src/domain/outside.ts'
import { readPageMeta } from '../src/domain/page-meta.ts'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { engines, skipOf } from './support/databases.ts'
import { download, linkOf } from './support/files.ts'
import { assertFresh, newPeople } from './support/groups.ts'
import { type Person, startServer, type TestServer } from './support/server.ts'
import { comeBack } from './support/watch.ts'

interface Site {
  url: string
  /** Paths that were asked for. */
  asked: string[]
  close(): Promise<void>
}

async function startSite(pages: Record<string, RequestListener>): Promise<Site> {
  const asked: string[] = []
  const server: Server = createHttp((request, response) => {
    asked.push(request.url ?? '')
    const page = pages[request.url?.split('?')[0] ?? '']
    if (page) page(request, response)
    else response.writeHead(404).end()
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function listen(server: Server | ReturnType<typeof createTcp>): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    }),
  )
}

const html =
  (text: string, type = 'text/html; charset=utf-8'): RequestListener =>
  (_, response) =>
    response.writeHead(200, { 'content-type': type }).end(text)

const ARTICLE = `<!doctype html><html><head><title>Plain title</title>
  <meta property="og:title" content="A  fine &amp; long
  article"><meta name="description" content="What it is about">
  <meta property="og:site_name" content="The Site"><meta property="og:image" content="/image.png">
  </head><body><meta property="og:description" content="not of the head"></body></html>`

for (const engine of engines)
  describe(`link previews on ${engine}`, { skip: skipOf(engine) }, () => {
    let server: TestServer
    let site: Site
    let image: Buffer
    before(async () => {
      image = await sharp({
        create: { width: 1_200, height: 630, channels: 3, background: '#a33' },
      })
        .png()
        .toBuffer()
      site = await startSite({
        '/article': html(ARTICLE),
        '/other': html('<title>Another page</title>'),
        '/image.png': (_, response) =>
          response.writeHead(200, { 'content-type': 'image/png' }).end(image),
        '/empty': html('<p>nothing'),
        '/once': (_, response) => response.writeHead(302, { location: '/article' }).end(),
      })
      server = await startServer(engine, {
        MICROCHATTER_FILES_UPLOADS: 'on',
        MICROCHATTER_LINK_PREVIEWS: 'on',
        MICROCHATTER_INSECURE_PREVIEWS: 'true',
      })
    })
    after(async () => {
      await server.close()
      await site.close()
    })

    const some = (count: number) => newPeople(server, count) as Promise<any>
    const read = (one: Person, { chatId, seq }: Message) =>
      one.ask<Message>('GET', `/chats/${chatId}/messages/${seq}`)
    async function previewed(one: Person, message: Message, withinMs = 4_000): Promise<Message> {
      for (const until = Date.now() + withinMs; ; await sleep(50)) {
        const found = await read(one, message)
        if (found.preview) return found
        assert(Date.now() < until, `no preview of ${message.body}`)
      }
    }

    test('[PREVIEW-1] a moment after the message it has one, told to all its devices', async () => {
      const [ann, bob] = await some(2)
      await ann.sendTo(bob, 'hello')
      const states = [new Mailbox(ann.username), new Mailbox(bob.username)]
      const devices = [
        await comeBack(ann, states[0] as Mailbox),
        await comeBack(bob, states[1] as Mailbox),
      ]
      const link = `${site.url}/article`
      const message: Message = await ann.sendTo(bob, `Look (${link}), it is good`)
      assert.equal(message.preview, undefined)
      for (const device of devices) {
        const told = await device.receives('message.updated', ({ preview }) => preview)
        assert.deepEqual(
          [told.preview.url, told.preview.title, told.preview.description, told.preview.siteName],
          [link, 'A fine & long article', 'What it is about', 'The Site'],
        )
        assert.deepEqual([told.body, told.editedAt], [message.body, undefined])
      }
      const { preview } = await read(bob, message)
      assert.deepEqual(
        [preview?.image?.width, preview?.image?.height, preview?.image?.kind],
        [640, 336, 'image'],
      )
      const { bytes } = await download(bob, (await linkOf(bob, message, preview?.image))?.url)
      const { format, width } = await sharp(bytes).metadata()
      assert.deepEqual([format, width], ['webp', 640])
      await assertFresh(bob, states[1] as Mailbox)
    })

    test('[PREVIEW-1] what was found is asked for once, also what is not there', async () => {
      const [ann, bob] = await some(2)
      const times = (path: string) => site.asked.filter((asked) => asked === path).length
      await previewed(ann, await ann.sendTo(bob, `${site.url}/once`))
      await previewed(ann, await ann.sendTo(bob, `${site.url}/once#part and more`))
      assert.equal(times('/once'), 1)
      for (let n = 0; n < 3; n += 1) {
        await ann.sendTo(bob, `${site.url}/empty`)
        await sleep(150)
      }
      assert.equal(times('/empty'), 1)
    })

    test('[PREVIEW-1] none where the sender wants none; another one after an edit', async () => {
      const [ann, bob] = await some(2)
      const before = site.asked.length
      const { chatId, seq } = await ann.sendTo(bob, `${site.url}/unwanted`, { preview: false })
      await ann.ask('PATCH', `/chats/${chatId}/messages/${seq}`, { body: `${site.url}/unwanted2` })
      await sleep(300)
      assert.equal(site.asked.length, before)
      const message: Message = await ann.sendTo(bob, `see ${site.url}/article`)
      const first = await previewed(ann, message)
      const edit = (body: string) =>
        ann.ask('PATCH', `/chats/${chatId}/messages/${message.seq}`, { body }) as Promise<Message>
      assert.deepEqual((await edit(`see ${site.url}/article now`)).preview, first.preview)
      assert.equal((await edit(`see ${site.url}/other`)).preview, undefined)
      const second = await previewed(ann, message)
      assert.deepEqual(second.preview, { url: `${site.url}/other`, title: 'Another page' })
      assert.equal((await edit('see nothing')).preview, undefined)
      assert.equal(await linkOf(bob, message, first.preview?.image), undefined)
    })

    test('[PREVIEW-1] [FILE-6] passed on with the message, and gone with the last one', async () => {
      const [ann, bob, cat] = await some(3)
      const message = await previewed(ann, await ann.sendTo(bob, `${site.url}/article`))
      const { chatId } = await bob.sendTo(cat, 'x')
      const copy: Message = await bob.ask('POST', `/chats/${chatId}/messages`, {
        forward: { chatId: message.chatId, seq: message.seq },
      })
      assert.deepEqual(copy.preview, message.preview)
      await ann.ask('DELETE', `/chats/${message.chatId}/messages/${message.seq}`)
      assert.equal((await read(bob, message)).preview, undefined)
      assert.equal(await linkOf(bob, message, message.preview?.image), undefined)
      const link = await linkOf(cat, copy, copy.preview?.image)
      assert.equal((await download(cat, link?.url)).status, 200)
    })

    test('[PREVIEW-1] slow pages of one user do not hold up those of another, and long links have one too', async () => {
      const [ann, bob, cat] = await some(3)
      const silent = await startSite({ '/1': () => undefined, '/2': () => undefined })
      for (let n = 0; n < 10; n += 1) await ann.sendTo(bob, `${silent.url}/1?${n}`)
      const long = `${site.url}/other?${'語'.repeat(600)}`
      const { preview } = await previewed(cat, await cat.sendTo(bob, long), 3_000)
      assert.equal(preview?.title, 'Another page')
      await silent.close()
    })

    test('[PREVIEW-1] a message that is deleted meanwhile stays deleted', async () => {
      const [ann, bob] = await some(2)
      const slow = await startSite({
        '/slow': (_, response) => {
          setTimeout(
            () => response.writeHead(200, { 'content-type': 'text/html' }).end(ARTICLE),
            800,
          )
        },
      })
      const message: Message = await ann.sendTo(bob, `${slow.url}/slow`)
      await ann.ask('DELETE', `/chats/${message.chatId}/messages/${message.seq}`)
      await sleep(1_500)
      const left = await read(bob, message)
      assert.deepEqual([left.body, left.preview], ['', undefined])
      await slow.close()
    })
  })

describe('where previews never go', () => {
  test('[PREVIEW-2] private addresses, however they are written: nobody is connected to', async () => {
    let connections = 0
    const canary = createTcp((socket) => {
      connections += 1
      socket.destroy()
    })
    const port = await listen(canary)
    const server = await startServer('embedded', { MICROCHATTER_LINK_PREVIEWS: 'on' })
    try {
      const [ann, bob] = (await newPeople(server, 2)) as any
      const hosts = [
        '127.0.0.1',
        '127.1',
        '2130706433',
        '0x7f000001',
        '0177.0.0.1',
        'localhost',
        '0.0.0.0',
        '[::1]',
        '[::]',
        '[::ffff:127.0.0.1]',
        '[::ffff:7f00:1]',
        '[64:ff9b::7f00:1]',
        '[fd00::1]',
        '[fe80::1]',
        '169.254.169.254',
        '[::ffff:169.254.169.254]',
        '10.0.0.1',
        '192.168.0.1',
        '100.64.0.1',
        '172.16.0.1',
        '198.18.0.1',
        '224.0.0.1',
        '255.255.255.255',
      ]
      for (const host of hosts)
        for (const link of [`http://${host}:${port}/`, `http://${host}/`, `https://${host}/`]) {
          await assert.rejects(fetchOutside(link, OUTSIDE), Error, link)
          const { seq } = await ann.sendTo(bob, link)
          assert(seq > 0)
        }
      for (const link of [
        'file:///etc/passwd',
        'gopher://127.0.0.1/',
        'ftp://127.0.0.1/',
        `http://u:p@127.0.0.1:${port}/`,
      ])
        await assert.rejects(fetchOutside(link, OUTSIDE), Error, link)
      await sleep(500)
      assert.equal(connections, 0)
      const chats = await bob.chats()
      assert.equal(chats[0]?.lastSeq, hosts.length * 3, 'the messages are there')
    } finally {
      await server.close()
      canary.close()
    }
  })

  test('[PREVIEW-2] a name that is public when it is asked for, and private when it is connected to', async () => {
    let asked = 0
    const lookup = (_: string, options: any, done: any) => {
      asked += 1
      const address = asked === 1 ? '203.0.113.77' : '127.0.0.1'
      if (options.all) done(null, [{ address, family: 4 }])
      else done(null, address, 4)
    }
    // Resolved once: the second answer is for nobody. (203.0.113.0/24 leads nowhere.)
    await assert.rejects(fetchOutside('http://rebinding.example/', { ...OUTSIDE, lookup }))
    assert.equal(asked, 1)
    await assert.rejects(
      fetchOutside('http://rebinding.example/', { ...OUTSIDE, lookup }),
      /not allowed/,
    )
    const both = (_: string, options: any, done: any) => {
      assert(options.all)
      done(null, [
        { address: '203.0.113.77', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    }
    await assert.rejects(
      fetchOutside('http://both.example/', { ...OUTSIDE, lookup: both }),
      /not allowed/,
    )
  })

  test('[PREVIEW-2] redirects are judged like the first address, and three are enough', async () => {
    const site = await startSite({
      '/away': (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      '/user': (_, response) =>
        response.writeHead(301, { location: 'http://u:p@127.0.0.1/' }).end(),
      '/1': (_, response) => response.writeHead(302, { location: '/2' }).end(),
      '/2': (_, response) => response.writeHead(302, { location: '/3' }).end(),
      '/3': (_, response) => response.writeHead(302, { location: '/4' }).end(),
      '/4': html('here'),
      '/0': (_, response) => response.writeHead(307, { location: '/1' }).end(),
      '/loop': (_, response) => response.writeHead(302, { location: '/loop' }).end(),
    })
    const inside = { ...OUTSIDE, allowPrivate: true }
    assert.equal(String((await fetchOutside(`${site.url}/1`, inside)).bytes), 'here')
    for (const path of ['/0', '/loop', '/away', '/user'])
      await assert.rejects(fetchOutside(site.url + path, inside), Error, path)
    await site.close()
  })

  test('[PREVIEW-2] bounded in time and size: a drip, an endless page, what is packed', async () => {
    const timers: NodeJS.Timeout[] = []
    const site = await startSite({
      '/drip': (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' })
        timers.push(setInterval(() => response.write('x'), 50))
      },
      '/silent': () => undefined,
      '/endless': (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' })
        const block = 'x'.repeat(65_536)
        const more = () => {
          while (!response.destroyed && response.write(block));
          response.once('drain', more)
        }
        more()
      },
      '/packed': (_, response) =>
        response
          .writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' })
          .end(gzipSync(Buffer.alloc(50_000_000))),
    })
    const inside = { ...OUTSIDE, allowPrivate: true }
    const began = performance.now()
    await Promise.all(
      ['/drip', '/silent'].map((path) =>
        assert.rejects(fetchOutside(site.url + path, inside), Error, path),
      ),
    )
    const seconds = (performance.now() - began) / 1_000
    assert(seconds > 4.5 && seconds < 6.5, `${seconds} s`)
    assert.equal((await fetchOutside(`${site.url}/endless`, inside)).bytes.length, OUTSIDE.maxBytes)
    await assert.rejects(
      fetchOutside(`${site.url}/endless`, { ...inside, cut: false }),
      /More than/,
    )
    await assert.rejects(fetchOutside(`${site.url}/packed`, inside), /Packed/)
    for (const timer of timers) clearInterval(timer)
    await site.close()
  })
})

const OUTSIDE = { maxBytes: 524_288, cut: true, accept: 'text/html', allowPrivate: false }

test('[PREVIEW-1] the first link of a text', () => {
  const rows: [text: string, link: string | undefined][] = [
    ['no link', undefined],
    ['see https://example.org.', 'https://example.org'],
    ['(https://example.org/a)', 'https://example.org/a'],
    ['https://en.example.org/wiki/A_(b)', 'https://en.example.org/wiki/A_(b)'],
    ['<https://example.org/a>', 'https://example.org/a'],
    ['HTTP://EXAMPLE.ORG/x, and http://b.example', 'HTTP://EXAMPLE.ORG/x'],
    ['javascript:alert(1) ftp://x.example', undefined],
    ['http://', undefined],
    [`https://example.org/${'x'.repeat(3_000)}`, undefined],
    [`${'a.'.repeat(4_000)}://`, undefined],
  ]
  for (const [text, link] of rows) assert.equal(firstLink(text), link, text.slice(0, 80))
  const began = performance.now()
  firstLink(`http://a.b/${'.'.repeat(60_000)}x`)
  assert(performance.now() - began < 100)
})

test('[PREVIEW-1] what a page says of itself, as it is encoded, and no more than fits', () => {
  const meta = (text: string, type = 'text/html') => readPageMeta(Buffer.from(text, 'latin1'), type)
  assert.deepEqual(meta('<meta charset=iso-8859-1><title>Caf\xe9</title>'), { title: 'Café' })
  assert.deepEqual(meta('<title>Caf\xe9</title>', 'text/html; charset=windows-1252'), {
    title: 'Café',
  })
  assert.equal(
    readPageMeta(Buffer.from('<title>Café</title>'), 'text/html; charset=nonsense').title,
    'Café',
  )
  assert.deepEqual(meta('<title>  </title><p>text'), {})
  assert.equal([...(meta(`<title>${'x'.repeat(999)}</title>`).title ?? '')].length, 200)
  assert.equal(meta('<title>a&#x202E;b\n\nc</title>').title, 'ab c')
  assert.deepEqual(meta('<svg><title>inner</title></svg><meta name=twitter:title content=T>'), {
    title: 'T',
  })
  assert.deepEqual(meta('<meta property="og:title" content=""><title>T</title>'), { title: 'T' })
  const began = performance.now()
  meta('<b>'.repeat(174_700))
  meta(`<body>${'<b>'.repeat(80_000)}${'</z>'.repeat(70_000)}`)
  meta('<'.repeat(524_288))
  meta('<meta property="og:title" content="'.repeat(15_000))
  assert(performance.now() - began < 1_000)
})
