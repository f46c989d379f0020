/** Members of a group: who comes, who goes, and as whom they are there. */
import {
  type AddedMembers,
  type AddMembersBody,
  type Chat,
  type GroupRole,
  LIMITS,
  type ListMembersQuery,
  type Member,
  type UpdateMemberBody,
} from '@microchatter/protocol'
import type { Db } from '../store/db.ts'
import { isBanned } from '../store/departures.ts'
import { type GroupRow, lockGroup, selectGroup } from '../store/groups.ts'
import type { MemberRow } from '../store/members.ts'
import {
  type Candidate,
  deleteMember,
  hasOtherOwner,
  insertMembers,
  selectMember,
  selectMemberPage,
  selectRole,
  updateRole,
} from '../store/memberships.ts'
import { change } from './changing.ts'
import { findChat, getChat, viewChat } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, toPage } from './cursor.ts'
import { ChatError } from './errors.ts'
import {
  applyChange,
  type Entered,
  enterGroup,
  requireGroup,
  requireRight,
  tellChange,
} from './group-change.ts'
import { checkRoom, findPeople } from './people.ts'
import { chatNotFound, forbidden, isAtLeast } from './rights.ts'
import { type Moment, toGroupUpdate } from './system.ts'
import { isUsername } from './text.ts'
import { toMembers, toProfile, toTold } from './views.ts'

/** Owners first, then admins. */
export async function listMembers(
  core: Core,
  actor: Actor,
  chatId: string,
  { search, limit = 50, cursor }: ListMembersQuery,
) {
  const { id, kind } = await findChat(core, actor, chatId)
  if (search !== undefined && !isUsername(search)) return { items: [] }
  const viewer = { id: actor.id, shares: await core.sharing.has(actor.id) }
  const rows = await selectMemberPage(core.db, id, {
    search,
    after: cursor === undefined ? undefined : toKey(cursor),
    limit: limit + 1,
  })
  return toPage<MemberRow, Member>(rows, {
    limit,
    item: (row) => toMembers([row], kind, viewer)[0] as Member,
    key: ({ role, user_id }) => [role, String(user_id)],
  })
}

const ROLES: readonly string[] = ['owner', 'admin', 'member'] satisfies GroupRole[]

function toKey(cursor: string): { role: GroupRole; userId: number } {
  const [role = '', userId = ''] = decodeCursor(cursor, 2)
  if (!ROLES.includes(role) || !/^\d{1,15}$/.test(userId))
    throw new ChatError('invalid_cursor', { field: '/cursor' })
  return { role: role as GroupRole, userId: Number(userId) }
}

/** [GROUP-5] All of them, or, where one cannot be added, none. */
export async function addMembers(
  core: Core,
  actor: Actor,
  chatId: string,
  { usernames }: AddMembersBody,
): Promise<AddedMembers> {
  const row = await findChat(core, actor, chatId)
  requireGroup(row)
  requireRight(row.role, row, 'add')
  const { id } = row
  const { answer, applied } = await change(core, id, async (tx) => {
    const people = await findPeople(core, tx, actor, { usernames, field: '/usernames', chatId: id })
    const { group } = await enterGroup(tx, actor, id, 'add')
    checkRoom(core, group.member_count + people.length)
    const added = await enter(tx, group, people)
    if (added.length === 0) return { answer: { added: [], memberCount: group.member_count } }
    const told = await applyAdded(tx, actor, group, added)
    const names = added.map(({ username }) => username)
    return { answer: { added: names, memberCount: told.moment.memberCount }, applied: told }
  })
  if (applied) await tellChange(core, applied)
  return answer
}

/** Those who were not members until now. */
async function enter(tx: Db, group: GroupRow, people: Candidate[]): Promise<Candidate[]> {
  const entered = await insertMembers(tx, {
    chatId: group.id,
    userIds: people.map(({ id }) => id),
    role: 'member',
    fromNow: group.settings?.history === 'joined',
  })
  return people.filter(({ id }) => entered.includes(id))
}

function applyAdded(tx: Db, actor: Actor, group: GroupRow, added: Candidate[]) {
  const userIds = added.map(({ id }) => id)
  const isJoin = userIds[0] === actor.id
  return applyChange(tx, actor, group, {
    news: {
      event: { type: isJoin ? 'member.joined' : 'member.added', userIds },
      usernames: added.map(({ username }) => username),
    },
    joined: userIds,
    // Who joins has written the message that tells of it.
    tells: (moment) => tellsOfAdded(group, added, moment, isJoin ? moment.lastSeq : group.last_seq),
  })
}

/** [GROUP-9] Many who come into a large group are told of by its number. */
function tellsOfAdded(group: GroupRow, added: Candidate[], moment: Moment, readSeq: number) {
  if (added.length > 1 && moment.memberCount > LIMITS.shownMembers)
    return [['group.updated', toGroupUpdate(moment, group)] as const]
  return added.map((person) => {
    const marks = person.receipts ? { readSeq, deliveredSeq: readSeq } : {}
    const member: Member = { ...toProfile(person), role: 'member', ...marks }
    return ['member.added', { ...moment, member }] as const
  })
}

/**
 * [GROUP-7] The actor comes by itself: `admit` refuses, or counts it. Who is a member already is
 * answered with the chat as it is.
 */
export async function joinGroup(
  core: Core,
  actor: Actor,
  chatId: string,
  admit: (tx: Db, group: GroupRow) => Promise<void>,
): Promise<Chat> {
  const { applied, chat } = await change(core, chatId, async (tx) => {
    const people = await findPeople(core, tx, actor, {
      usernames: [actor.username],
      field: '',
      chatId,
    })
    const group = await lockGroup(tx, chatId)
    if (!group) throw chatNotFound()
    const isNew = (await selectRole(tx, chatId, actor.id)) === undefined
    const told = isNew ? await join(core, actor, tx, { group, people, admit }) : undefined
    return { applied: told, ...(await viewChat(tx, chatId, actor.id)) }
  })
  if (applied) await tellChange(core, applied)
  return chat
}

interface Joining {
  group: GroupRow
  people: Candidate[]
  admit: (tx: Db, group: GroupRow) => Promise<void>
}

async function join(core: Core, actor: Actor, tx: Db, { group, people, admit }: Joining) {
  await admit(tx, group)
  if (await isBanned(tx, group.id, actor.id))
    throw forbidden('You were removed from this group; who may add members can take you back')
  checkRoom(core, group.member_count + 1)
  return applyAdded(tx, actor, group, await enter(tx, group, people))
}

/** [GROUP-8] What is not open answers strangers as what is not there. */
export async function joinOpenGroup(core: Core, actor: Actor, chatId: string): Promise<Chat> {
  const group = isUuid(chatId) ? await selectGroup(core.db, chatId) : undefined
  if (group?.settings?.open !== true) return getChat(core, actor, chatId)
  return joinGroup(core, actor, group.id, async (_tx, { settings, member_count }) => {
    if (settings?.open !== true || member_count === 0) throw chatNotFound()
  })
}

/** [GROUP-4] */
export async function editMember(
  core: Core,
  actor: Actor,
  { chatId, username }: MemberName,
  { role }: UpdateMemberBody,
): Promise<Member> {
  const { id } = await findChat(core, actor, chatId)
  const { answer, applied } = await change(core, id, async (tx) => {
    const entered = await enterGroup(tx, actor, id)
    const target = await findMember(tx, id, nameOf(actor, username))
    if (target.role === role) return { answer: toTold(target) }
    await checkRole(tx, entered, { target, role })
    await updateRole(tx, id, target.user_id, role)
    const member = toTold({ ...target, role })
    const told = await applyChange(tx, actor, entered.group, {
      news: {
        event: { type: 'member.updated', userIds: [target.user_id], role },
        usernames: [member.username ?? ''],
      },
      tells: (moment) => [['member.updated', { ...moment, member: asRead(member, actor, moment) }]],
    })
    return { answer: asRead(member, actor, told.moment), applied: told }
  })
  if (applied) await tellChange(core, applied)
  return answer
}

/** Who has made the change has written the message that tells of it, and so has read it. */
function asRead(member: Member, { username }: Actor, { lastSeq }: Moment): Member {
  if (member.username !== username || member.readSeq === undefined) return member
  return { ...member, readSeq: lastSeq, deliveredSeq: lastSeq }
}

export interface MemberName {
  chatId: string
  /** `me` is oneself. */
  username: string
}

function nameOf(actor: Actor, username: string): string {
  return username === 'me' ? actor.username : username
}

async function findMember(tx: Db, chatId: string, username: string): Promise<MemberRow> {
  const row = isUsername(username) ? await selectMember(tx, chatId, username) : undefined
  if (!row) throw new ChatError('not_found', { detail: 'There is no such member' })
  return row
}

interface Change {
  target: MemberRow
  role: GroupRole
}

/** [GROUP-4] Admins and owners; nobody touches who is above, or makes anyone more than oneself. */
async function checkRole(tx: Db, { group, role: own }: Entered, { target, role }: Change) {
  if (!isAtLeast(own, 'admin') || !isAtLeast(own, target.role) || !isAtLeast(own, role))
    throw forbidden(`As ${own} you may not make ${aOf(target.role)} ${aOf(role)}`)
  if (target.role === 'owner' && !(await hasOtherOwner(tx, group.id, target.user_id)))
    throw lastOwner()
}

function aOf(role: GroupRole): string {
  return `${role === 'member' ? 'a' : 'an'} ${role}`
}

function lastOwner(): ChatError {
  return new ChatError('last_owner', {
    detail: 'The last owner stays one while others are there; make another owner first',
  })
}

/** [GROUP-4] Removes a member, or leaves. */
export async function removeMember(core: Core, actor: Actor, { chatId, username }: MemberName) {
  const { id } = await findChat(core, actor, chatId)
  const applied = await change(core, id, async (tx) => {
    const entered = await enterGroup(tx, actor, id)
    const name = nameOf(actor, username)
    const isSelf = name === actor.username
    if (!isSelf) requireRight(entered.role, entered.group, 'remove')
    const target = await findMember(tx, id, name)
    await (isSelf ? checkLeaving(tx, entered, target) : checkRemoval(entered, target))
    await deleteMember(tx, id, target.user_id)
    return applyChange(tx, actor, entered.group, {
      news: {
        event: { type: isSelf ? 'member.left' : 'member.removed', userIds: [target.user_id] },
        usernames: [name],
      },
      left: { userId: target.user_id, banned: !isSelf },
      tells: (moment) => [['member.removed', { ...moment, username: name }]],
    })
  })
  await tellChange(core, applied)
}

async function checkLeaving(tx: Db, { group, role }: Entered, { user_id }: MemberRow) {
  if (role !== 'owner' || group.member_count === 1) return
  if (!(await hasOtherOwner(tx, group.id, user_id))) throw lastOwner()
}

function checkRemoval({ role }: Entered, target: MemberRow): void {
  if (!isAtLeast(role, target.role))
    throw forbidden(`As ${role} you may not remove ${aOf(target.role)}`)
}
