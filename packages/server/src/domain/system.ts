/** What all members of a group are told alike. */
import { type EventData, LIMITS, type Member, type Message } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import type { Content } from '../store/content.ts'
import type { Db } from '../store/db.ts'
import { type GroupRow, selectGroup } from '../store/groups.ts'
import { selectMessages } from '../store/messages.ts'
import { insertSystemMessage } from '../store/system.ts'
import type { Actor, Core } from './core.ts'
import { deliverMessage } from './publish.ts'
import { idsOf } from './rights.ts'
import { toMessage } from './message-view.ts'
import { toShared } from './views.ts'

/** A system message before it has a number. */
export interface News {
  event: NonNullable<Content['event']>
  /** Of the users that the event names. */
  usernames?: string[] | undefined
}

export interface Posted {
  message: Message
  /** Those on whose lists the chat came back. */
  appeared: number[]
}

/** Stores it, in the transaction that holds the chat's lock. */
export async function postSystemMessage(
  tx: Db,
  actor: Pick<Actor, 'id' | 'username'>,
  chatId: string,
  { event, usernames }: News,
): Promise<Posted> {
  const { appeared, ...row } = await insertSystemMessage(tx, { chatId, actorId: actor.id, event })
  const message = toMessage({
    chat_id: chatId,
    seq: row.seq,
    sender: actor.username,
    client_id: row.clientId,
    body: '',
    created_at: row.createdAt,
    change: 0,
    content: { kind: 'system', event },
    details: usernames ? { usernames } : {},
  })
  return { message, appeared }
}

/** After the commit, before what else the change tells. */
export function publishSystemMessage(core: Core, rights: ChatRights, message: Message): void {
  core.bus.publish({ kind: 'deliver', to: idsOf(rights), name: 'message.created', data: message })
}

/** [RECEIPT-5] What has been read is told to those alone who tell it too. */
export async function tellMember(
  core: Core,
  to: number[],
  name: string,
  data: { member?: Member },
): Promise<void> {
  const { readSeq, deliveredSeq: _, ...member } = data.member ?? {}
  if (readSeq === undefined) return core.bus.publish({ kind: 'deliver', to, name, data })
  const sharing = new Set(await core.sharing.among(to))
  const others = to.filter((id) => !sharing.has(id))
  core.bus.publish({ kind: 'deliver', to: [...sharing], name, data })
  core.bus.publish({ kind: 'deliver', to: others, name, data: { ...data, member } })
}

/** The moment of a chat that an event tells of. */
export interface Moment {
  chatId: string
  rev: number
  lastSeq: number
  memberCount: number
}

/** [CHAT-12] Few enough are left to show them all again. */
export function isShrunk(before: number, now: number): boolean {
  return before > LIMITS.shownMembers && now <= LIMITS.shownMembers
}

export function toGroupUpdate(moment: Moment, group: Shared): EventData<'group.updated'> {
  const { chatId, rev, lastSeq, memberCount } = moment
  return { chatId, rev, lastSeq, ...toShared(group), memberCount }
}
type Shared = Pick<GroupRow, 'title' | 'picture' | 'description' | 'metadata' | 'settings'>

/** How a large group is now, the same for all: its last message, and what they share. */
export async function publishHead(core: Core, chatId: string, rights: ChatRights): Promise<void> {
  const group = await selectGroup(core.db, chatId)
  if (!group) return
  const { rev, last_seq: lastSeq, member_count: memberCount } = group
  const [last] = await selectMessages(core.db, { chatId, from: lastSeq, to: lastSeq })
  if (last) {
    const event = { name: 'message.created' as const, data: toMessage(last) }
    deliverMessage(core, rights, event, { id: last.sender_id })
  }
  const data = toGroupUpdate({ chatId, rev, lastSeq, memberCount }, group)
  core.bus.publish({ kind: 'deliver', to: idsOf(rights), name: 'group.updated', data })
}
