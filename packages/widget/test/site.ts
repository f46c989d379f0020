/** A site on another origin than the chat, with a strict policy, and pages with our elements. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { jwtFor, type Person } from '../../server/test/support/server.ts'

export interface Site {
  url: string
  /** Who is logged in there, by their cookie; taken away, they are not. */
  loggedIn: Set<string>
  /** How long the tokens last that it gives. */
  tokenSeconds: number
  /** How many it has given. */
  asked: number
  /** Who has reported something. */
  reports: unknown[]
  close(): void
}

const STYLE = `
  html, body { margin: 0; height: 100%; }
  #box { height: 100dvh; }
`

/** The page of an element: `body` is its HTML. */
function pageOf(body: string, chatUrl: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css">
<script type="module" src="${chatUrl}/widget.js"></script></head><body>${body}</body></html>`
}

export async function openSite(chat: { url: string }): Promise<Site> {
  const loggedIn = new Set<string>()
  const reports: unknown[] = []
  let body = ''
  const server = createServer((request, response) => void answer(request, response))
  async function answer(
    { url = '/', headers }: import('node:http').IncomingMessage,
    response: import('node:http').ServerResponse,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(url, 'http://site')
    const user = /user=([^;]+)/.exec(headers.cookie ?? '')?.[1]
    response.setHeader('cache-control', 'no-store')
    if (pathname === '/style.css')
      return void response.setHeader('content-type', 'text/css').end(STYLE)
    if (pathname === '/chat-token') {
      if (!user || !loggedIn.has(user)) return void response.writeHead(401).end()
      site.asked += 1
      const token = await jwtFor(decodeURIComponent(user), { seconds: site.tokenSeconds })
      return void response.end(JSON.stringify({ token }))
    }
    if (pathname === '/report') {
      reports.push(user)
      return void response.writeHead(204).end()
    }
    body = searchParams.get('body') ?? body
    const socketUrl = chat.url.replace(/^http/, 'ws')
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; script-src ${chat.url}; style-src 'self'; connect-src 'self' ${chat.url} ${socketUrl}; img-src 'self' data: ${chat.url}; media-src ${chat.url}; base-uri 'none'; form-action 'self'`,
    )
    response.end(pageOf(body, chat.url))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const site: Site = {
    tokenSeconds: 3_600,
    asked: 0,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loggedIn,
    reports,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return site
}

/** @returns a page of this person; what the page complains of is in `problems` */
export async function visit(
  context: BrowserContext,
  site: Site,
  person: Person,
  body = '<div id="box"><micro-chatter token-url="/chat-token" report-url="/report"></micro-chatter></div>',
): Promise<{ page: Page; problems: string[] }> {
  site.loggedIn.add(person.username)
  await context.addCookies([{ name: 'user', value: person.username, url: site.url }])
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  await page.goto(`${site.url}/?body=${encodeURIComponent(body)}`)
  return { page, problems }
}
