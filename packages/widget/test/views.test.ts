/**
 * The main views look as their pictures in docs/images do. Compared from afar: fonts, times and colours of groups may
 * differ, a layout or a theme that falls apart may not. `npm run screenshots` draws them anew.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import sharp from 'sharp'
import { skipBrowser } from '../../server/test/support/browser.ts'
import type { Person } from '../../server/test/support/server.ts'
import type { Stage } from './people.ts'
import { draw, openDemo, VIEWS } from './views.ts'

const ACROSS = 64
/** Of 255, of one point in one colour. */
const FAR = 48
/** Of all points. */
const MAY_DIFFER = 0.04

async function fromAfar(picture: Buffer | string): Promise<Buffer> {
  return sharp(picture).resize(ACROSS).removeAlpha().raw().toBuffer()
}

describe('the views of the widget', { skip: skipBrowser() }, () => {
  let stage: Stage
  let anna: Person

  before(async () => {
    ;({ stage, anna } = await openDemo())
  })
  after(() => stage.close())

  for (const view of VIEWS)
    test(view.name, async (t) => {
      const kept = new URL(`../../../docs/images/${view.name}.png`, import.meta.url)
      const [now, then] = await Promise.all([
        draw(stage, anna, view).then(fromAfar),
        fromAfar(kept.pathname),
      ])
      assert.equal(now.length, then.length, 'it has another size')
      const far = now.filter((value, index) => Math.abs(value - (then[index] ?? 0)) > FAR).length
      t.diagnostic(`${((100 * far) / now.length).toFixed(1)} % differ`)
      assert(far / now.length < MAY_DIFFER, 'look at it; where it is meant so: npm run screenshots')
    })
})
