/** Before `npm pack -w microchatter`: a build, and the two files of the root that go with it. */
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { PACKED, SERVER } from './packed.mjs'
import { build, install, requireNode } from './prepare.mjs'
import { endWith, Failure, root } from './run.mjs'

try {
  requireNode()
  const missing = PACKED.filter((name) => !existsSync(join(root, name)))
  if (missing.length > 0) {
    throw new Failure(`Nothing was packed: ${missing.join(' and ')} is not in the root folder.`)
  }
  await install()
  await build({ always: true })
  for (const name of PACKED) copyFileSync(join(root, name), join(SERVER, name))
} catch (error) {
  endWith(error)
}
