/** Several tabs of a browser beside a real server: one connection, and what each of them shows. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openBrowser, skipBrowser } from '../../server/test/support/browser.ts'
import {
  newPerson,
  type Person,
  startServer,
  type TestServer,
} from '../../server/test/support/server.ts'
import { holds, openSite, type Site } from './site.ts'

const IS_ONLINE = `client.status.getSnapshot() === 'online'`
const PENDING = `talk.view.getSnapshot().pending.length`
const BODIES = `talk.view.getSnapshot().messages.map(({ body }) => body)`

describe('several tabs of a browser', { skip: skipBrowser() }, () => {
  let server: TestServer
  let site: Site
  let browser: Browser

  before(async () => {
    server = await startServer('embedded')
    site = await openSite(() => server.url)
    browser = await openBrowser()
  })
  after(async () => {
    await browser.close()
    site.close()
    await server.close()
  })

  /** A page that shows the chat. */
  async function openTab(context: BrowserContext, person: Person, chatId?: string): Promise<Page> {
    const page = await context.newPage()
    page.on('websocket', () => sockets.set(page, (sockets.get(page) ?? 0) + 1))
    await site.enter(page, person)
    await holds(page, IS_ONLINE)
    if (chatId === undefined) return page
    await page.evaluate(`window.talk = client.open('${chatId}'); undefined`)
    await holds(page, `!talk.view.getSnapshot().isLoading`)
    return page
  }
  /** How many each page has opened. */
  const sockets = new WeakMap<Page, number>()
  const openedBy = (pages: Page[]) => pages.map((page) => sockets.get(page) ?? 0)

  async function scene(count = 3) {
    const [ann, bob] = [await newPerson(server, 'ann'), await newPerson(server, 'bob')]
    const { chatId } = await bob.sendTo(ann, 'hello')
    const context = await browser.newContext()
    const tabs: Page[] = []
    for (let n = 0; n < count; n += 1) tabs.push(await openTab(context, ann, chatId))
    return { ann, bob, chatId, context, tabs: tabs as [Page, Page, Page] }
  }

  async function allHold(pages: Page[], expression: string, withinMs?: number): Promise<void> {
    for (const page of pages) await holds(page, expression, withinMs)
  }

  test('what one of them does, all show, over one connection', async () => {
    const before = server.sockets
    const { ann, bob, chatId, context, tabs } = await scene()
    assert.deepEqual(openedBy(tabs), [1, 0, 0])
    assert.equal(server.sockets, before + 1)
    const phone = await bob.connect()
    const [, second, third] = tabs
    for (const page of tabs)
      await page.evaluate(`window.heard = []
        client.on('message.created', ({ body }) => heard.push(body)); undefined`)

    await second.evaluate(`client.send('${chatId}', 'from the second').then(() => undefined)`)
    await allHold(tabs, `${BODIES}.join() === 'hello,from the second' && ${PENDING} === 0`)
    const heard = await Promise.all(tabs.map((page) => page.evaluate('heard.join()')))
    assert.deepEqual(heard, ['from the second', '', 'from the second'])
    await bob.sendTo(ann, 'from bob')
    await allHold(tabs, `${BODIES}.at(-1) === 'from bob' && heard.at(-1) === 'from bob'`)
    const told = phone.events.filter(({ name }) => name === 'message.created')
    assert.deepEqual(
      told.map(({ data }) => data.body),
      ['from the second', 'from bob'],
    )

    for (const [index, page] of tabs.entries()) {
      await page.evaluate(`client.edit('${chatId}', 2, 'edited ${index}')`)
      await allHold(tabs, `${BODIES}[1] === 'edited ${index}'`)
      await page.evaluate(`client.react('${chatId}', 1, '👍', ${index % 2 === 0})`)
      const mine = `talk.view.getSnapshot().messages[0].my?.reactions?.includes('👍') ?? false`
      await allHold(tabs, `${mine} === ${index % 2 === 0}`)
      await page.evaluate(`client.setDraft('${chatId}', 'draft ${index}')`)
      await allHold(tabs, `client.chat('${chatId}').getSnapshot().draft.body === 'draft ${index}'`)
      const { seq } = await bob.sendTo(ann, `unread ${index}`)
      await allHold(tabs, `client.unread.getSnapshot().total > 0`)
      await page.evaluate(`client.markRead('${chatId}', ${seq})`)
      await allHold(tabs, `client.unread.getSnapshot().total === 0`)
      await page.evaluate(`client.delete('${chatId}', ${seq}, 'me')`)
      await allHold(tabs, `talk.view.getSnapshot().messages[${seq - 1}].my?.deleted`)
    }
    await third.evaluate(`client.delete('${chatId}', 2)`)
    await allHold(tabs, `talk.view.getSnapshot().messages[1].deletedAt`)
    await assert.rejects(second.evaluate(`client.edit('${chatId}', 1, 'not mine')`), /not|only/i)
    await allHold(tabs, IS_ONLINE)
    assert.deepEqual(openedBy(tabs), [1, 0, 0])
    await context.close()
  })

  test('the leading tab is closed while all write: nothing is lost or doubled, and all show the same', async () => {
    const { bob, chatId, context, tabs } = await scene()
    const [first, second, third] = tabs
    for (const [index, page] of tabs.entries())
      await page.evaluate(`window.sent = []
        window.writing = (async () => {
          for (let n = 0; n < 40; n += 1) {
            sent.push(client.send('${chatId}', 'tab ${index}, ' + n))
            await new Promise((resolve) => setTimeout(resolve, 15))
          }
        })(); undefined`)
    await second.waitForTimeout(200)
    await first.close()
    const rest = [second, third]
    await allHold(rest, `sent.length === 40`)
    for (const page of rest)
      await page.evaluate(`writing.then(() => Promise.all(sent)).then(() => undefined)`)
    const all = (await bob.history(chatId)).map(({ body }) => body)
    assert.equal(new Set(all).size, all.length, 'none twice')
    for (const index of [1, 2])
      assert.deepEqual(
        all.filter((body) => body.startsWith(`tab ${index}`)),
        Array.from({ length: 40 }, (_, n) => `tab ${index}, ${n}`),
        'all, in their order',
      )
    // Those of the closed tab that were kept go by one of the others.
    const stored = `microchatter.idbStorage(client.me.getSnapshot().username).pending()`
    await allHold(rest, `${stored}.then((list) => list.length === 0)`)
    const history = (await bob.history(chatId)).map(({ body }) => body)
    const newest = JSON.stringify(history.slice(-50))
    await allHold(rest, `JSON.stringify(${BODIES}.slice(-50)) === ${JSON.stringify(newest)}`)
    await allHold(rest, `${PENDING} === 0`)
    assert.match(openedBy(rest).join(), /^(0,1|1,0)$/)
    await context.close()
  })

  test('what waits in a tab that is closed is sent by another', async () => {
    const { bob, chatId, context, tabs } = await scene()
    const [first, , third] = tabs
    await context.setOffline(true)
    await first.evaluate(`void client.send('${chatId}', 'by the first'); undefined`)
    await third.evaluate(`void client.send('${chatId}', 'by the third'); undefined`)
    await allHold([first, third], `${PENDING} === 1`)
    await first.waitForTimeout(100)
    await first.close()
    await third.close()
    await context.setOffline(false)
    for (const until = Date.now() + 20_000; ; await tabs[1].waitForTimeout(50)) {
      const bodies = (await bob.history(chatId)).map(({ body }) => body)
      if (bodies.length === 3) {
        assert.deepEqual(bodies.toSorted(), ['by the first', 'by the third', 'hello'])
        break
      }
      assert(Date.now() < until, bodies.join())
    }
    await holds(tabs[1], `${BODIES}.length === 3 && ${PENDING} === 0`)
    await context.close()
  })

  test('presence: each tab is told of those it watches; away are they when all are', async () => {
    const { ann, bob, chatId, context, tabs } = await scene()
    const [first, second, third] = tabs
    const cas = await newPerson(server, 'cas')
    await cas.sendTo(ann, 'hi')
    const state = (name: string) => `client.presence('${name}').getSnapshot()?.state`
    const watch = (page: Page, name: string) =>
      page.evaluate(`client.presence('${name}').subscribe(() => undefined); undefined`)
    await bob.connect()
    await cas.connect()
    await watch(second, bob.username)
    await holds(second, `${state(bob.username)} === 'online'`)
    await watch(third, cas.username)
    await holds(third, `${state(cas.username)} === 'online'`)
    await bob.devices[0]?.call('presence.set', { state: 'away' })
    await holds(second, `${state(bob.username)} === 'away'`)
    const stateOfAnn = async () =>
      (await bob.ask('GET', `/presence?usernames=${ann.username}`)).items[0]?.state
    const becomes = async (state: string) => {
      for (const until = Date.now() + 10_000; (await stateOfAnn()) !== state; )
        assert(Date.now() < until, `still ${await stateOfAnn()}`)
    }
    await first.evaluate(`client.setPresence('away')`)
    await second.evaluate(`client.setPresence('away')`)
    assert.equal(await stateOfAnn(), 'online')
    await third.close()
    await becomes('away')
    await second.evaluate(`client.setPresence('online')`)
    await becomes('online')
    // The next leader has to be told of all of it.
    const fourth = await openTab(context, ann, chatId)
    await fourth.evaluate(`client.setPresence('away')`)
    await watch(fourth, cas.username)
    await first.close()
    await allHold([second, fourth], IS_ONLINE)
    await holds(second, `${state(bob.username)} === 'away'`)
    await holds(fourth, `${state(cas.username)} === 'online'`)
    await becomes('online')
    await second.evaluate(`client.setPresence('away')`)
    await becomes('away')
    await fourth.evaluate(`client.setTyping('${chatId}')`)
    await context.close()
  })

  test('a tab that comes while much is told misses nothing, nor do the others', async () => {
    const { ann, bob, chatId, context, tabs } = await scene(1)
    let isOver = false
    const telling = (async () => {
      for (let n = 0; !isOver; n += 1) await bob.sendTo(ann, `number ${n}`)
    })()
    for (let n = 0; n < 4; n += 1) tabs.push(await openTab(context, ann, chatId))
    isOver = true
    await telling
    const history = (await bob.history(chatId)).map(({ body }) => body)
    assert(history.length > 20)
    const newest = JSON.stringify(history.slice(-20))
    await allHold(tabs, `JSON.stringify(${BODIES}.slice(-20)) === ${JSON.stringify(newest)}`)
    const chat = `client.chat('${chatId}').getSnapshot()`
    await allHold(tabs, `${chat}.unread === ${history.length}`)
    await context.close()
  })

  test('a leader whose page stands still is replaced', async () => {
    const { ann, bob, chatId, context, tabs } = await scene(2)
    const [first, second] = tabs
    const stuck = first.evaluate(
      `{ const until = Date.now() + 25_000; while (Date.now() < until); }`,
    )
    await second.waitForTimeout(500)
    await holds(second, `${IS_ONLINE} && window.isAsked === undefined`)
    const sent = second.evaluate(`client.send('${chatId}', 'are you there?').then(() => undefined)`)
    await sent
    await bob.sendTo(ann, 'yes')
    await holds(second, `${BODIES}.join() === 'hello,are you there?,yes' && ${PENDING} === 0`)
    assert.deepEqual(openedBy(tabs), [1, 1])
    await stuck
    await allHold(tabs, `${IS_ONLINE} && ${BODIES}.join() === 'hello,are you there?,yes'`)
    await bob.sendTo(ann, 'both?')
    await allHold(tabs, `${BODIES}.at(-1) === 'both?'`)
    assert.deepEqual(openedBy(tabs), [1, 1], 'it follows now')
    await context.close()
  })

  test('a log-out is one of all tabs', async () => {
    const before = server.sockets
    const { context, tabs } = await scene()
    await tabs[1].waitForTimeout(1_200)
    await tabs[1].evaluate(`client.logOut()`)
    await allHold([tabs[0], tabs[2]], `window.ended === 'signed_out'`)
    await allHold(
      tabs,
      `client.status.getSnapshot() === 'closed' && client.chats.getSnapshot().length === 0`,
    )
    const username = `Object.values(await indexedDB.databases()).map(({ name }) => name)[0].slice(13)`
    await allHold(
      tabs,
      `(async () => (await microchatter.idbStorage(${username}).kept()) === undefined)()`,
    )
    for (const until = Date.now() + 5_000; server.sockets > before; )
      await tabs[1].waitForTimeout(20).then(() => assert(Date.now() < until))
    await context.close()
  })

  test('two users of one browser are kept apart', async () => {
    const { ann, bob, chatId, context, tabs } = await scene(2)
    const other = await openTab(context, bob, chatId)
    assert.deepEqual(openedBy([...tabs, other]), [1, 0, 1])
    await other.evaluate(`client.send('${chatId}', 'to ann').then(() => undefined)`)
    await allHold([...tabs, other], `${BODIES}.at(-1) === 'to ann'`)
    await other.evaluate(`client.logOut()`)
    await allHold(tabs, IS_ONLINE)
    assert.equal(await tabs[1].evaluate(`client.me.getSnapshot().username`), ann.username)
    await context.close()
  })
})
