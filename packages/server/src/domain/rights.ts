/** Who may do what in a chat. */
import type { ChatRights } from '../store/chats.ts'
import { ChatError } from './errors.ts'

export const SYSTEM = 'system'

export interface Sender {
  id: number
  username: string
}

/** [SEND-4] Why this user may not send here; undefined: may. The same 404 for strangers and for no chat. */
export function sendRefusal(rights: ChatRights | undefined, sender: Sender): ChatError | undefined {
  if (!isMember(rights, sender.id)) return chatNotFound()
  if (rights.kind !== 'direct' || sender.username === SYSTEM) return undefined
  for (const [userId, username] of rights.members) {
    if (userId === sender.id) continue
    if (username === undefined) return forbidden('The account of the other was deleted')
    if (username === SYSTEM) return forbidden('Messages of the system cannot be answered')
  }
  return blockRefusal(rights, sender.id) ?? strangerRefusal(rights, sender.id)
}

/** [PRIV-2, PRIV-4] The same words for all of it: who declined is not told from who takes no strangers. */
function strangerRefusal({ members, declined, takes }: ChatRights, senderId: number) {
  for (const userId of members.keys())
    if (userId !== senderId && (declined.has(userId) || takes.get(userId) === 'nothing'))
      return strangerRefused()
  return undefined
}

export function strangerRefused(): ChatError {
  return forbidden('This user does not take messages from you')
}

/**
 * [PRIV-3] Has something to be written down before these senders' messages, in the order in which they
 * come? Who writes accepts the chat; who begins it may have to ask.
 */
export function needsAsking(rights: ChatRights, senders: readonly Sender[]): boolean {
  const [first] = senders
  return (
    senders.some(({ id }) => rights.pending.has(id)) ||
    (first !== undefined &&
      asked(rights, first).some(({ userId, ask }) => ask !== rights.pending.has(userId)))
  )
}

/** Of a chat that has not begun: who is asked by the first message of this sender, and who is not. */
export function asked({ takes }: ChatRights, sender: Sender): { userId: number; ask: boolean }[] {
  if (sender.username === SYSTEM) return []
  return [...takes]
    .filter(([userId, taking]) => userId !== sender.id && taking !== 'nothing')
    .map(([userId, taking]) => ({ userId, ask: taking === 'request' }))
}

function blockRefusal({ blocks }: ChatRights, senderId: number): ChatError | undefined {
  if (blocks.some(([blocker]) => blocker === senderId))
    return new ChatError('blocked', { detail: 'You have blocked this user; unblock to write' })
  if (blocks.length > 0)
    return new ChatError('blocked', { detail: 'This user does not take messages from you' })
  return undefined
}

export function isMember(rights: ChatRights | undefined, userId: number): rights is ChatRights {
  return rights?.members.has(userId) === true
}

export type Action = 'pin' | 'mentionAll' | 'deleteOthers'

/** Whether this member may do it; in a direct chat both may do all, but each deletes its own. */
export function may(rights: ChatRights, _userId: number, action: Action): boolean {
  return rights.kind === 'direct' && action !== 'deleteOthers'
}

/** [SEND-4] In a direct chat, a block ends all that would reach the other. */
export function checkNoBlock(rights: ChatRights, userId: number): void {
  if (rights.kind !== 'direct') return
  const refusal = blockRefusal(rights, userId) ?? strangerRefusal(rights, userId)
  if (refusal) throw refusal
}

/**
 * [CHAT-11] The others who may be told what this member is doing: not where one of two has blocked the
 * other or has not accepted the chat [PRIV-5], nor, in a group, who has blocked it.
 */
export function companyOf(rights: ChatRights, userId: number): number[] {
  const { kind, blocks, pending, declined } = rights
  const others = idsOf(rights).filter((id) => id !== userId)
  if (kind === 'direct') return blocks.length + pending.size + declined.size > 0 ? [] : others
  const blockers = new Set(blocks.filter(([, id]) => id === userId).map(([blocker]) => blocker))
  return blockers.size === 0 ? others : others.filter((id) => !blockers.has(id))
}

/** Of all members. */
export function idsOf({ members }: ChatRights): number[] {
  return [...members.keys()]
}

export function chatNotFound(): ChatError {
  return new ChatError('not_found', { detail: 'There is no such chat, or it is not yours' })
}

export function messageNotFound(field?: string): ChatError {
  return new ChatError('not_found', {
    detail: 'There is no such message in this chat, or you cannot see it',
    ...(field === undefined ? {} : { field }),
  })
}

export function forbidden(detail: string): ChatError {
  return new ChatError('forbidden', { detail })
}
