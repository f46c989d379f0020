/**
 * What of a chat's messages one of its readers may not see: what is cleared for it or from before it
 * came, and, in groups, what those say whom it has blocked [SEND-4]. Quotes are looked at like messages.
 */
import type { Message } from '@microchatter/protocol'
import { selectBlockedNames } from '../store/blocks.ts'
import type { Actor, Core } from './core.ts'
import { hide, withoutQuote } from './message-view.ts'

export type Mask = (message: Message) => Message

export interface Reading {
  kind: 'direct' | 'group'
  /** Up to here it is gone for the reader. */
  cleared: number
}

export async function maskFor(
  core: Core,
  { id }: Pick<Actor, 'id'>,
  reading: Reading,
): Promise<Mask> {
  // In a direct chat there is nothing new of who has been blocked.
  const names = reading.kind === 'group' ? await selectBlockedNames(core.db, id) : []
  return maskOf(new Set(names), reading.cleared)
}

function maskOf(blocked: ReadonlySet<string>, cleared: number): Mask {
  return (message) => {
    const { sender, reply } = message
    if (sender !== undefined && blocked.has(sender)) return hide(message)
    if (!reply) return message
    const isUnseen =
      reply.seq <= cleared || (reply.sender !== undefined && blocked.has(reply.sender))
    return isUnseen ? withoutQuote(message) : message
  }
}
