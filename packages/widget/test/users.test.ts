/** Whose messages are on the screen, kept in the browser, and sent: always those of who is logged in at the site. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { skipBrowser } from '../../server/test/support/browser.ts'
import type { Person } from '../../server/test/support/server.ts'
import { richText } from '../src/rich-text.ts'
import { message, openStage, row, say, type Stage } from './people.ts'

/** In the page: what is kept of a user. */
const kept = (name: string) => `(async () => {
  const count = async (store) => new Promise((resolve, reject) => {
    const opened = indexedDB.open('microchatter ${name}')
    opened.onerror = () => reject(opened.error)
    opened.onsuccess = () => {
      const asked = opened.result.transaction(store).objectStore(store).count()
      asked.onsuccess = () => resolve(asked.result)
    }
  })
  return (await count('kept')) + (await count('pending'))
})()`

describe('the widget and its users', { skip: skipBrowser() }, () => {
  let stage: Stage
  let ann: Person
  let bob: Person
  let cat: Person

  before(async () => {
    stage = await openStage()
    ;[ann, bob, cat] = (await Promise.all(
      ['Ann Lee', 'Bob Stone', 'Catrin Vale'].map((name) => stage.person(name)),
    )) as [Person, Person, Person]
    await cat.sendTo(ann, 'only for Ann')
    await cat.sendTo(bob, 'only for Bob')
  })
  after(() => stage.close())

  async function logIn(page: Page, person: Person): Promise<void> {
    stage.site.loggedIn.add(person.username)
    await page.context().addCookies([{ name: 'user', value: person.username, url: stage.site.url }])
  }

  async function assertBobs(page: Page): Promise<void> {
    // It is asked who is logged in.
    await page.waitForTimeout(1_500)
    assert.equal(await page.getByText('only for Ann').count(), 0)
    await row(page, 'Catrin Vale').click()
    await message(page, 'only for Bob').waitFor()
    await say(page, 'as Bob')
    await message(page, 'as Bob').getByRole('img', { name: 'Sent' }).first().waitFor()
    const { id = '' } = (await cat.chats(`?with=${bob.username}`))[0] ?? {}
    assert.equal((await cat.history(id)).at(-1)?.sender, bob.username)
    await page.waitForTimeout(1_500)
    assert.equal(await page.evaluate(kept(`${stage.server.url} ${ann.username}`)), 0)
  }

  test('another one logs in: who looks again sees their own, and nothing of the other is left or sent', async () => {
    const { page, context } = await stage.open(ann)
    await row(page, 'Catrin Vale').click()
    await message(page, 'only for Ann').waitFor()
    await page.waitForTimeout(1_500)
    await context.setOffline(true)
    await page.getByText('No connection.').waitFor()
    await say(page, 'waits for a connection')
    await message(page, 'waits for').waitFor()
    await logIn(page, bob)
    await context.setOffline(false)
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
    await assertBobs(page)
    const { id = '' } = (await cat.chats(`?with=${ann.username}`))[0] ?? {}
    assert(
      (await cat.history(id)).every(({ sender }) => sender !== bob.username),
      'what Ann wrote was not sent as Bob',
    )
    await context.close()
  })

  test('an element is taken out and put in again while another one logs in', async () => {
    const { page, context } = await stage.open(ann)
    await row(page, 'Catrin Vale').waitFor()
    await logIn(page, bob)
    await page.evaluate(`{
      const box = document.querySelector('#box')
      const html = box.innerHTML
      box.replaceChildren()
      box.innerHTML = html
    }`)
    await assertBobs(page)
    await context.close()
  })

  test('a badge that goes does not take the inbox with it; an attribute that goes leaves nothing', async () => {
    const body = `<micro-chatter-badge token-url="/chat-token"></micro-chatter-badge>
      <div id="box"><micro-chatter token-url="/chat-token"></micro-chatter></div>`
    const { page, context } = await stage.open(ann, { body })
    await row(page, 'Catrin Vale').click()
    await page.locator('textarea').waitFor()
    await page.evaluate(`{
      const badge = document.querySelector('micro-chatter-badge')
      badge.removeAttribute('token-url')
      badge.remove()
    }`)
    await page.waitForTimeout(1_500)
    await cat.sendTo(ann, 'still there?')
    await message(page, 'still there?').waitFor()
    await page.locator('micro-chatter').evaluate((element) => element.removeAttribute('chat'))
    await page.getByText('Choose a chat').waitFor()
    await page.locator('micro-chatter').evaluate((element) => element.removeAttribute('token-url'))
    await page.getByText('Set token-url').waitFor()
    await context.close()
  })
})

test('a text is looked through once, whatever is in it and whoever is named', () => {
  const names = ['a', ...Array.from({ length: 49 }, (_, index) => `zz${index}`)]
  const bodies = [
    '@a'.repeat(4_000),
    '@'.repeat(8_000),
    `http://a/${'.'.repeat(7_985)}x`,
    'http://a/'.repeat(880),
    '(['.repeat(4_000),
  ]
  for (const body of bodies) {
    const start = performance.now()
    richText(body, names)
    const ms = performance.now() - start
    assert(ms < 100, `${body.slice(0, 20)}… took ${ms} ms`)
  }
})
