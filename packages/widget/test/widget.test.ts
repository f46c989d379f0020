/** Two people in two browsers, on a site with a strict policy, against a real server. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { skipBrowser } from '../../server/test/support/browser.ts'
import type { Person } from '../../server/test/support/server.ts'
import { choose, message, openStage, row, say, type Stage } from './people.ts'

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** In the page: how much of a user is kept in the browser. */
const KEPT = (user: string) => `new Promise((resolve) => {
  const opened = indexedDB.open('microchatter ${user}')
  opened.onsuccess = () => {
    const count = opened.result.transaction('kept').objectStore('kept').count()
    count.onsuccess = () => resolve(count.result)
  }
})`

/** In the page: a file is let go over the conversation. */
const DROP = `
  const data = new DataTransfer()
  data.items.add(new File(['dropped'], 'dropped.txt', { type: 'text/plain' }))
  document.querySelector('micro-chatter').shadowRoot.querySelector('section.conversation')
    .dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
  undefined`

interface Visitor {
  person: Person
  page: Page
  problems: string[]
}

describe('the widget', { skip: skipBrowser() }, () => {
  let stage: Stage
  let ann: Visitor
  let bob: Visitor

  before(async () => {
    stage = await openStage()
  })
  after(() => stage.close())

  async function enter(name: string): Promise<Visitor> {
    const person = await stage.person(name)
    return { person, ...(await stage.open(person)) }
  }

  beforeEach(async () => {
    const [one, other] = await Promise.all([stage.person('Ann Lee'), stage.person('Bob Stone')])
    await other.sendTo(one, 'Hello Ann')
    ;[ann, bob] = (await Promise.all(
      [one, other].map(async (person) => ({ person, ...(await stage.open(person)) })),
    )) as unknown as [Visitor, Visitor]
    await row(ann.page, 'Bob Stone').click()
    await row(bob.page, 'Ann Lee').click()
    await message(ann.page, 'Hello Ann').waitFor()
    await message(bob.page, 'Hello Ann').waitFor()
  })

  async function leave(...visitors: Visitor[]): Promise<void> {
    for (const { page, problems } of [ann, bob, ...visitors]) {
      await page.context().close()
      assert.deepEqual(problems, [], 'the page complains of nothing, its policy neither')
    }
  }

  test('a message is there at once, its ticks say how far it came, and typing is seen', async () => {
    await ann.page.getByRole('textbox', { name: 'Message' }).pressSequentially('On my')
    await bob.page.locator('.typists').getByText('Ann Lee is typing').waitFor()
    await say(ann.page, 'On my way <b>now</b>')
    await message(bob.page, 'On my way <b>now</b>').waitFor()
    await message(ann.page, 'On my way').getByRole('img', { name: 'Read' }).waitFor()
    assert.equal(await bob.page.locator('.text b').count(), 0, 'no HTML of users is drawn')
    await leave()
  })

  test('unread messages are counted, found where they begin, and read when they are seen', async () => {
    const cat = await enter('Catrin Vale')
    await cat.person.sendTo(ann.person, 'first of cat')
    for (let count = 0; count < 60; count += 1) await cat.person.sendTo(ann.person, `line ${count}`)
    await row(ann.page, 'Catrin Vale').getByText('61 unread messages').waitFor()
    await row(ann.page, 'Catrin Vale').click()
    await ann.page.getByText('New messages').waitFor()
    await message(ann.page, 'first of cat').waitFor()
    await ann.page.getByRole('button', { name: 'Go to the newest message' }).click()
    await message(ann.page, 'line 59').waitFor()
    await row(ann.page, 'Catrin Vale').getByText('unread').waitFor({ state: 'detached' })
    assert.equal((await ann.person.chats())[0]?.unread, 0)
    await leave(cat)
  })

  test('reply, react, edit, pin, star, copy, forward, delete', async () => {
    const { page } = ann
    await choose(page, 'Hello Ann', 'Reply')
    await say(page, 'Hello yourself')
    await message(bob.page, 'Hello yourself').locator('.quote').getByText('Hello Ann').waitFor()
    await message(bob.page, 'Hello yourself').hover()
    await message(bob.page, 'Hello yourself').getByRole('button', { name: 'React' }).click()
    await bob.page.getByRole('button', { name: '🎉' }).click()
    await message(page, 'Hello yourself').getByRole('button', { name: '🎉 1' }).click()
    await message(bob.page, 'Hello yourself').getByRole('button', { name: '🎉 2' }).waitFor()
    await choose(page, 'Hello yourself', 'Edit')
    await say(page, 'Hello and welcome')
    await message(bob.page, 'Hello and welcome').getByText('edited').waitFor()
    await choose(page, 'Hello and welcome', 'Pin')
    await message(bob.page, 'Hello and welcome').getByTitle('Pinned').waitFor()
    await choose(page, 'Hello and welcome', 'Star')
    await message(page, 'Hello and welcome').getByTitle('Starred messages').waitFor()
    await choose(page, 'Hello and welcome', 'Forward')
    await page.getByRole('dialog').getByRole('button', { name: 'Bob Stone' }).click()
    await message(bob.page, 'Forwarded').waitFor()
    await choose(page, 'edited', 'Delete for everyone')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for everyone' }).click()
    await message(bob.page, 'This message was deleted').waitFor()
    await choose(bob.page, 'Hello Ann', 'Delete for me')
    await message(bob.page, 'Hello Ann').locator('.text').waitFor({ state: 'detached' })
    await leave()
  })

  test('a thread beside the chat', async () => {
    await choose(ann.page, 'Hello Ann', 'Reply in thread')
    const aside = ann.page.locator('.pane.side')
    await aside.getByRole('textbox', { name: 'Message' }).fill('in the thread')
    await ann.page.keyboard.press('Enter')
    await aside.locator('.message').filter({ hasText: 'in the thread' }).waitFor()
    await bob.page.getByRole('button', { name: '1 reply' }).click()
    const other = bob.page.locator('.pane.side')
    await other.locator('.message').filter({ hasText: 'in the thread' }).waitFor()
    await other.getByRole('textbox', { name: 'Message' }).fill('and back')
    await bob.page.keyboard.press('Enter')
    await aside.locator('.message').filter({ hasText: 'and back' }).waitFor()
    assert.equal(
      await ann.page.locator('.pane.chat .message').filter({ hasText: 'in the thread' }).count(),
      0,
    )
    await leave()
  })

  test('files by choosing and by drag, seen large, fetched', async () => {
    const { page } = ann
    await page.locator('input[type=file]').setInputFiles([
      { name: 'dot.png', mimeType: 'image/png', buffer: PIXEL },
      { name: 'report.txt', mimeType: 'text/plain', buffer: Buffer.from('all is well') },
    ])
    await page.getByRole('button', { name: 'Send' }).click()
    await bob.page.getByRole('button', { name: 'Photo: dot.png' }).click()
    await bob.page.getByRole('dialog').getByRole('img', { name: 'dot.png' }).waitFor()
    await bob.page.keyboard.press('Escape')
    const download = bob.page.waitForEvent('download')
    await bob.page.getByRole('button', { name: 'Download: report.txt' }).click()
    assert.equal((await download).suggestedFilename(), 'report.txt')
    await page.evaluate(DROP)
    await page.getByRole('button', { name: 'Send' }).click()
    await bob.page.getByRole('button', { name: 'Download: dropped.txt' }).waitFor()
    await leave()
  })

  test('a voice note is recorded, drawn as it sounds, and played', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'Record a voice message' }).click()
    await page.getByRole('timer', { name: 'Recording' }).filter({ hasText: '0:02' }).waitFor()
    await page.getByRole('button', { name: 'Send' }).click()
    const play = bob.page.getByRole('button', { name: 'Play: Voice message' })
    await play.waitFor()
    const heights = await bob.page
      .locator('.wave rect')
      .evaluateAll((bars) => bars.map((bar) => bar.getAttribute('height')))
    assert(new Set(heights).size > 3, 'it beeps, and is silent in between')
    await play.click()
    await bob.page.getByRole('button', { name: 'Pause: Voice message' }).waitFor()
    await bob.page.locator('.wave .played').nth(5).waitFor()
    await play.waitFor()
    await page.getByRole('button', { name: 'Record a voice message' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Record a voice message' }).waitFor()
    await leave()
  })

  test('a poll, a group with roles, a mention', async () => {
    const cat = await enter('Catrin Vale')
    const { page } = ann
    await page.getByRole('button', { name: 'New chat' }).click()
    const dialog = page.getByRole('dialog')
    for (const [{ person }, name] of [
      [bob, 'Bob Stone'],
      [cat, 'Catrin Vale'],
    ] as const) {
      await dialog.getByRole('searchbox', { name: 'Name' }).fill(person.username)
      await dialog.locator('button.entry').filter({ hasText: name }).click()
    }
    await dialog.getByRole('textbox', { name: 'Name of the group' }).fill('Garden party')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.locator('.pane.chat').getByText('3 members').waitFor()
    await page.getByRole('button', { name: 'Attach' }).click()
    await page.getByRole('menuitem', { name: 'Poll' }).click()
    await dialog.getByLabel('Question').fill('Who brings cake?')
    await dialog.getByLabel('Option 1').fill('Bob')
    await dialog.getByLabel('Option 2').fill('Catrin')
    await dialog.getByRole('button', { name: 'Create poll' }).click()
    await row(bob.page, 'Garden party').click()
    await bob.page.getByRole('radio', { name: 'Catrin' }).check()
    await message(page, 'Who brings cake?').getByText('1 vote').waitFor()
    await page.getByRole('textbox', { name: 'Message' }).pressSequentially('hey @Cat')
    await page.getByRole('option', { name: 'Catrin Vale' }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await row(cat.page, 'Garden party').locator('.badge').filter({ hasText: '@' }).waitFor()
    await page.locator('.who').click()
    await page.locator('.pane.side').getByRole('button', { name: 'Bob Stone' }).click()
    await page.getByRole('menuitem', { name: 'Make admin' }).click()
    await page
      .locator('.pane.side')
      .getByRole('button', { name: 'Bob Stone' })
      .getByText('admin')
      .waitFor()
    await page.locator('.pane.side').getByRole('switch', { name: 'Only admins write' }).check()
    await row(cat.page, 'Garden party').click()
    await cat.page.getByText('Only admins write here.').waitFor()
    await leave(cat)
  })

  test('search finds a message far back, and leads there', async () => {
    const { page } = ann
    await bob.person.sendTo(ann.person, 'the treasure is below the oak')
    for (let count = 0; count < 150; count += 1)
      await bob.person.sendTo(ann.person, `noise ${count}`)
    await message(page, 'noise 149').waitFor()
    await page.reload()
    await page.getByRole('searchbox', { name: 'Search' }).fill('treasure')
    await page.locator('nav').getByRole('button', { name: 'treasure' }).click()
    await message(page, 'treasure').waitFor()
    await page.getByRole('button', { name: 'Go to the newest message' }).click()
    await message(page, 'noise 149').waitFor()
    await leave()
  })

  test('a stranger asks first; block, report, mute, archive, delete', async () => {
    const settings = { writeFrom: 'requests' }
    await ann.person.ask('PATCH', '/users/me/settings', settings)
    const eve = await enter('Eve Noone')
    await eve.person.sendTo(ann.person, 'do you know me?')
    const { page } = ann
    await page.getByRole('button', { name: /^Requests/ }).click()
    await row(page, 'Eve Noone').click()
    await page.getByText('Eve Noone would like to write to you.').waitFor()
    await choose(page, 'do you know me?', 'Report')
    await page.getByText('Reported. Thank you.').waitFor()
    assert.equal(stage.site.reports.length, 1)
    await page.getByRole('button', { name: 'Accept' }).click()
    await page.locator('.pane.chat').getByRole('textbox', { name: 'Message' }).waitFor()
    await page.locator('.who').click()
    await page.locator('.pane.side').getByRole('button', { name: 'Block' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
    await page.getByText('You have blocked this person.').waitFor()
    await page.locator('.pane.side').getByRole('switch', { name: 'Mute' }).check()
    await page.locator('.pane.side').getByRole('switch', { name: 'Archived' }).check()
    await page.getByRole('button', { name: 'Archived', exact: true }).click()
    await row(page, 'Eve Noone').getByTitle('Muted').waitFor()
    await row(page, 'Eve Noone').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Delete chat' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete chat' }).click()
    await row(page, 'Eve Noone').waitFor({ state: 'detached' })
    await leave(eve)
  })

  test('a draft waits on the list, and after a reload', async () => {
    const cat = await enter('Catrin Vale')
    await cat.person.sendTo(ann.person, 'hi')
    const { page } = ann
    await page.getByRole('textbox', { name: 'Message' }).fill('half a thought')
    await page.waitForTimeout(1_200)
    await row(page, 'Catrin Vale').click()
    await row(page, 'Bob Stone').getByText('Draft:').waitFor()
    await page.reload()
    await row(page, 'Bob Stone').click()
    const field = page.locator('.pane.chat').getByRole('textbox', { name: 'Message' })
    await field.and(page.locator('textarea')).waitFor()
    assert.equal(await field.inputValue(), 'half a thought')
    await leave(cat)
  })

  test('without a connection one reads and writes; it goes when there is one', async () => {
    const { page } = ann
    await page.context().setOffline(true)
    await page.getByText('No connection.').waitFor()
    await say(page, 'from the tunnel')
    await message(page, 'from the tunnel')
      .getByRole('img', { name: 'Waiting for a connection' })
      .waitFor()
    await page.context().setOffline(false)
    await message(bob.page, 'from the tunnel').waitFor({ timeout: 20_000 })
    await message(page, 'from the tunnel').getByRole('img', { name: 'Read' }).waitFor()
    await page.context().close()
    await bob.page.context().close()
    assert.equal((await ann.person.chats())[0]?.lastSeq, 2)
  })

  test('who logs out at the site sees nothing any more, and comes back by logging in', async () => {
    const { page } = ann
    // What was seen is kept within a second.
    await page.waitForTimeout(1_500)
    assert.equal(await page.evaluate(KEPT(`${stage.server.url} ${ann.person.username}`)), 1)
    stage.site.loggedIn.delete(ann.person.username)
    await page.reload()
    await page.getByText('You are not logged in').waitFor()
    assert.equal(await page.evaluate(KEPT(`${stage.server.url} ${ann.person.username}`)), 0)
    stage.site.loggedIn.add(ann.person.username)
    await page.evaluate(`document.querySelector('micro-chatter').refresh()`)
    await row(page, 'Bob Stone').waitFor()
    stage.site.loggedIn.delete(ann.person.username)
    await page.evaluate(`document.querySelector('micro-chatter').refresh()`)
    await page.getByText('You are not logged in').waitFor()
    assert.equal(await page.evaluate(KEPT(`${stage.server.url} ${ann.person.username}`)), 0)
    await page.context().close()
    await bob.page.context().close()
  })

  test('a chat far down the list opens by its id; one that is deleted, or that one is removed from, is gone', async () => {
    const { page } = ann
    const old = await stage.person('Old Friend')
    const { chatId } = await old.sendTo(ann.person, 'long ago')
    // The first sync brings the newest hundred.
    for (let count = 0; count < 101; count += 1)
      await ann.person.ask('POST', '/chats', { kind: 'group', title: `Group ${count}` })
    await page.reload()
    await row(page, 'Group 100').waitFor()
    await page
      .locator('micro-chatter')
      .evaluate((element, id) => element.setAttribute('chat', id), chatId)
    await message(page, 'long ago').waitFor()
    await page
      .locator('micro-chatter')
      .evaluate((element) => element.setAttribute('chat', '00000000-0000-7000-8000-000000000000'))
    await page.locator('.pane.chat').getByText('Nothing here').waitFor()
    const group = await bob.person.ask('POST', '/chats', {
      kind: 'group',
      title: 'Only for a while',
      members: [ann.person.username],
    })
    await row(page, 'Only for a while').click()
    await page.locator('textarea').waitFor()
    await bob.person.ask('DELETE', `/chats/${group.id}/members/${ann.person.username}`)
    await page.locator('.pane.chat').getByText('Nothing here').waitFor()
    await page.context().close()
    await bob.page.context().close()
  })

  test('to look at someone makes no chat: the first message does', async () => {
    const { page } = ann
    const cat = await stage.person('Catrin Vale')
    await ann.person.ask('GET', '/users/me')
    const site = await stage.open(ann.person, {
      body: `<div id="box"><micro-chatter-chat with="${cat.username}" token-url="/chat-token"></micro-chatter-chat></div>`,
    })
    await site.page.getByText('Say hello!').waitFor()
    assert.equal((await ann.person.chats()).length, 1)
    await site.page.locator('textarea').fill('Is it still for sale?')
    await site.page.keyboard.press('Enter')
    await message(site.page, 'Is it still for sale?').getByRole('img', { name: 'Sent' }).waitFor()
    await row(page, 'Catrin Vale').waitFor()
    assert.equal((await cat.chats())[0]?.unread, 1)
    await page.evaluate(`document.querySelector('micro-chatter').openWith('nobody-at-all')`)
    await page.locator('.pane.chat').getByRole('alert').waitFor()
    await site.context.close()
    await page.context().close()
    await bob.page.context().close()
  })

  test('on a phone: one pane at a time, a finger that stays opens the menu, a hit of a search is shown', async () => {
    for (let count = 0; count < 80; count += 1) await bob.person.sendTo(ann.person, `line ${count}`)
    const context = { viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true }
    const phone = await stage.open(ann.person, { context })
    const { page } = phone
    await row(page, 'Bob Stone').tap()
    await message(page, 'line 79').waitFor()
    assert.equal(await page.locator('nav').isVisible(), false)
    const box = await message(page, 'line 79').locator('.bubble').boundingBox()
    const at = { x: (box?.x ?? 0) + 20, y: (box?.y ?? 0) + 10 }
    const session = await phone.context.newCDPSession(page)
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] })
    await page.locator('.quick button').first().waitFor()
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    await page.locator('.quick button').first().tap()
    await message(bob.page, 'line 79').getByRole('button', { name: '👍 1' }).waitFor()
    await page.getByRole('button', { name: 'Search in this chat' }).tap()
    await page.getByRole('searchbox', { name: 'Search in this chat' }).fill('line 7')
    await page
      .locator('.pane.side')
      .getByRole('button', { name: /line 7$/ })
      .tap()
    await page.locator('.message.marked').filter({ hasText: 'line 7' }).waitFor()
    await page.getByRole('button', { name: 'Back' }).tap()
    await row(page, 'Bob Stone').waitFor()
    assert.deepEqual(phone.problems, [])
    await phone.context.close()
    await leave()
  })
})
