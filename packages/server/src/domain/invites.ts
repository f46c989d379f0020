/** Links by which anyone who has one may join a group [GROUP-7]. */
import { randomBytes } from 'node:crypto'
import type { Chat, Invite, InviteBody, InvitePreview } from '@microchatter/protocol'
import { selectGroup } from '../store/groups.ts'
import {
  deleteInvite,
  insertInvite,
  type InviteRow,
  selectInvite,
  selectInvites,
  updateInviteUses,
} from '../store/invites.ts'
import { findChat } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import { enterGroup, requireGroup, requireRight } from './group-change.ts'
import { joinGroup } from './members.ts'
import { isToCome } from './times.ts'

/** Of one chat, that can be used. */
const LIVE_INVITES = 50
const CODE_BYTES = 24

export async function createInvite(
  core: Core,
  actor: Actor,
  chatId: string,
  { expiresAt, maxUses }: InviteBody,
): Promise<Invite> {
  const { id } = await findChat(core, actor, chatId)
  const invite = {
    code: randomBytes(CODE_BYTES).toString('base64url'),
    chatId: id,
    createdBy: actor.id,
    expiresAt: toExpiry(expiresAt),
    maxUses,
  }
  const row = await core.db.transaction(async (tx) => {
    await enterGroup(tx, actor, id, 'invite')
    if (!(await insertInvite(tx, invite, LIVE_INVITES))) throw tooMany()
    return selectInvite(tx, invite.code)
  })
  if (!row) throw inviteNotFound()
  return toInvite(row)
}

function toExpiry(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  if (!isToCome(text))
    throw new ChatError('invalid', {
      field: '/expiresAt',
      detail: 'expiresAt must be a time to come',
    })
  return new Date(text)
}

function tooMany(): ChatError {
  return new ChatError('forbidden', {
    detail: `A group has at most ${LIVE_INVITES} links at a time; delete one first`,
  })
}

export async function listInvites(core: Core, actor: Actor, chatId: string) {
  const row = await findChat(core, actor, chatId)
  requireGroup(row)
  requireRight(row.role, row, 'invite')
  return { items: (await selectInvites(core.db, row.id)).map(toInvite) }
}

/** From its commit on, nobody joins by it. */
export async function revokeInvite(core: Core, actor: Actor, chatId: string, code: string) {
  const { id } = await findChat(core, actor, chatId)
  await core.db.transaction(async (tx) => {
    await enterGroup(tx, actor, id, 'invite')
    if (!isCode(code) || !(await deleteInvite(tx, id, code))) throw inviteNotFound()
  })
}

/** What is shown to who has the code, before joining. */
export async function previewInvite(core: Core, code: string): Promise<InvitePreview> {
  const { chat_id } = await findInvite(core, code)
  const group = await selectGroup(core.db, chat_id)
  if (!group || group.member_count === 0) throw inviteNotFound()
  const { title, picture, description, member_count } = group
  return {
    title: title ?? '',
    ...(picture === null ? {} : { picture }),
    ...(description === null ? {} : { description }),
    memberCount: member_count,
  }
}

export async function joinByInvite(core: Core, actor: Actor, code: string): Promise<Chat> {
  const { chat_id } = await findInvite(core, code)
  return joinGroup(core, actor, chat_id, async (tx, { member_count }) => {
    if (member_count === 0 || !(await updateInviteUses(tx, code))) throw inviteNotFound()
  })
}

async function findInvite(core: Core, code: string): Promise<InviteRow> {
  const row = isCode(code) ? await selectInvite(core.db, code) : undefined
  if (!row) throw inviteNotFound()
  return row
}

function isCode(code: string): boolean {
  return /^[\w-]{32}$/.test(code)
}

/** Expired, used up, revoked and unknown ones answer alike. */
function inviteNotFound(): ChatError {
  return new ChatError('not_found', {
    detail: 'There is no such link, or it can no longer be used; ask for a new one',
  })
}

function toInvite(row: InviteRow): Invite {
  return {
    code: row.code,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at.toISOString() }),
    ...(row.max_uses === null ? {} : { maxUses: row.max_uses }),
    uses: row.uses,
    createdAt: row.created_at.toISOString(),
    ...(row.created_by === null ? {} : { createdBy: row.created_by }),
  }
}
