/** A server, a site of its own, and people with names who have their pages. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import type { Engine } from '../../server/test/support/databases.ts'
import { openBrowser } from '../../server/test/support/browser.ts'
import {
  jwtFor,
  newName,
  Person,
  startServer,
  type TestServer,
} from '../../server/test/support/server.ts'
import { openSite, type Site, visit } from './site.ts'

export interface Stage {
  server: TestServer
  site: Site
  browser: Browser
  /** A user with a display name. */
  person(displayName: string): Promise<Person>
  /** Their page; in a browser context of its own. */
  open(
    person: Person,
    options?: Opened,
  ): Promise<{ page: Page; context: BrowserContext; problems: string[] }>
  close(): Promise<void>
}

interface Opened {
  body?: string
  context?: BrowserContextOptions
}

export async function openStage(
  settings: Record<string, string> = {},
  engine: Engine = 'embedded',
): Promise<Stage> {
  const server = await startServer(engine, { MICROCHATTER_FILES_UPLOADS: 'on', ...settings })
  const site = await openSite(server)
  const browser = await openBrowser()
  return {
    server,
    site,
    browser,
    async person(displayName) {
      const username = newName()
      const person = new Person(server, username, `Bearer ${await jwtFor(username)}`)
      await person.ask('PATCH', '/users/me', { displayName })
      return person
    },
    async open(person, { body, context: contextOptions } = {}) {
      const context = await browser.newContext({
        viewport: { width: 1200, height: 800 },
        ...contextOptions,
      })
      context.setDefaultTimeout(10_000)
      return { context, ...(await visit(context, site, person, body)) }
    },
    async close() {
      await browser.close()
      site.close()
      await server.close()
    },
  }
}

/** The row of a chat on the list. */
export function row(page: Page, name: string) {
  return page.locator('nav [data-chat]').filter({ hasText: name })
}

/** A message that says so, of whoever. */
export function message(page: Page, text: string) {
  return page.locator('.pane.chat .message').filter({ hasText: text })
}

export async function say(page: Page, text: string): Promise<void> {
  await page.locator('.pane.chat').getByRole('textbox', { name: 'Message' }).fill(text)
  await page.keyboard.press('Enter')
}

/** Chooses from the menu of a message. */
export async function choose(page: Page, text: string, item: string): Promise<void> {
  await message(page, text)
    .last()
    .click({ button: 'right', position: { x: 30, y: 6 } })
  await page.getByRole('menuitem', { name: item, exact: true }).click()
}
