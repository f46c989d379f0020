import type { Features } from '@microchatter/protocol'
import type { Actor, Core } from './core.ts'

const MEGABYTE = 1_000_000

/** So that an interface offers nothing that would be refused. */
export function getFeatures({ files, previews, settings }: Core, { admin }: Actor): Features {
  const { maxMegabytes, types } = settings.files
  return {
    ...(files ? { files: { maxBytes: maxMegabytes * MEGABYTE, types: [...types] } } : {}),
    previews: previews !== undefined,
    findUsers: admin || settings.users.search === 'everyone',
  }
}
