/** Who gets a message as it is, who its place alone, and who without what it quotes. */
import type { Message } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import { bareOf, hide, withoutQuote } from './message-view.ts'
import { idsOf } from './rights.ts'

/** What the rights of a chat do not say. */
export interface Unseen {
  /** By user id: up to where messages are gone for that member, of those for whom it matters. */
  cleared: ReadonlyMap<number, number>
  /** The members when that was read; who came since has seen nothing of what was before. */
  members: ReadonlyMap<number, unknown>
  /** Who has blocked the sender, where it is in the chat no more. */
  blockers?: readonly number[]
}

export interface Share {
  to: number[]
  data: Message
}

/** Where not all have the same. */
export function sharesOf(
  rights: ChatRights,
  message: Message,
  { byId, unseen }: { byId: number; unseen?: Unseen | undefined },
): Share[] {
  const all = idsOf(rights)
  const blockers = blockersOf(rights, message.sender, { byId, unseen })
  const quoteBlockers = blockersOf(rights, message.reply?.sender, {})
  const shares: Record<'full' | 'unquoted' | 'place' | 'hidden', number[]> = {
    full: [],
    unquoted: [],
    place: [],
    hidden: [],
  }
  for (const id of all) shares[shareOf(id)].push(id)
  return [
    { to: shares.full, data: message },
    { to: shares.unquoted, data: withoutQuote(message) },
    { to: shares.place, data: bareOf(message) },
    { to: shares.hidden, data: hide(message) },
  ].filter(({ to }) => to.length > 0)

  function shareOf(id: number): keyof typeof shares {
    if (blockers.has(id)) return 'hidden'
    const cleared = clearedOf(unseen, id)
    if (cleared >= message.seq) return 'place'
    const isQuoteUnseen = cleared >= (message.reply?.seq ?? Infinity) || quoteBlockers.has(id)
    return isQuoteUnseen ? 'unquoted' : 'full'
  }
}

/** Nobody in it has blocked another or has cleared what is told of. */
export function isForAll({ members, blocks }: ChatRights, unseen: Unseen | undefined): boolean {
  if (blocks.length > 0) return false
  if (!unseen) return true
  const { cleared, blockers = [] } = unseen
  return cleared.size === 0 && unseen.members === members && blockers.length === 0
}

function clearedOf(unseen: Unseen | undefined, id: number): number {
  if (!unseen) return 0
  return unseen.members.has(id) ? (unseen.cleared.get(id) ?? 0) : Infinity
}

const NOBODY: ReadonlySet<number> = new Set()

/** Of a group: in a direct chat nothing is stored where one has blocked the other. */
function blockersOf(
  { kind, blocks, members }: ChatRights,
  sender: string | undefined,
  { byId, unseen }: { byId?: number; unseen?: Unseen | undefined },
): ReadonlySet<number> {
  const gone = unseen?.blockers ?? []
  if (kind === 'direct' || sender === undefined) return NOBODY
  if (blocks.length === 0 && gone.length === 0) return NOBODY
  const isOf = ([, blocked]: [number, number]) =>
    members.get(blocked) === sender || (blocked === byId && members.get(byId) === sender)
  return new Set([...blocks.filter(isOf).map(([blocker]) => blocker), ...gone])
}
