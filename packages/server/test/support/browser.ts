/** Chromium, as Debian has it. */
import { type Browser, chromium } from 'playwright-core'

/** Why tests in a browser cannot run here; false: they can. */
export function skipBrowser(): string | false {
  return process.env.MICROCHATTER_TEST_CHROMIUM ? false : 'needs Chromium'
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.MICROCHATTER_TEST_CHROMIUM ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--autoplay-policy=no-user-gesture-required',
      // A microphone that beeps, and may be used.
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  })
}
