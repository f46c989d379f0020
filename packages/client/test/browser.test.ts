/** The client in pages of a site, in a real browser: what IndexedDB keeps over a reload. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, skipBrowser } from '../../server/test/support/browser.ts'
import { type Running, startProcess } from '../../server/test/support/process.ts'
import { jwtFor, newName, Person, SECRET } from '../../server/test/support/server.ts'
import { holds, openSite, type Site } from './site.ts'

describe('the client in a browser', { skip: skipBrowser() }, () => {
  let folder: string
  let running: Running
  let env: Record<string, string>
  let site: Site
  let browser: Browser

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'microchatter-browser-'))
    env = { MICROCHATTER_DATA_DIR: join(folder, 'data'), MICROCHATTER_JWT_SECRET: SECRET }
    running = await startProcess(env)
    site = await openSite(() => running.url)
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
    await site.enter(page, person)
    return { person, page }
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
    await site.enter(ann.page, ann.person)
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
