/** What can go wrong between two people who talk: the server dies, a page is loaded anew, a token ends, the way is slow. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, skipBrowser } from '../../server/test/support/browser.ts'
import { type Running, startProcess } from '../../server/test/support/process.ts'
import { jwtFor, newName, Person, SECRET } from '../../server/test/support/server.ts'
import { message, row, say } from './people.ts'
import { openSite, type Site, visit } from './site.ts'

const LATE_MS = 30_000

describe('the widget in trouble', { skip: skipBrowser() }, () => {
  let folder: string
  let env: Record<string, string>
  let running: Running
  let site: Site
  let browser: Browser
  let ann: { person: Person; page: Page }
  let bob: { person: Person; page: Page }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'microchatter-widget-'))
    env = { MICROCHATTER_DATA_DIR: join(folder, 'data'), MICROCHATTER_JWT_SECRET: SECRET }
    running = await startProcess(env)
    site = await openSite({ url: running.url })
    browser = await openBrowser()
  })
  after(async () => {
    await browser.close()
    site.close()
    await running.end()
    await rm(folder, { recursive: true, force: true })
  })

  async function enter(displayName: string) {
    const username = newName()
    const person = new Person({ url: running.url }, username, `Bearer ${await jwtFor(username)}`)
    await person.ask('PATCH', '/users/me', { displayName })
    return person
  }

  beforeEach(async () => {
    const [one, other] = [await enter('Ann Lee'), await enter('Bob Stone')]
    await other.sendTo(one, 'Hello Ann')
    const open = async (person: Person, with_: string) => {
      const { page } = await visit(await browser.newContext(), site, person)
      await row(page, with_).click()
      await message(page, 'Hello Ann').waitFor()
      return { person, page }
    }
    ann = await open(one, 'Bob Stone')
    bob = await open(other, 'Ann Lee')
  })

  /** Both see these, each once, and so does the server. */
  async function assertAll(texts: string[]): Promise<void> {
    const { id = '' } = (await ann.person.chats())[0] ?? {}
    const stored = (await ann.person.history(id)).map(({ body }) => body)
    assert.deepEqual([...stored].sort(), ['Hello Ann', ...texts].sort())
    for (const { page } of [ann, bob]) {
      for (const text of texts) await message(page, text).waitFor({ timeout: LATE_MS })
      assert.deepEqual(await page.locator('.message:not(.pending) .text').allTextContents(), stored)
      await page.context().close()
    }
  }

  test('the server is killed while both write: all arrives, once, in one order', async () => {
    const { port } = new URL(running.url)
    await say(ann.page, 'before')
    await message(bob.page, 'before').waitFor()
    await running.end('SIGKILL')
    await say(ann.page, 'a while nobody is there')
    await say(bob.page, 'b while nobody is there')
    await ann.page.getByText('No connection.').waitFor()
    running = await startProcess({ ...env, PORT: port })
    for (const { page } of [ann, bob])
      await page.locator('.pending').first().waitFor({ state: 'detached', timeout: LATE_MS })
    await message(ann.page, 'b while').waitFor({ timeout: LATE_MS })
    await message(bob.page, 'a while').waitFor({ timeout: LATE_MS })
    await assertAll(['before', 'a while nobody is there', 'b while nobody is there'])
  })

  test('a page that is loaded anew while it sends loses nothing', async () => {
    const texts = Array.from({ length: 8 }, (_, index) => `in a hurry ${index}`)
    for (const text of texts) await say(ann.page, text)
    await message(ann.page, 'in a hurry 7').waitFor()
    await ann.page.reload()
    await row(ann.page, 'Bob Stone').click()
    await message(bob.page, 'in a hurry 7').waitFor({ timeout: LATE_MS })
    await message(ann.page, 'in a hurry 7').waitFor({ timeout: LATE_MS })
    await ann.page.locator('.pending').first().waitFor({ state: 'detached', timeout: LATE_MS })
    await assertAll(texts)
  })

  test('a token ends, the next one is asked for, and nobody notices', async () => {
    site.tokenSeconds = 5
    await ann.page.reload()
    await row(ann.page, 'Bob Stone').click()
    const asked = site.asked
    await ann.page.waitForTimeout(9_000)
    site.tokenSeconds = 3_600
    assert(site.asked > asked, 'the page has asked for another token')
    await say(ann.page, 'still here')
    await say(bob.page, 'so am I')
    await message(bob.page, 'still here').waitFor({ timeout: LATE_MS })
    await message(ann.page, 'so am I').waitFor({ timeout: LATE_MS })
    await assertAll(['still here', 'so am I'])
  })

  test('on a slow way a message is on the screen at once, and its state is told', async () => {
    const session = await ann.page.context().newCDPSession(ann.page)
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 700,
      downloadThroughput: 20_000,
      uploadThroughput: 20_000,
    })
    await ann.page.reload()
    await row(ann.page, 'Bob Stone').click({ timeout: LATE_MS })
    await message(ann.page, 'Hello Ann').waitFor({ timeout: LATE_MS })
    const start = performance.now()
    await say(ann.page, 'by snail')
    await message(ann.page, 'by snail').waitFor()
    assert(performance.now() - start < 1_000)
    await message(bob.page, 'by snail').waitFor({ timeout: LATE_MS })
    await message(ann.page, 'by snail')
      .getByRole('img', { name: 'Read' })
      .waitFor({ timeout: LATE_MS })
    await assertAll(['by snail'])
  })
})
