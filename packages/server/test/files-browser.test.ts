/** Files in a page of a site, in a real browser: recorded, sent, played by ranges, and harmless. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import type { File, Message } from '@microchatter/protocol'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { openBrowser, skipBrowser } from './support/browser.ts'
import { linkOf, sendFiles, upload } from './support/files.ts'
import { newPeople } from './support/groups.ts'
import { type Person, startServer, type TestServer } from './support/server.ts'

const IN_PAGE = readFileSync(new URL('in-page/media.js', import.meta.url), 'utf8')

/** What a page may do that allows itself little. */
const PAGE = (server: string) => `<!doctype html><meta charset="utf-8"><title>A site</title>
  <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-eval';
  connect-src ${server}; img-src ${server} data:; media-src ${server}"><body>`

describe('files in a browser', { skip: skipBrowser() }, () => {
  let server: TestServer
  let site: Server
  let browser: Browser
  let page: Page
  let ann: Person
  let bob: Person
  let chatId: string

  before(async () => {
    server = await startServer('embedded', { MICROCHATTER_FILES_UPLOADS: 'on' })
    site = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE(server.url)),
    )
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    ;[ann, bob] = (await newPeople(server, 2)) as [Person, Person]
    chatId = (await ann.sendTo(bob, 'hello')).chatId
    browser = await openBrowser()
  })
  after(async () => {
    await browser.close()
    site.close()
    await server.close()
  })

  async function open(): Promise<Page> {
    page = await browser.newPage()
    const address = site.address()
    assert(address && typeof address === 'object')
    await page.goto(`http://localhost:${address.port}/`)
    await page.evaluate(IN_PAGE)
    return page
  }

  /** One of the functions of in-page/media.js. */
  function inPage<T>(name: string, input: object): Promise<T> {
    return page.evaluate(`${name}(${JSON.stringify(input)})`)
  }

  const record = (kind: 'audio' | 'video', ms: number) => {
    const { authorization } = ann
    return inPage<File>('record', { kind, ms, url: server.url, authorization })
  }
  const play = (kind: 'audio' | 'video', src: string) =>
    inPage<{ duration: number; videoWidth: number; error?: string }>('play', { kind, src })

  for (const kind of ['audio', 'video'] as const)
    test(`[FILE-3] [FILE-4] ${kind === 'audio' ? 'a voice note' : 'a video'} is recorded, sent, and played by ranges`, async () => {
      await open()
      const file = await record(kind, 1_500)
      assert.deepEqual([file.kind, file.type], [kind, `${kind}/webm`])
      const message: Message = await ann.ask('POST', `/chats/${chatId}/messages`, {
        files: [{ id: file.id, durationMs: 1_500, ...(kind === 'audio' ? { voice: true } : {}) }],
      })
      const link = await linkOf(bob, message, file)
      const answers: [status: number, range: string | undefined][] = []
      page.on('response', (response) => {
        if (response.url().includes('/files/'))
          answers.push([response.status(), response.request().headers().range])
      })
      const played = await play(kind, server.url + (link?.url ?? ''))
      assert.equal(played.error, undefined)
      assert(played.duration > 1 && played.duration < 3, `${played.duration} s`)
      assert.equal(played.videoWidth, kind === 'video' ? 320 : 0)
      assert(answers.length > 0)
      assert.deepEqual(
        answers.filter(([status, range]) => status !== 206 || !range?.startsWith('bytes=')),
        [],
      )
      await page.close()
    })

  test('[FILE-5] a photo, its small one and its placeholder are shown', async () => {
    await open()
    const photo = await sharp({
      create: { width: 900, height: 600, channels: 3, background: '#58c' },
    })
      .jpeg()
      .toBuffer()
    const file = await upload(ann, photo, { name: 'photo.jpg' })
    const message = await sendFiles(ann, chatId, [file])
    const link = await linkOf(bob, message, file)
    const sources = [
      server.url + (link?.url ?? ''),
      server.url + (link?.thumbnailUrl ?? ''),
      `data:image/webp;base64,${file.placeholder}`,
    ]
    const widths = await inPage<number[]>('widthsOf', { sources })
    assert.deepEqual(widths, [900, 640, 16])
    await page.close()
  })

  test('[FILE-3] a picture with a page in it, and a page that calls itself a picture, run nothing', async () => {
    const script = '<script>document.title = "RAN"; alert(1)</script>'
    const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } })
      .png()
      .toBuffer()
    const polyglot = withText(png, `<html>${script}`)
    assert(polyglot.includes(script))
    const svg = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${script}</svg>`)
    for (const [bytes, name] of [
      [polyglot, 'polyglot.png'],
      [Buffer.from(`<!doctype html>${script}`), 'page.html'],
      [Buffer.from(`<!doctype html>${script}`), 'photo.png'],
      [svg, 'image.svg'],
    ] as const) {
      await open()
      let dialogs = 0
      page.on('dialog', (dialog) => {
        dialogs += 1
        void dialog.dismiss()
      })
      const file = await upload(ann, bytes, { name, type: 'text/html' })
      const message = await sendFiles(ann, chatId, [file])
      const url = server.url + ((await linkOf(bob, message, file))?.url ?? '')
      const isSaved = await Promise.race([
        page.waitForEvent('download').then(() => true),
        page.goto(url).then(
          () => false,
          () => new Promise<never>(() => undefined),
        ),
      ])
      assert.equal(isSaved, file.kind === 'file', name)
      await page.waitForTimeout(200)
      assert.deepEqual([dialogs, (await page.title()).includes('RAN')], [0, false], name)
      await page.close()
    }
  })
})

/** With a chunk of text behind the header. */
function withText(png: Buffer, text: string): Buffer {
  const body = Buffer.from(`tEXtComment\0${text}`)
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32BE(body.length - 4, 0)
  numbers.writeUInt32BE(crc32(body), 4)
  const header = 33
  return Buffer.concat([
    png.subarray(0, header),
    numbers.subarray(0, 4),
    body,
    numbers.subarray(4),
    png.subarray(header),
  ])
}
