/**
 * A change of a group, told the same to all of its members: under the chat's lock a new rev, a system
 * message, and who is a member then; after the commit the message, the events, and the views of those
 * alone who come or go. Nothing here is done once for each member of a large group.
 */
import type { GroupRole } from '@microchatter/protocol'
import { type ChatRights, selectRights } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import { insertDeparture } from '../store/departures.ts'
import { bumpGroup, type GroupRow, lockChatOf } from '../store/groups.ts'
import { selectRole } from '../store/memberships.ts'
import { tell } from './changing.ts'
import { publishChat, publishUnread } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { chatNotFound, forbidden, idsOf, mayAs, type Right } from './rights.ts'
import {
  isShrunk,
  type Moment,
  type News,
  type Posted,
  postSystemMessage,
  publishSystemMessage,
  tellMember,
} from './system.ts'

/** A chat under its lock, and what the actor is in it. */
export interface Entered {
  group: GroupRow
  role: GroupRole
}

/** Takes the chat's lock. @throws not_found for who is not in it */
export async function enterChat(tx: Db, actor: Actor, chatId: string): Promise<Entered> {
  const group = await lockChatOf(tx, chatId, actor.id)
  // Whether the actor is still in it is only sure under the lock.
  const role = group && (await selectRole(tx, chatId, actor.id))
  if (!role) throw chatNotFound()
  return { group, role }
}

/** As `enterChat`. @throws forbidden in a direct chat, and without the right */
export async function enterGroup(tx: Db, actor: Actor, chatId: string, right?: Right) {
  const entered = await enterChat(tx, actor, chatId)
  requireGroup(entered.group)
  if (right) requireRight(entered.role, entered.group, right)
  return entered
}

export function requireGroup({ kind }: Pick<GroupRow, 'kind'>): void {
  if (kind !== 'group') throw forbidden('This is a direct chat; make a group for more than two')
}

/** [GROUP-2] */
export function requireRight(
  role: GroupRole,
  { settings }: Pick<GroupRow, 'settings'>,
  right: Right,
): void {
  if (!mayAs(role, settings, right))
    throw forbidden(`As ${role} you may not do this here; its right is "${right}"`)
}

export interface Made {
  /** Left out: no message tells of it. */
  news?: News | undefined
  /** User ids of new members. */
  joined?: readonly number[]
  left?: { userId: number; banned: boolean }
  /** What all members are told, by name. */
  tells: (moment: Moment) => readonly (readonly [name: string, data: object])[]
  /** Each is told the whole chat: for a direct chat, where there are two. */
  views?: boolean
}

/** What is told after the commit. */
export interface Applied {
  made: Made
  moment: Moment
  /** As of the commit. */
  rights: ChatRights
  posted: Posted | undefined
  /** Members before it. */
  countBefore: number
}

/** The last step in the transaction: rows of members are as they shall be. */
export async function applyChange(
  tx: Db,
  actor: Pick<Actor, 'id' | 'username'>,
  group: Pick<GroupRow, 'id' | 'last_seq' | 'member_count'>,
  made: Made,
): Promise<Applied> {
  const { news, joined = [], left } = made
  const chatId = group.id
  const { rev, memberCount } = await bumpGroup(tx, chatId, {
    joined: joined.length,
    left: left ? 1 : 0,
  })
  if (left) await insertDeparture(tx, { chatId, ...left, rev })
  const posted = news && (await postSystemMessage(tx, actor, chatId, news))
  // `writeFrom` is of direct chats that have not begun.
  const [rights] = await selectRights(tx, [chatId], 'everyone')
  if (!rights) throw chatNotFound()
  const moment = { chatId, rev, lastSeq: posted?.message.seq ?? group.last_seq, memberCount }
  return { made, moment, rights, posted, countBefore: group.member_count }
}

/** After the commit: the message first, then what it is about. */
export async function tellChange(core: Core, applied: Applied): Promise<void> {
  const { made, moment, rights, posted } = applied
  const { chatId, rev } = moment
  const to = idsOf(rights)
  core.bus.publish({ kind: 'rights', chatId })
  if (posted) publishSystemMessage(core, rights, posted.message)
  for (const [name, data] of made.tells(moment)) await tellMember(core, to, name, data)
  if (made.left)
    core.bus.publish({
      kind: 'deliver',
      to: [made.left.userId],
      name: 'chat.removed',
      data: { chatId, rev },
    })
  await tell(core, chatId, () => tellViews(core, applied))
}

async function tellViews(core: Core, { made, moment, rights, posted, countBefore }: Applied) {
  const { joined = [], left } = made
  const { chatId, memberCount } = moment
  if (joined.length > 0) await publishChat(core, chatId, [...joined], 'chat.created')
  const all = made.views === true || isShrunk(countBefore, memberCount)
  const again = all ? idsOf(rights) : (posted?.appeared ?? [])
  if (again.length > 0) await publishChat(core, chatId, again, 'chat.updated')
  if (left) await publishUnread(core, { id: left.userId })
}
