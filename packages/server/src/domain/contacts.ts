import type { EventData } from '@microchatter/protocol'
import { bumpAllRights, touchChats } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import { deleteDepartures } from '../store/departures.ts'
import { selectChatIdsOf, selectShowingChatIds } from '../store/contacts.ts'
import { deleteMemberships, type Heir, promoteHeirs } from '../store/memberships.ts'
import { tell } from './changing.ts'
import { publishChat } from './chats.ts'
import type { Core } from './core.ts'
import { idsOf } from './rights.ts'
import { isShrunk, type Moment, tellMember } from './system.ts'
import { toTold } from './views.ts'

/** A user's name or picture changed: so did every chat that shows it. */
export async function touchUserChats(tx: Db, userId: number): Promise<void> {
  await touchChats(tx, await selectShowingChatIds(tx, [userId]))
}

/** A group that a deleted user was in. */
export interface LeftGroup {
  moment: Moment
  /** Who owns it now, where the user was its last owner. */
  heir: Heir | undefined
}

/**
 * A user is gone: nobody can write to it any more, and [GROUP-6] it is in no group. Returns its chats.
 */
export async function endUserChats(tx: Db, userId: number) {
  const chatIds = await selectChatIdsOf(tx, userId)
  const revs = await touchChats(tx, chatIds)
  await bumpAllRights(tx, chatIds)
  const left = await deleteMemberships(tx, userId)
  const heirs = await promoteHeirs(
    tx,
    left.map(({ chat_id }) => chat_id),
  )
  await deleteDepartures(tx, userId)
  const groups = left.map(({ chat_id: chatId, last_seq: lastSeq, member_count: memberCount }) => ({
    moment: { chatId, rev: revs.get(chatId)?.rev ?? 0, lastSeq, memberCount },
    heir: heirs.find(({ chat_id }) => chat_id === chatId),
  }))
  return { chatIds, groups }
}

/** Tells the members of the groups that this user was in. */
export async function tellLeftGroups(core: Core, username: string, groups: LeftGroup[]) {
  for (const { moment, heir } of groups)
    await tell(core, moment.chatId, () => tellLeft(core, username, { moment, heir }))
}

async function tellLeft(core: Core, username: string, { moment, heir }: LeftGroup) {
  const rights = await core.writer.rights(moment.chatId)
  if (!rights) return
  const to = idsOf(rights)
  const removed: EventData<'member.removed'> = { ...moment, username }
  core.bus.publish({ kind: 'deliver', to, name: 'member.removed', data: removed })
  if (heir) {
    const updated: EventData<'member.updated'> = { ...moment, member: toTold(heir) }
    await tellMember(core, to, 'member.updated', updated)
  }
  if (isShrunk(moment.memberCount + 1, moment.memberCount))
    await publishChat(core, moment.chatId, to, 'chat.updated')
}
