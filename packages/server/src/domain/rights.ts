/** Who may do what in a chat. */
import type { ChatRights } from '../store/chats.ts'
import { ChatError } from './errors.ts'

export const SYSTEM = 'system'

/** [SEND-4] Why this user may not send here; undefined: may. The same 404 for strangers and for no chat. */
export function sendRefusal(
  rights: ChatRights | undefined,
  sender: { id: number; username: string },
): ChatError | undefined {
  if (!isMember(rights, sender.id)) return chatNotFound()
  if (rights.kind !== 'direct' || sender.username === SYSTEM) return undefined
  for (const [userId, username] of rights.members) {
    if (userId === sender.id) continue
    if (username === undefined) return forbidden('The account of the other was deleted')
    if (username === SYSTEM) return forbidden('Messages of the system cannot be answered')
  }
  return blockRefusal(rights, sender.id)
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
  const refusal = rights.kind === 'direct' ? blockRefusal(rights, userId) : undefined
  if (refusal) throw refusal
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
