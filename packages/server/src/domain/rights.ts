/** Who may do what in a chat. */
import {
  type GroupRole,
  type GroupSettings,
  LIMITS,
  type Permissions,
} from '@microchatter/protocol'
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
  if (sender.username === SYSTEM) return undefined
  if (rights.kind === 'group') {
    if (may(rights, sender.id, 'post')) return undefined
    return forbidden('Your role may not write here; its right is "post"')
  }
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

export type Right = keyof Permissions

/** [GROUP-2] The least role that has each right, where the group's settings do not say otherwise. */
const DEFAULTS: Required<Permissions> = {
  post: 'member',
  add: 'admin',
  remove: 'admin',
  edit: 'admin',
  pin: 'admin',
  invite: 'admin',
  mentionAll: 'admin',
  deleteOthers: 'admin',
}
const RANK: Record<GroupRole, number> = { member: 0, admin: 1, owner: 2 }
/** What both may in a direct chat; the others mean nothing there. */
const IN_DIRECT: ReadonlySet<Right> = new Set(['post', 'pin'])

/** [GROUP-2] Whether this member may do that here. */
export function may(rights: ChatRights, userId: number, right: Right): boolean {
  if (!isMember(rights, userId)) return false
  if (rights.kind === 'direct') return IN_DIRECT.has(right)
  return mayAs(rights.roles.get(userId) ?? 'member', rights.settings, right)
}

/** As `may`, of a member of a group by its role. */
export function mayAs(
  role: GroupRole,
  settings: GroupSettings | null | undefined,
  right: Right,
): boolean {
  return isAtLeast(role, settings?.permissions?.[right] ?? DEFAULTS[right])
}

export function isAtLeast(role: GroupRole, other: GroupRole): boolean {
  return RANK[role] >= RANK[other]
}

/** Of all members; made once for these rights. */
export function idsOf(rights: ChatRights): number[] {
  rights.ids ??= [...rights.members.keys()]
  return rights.ids
}

/** [CHAT-12] Too many for each to hear what each other one does. */
export function isLarge({ members }: ChatRights): boolean {
  return members.size > LIMITS.shownMembers
}

/**
 * [SEND-4] In a direct chat, a block ends all that would reach the other; [PRIV-5] who has not accepted it
 * yet does nothing there that the other would hear of.
 */
export function checkNoBlock(rights: ChatRights, userId: number): void {
  if (rights.kind !== 'direct') return
  if (rights.pending.has(userId) && !rights.declined.has(userId))
    throw forbidden('Accept the message request first, or write')
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
