/** A site whose pages have the client, in a real browser. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import type { Person } from '../../server/test/support/server.ts'

const ENTRY = fileURLToPath(new URL('../src/index.ts', import.meta.url))

export interface Site {
  /** Loads the page, and starts the client in it. */
  enter(page: Page, person: Person): Promise<void>
  close(): void
}

/** @param chat where the chat server is */
export async function openSite(chat: () => string): Promise<Site> {
  const options = {
    bundle: true,
    format: 'iife',
    globalName: 'microchatter',
    write: false,
  } as const
  const { outputFiles } = await build({ entryPoints: [ENTRY], target: 'es2022', ...options })
  const script = outputFiles[0]?.text ?? ''
  const site = createServer(({ url }, response) => {
    const isScript = url === '/client.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; script-src 'self'; connect-src ${chat()} ${chat().replace('http', 'ws')}`,
    )
    response.end(
      isScript ? script : '<!doctype html><title>A site</title><script src="/client.js"></script>',
    )
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const address = site.address()
  assert(address && typeof address === 'object')
  return {
    async enter(page, { username, token }) {
      await page.goto(`http://localhost:${address.port}/`)
      const input = JSON.stringify({ url: chat(), username, token })
      await page.evaluate(`(async ({ url, username, token }) => {
        const storage = microchatter.idbStorage(username)
        const onEnd = ({ code }) => { window.ended = code }
        window.client = new microchatter.Client({ url, storage, onEnd, getToken: () => token })
        await client.start()
      })(${input})`)
    },
    close: () => void site.close(),
  }
}

/** Until it holds in the page. */
export async function holds(page: Page, expression: string, withinMs = 10_000): Promise<void> {
  // By hand: the page's policy lets nothing be evaluated in it.
  for (const until = Date.now() + withinMs; !(await page.evaluate(expression)); )
    if (Date.now() > until) assert.fail(`${expression} does not hold: ${await shown(page)}`)
    else await page.waitForTimeout(20)
}

function shown(page: Page): Promise<string> {
  return page.evaluate(`JSON.stringify({
    status: client.status.getSnapshot(), talk: window.talk?.view.getSnapshot() })`)
}
