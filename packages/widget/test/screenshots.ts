/** `npm run screenshots`: draws the main views anew, to be looked at, and kept in docs/images. */
import { writeFile } from 'node:fs/promises'
import sharp from 'sharp'
import { draw, openDemo, VIEWS } from './views.ts'

const { stage, anna } = await openDemo()
for (const view of VIEWS) {
  const picture = await sharp(await draw(stage, anna, view))
    .png({ palette: true, effort: 10 })
    .toBuffer()
  await writeFile(new URL(`../../../docs/images/${view.name}.png`, import.meta.url), picture)
  process.stdout.write(`docs/images/${view.name}.png  ${Math.round(picture.length / 1_000)} kB\n`)
}
await stage.close()
