import {
  type Chat,
  LIMITS,
  type ListChatsQuery,
  type ReadBody,
  type ReadState,
  type Unread,
  type UpdateChatBody,
} from '@microchatter/protocol'
import { bumpRev, bumpRights, touchChats } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import {
  type ChatRow,
  clearChat,
  type ListKey,
  type MemberPatch,
  selectChat,
  selectChats,
  selectMembers,
  updateMember,
  updateReadSeq,
} from '../store/members.ts'
import { change, tell } from './changing.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, isTimeKey, toPage } from './cursor.ts'
import { ChatError } from './errors.ts'
import { checkLabels, checkLabelsOf } from './labels.ts'
import { tellRead } from './receipts.ts'
import { chatNotFound } from './rights.ts'
import { isToCome } from './times.ts'
import { showsMembers, toChat, toListKey } from './views.ts'

/** [READ-3] */
export async function listChats(core: Core, actor: Actor, query: ListChatsQuery) {
  const { limit = 50, cursor, unread, archived, requests, label } = query
  const rows = await selectChats(core.db, actor.id, {
    archived: archived === 'true',
    requests: requests === 'true',
    label,
    unread: unread === undefined ? undefined : unread === 'true',
    after: cursor === undefined ? undefined : toKey(cursor),
    limit: limit + 1,
  })
  const chats = await toChats(core, rows.slice(0, limit))
  const page = toPage(rows, { limit, item: ({ id }) => id, key: keyOf })
  return { ...page, items: chats }
}

function keyOf(row: ChatRow): string[] {
  const { pinned, activeDay, lastAt, id } = toListKey(row)
  return [pinned ? '1' : '', activeDay, lastAt, id]
}

function toKey(cursor: string): ListKey {
  const [pinned = '', activeDay = '', lastAt = '', id = ''] = decodeCursor(cursor, 4)
  const fits =
    isTimeKey(`${activeDay}T00:00:00Z`) && lastAt.endsWith('+00') && isTimeKey(lastAt) && isUuid(id)
  if (!fits) throw new ChatError('invalid_cursor', { field: '/cursor' })
  return { pinned: pinned === '1', activeDay, lastAt, id }
}

/** Rows as chats, with their members where those are few. */
export async function toChats(core: Core, rows: ChatRow[]): Promise<Chat[]> {
  const ids = [...new Set(rows.filter(showsMembers).map(({ id }) => id))]
  const lists = await core.reads.members.loadAll(ids)
  const members = new Map(ids.map((id, index) => [id, lists[index] ?? []]))
  return rows.map((row) => toChat(row, members.get(row.id) ?? []))
}

export async function getChat(core: Core, actor: Actor, chatId: string): Promise<Chat> {
  return toChatOf(core, await findChat(core, actor, chatId))
}

async function toChatOf(core: Core, row: ChatRow): Promise<Chat> {
  const [chat] = await toChats(core, [row])
  if (!chat) throw chatNotFound()
  return chat
}

/** The chat as this user has it now, in the transaction that changes it: no read is left for later. */
export async function viewChat(
  tx: Db,
  chatId: string,
  userId: number,
): Promise<{ chat: Chat; isListed: boolean }> {
  const [row] = await selectChat(tx, chatId, [userId])
  if (!row) throw chatNotFound()
  const members = showsMembers(row) ? await selectMembers(tx, [chatId], LIMITS.shownMembers) : []
  return { chat: toChat(row, members), isListed: row.active_day !== null }
}

/** The actor's devices hear it, but not the socket that has it as its answer. */
export function tellDevices(
  core: Core,
  actor: Pick<Actor, 'id' | 'socket'>,
  name: string,
  data: unknown,
): void {
  core.bus.publish({ kind: 'deliver', to: [actor.id], name, data, except: actor.socket })
}

/** The chat as the actor has it. Others' chats answer like ones that are not there. */
export async function findChat(core: Core, actor: Actor, chatId: string): Promise<ChatRow> {
  const [row] = isUuid(chatId) ? await selectChat(core.db, chatId, [actor.id]) : []
  // Who opened a chat, or has blocked, is not shown to the other before a message is.
  if (!row || row.unseen) throw chatNotFound()
  return row
}

export type OwnSettings = Pick<
  UpdateChatBody,
  'pinned' | 'archived' | 'muted' | 'mutedUntil' | 'labels'
>

/** My settings of a chat. */
export async function editChat(core: Core, actor: Actor, chatId: string, wanted: OwnSettings) {
  checkLabels(wanted.labels)
  const row = await findChat(core, actor, chatId)
  const { id } = row
  const body = changedOf(row, wanted)
  const patch = toPatch(body)
  const { chat, isListed } = await change(core, id, async (tx) => {
    // An archived chat comes back with its next message: that one has to look at all members.
    await (body.archived === undefined ? bumpRev(tx, id) : bumpRights(tx, id))
    await updateMember(tx, id, actor.id, patch)
    if (patch.labels?.length) await checkLabelsOf(tx, actor)
    return viewChat(tx, id, actor.id)
  })
  if (body.archived !== undefined) core.bus.publish({ kind: 'rights', chatId: id })
  if (isListed) tellDevices(core, actor, 'chat.updated', chat)
  if (patch.mutedUntil !== undefined) await tell(core, id, () => publishUnread(core, actor))
  return chat
}

/** An archive that is as it is asked for changes nothing of who is looked at by the next message. */
export function changedOf({ archived }: ChatRow, wanted: OwnSettings): OwnSettings {
  return wanted.archived === archived ? { ...wanted, archived: undefined } : wanted
}

export function toPatch(body: OwnSettings): MemberPatch {
  const { pinned, archived, muted, mutedUntil, labels } = body
  if (mutedUntil === undefined)
    return {
      pinned,
      archived,
      labels,
      mutedUntil: muted === undefined ? undefined : muted ? 'infinity' : null,
    }
  if (muted === false || !isToCome(mutedUntil))
    throw new ChatError('invalid', {
      field: '/mutedUntil',
      detail: 'mutedUntil must be a time to come, and goes without `muted: false`',
    })
  return { pinned, archived, labels, mutedUntil: new Date(mutedUntil) }
}

/** [READ-4] Clears the chat for the actor alone, until a new message comes. */
export async function deleteChat(core: Core, actor: Actor, chatId: string): Promise<void> {
  const row = await findChat(core, actor, chatId)
  const { id } = row
  // It is deleted, and nothing has come since.
  if (row.active_day === null && row.cleared_seq === row.last_seq && row.last_seq > 0) return
  const { rev, lastSeq, wasUnread } = await change(core, id, async (tx) => {
    const chat = await bumpRights(tx, id)
    const cleared = { chatId: id, userId: actor.id, seq: chat.lastSeq }
    const wasUnread = await clearChat(tx, cleared)
    if (!wasUnread || !showsMembers(row)) return { ...chat, wasUnread }
    // The others see it as read.
    const revs = await touchChats(tx, [id])
    return { ...chat, rev: revs.get(id)?.rev ?? chat.rev, wasUnread }
  })
  core.bus.publish({ kind: 'rights', chatId: id })
  tellDevices(core, actor, 'chat.removed', { chatId: id, rev })
  await tell(core, id, async () => {
    if (wasUnread) await tellRead(core, actor, { chatId: id, seq: lastSeq, rev, lastSeq })
    await publishUnread(core, actor)
  })
}

/** [READ-1, READ-2] */
export async function markRead(
  core: Core,
  actor: Actor,
  chatId: string,
  { seq, unread: back = false }: ReadBody,
): Promise<ReadState> {
  const chat = await findChat(core, actor, chatId)
  if (seq > chat.last_seq)
    throw new ChatError('invalid', {
      field: '/seq',
      detail: `The chat's last seq is ${chat.last_seq}; mark as read up to there at most`,
    })
  if (!back && seq <= chat.read_seq)
    return {
      chatId: chat.id,
      seq: chat.read_seq,
      rev: chat.rev,
      unread: chat.last_seq - chat.read_seq,
      ...(chat.mentions ? { mentions: chat.mentions } : {}),
    }
  const read = await change(core, chat.id, async (tx) => {
    // [RECEIPT-3] In a large chat it changes nobody else's view.
    const touched = showsMembers(chat)
      ? (await touchChats(tx, [chat.id])).get(chat.id)
      : await bumpRev(tx, chat.id)
    const moved = await updateReadSeq(tx, { chatId: chat.id, userId: actor.id, seq, back })
    return moved && { ...moved, rev: touched?.rev ?? chat.rev }
  })
  if (!read) throw chatNotFound()
  const { readSeq, lastSeq, rev, mentions } = read
  const counts = { unread: lastSeq - readSeq, ...(mentions > 0 ? { mentions } : {}) }
  const state = { chatId: chat.id, seq: readSeq, rev, ...counts }
  await tell(core, chat.id, () => publishRead(core, actor, state))
  return state
}

async function publishRead(core: Core, actor: Actor, state: ReadState) {
  const { chatId, seq, rev, ...counts } = state
  const data = await tellRead(core, actor, { chatId, seq, rev, lastSeq: seq + counts.unread })
  tellDevices(core, actor, 'read.updated', { ...data, ...counts })
  await publishUnread(core, actor)
}

/** The badge for the site's own menu. */
export async function getUnread(core: Core, actor: Pick<Actor, 'id'>): Promise<Unread> {
  const { total, chats, requests } = await core.reads.unread.load(actor.id)
  return { total, chats, ...(requests > 0 ? { requests } : {}) }
}

export async function publishUnread(core: Core, actor: Pick<Actor, 'id'>): Promise<void> {
  const data = await getUnread(core, actor)
  core.bus.publish({ kind: 'deliver', to: [actor.id], name: 'unread.updated', data })
}

/** Tells each of these members how the chat is for them now, or that it is off their list. */
export async function publishChat(
  core: Core,
  chatId: string,
  userIds: number[],
  event: 'chat.created' | 'chat.updated',
): Promise<void> {
  const rows = await selectChat(core.db, chatId, userIds)
  const listed = rows.filter(({ active_day }) => active_day !== null)
  const chats = await toChats(core, listed)
  for (const [index, row] of listed.entries())
    tellDevices(core, { id: row.user_id }, event, chats[index])
  for (const { active_day, unseen, user_id: id, rev } of rows)
    if (active_day === null && !unseen) tellDevices(core, { id }, 'chat.removed', { chatId, rev })
}
