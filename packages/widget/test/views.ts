/** The main views, drawn with the people of the demo: as pictures for docs/images, and for the test that compares. */
import type { Page } from 'playwright-core'
import { Person } from '../../server/test/support/server.ts'
import { openStage, row, type Stage } from './people.ts'

export interface View {
  name: string
  width: number
  height: number
  theme: 'light' | 'dark'
  lang?: string
  element?: string
  /** What is done before the picture is taken. */
  go(page: Page): Promise<void>
}

const DESKTOP = { width: 1280, height: 800 }
const PHONE = { width: 390, height: 780 }

async function openStudio(page: Page): Promise<void> {
  await row(page, 'Studio').click()
  await page.locator('.message').first().waitFor()
  const toEnd = page.getByRole('button', { name: 'Go to the newest message' })
  // Only where something is unread.
  if (await toEnd.isVisible()) await toEnd.click()
}

export const VIEWS: readonly View[] = [
  { name: 'inbox-light', ...DESKTOP, theme: 'light', go: openStudio },
  { name: 'inbox-dark', ...DESKTOP, theme: 'dark', go: openStudio },
  {
    name: 'details',
    ...DESKTOP,
    theme: 'light',
    async go(page) {
      await row(page, 'Lisbon in spring').click()
      await page.locator('.who').click()
      await page.getByText('6 members').last().waitFor()
    },
  },
  { name: 'phone-list', ...PHONE, theme: 'light', go: async () => undefined },
  {
    name: 'phone-chat',
    ...PHONE,
    theme: 'dark',
    go: (page) => row(page, 'Ben Okafor').click(),
  },
  {
    name: 'rtl',
    ...DESKTOP,
    theme: 'light',
    lang: 'ar',
    go: (page) => row(page, 'Ben Okafor').click(),
  },
  {
    name: 'launcher',
    ...DESKTOP,
    theme: 'light',
    element: 'micro-chatter-launcher',
    async go(page) {
      await page.getByRole('button', { name: /^Open chat/ }).click()
      await page.locator('[data-chat]').first().waitFor()
    },
  },
]

/** With the mailboxes of the demo in it. */
export async function openDemo(): Promise<{ stage: Stage; anna: Person }> {
  const stage = await openStage()
  const response = await fetch(`${stage.server.url}/demo/tokens/anna`)
  const { token } = (await response.json()) as { token: string }
  return { stage, anna: new Person(stage.server, 'demo-anna', `Bearer ${token}`) }
}

/** @returns a PNG */
export async function draw(stage: Stage, anna: Person, view: View): Promise<Buffer> {
  const { width, height, theme, lang = 'en', element = 'micro-chatter' } = view
  const body = `<div id="box"><${element} theme="${theme}" lang="${lang}" token-url="/chat-token"></${element}></div>`
  const { page, context } = await stage.open(anna, {
    body,
    context: {
      viewport: { width, height },
      reducedMotion: 'reduce',
      colorScheme: theme,
      isMobile: width < 500,
      hasTouch: width < 500,
    },
  })
  if (element === 'micro-chatter') await page.locator('[data-chat]').nth(5).waitFor()
  await view.go(page)
  await page.mouse.move(0, 0)
  // Pictures and names come after the text.
  await page.waitForLoadState('networkidle')
  await page.waitForTimeout(500)
  const picture = await page.screenshot()
  await context.close()
  return picture
}
