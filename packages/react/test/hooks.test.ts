/** The hooks in a page that React draws, in a real browser, beside a real server. */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, skipBrowser } from '../../server/test/support/browser.ts'
import {
  newPerson,
  type Person,
  startServer,
  type TestServer,
} from '../../server/test/support/server.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** As an application would write it, in strict mode, where effects run twice. */
const APP = `
import { createElement as h, StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Client } from '@microchatter/client'
import * as chat from '@microchatter/react'

function List({ onOpen }) {
  return h('ul', null, chat.useChats().map(({ id, lastMessage, unread }) =>
    h('li', { key: id, onClick: () => onOpen(id) }, lastMessage?.body + ' (' + unread + ')')))
}
function Talk({ chatId, other }) {
  const client = chat.useClient()
  const { messages, pending, isLoading } = chat.useConversation(chatId)
  const presence = chat.usePresence(other)
  return h('section', null,
    h('h1', null, [presence?.state, ...chat.useTyping(chatId)].join(' ')),
    isLoading ? 'loading' : [...messages, ...pending.map(({ message }) => message)].map(({ body }, index) =>
      h('p', { key: index }, body)),
    h('button', { onClick: () => client.send(chatId, 'from the page') }, 'Send'))
}
function App({ other }) {
  const [open, setOpen] = useState()
  return h('main', null, h('b', null, chat.useUnread().total), h('i', null, chat.useStatus()),
    h(List, { onOpen: setOpen }), open && h(Talk, { chatId: open, other }))
}
const { url, token, other } = JSON.parse(document.title)
const client = new Client({ url, getToken: () => token })
client.start()
createRoot(document.body).render(h(StrictMode, null,
  h(chat.MicrochatterProvider, { client }, h(App, { other }))))
`

describe('@microchatter/react', { skip: skipBrowser() }, () => {
  let server: TestServer
  let site: Server
  let browser: Browser
  let ann: Person
  let bob: Person
  before(async () => {
    server = await startServer('embedded')
    ;[ann, bob] = [await newPerson(server, 'ann'), await newPerson(server, 'bob')]
    const { outputFiles } = await build({
      stdin: { contents: APP, resolveDir: at('.'), loader: 'js' },
      alias: {
        '@microchatter/client': at('../../client/src/index.ts'),
        '@microchatter/react': at('../src/index.ts'),
      },
      define: { 'process.env.NODE_ENV': '"development"' },
      bundle: true,
      format: 'iife',
      target: 'es2022',
      write: false,
    })
    const title = JSON.stringify({ url: server.url, token: bob.token, other: ann.username })
    site = createServer(({ url }, response) => {
      response.setHeader('content-type', url === '/app.js' ? 'text/javascript' : 'text/html')
      if (url === '/app.js') response.end(outputFiles[0]?.text)
      else
        response.end(`<!doctype html><title>${title}</title><body><script src="/app.js"></script>`)
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    browser = await openBrowser()
  })
  after(async () => {
    await browser.close()
    site.close()
    await server.close()
  })

  test('a list, a conversation, who is there and who writes, drawn as they change', async () => {
    await ann.sendTo(bob, 'first')
    const page: Page = await browser.newPage()
    const problems: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
    })
    page.on('pageerror', ({ message }) => problems.push(message))
    const address = site.address()
    assert(address && typeof address === 'object')
    await page.goto(`http://localhost:${address.port}/`)
    await page.getByText('first (1)').click()
    await page.locator('p', { hasText: 'first' }).waitFor()
    const annOnline = await ann.connect()
    const { chatId } = await ann.sendTo(bob, 'second')
    await page.locator('p', { hasText: 'second' }).waitFor()
    await page.locator('h1', { hasText: 'online' }).waitFor()
    await annOnline.call('typing', { chatId, typing: true })
    await page.locator('h1', { hasText: `online ${ann.username}` }).waitFor()
    await page.getByText('Send').click()
    await page.locator('p', { hasText: 'from the page' }).waitFor()
    await annOnline.receives('message.created', ({ body }) => body === 'from the page')
    await page.locator('b', { hasText: /^0$/ }).waitFor()
    assert.deepEqual(await page.locator('p').allTextContents(), [
      'first',
      'second',
      'from the page',
    ])
    assert.deepEqual(problems, [])
  })
})
