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

export function maskFor(core: Core, actor: Pick<Actor, 'id'>, reading: Reading): Promise<Mask> {
  return masksFor(core, actor)(reading)
}

/** The same for several chats of one reader: whom it has blocked is read once, if at all. */
export function masksFor(
  core: Core,
  { id }: Pick<Actor, 'id'>,
): (reading: Reading) => Promise<Mask> {
  let names: Promise<ReadonlySet<string>> | undefined
  return async ({ kind, cleared }) => {
    // In a direct chat there is nothing new of who has been blocked.
    if (kind === 'direct') return maskOf(NOBODY, cleared)
    names ??= selectBlockedNames(core.db, id).then((list) => new Set(list))
    return maskOf(await names, cleared)
  }
}

const NOBODY: ReadonlySet<string> = new Set()

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
