/** After `npm pack -w microchatter`: the copies of the root's files go again. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { PACKED, SERVER } from './packed.mjs'

for (const name of PACKED) rmSync(join(SERVER, name), { force: true })
