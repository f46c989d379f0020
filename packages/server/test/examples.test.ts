/** examples/html-site and examples/express-site, as two people use them, each in a browser of its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, skipBrowser } from './support/browser.ts'
import { SECRET, startServer, type TestServer } from './support/server.ts'

const EXAMPLES = new URL('../../../examples/', import.meta.url)
/** As the READMEs have it. */
const CHAT_URL = 'http://127.0.0.1:3000'
const PASSWORD = 'paper boat'
const START_MS = 15_000
const WAIT_MS = 10_000

type Name = 'html-site' | 'express-site'

interface Site {
  url: string
  close(): Promise<void>
}

function launch(name: Name, env: Record<string, string>) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`${name}/site.mjs`, EXAMPLES))], {
    env: { PATH: process.env.PATH, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { child, ended: once(child, 'close'), output: () => output }
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

async function startSite(name: Name, chatUrl: string): Promise<Site> {
  const { child, ended, output } = launch(name, {
    CHAT_URL: chatUrl,
    MICROCHATTER_JWT_SECRET: SECRET,
  })
  const until = Date.now() + START_MS
  for (;;) {
    const url = /The site: (\S+)/.exec(output())?.[1]
    if (url !== undefined) return { url, close: () => end(child, ended) }
    if (child.exitCode !== null || Date.now() > until) {
      await end(child, ended)
      assert.fail(`${name} did not start: ${output()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const readme = (name: Name) => readFileSync(new URL(`${name}/README.md`, EXAMPLES), 'utf8')

/** Lines of the code blocks of this kind, without the spaces around them. */
function quoted(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))
  return [...blocks].flatMap(([, block = '']) => toLines(block))
}

const toLines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)

describe('the sites of examples/', { skip: skipBrowser() }, () => {
  let server: TestServer
  let browser: Browser

  before(async () => {
    server = await startServer('embedded')
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await server?.close()
  })

  /** What browsers complained of, the policy of the pages included. */
  const complaints: string[] = []

  async function logIn(site: Site, username: string): Promise<Page> {
    const context = await browser.newContext()
    context.setDefaultTimeout(WAIT_MS)
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(`${username}: ${error.message}`))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()))
        complaints.push(`${username}: ${message.text()} (${message.location().url})`)
    })
    await page.goto(`${site.url}/login`)
    await page.getByLabel('Name').fill(username)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('button', { name: 'Log out' }).waitFor()
    return page
  }

  const tokenStatus = (page: Page) =>
    page.request.get(new URL('/chat-token', page.url()).href).then((answer) => answer.status())

  async function logOut(page: Page): Promise<void> {
    assert.equal(await tokenStatus(page), 200)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Log out' }).waitFor({ state: 'detached' })
    assert.equal(await tokenStatus(page), 401)
    assert.doesNotMatch(await page.content(), /micro-chatter|widget\.js/)
  }

  async function write(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill(text)
    await page.getByRole('button', { name: 'Send', exact: true }).click()
  }

  const sees = (page: Page, text: string) =>
    page.getByRole('log').getByText(text, { exact: true }).waitFor()

  const badgeSaysOne = (page: Page) =>
    page.locator('micro-chatter-badge').getByText('1', { exact: true }).waitFor()

  const badgeIsEmpty = (page: Page) =>
    page.locator('micro-chatter-badge').getByText('1', { exact: true }).waitFor({ state: 'hidden' })

  const openChat = (page: Page, name: string) =>
    page
      .getByRole('button', { name })
      .or(page.getByRole('link', { name }))
      .or(page.getByRole('option', { name }))
      .first()
      .click()

  /** Whatever happens, what the browsers complained of is told, or is nothing. */
  async function withSite(name: Name, work: (site: Site) => Promise<void>): Promise<void> {
    const site = await startSite(name, server.url)
    try {
      await work(site)
    } catch (error) {
      const said = complaints.splice(0).join('\n') || 'nothing'
      throw new Error(`${String(error)}\nThe browsers said: ${said}`, { cause: error })
    } finally {
      for (const context of browser.contexts()) await context.close()
      await site.close()
    }
    assert.deepEqual(complaints.splice(0), [])
  }

  test('html-site: one writes from a page, the other sees it and answers', () =>
    withSite('html-site', async (site) => {
      const [ann, bob] = [await logIn(site, 'ann'), await logIn(site, 'bob')]
      await ann.getByRole('link', { name: 'Bob Brook' }).click()
      await write(ann, 'Is the blue boat free?')
      await sees(ann, 'Is the blue boat free?')
      await badgeSaysOne(bob)
      await bob.getByRole('link', { name: 'Messages' }).click()
      await openChat(bob, 'Ann Archer')
      await sees(bob, 'Is the blue boat free?')
      await badgeIsEmpty(bob)
      await write(bob, 'From nine on.')
      await sees(ann, 'From nine on.')
      // Carla has not been here yet.
      await ann.getByRole('link', { name: 'Members' }).click()
      await ann.getByRole('link', { name: 'Carla Coast' }).click()
      await write(ann, 'Where is the key?')
      await sees(ann, 'Where is the key?')
      for (const page of [ann, bob]) await logOut(page)
    }))

  test('express-site: a buyer messages a seller, who answers from any page', () =>
    withSite('express-site', async (site) => {
      const [mira, noah] = [await logIn(site, 'mira'), await logIn(site, 'noah')]
      await mira.getByRole('link', { name: 'Knots, Bends & Hitches' }).click()
      await mira.getByRole('button', { name: 'Message the seller' }).click()
      await write(mira, 'Is the reef knot in it?')
      await sees(mira, 'Is the reef knot in it?')
      await badgeSaysOne(noah)
      await noah.getByRole('button', { name: 'Open chat, 1 unread' }).click()
      await openChat(noah, 'Mira Paper')
      await sees(noah, 'Is the reef knot in it?')
      await badgeIsEmpty(noah)
      await write(noah, 'On page 12.')
      await sees(mira, 'On page 12.')
      for (const page of [mira, noah]) {
        await page.getByRole('button', { name: 'Close chat' }).click()
        await logOut(page)
      }
    }))
})

const LOGINS: Record<Name, string> = { 'html-site': 'ann', 'express-site': 'mira' }
const PAGES: Record<Name, string[]> = {
  'html-site': ['/', '/inbox', '/members/bob'],
  'express-site': ['/', '/offers/2'],
}

for (const name of ['html-site', 'express-site'] as const)
  describe(`examples/${name}`, () => {
    let site: Site
    let cookie: string

    // No chat server answers here: that must not keep a site from its own work.
    before(async () => {
      site = await startSite(name, 'http://127.0.0.1:9')
      cookie = (await logIn(PASSWORD)).headers.get('set-cookie') ?? ''
    })
    after(() => site?.close())

    const post = (path: string, fields: Record<string, string>, headers: object) =>
      fetch(site.url + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { ...headers },
        body: new URLSearchParams(fields),
      })
    const logIn = (password: string, username = LOGINS[name], origin = site.url) =>
      post('/login', { username, password }, { origin })
    const get = (path: string, headers: object = { cookie: cookie.split(';')[0] }) =>
      fetch(site.url + path, { redirect: 'manual', headers: { ...headers } })

    test('the lines of its README are the lines of its pages and of its code', async () => {
      const pages = await Promise.all(PAGES[name].map((path) => get(path).then((a) => a.text())))
      const served = toLines(pages.join('\n').replaceAll('http://127.0.0.1:9', CHAT_URL))
      const lines = quoted(readme(name), 'html')
      assert.equal(lines.length, 4)
      assert.deepEqual(
        lines.filter((line) => !served.includes(line)),
        [],
      )
      const files = name === 'html-site' ? ['chat.mjs'] : ['chat.mjs', 'public/message.js']
      const code = files.flatMap((file) =>
        toLines(readFileSync(new URL(`${name}/${file}`, EXAMPLES), 'utf8')),
      )
      const js = quoted(readme(name), 'js')
      assert(js.length > 5)
      assert.deepEqual(
        js.filter((line) => !code.includes(line)),
        [],
      )
    })

    test('its log-in: a session that scripts cannot read, and no other way in', async () => {
      assert.match(cookie, /^[\w-]+=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/; Max-Age=\d+$/)
      const answers = [
        await logIn('not the password'),
        await logIn(PASSWORD, 'nobody'),
        await logIn(PASSWORD, LOGINS[name], 'http://elsewhere.example'),
        await post('/login', { username: LOGINS[name], password: PASSWORD }, {}),
      ]
      for (const answer of answers) {
        assert.equal(answer.status, 403)
        assert.equal(answer.headers.get('set-cookie'), null)
      }
      assert.equal((await get('/chat-token', {})).status, 401)
      assert.equal((await get('/chat-token', { cookie: `${cookie.split('=')[0]}=x` })).status, 401)
    })

    test('a token for who is logged in, with the name that others see', async () => {
      const answer = await get('/chat-token')
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      const { token } = (await answer.json()) as { token: string }
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
      assert.equal(claims.sub, LOGINS[name])
      assert.match(claims.name, /^(Ann Archer|Mira Paper)$/)
      assert.equal(claims.exp - claims.iat, 600)
    })

    test('its pages: a strict policy, nothing inline, no secret, no chat before the log-in', async () => {
      for (const path of [...PAGES[name], '/login']) {
        const answer = await get(path)
        const text = await answer.text()
        assert.equal(answer.status, 200, path)
        assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'; /)
        assert.doesNotMatch(
          answer.headers.get('content-security-policy') ?? '',
          /unsafe|\*|undefined/,
        )
        assert.doesNotMatch(text, /<script(?![^>]* src=)|<style| on\w+=| style=|\{\{/)
        assert(!text.includes(SECRET))
      }
      assert.doesNotMatch(await (await get('/login', {})).text(), /micro-chatter|widget\.js/)
    })

    test('without a secret it says what to set', async () => {
      const { child, ended, output } = launch(name, {})
      const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
      await ended
      clearTimeout(timer)
      assert.equal(child.exitCode, 1)
      assert.match(output(), /^Set MICROCHATTER_JWT_SECRET: /)
    })
  })
