/** Links in texts. */
import { LIMITS } from '@microchatter/protocol'

const ADDRESS = /https?:\/\/[^\s<>"'\p{Cc}]+/iu
/** What ends a sentence, or closes what was opened before the link. */
const TAIL = new Set('.,;:!?\'")]}…')

/** The first http or https address of a text, as it stands there. */
export function firstLink(text: string): string | undefined {
  if (!text.includes('://')) return undefined
  const [found = ''] = ADDRESS.exec(text) ?? []
  let end = found.length
  while (TAIL.has(found[end - 1] ?? '')) end -= 1
  const bare = found.slice(0, end)
  // A bracket that is closed in it belongs to it.
  const link = bare.includes('(') && found[bare.length] === ')' ? `${bare})` : bare
  return link.length <= LIMITS.url && URL.canParse(link) ? link : undefined
}
