/** What the model knows of groups: GROUP. */
import { isDeepStrictEqual } from 'node:util'
import {
  isAtLeast,
  may,
  type Member,
  memberOf,
  type ModelChat,
  newMember,
  type Refusal,
  type Role,
  type Settings,
} from './model-chats.ts'
import type { Model } from './model.ts'

/** [GROUP-1] */
export function createGroup(model: Model, by: string, title: string, names: string[]) {
  const others = [...new Set(names)].filter((name) => name !== by)
  if (others.some((name) => model.isBlocked(by, name) || model.takesNoStranger(name, by)))
    return 'forbidden'
  const chat = model.addChat(`group ${model.chats.size}`, 'group', new Map())
  chat.title = title
  for (const name of [by, ...others]) enter(chat, name, name === by ? 'owner' : 'member')
  tell(model, chat, by, { type: 'group.created', title, usernames: others })
  return chat
}

/** [GROUP-10] Nothing of the past is unread. */
function enter(chat: ModelChat, name: string, role: Role): void {
  const seq = chat.messages.length
  const clearedSeq = chat.settings?.history === 'joined' ? seq : 0
  const isThere = { isListed: true, isUnseen: false, clearedSeq }
  chat.members.set(name, { ...newMember(role, seq), ...isThere })
  chat.removed.delete(name)
}

interface Happened extends Record<string, unknown> {
  type: string
  usernames?: string[]
}

/** [GROUP-11] */
function tell(model: Model, chat: ModelChat, by: string, event: Happened): void {
  const { usernames, ...rest } = event
  model.post(chat, by, { event: { ...rest, ...(usernames?.length ? { usernames } : {}) } })
}

/** Of a chat of which the actor knows. */
function memberIn(chat: ModelChat, by: string): Member | Refusal {
  const member = chat.members.get(by)
  if (!member || member.isUnseen) return 'not_found'
  return chat.kind === 'direct' ? 'forbidden' : member
}

/** [GROUP-5] Gives who came. */
export function addMembers(model: Model, chat: ModelChat, by: string, names: string[]) {
  const member = memberIn(chat, by)
  if (typeof member === 'string') return member
  if (!may(chat, by, 'add')) return 'forbidden'
  const added = [...new Set(names)].filter((name) => !chat.members.has(name))
  if (added.some((name) => model.isBlocked(by, name) || model.takesNoStranger(name, by)))
    return 'forbidden'
  if (added.length === 0) return added
  for (const name of added) enter(chat, name, 'member')
  tell(model, chat, by, { type: 'member.added', usernames: added })
  return added
}

/** [GROUP-8] */
export function join(model: Model, chat: ModelChat, by: string) {
  const member = chat.members.get(by)
  if (member) return member.isUnseen ? 'not_found' : member
  if (!chat.settings?.open || chat.members.size === 0) return 'not_found'
  if (chat.removed.has(by)) return 'forbidden'
  enter(chat, by, 'member')
  tell(model, chat, by, { type: 'member.joined', usernames: [by] })
  return memberOf(chat, by)
}

/** [GROUP-4] Oneself: to leave. */
export function removeMember(model: Model, chat: ModelChat, by: string, name: string) {
  const actor = memberIn(chat, by)
  if (typeof actor === 'string') return actor
  const isSelf = by === name
  if (!isSelf && !may(chat, by, 'remove')) return 'forbidden'
  const target = chat.members.get(name)
  if (!target) return 'not_found'
  if (!isAtLeast(actor.role, target.role)) return 'forbidden'
  if (isSelf && chat.members.size > 1 && isLastOwner(chat, name)) return 'last_owner'
  chat.members.delete(name)
  if (!isSelf) chat.removed.add(name)
  const type = isSelf ? 'member.left' : 'member.removed'
  tell(model, chat, by, { type, usernames: [name] })
  return target
}

/** [GROUP-4] */
export function setRole(
  model: Model,
  chat: ModelChat,
  by: string,
  to: { name: string; role: Role },
) {
  const actor = memberIn(chat, by)
  if (typeof actor === 'string') return actor
  const { name, role } = to
  const target = chat.members.get(name)
  if (!target) return 'not_found'
  if (target.role === role) return target
  const ranks: Role[] = ['admin', target.role, role]
  if (!ranks.every((rank) => isAtLeast(actor.role, rank))) return 'forbidden'
  if (isLastOwner(chat, name)) return 'last_owner'
  target.role = role
  tell(model, chat, by, { type: 'member.updated', usernames: [name], role })
  return target
}

function isLastOwner({ members }: ModelChat, name: string): boolean {
  const owners = [...members].filter(([, { role }]) => role === 'owner')
  return owners.length === 1 && owners[0]?.[0] === name
}

export type GroupPatch = { title?: string; settings?: Settings }

/** [GROUP-3] */
export function editGroup(model: Model, chat: ModelChat, by: string, patch: GroupPatch) {
  const member = memberIn(chat, by)
  if (typeof member === 'string') return member === 'forbidden' ? 'invalid' : member
  if (!may(chat, by, 'edit')) return 'forbidden'
  if (patch.settings?.permissions && member.role !== 'owner') return 'forbidden'
  const { title = chat.title, settings = {} } = patch
  const permissions = { ...chat.settings?.permissions, ...settings.permissions }
  const merged = { ...chat.settings, ...settings }
  if (Object.keys(permissions).length > 0) merged.permissions = permissions
  const next = Object.keys(merged).length > 0 ? merged : undefined
  const isTitle = title !== chat.title
  const isSettings = !isDeepStrictEqual(next, chat.settings)
  if (!isTitle && !isSettings) return member
  Object.assign(chat, { title, settings: next })
  const fields = [...(isTitle ? ['title'] : []), ...(isSettings ? ['settings'] : [])]
  const event = { type: 'group.updated', fields, ...(isTitle ? { title } : {}) }
  tell(model, chat, by, event)
  return member
}
