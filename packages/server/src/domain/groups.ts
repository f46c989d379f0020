/** Groups: how they begin, what all members share of them, and those that are open to anyone. */
import { isDeepStrictEqual } from 'node:util'
import {
  type Chat,
  type GroupRole,
  type GroupSettings,
  LIMITS,
  type ListOpenGroupsQuery,
  type OpenChatBody,
  type OpenGroup,
  type UpdateChatBody,
} from '@microchatter/protocol'
import { uuidv7 } from 'uuidv7'
import { bumpRev, bumpRights, selectRights } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import {
  type GroupRow,
  insertGroup,
  type OpenGroupRow,
  type Shared,
  selectOpenGroups,
  updateGroup,
} from '../store/groups.ts'
import { updateMember } from '../store/members.ts'
import { insertMembers } from '../store/memberships.ts'
import { change, doubting, tell } from './changing.ts'
import {
  changedOf,
  editChat,
  findChat,
  type OwnSettings,
  publishUnread,
  tellDevices,
  toPatch,
  viewChat,
} from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, toPage } from './cursor.ts'
import { ChatError } from './errors.ts'
import { type Applied, applyChange, enterChat, requireRight, tellChange } from './group-change.ts'
import type { Once } from './idempotency.ts'
import { checkRoom, findPeople } from './people.ts'
import { checkNoBlock, forbidden } from './rights.ts'
import { toGroupUpdate } from './system.ts'
import { checkData, checkName, checkText } from './text.ts'

/** [GROUP-1] The actor owns it. */
export async function createGroup(
  core: Core,
  actor: Actor,
  body: OpenChatBody,
  once: Once,
): Promise<Chat> {
  const { title, members = [] } = body
  if (title === undefined) throw misplaced('title', '/title is missing')
  if (body.username !== undefined) throw misplaced('username', 'A group has `members`')
  const shared = merge(NOTHING, { ...body, title })
  core.limits.newChats.take(actor.id)
  const id = uuidv7()
  const done: { applied?: Applied } = {}
  const deed = async (tx: Db) => {
    done.applied = await makeGroup(core, actor, tx, { id, shared, members })
    return (await viewChat(tx, id, actor.id)).chat
  }
  const chat = await doubting(core, id, () => once(deed))
  // A repeated call has nothing to tell.
  if (done.applied) await tellChange(core, done.applied)
  return chat
}

const NOTHING: Shared = {
  title: null,
  picture: null,
  description: null,
  metadata: null,
  settings: null,
}

async function makeGroup(
  core: Core,
  actor: Actor,
  tx: Db,
  { id, shared, members }: { id: string; shared: Shared; members: string[] },
): Promise<Applied> {
  const people = await findPeople(core, tx, actor, {
    usernames: [...members, actor.username],
    field: '/members',
  })
  const others = people.filter((person) => person.id !== actor.id)
  checkRoom(core, 1 + others.length)
  await insertGroup(tx, id, shared)
  const userIds = others.map((person) => person.id)
  const entry = { chatId: id, fromNow: false }
  await insertMembers(tx, { ...entry, userIds: [actor.id], role: 'owner' })
  await insertMembers(tx, { ...entry, userIds, role: 'member' })
  const { title } = shared
  return applyChange(
    tx,
    actor,
    { id, last_seq: 0, member_count: 0 },
    {
      news: {
        event: { type: 'group.created', ...(title === null ? {} : { title }), userIds },
        usernames: others.map(({ username }) => username),
      },
      joined: [actor.id, ...userIds],
      tells: () => [],
    },
  )
}

type SharedPatch = Omit<UpdateChatBody, keyof OwnSettings>

/** My settings of a chat, and what all share of it. */
export async function updateChat(core: Core, actor: Actor, chatId: string, body: UpdateChatBody) {
  const { pinned, archived, muted, mutedUntil, labels, ...shared } = body
  const wanted = { pinned, archived, muted, mutedUntil, labels }
  if (Object.keys(shared).length === 0) return editChat(core, actor, chatId, wanted)
  const row = await findChat(core, actor, chatId)
  const { id, kind } = row
  const own = changedOf(row, wanted)
  if (kind === 'direct') checkDirect(shared)
  const { applied, chat, isListed } = await change(core, id, async (tx) => {
    const made = await editShared(tx, actor, id, shared)
    await editOwn(tx, actor, id, own)
    return { applied: made, ...(await viewChat(tx, id, actor.id)) }
  })
  if (applied) await tellChange(core, applied)
  if (own.archived !== undefined) core.bus.publish({ kind: 'rights', chatId: id })
  if (hasAny(own) && isListed) tellDevices(core, actor, 'chat.updated', chat)
  if (muted !== undefined || mutedUntil !== undefined)
    await tell(core, id, () => publishUnread(core, actor))
  return chat
}

async function editOwn(tx: Db, actor: Actor, id: string, own: OwnSettings): Promise<void> {
  if (!hasAny(own)) return
  await (own.archived === undefined ? bumpRev(tx, id) : bumpRights(tx, id))
  await updateMember(tx, id, actor.id, toPatch(own))
}

function hasAny(own: OwnSettings): boolean {
  return Object.values(own).some((value) => value !== undefined)
}

/** undefined: all is so already. */
async function editShared(tx: Db, actor: Actor, id: string, patch: SharedPatch) {
  const { group, role } = await enterChat(tx, actor, id)
  const isGroup = group.kind === 'group'
  if (isGroup) checkEdit(role, group, patch)
  else await checkPair(tx, actor, id)
  const next = merge(group, patch)
  const fields = FIELDS.filter((field) => !isDeepStrictEqual(next[field], group[field]))
  if (fields.length === 0) return undefined
  await updateGroup(tx, id, next)
  // The site's own data is not worth a word to people.
  const isNews = isGroup && fields.some((field) => field !== 'metadata')
  const title = fields.includes('title') && next.title !== null ? { title: next.title } : {}
  return applyChange(tx, actor, group, {
    news: isNews ? { event: { type: 'group.updated', fields, ...title } } : undefined,
    tells: (moment) => (isGroup ? [['group.updated', toGroupUpdate(moment, next)]] : []),
    views: !isGroup,
  })
}

async function checkPair(tx: Db, actor: Actor, id: string): Promise<void> {
  // `writeFrom` is of chats that have not begun.
  const [rights] = await selectRights(tx, [id], 'everyone')
  if (rights) checkNoBlock(rights, actor.id)
}

const FIELDS = ['title', 'picture', 'description', 'settings', 'metadata'] as const

/** [GROUP-2] */
function checkEdit(role: GroupRole, group: GroupRow, { settings }: SharedPatch): void {
  requireRight(role, group, 'edit')
  if (settings?.permissions !== undefined && role !== 'owner')
    throw forbidden('Only owners change who may do what')
}

/** [GROUP-3] */
function checkDirect({ settings, ...others }: SharedPatch): void {
  const [field] = Object.keys(others)
  if (field !== undefined) throw misplaced(field, 'A direct chat has no such thing')
  const [setting] = Object.keys(settings ?? {}).filter((name) => name !== 'expireAfterSeconds')
  if (setting !== undefined)
    throw misplaced(`settings/${setting}`, 'Of these a direct chat has `expireAfterSeconds` alone')
}

function misplaced(field: string, detail: string): ChatError {
  return new ChatError('invalid', { field: `/${field}`, detail })
}

/** What was, with what is said anew. @throws invalid, invalid_text */
function merge(was: Shared, patch: SharedPatch): Shared {
  const { title, picture, description, metadata, settings } = patch
  if (metadata) checkData(metadata, { field: '/metadata', maxBytes: LIMITS.metadata })
  if (description) checkText(description, '/description')
  return {
    title: title === undefined ? was.title : checkName(title, '/title'),
    picture: picture === undefined ? was.picture : picture,
    description: description === undefined ? was.description : description,
    metadata: metadata === undefined ? was.metadata : metadata,
    settings: settings === undefined ? was.settings : mergeSettings(was.settings ?? {}, settings),
  }
}

/** null: as a new group. */
function mergeSettings(was: GroupSettings, patch: GroupSettings): GroupSettings | null {
  const { permissions: _, ...settings } = { ...was, ...patch }
  const permissions = { ...was.permissions, ...patch.permissions }
  const merged = Object.keys(permissions).length > 0 ? { ...settings, permissions } : settings
  return Object.keys(merged).length > 0 ? merged : null
}

/** [GROUP-8] */
export async function listOpenGroups(core: Core, actor: Actor, query: ListOpenGroupsQuery) {
  const { search = '', limit = 50, cursor } = query
  if (search.includes('\0') || !search.isWellFormed()) return { items: [] }
  const after = cursor === undefined ? undefined : toKey(cursor)
  const rows = await selectOpenGroups(core.db, actor.id, { search, after, limit: limit + 1 })
  return toPage(rows, { limit, item: toOpenGroup, key: ({ title, id }) => [title, id] })
}

function toKey(cursor: string): [title: string, id: string] {
  const [title = '', id = ''] = decodeCursor(cursor, 2)
  if (!isUuid(id)) throw new ChatError('invalid_cursor', { field: '/cursor' })
  return [title, id]
}

function toOpenGroup(row: OpenGroupRow): OpenGroup {
  const { id, title, picture, description, member_count, joined } = row
  return {
    chatId: id,
    title,
    ...(picture === null ? {} : { picture }),
    ...(description === null ? {} : { description }),
    memberCount: member_count,
    ...(joined ? { joined: true } : {}),
  }
}
