import { join } from 'node:path'
import { root } from './run.mjs'

export const SERVER = join(root, 'packages/server')

/** Kept once, in the root, and copied into the package while it is packed. */
export const PACKED = ['README.md', 'LICENSE']
