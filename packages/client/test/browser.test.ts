/** The client in pages of a site, in a real browser: what IndexedDB keeps over a reload. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, skipBrowser } from '../../server/test/support/browser.ts'
import { type Running, startProcess } from '../../server/test/support/process.ts'
import { jwtFor, newName, Person, SECRET } from '../../server/test/support/server.ts'

const ENTRY = fileURLToPath(new URL('../src/index.ts', import.meta.url))

describe('the client in a browser', { skip: skipBrowser() }, () => {
  let folder: string
  let running: Running
  let env: Record<string, string>
  let site: Server
  let browser: Browser

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'microchatter-browser-'))
    env = { MICROCHATTER_DATA_DIR: join(folder, 'data'), MICROCHATTER_JWT_SECRET: SECRET }
    running = await startProcess(env)
    const options = {
      bundle: true,
      format: 'iife',
      globalName: 'microchatter',
      write: false,
    } as const
    const { outputFiles } = await build({ entryPoints: [ENTRY], target: 'es2022', ...options })
    const script = outputFiles[0]?.text ?? ''
    site = createServer(({ url }, response) => {
      const isScript = url === '/client.js'
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      response.setHeader(
        'content-security-policy',
        `default-src 'none'; script-src 'self'; connect-src ${running.url} ${running.url.replace('http', 'ws')}`,
      )
      response.end(
        isScript
          ? script
          : '<!doctype html><title>A site</title><script src="/client.js"></script>',
      )
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    browser = await openBrowser()
  })
  after(async () => {
    await browser.close()
    site.close()
    await running.end()
    await rm(folder, { recursive: true, force: true })
  })

  async function visit(): Promise<{ person: Person; page: Page }> {
    const username = newName()
    const person = new Person({ url: running.url }, username, `Bearer ${await jwtFor(username)}`)
    await person.ask('GET', '/users/me')
    const page = await (await browser.newContext()).newPage()
    await enter(page, person)
    return { person, page }
  }

  /** Loads the page, and starts the client in it. */
  async function enter(page: Page, { username, token }: Person): Promise<void> {
    const address = site.address()
    assert(address && typeof address === 'object')
    await page.goto(`http://localhost:${address.port}/`)
    const input = JSON.stringify({ url: running.url, username, token })
    await page.evaluate(`(async ({ url, username, token }) => {
      const storage = microchatter.idbStorage(username)
      window.client = new microchatter.Client({ url, storage, getToken: () => token })
      await client.start()
    })(${input})`)
  }

  /** Until it holds in the page. */
  async function holds(page: Page, expression: string, withinMs = 10_000): Promise<void> {
    // By hand: the page's policy lets nothing be evaluated in it.
    for (const until = Date.now() + withinMs; !(await page.evaluate(expression)); )
      if (Date.now() > until) assert.fail(`${expression} does not hold: ${await shown(page)}`)
      else await page.waitForTimeout(20)
  }

  function shown(page: Page): Promise<string> {
    return page.evaluate(`JSON.stringify({
      status: client.status.getSnapshot(), talk: window.talk?.view.getSnapshot() })`)
  }

  test('the server is killed, one writes and reloads: it arrives once, and what was seen can be read meanwhile', async () => {
    const [ann, bob] = [await visit(), await visit()]
    const { chatId } = await ann.person.sendTo(bob.person, 'hello')
    for (const { page } of [ann, bob]) {
      await holds(page, `client.status.getSnapshot() === 'online'`)
      await page.evaluate(`window.talk = client.open('${chatId}'); undefined`)
      await holds(page, `talk.view.getSnapshot().messages.length === 1`)
    }
    // What is shown is kept within a second.
    await ann.page.waitForTimeout(1_500)
    const { port } = new URL(running.url)
    await running.end('SIGKILL')
    await holds(ann.page, `client.status.getSnapshot() !== 'online'`)
    await ann.page.evaluate(`void client.send('${chatId}', 'are you there?'); undefined`)
    await holds(ann.page, `talk.view.getSnapshot().pending.length === 1`)
    await ann.page.waitForTimeout(100)
    await enter(ann.page, ann.person)
    await holds(ann.page, `client.chats.getSnapshot()[0]?.lastMessage?.body === 'hello'`)
    await ann.page.evaluate(`window.talk = client.open('${chatId}'); undefined`)
    await holds(ann.page, `talk.view.getSnapshot().messages[0]?.body === 'hello'`)
    await holds(ann.page, `talk.view.getSnapshot().pending[0]?.message.body === 'are you there?'`)
    running = await startProcess({ ...env, PORT: port })
    for (const { page } of [ann, bob]) {
      const shown = `talk.view.getSnapshot().messages.map(({ body }) => body).join() === 'hello,are you there?'`
      await holds(page, shown, 20_000)
    }
    await holds(ann.page, `talk.view.getSnapshot().pending.length === 0`)
    assert.equal((await bob.person.history(chatId)).length, 2)
    const kept = await ann.page.evaluate(
      `microchatter.idbStorage('${ann.person.username}').pending().then((list) => list.length)`,
    )
    assert.equal(kept, 0)
    await ann.page.evaluate(`client.logOut()`)
    await holds(ann.page, `client.chats.getSnapshot().length === 0`)
  })

  test('no connection for a while: what is written meanwhile goes when it is back', async () => {
    const [ann, bob] = [await visit(), await visit()]
    const { chatId } = await ann.person.sendTo(bob.person, 'hello')
    await holds(ann.page, `client.chats.getSnapshot().length === 1`)
    await ann.page.evaluate(`window.talk = client.open('${chatId}'); undefined`)
    await holds(ann.page, `talk.view.getSnapshot().messages.length === 1`)
    await ann.page.context().setOffline(true)
    await ann.page.evaluate(
      `void client.send('${chatId}', 'one'); void client.send('${chatId}', 'two'); undefined`,
    )
    await bob.person.sendTo(ann.person, 'from bob')
    await ann.page.waitForTimeout(500)
    await ann.page.context().setOffline(false)
    const all = `talk.view.getSnapshot().messages.length === 4 && talk.view.getSnapshot().pending.length === 0`
    await holds(ann.page, all, 30_000)
    const bodies = (await bob.person.history(chatId)).map(({ body }) => body)
    assert.deepEqual(bodies.toSorted(), ['from bob', 'hello', 'one', 'two'])
    assert(bodies.indexOf('one') < bodies.indexOf('two'))
  })
})
