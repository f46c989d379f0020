import type {
  ListUsersQuery,
  Profile,
  RegisterBody,
  UpdateUserBody,
  User,
} from '@microchatter/protocol'
import type { Db } from '../store/db.ts'
import { expireFiles } from '../store/files.ts'
import { selectContactIds } from '../store/contacts.ts'
import { eraseMailbox } from '../store/labels.ts'
import { deleteRemindersOf } from '../store/reminders.ts'
import { deleteScheduledOf } from '../store/scheduled.ts'
import { deleteSessions, deleteSessionsBut } from '../store/sessions.ts'
import {
  eraseUser,
  insertUser,
  lockUser,
  refuseOlderTokens,
  selectUser,
  selectUsers,
  updateUser,
  type UserPatch,
  type UserRow,
  type UserWithPassword,
} from '../store/users.ts'
import { audit } from './audit.ts'
import { endUserChats, tellLeftGroups, touchUserChats } from './contacts.ts'
import type { Actor, Core } from './core.ts'
import { decodeCursor, toPage } from './cursor.ts'
import { afterCommit, ChatError } from './errors.ts'
import type { Once } from './idempotency.ts'
import { forbidden, SYSTEM } from './rights.ts'
import { checkName, checkUsername, isUsername } from './text.ts'
import { toProfile, toUser } from './views.ts'

/** People told at once that a contact's name or picture has changed; others see it at the next fetch. */
const TOLD_CONTACTS = 1_000

export function requireAdmin(actor: Actor, detail = 'Only admins of the site may do this'): void {
  if (!actor.admin) throw new ChatError('admin_only', { detail })
}

export async function registerUser(
  core: Core,
  actor: Actor,
  body: RegisterBody,
  once: Once,
): Promise<User> {
  requireAdmin(actor)
  const username = checkUsername(body.username)
  const displayName = nameOf(body.displayName)
  const password =
    body.password === undefined ? undefined : await core.identity.passwords.hash(body.password)
  return once(async (tx) => {
    const row = await insertUser(tx, { ...body, username, displayName, password })
    if (!row) throw usernameTaken(username)
    await audit(tx, actor, 'user.register', username)
    return toUser(row)
  })
}

function usernameTaken(username: string): ChatError {
  return new ChatError('username_taken', {
    field: '/username',
    detail: `There is a user "${username}" already; update it, or choose another name`,
  })
}

/** Oneself and, for admins, anyone as a User; others as a Profile. */
export async function getUser(core: Core, actor: Actor, name: string): Promise<User | Profile> {
  const row = await findUser(core, actor, name)
  return isSelf(row, actor) || actor.admin ? toUser(row) : toProfile(row)
}

/** For admins, and for everyone where the site says so. */
export async function listUsers(core: Core, actor: Actor, query: ListUsersQuery) {
  if (core.settings.users.search === 'admins')
    requireAdmin(actor, 'Only admins may search, unless MICROCHATTER_USERS_SEARCH is `everyone`')
  const { search, limit = 50, cursor } = query
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  if (search !== undefined && !isUsername(search)) return { items: [] }
  const active = actor.admin ? query.active : true
  const rows = await selectUsers(core.db, { search, active, after, limit: limit + 1 })
  return toPage<UserRow, User | Profile>(rows, {
    limit,
    item: actor.admin ? toUser : toProfile,
    key: (row) => [row.username ?? ''],
  })
}

export async function editUser(core: Core, actor: Actor, name: string, body: UpdateUserBody) {
  const user = await findUser(core, actor, name)
  await checkEdit(core, actor, user, body)
  const patch = await toPatch(core, body)
  const row = await core.db.transaction(async (tx) => {
    if (body.displayName !== undefined || body.picture !== undefined)
      await touchUserChats(tx, user.id)
    const changed = await updateUser(tx, user.id, patch)
    await endSessions(core, tx, { actor, user, body })
    if (actor.admin) await audit(tx, actor, 'user.update', user.username)
    return changed
  })
  if (!row) throw userNotFound()
  await afterCommit(tellUpdate(core, actor, row, body))
  return toUser(row)
}

/** The account goes: personal data are erased, messages stay, without a name. */
export async function deleteUser(core: Core, actor: Actor, name: string): Promise<void> {
  const user = await findUser(core, actor, name)
  requireAdmin(actor)
  if (isBuiltIn(user)) throw forbidden(`The user "${user.username}" cannot be deleted`)
  const { chatIds, groups, contacts } = await core.db.transaction(async (tx) => {
    await lockUser(tx, user.id)
    const told = await selectContactIds(tx, user.id, TOLD_CONTACTS)
    const ended = await endUserChats(tx, user.id)
    await eraseUser(tx, user.id)
    await eraseMailbox(tx, user.id)
    await deleteSessions(tx, user.id)
    await deleteScheduledOf(tx, user.id)
    await deleteRemindersOf(tx, user.id)
    await expireFiles(tx, { ownerId: user.id })
    await audit(tx, actor, 'user.delete', user.username)
    return { ...ended, contacts: told }
  })
  const username = user.username ?? ''
  core.bus.publish({ kind: 'user', userId: user.id })
  core.bus.publish({ kind: 'revoked', userId: user.id, reason: 'account_removed' })
  for (const chatId of chatIds) core.bus.publish({ kind: 'rights', chatId })
  deliver(core, contacts, 'user.removed', { username })
  await tellLeftGroups(core, username, groups)
}

/** By username; 'me' is oneself. */
async function findUser(core: Core, actor: Actor, name: string): Promise<UserWithPassword> {
  const username = name === 'me' ? actor.username : name
  const row = isUsername(username) ? await selectUser(core.db, username) : undefined
  if (!row) throw userNotFound()
  return row
}

export function userNotFound(): ChatError {
  return new ChatError('not_found', { detail: 'There is no such user' })
}

function isSelf(user: UserRow, actor: Actor): boolean {
  return user.id === actor.id
}

function isBuiltIn({ username }: UserRow): boolean {
  return username === 'admin' || username === SYSTEM
}

async function checkEdit(core: Core, actor: Actor, user: UserWithPassword, body: UpdateUserBody) {
  const self = isSelf(user, actor)
  if (!self) requireAdmin(actor)
  if (user.username === SYSTEM && (body.password !== undefined || body.role !== undefined))
    throw forbidden('The user "system" has no password and no role')
  if (isBuiltIn(user) && (body.active === false || body.role === 'user'))
    throw forbidden(`The user "${user.username}" cannot be deactivated or lose its role`)
  if (actor.admin) return
  if (body.role !== undefined || body.active !== undefined) requireAdmin(actor)
  if (!core.settings.users.editSelf)
    throw forbidden('This site keeps the profiles of its users; change yours there')
  if (body.password !== undefined) await checkCurrentPassword(core, user, body.currentPassword)
}

async function checkCurrentPassword(
  core: Core,
  user: UserWithPassword,
  current: string | undefined,
) {
  core.limits.loginsOfPair.check(`self ${user.id}`)
  const { ok } = await core.identity.passwords.verify(current ?? '', user.password)
  if (ok) return
  core.limits.loginsOfPair.take(`self ${user.id}`)
  throw new ChatError('forbidden', {
    field: '/currentPassword',
    detail: 'To set a new password, send your current one as `currentPassword`',
  })
}

async function toPatch(core: Core, body: UpdateUserBody): Promise<UserPatch> {
  const { displayName, picture, role, active, password } = body
  return {
    displayName: displayName === null ? null : nameOf(displayName),
    picture,
    role,
    active,
    password: password === undefined ? undefined : await core.identity.passwords.hash(password),
    // A token from before does not change it back.
    claimsAt: new Date(),
  }
}

function nameOf(displayName: string | undefined): string | undefined {
  return displayName === undefined ? undefined : checkName(displayName, '/displayName')
}

interface Edit {
  actor: Actor
  user: UserRow
  body: UpdateUserBody
}

/** A new password or a deactivation ends what was opened before, except the session that asks. */
async function endSessions(core: Core, tx: Db, { actor, user, body }: Edit): Promise<void> {
  if (!endsSessions(body)) return
  await deleteSessionsBut(tx, user.id, isSelf(user, actor) ? actor.sessionId : undefined)
  if (core.settings.login.token === 'jwt') await refuseOlderTokens(tx, user.id)
}

function endsSessions({ password, active }: UpdateUserBody): boolean {
  return password !== undefined || active === false
}

/** A password that is ours ends the JWTs that we signed for it; the site's own go on. */
function jwtsEnd(core: Core, { active }: UpdateUserBody): number | undefined {
  if (active === false) return undefined
  return core.settings.login.token === 'jwt' ? Date.now() : 0
}

async function tellUpdate(core: Core, actor: Actor, row: UserRow, body: UpdateUserBody) {
  core.bus.publish({ kind: 'user', userId: row.id })
  if (endsSessions(body)) {
    const reason = body.active === false ? 'account_deactivated' : 'session_revoked'
    const keep = row.id === actor.id ? actor.sessionId : undefined
    core.bus.publish({ kind: 'revoked', userId: row.id, reason, keep, until: jwtsEnd(core, body) })
  }
  if (body.displayName === undefined && body.picture === undefined) return
  const contacts = await selectContactIds(core.db, row.id, TOLD_CONTACTS)
  deliver(core, [row.id, ...contacts], 'user.updated', toProfile(row))
}

function deliver(core: Core, to: number[], name: string, data: unknown): void {
  core.bus.publish({ kind: 'deliver', to, name, data })
}
