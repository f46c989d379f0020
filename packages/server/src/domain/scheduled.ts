/** Messages that are sent at a time [TIME-3]: each once, whichever nodes try. */
import {
  type EditScheduledBody,
  LIMITS,
  type ScheduleBody,
  type Scheduled,
  type ScheduledChange,
} from '@microchatter/protocol'
import { uuidv7 } from 'uuidv7'
import type { Db } from '../store/db.ts'
import {
  type ClaimedRow,
  countScheduled,
  deleteScheduled,
  failScheduled,
  insertScheduled,
  postponeScheduled,
  type ScheduledRow,
  selectScheduled,
  selectScheduledOne,
  takeScheduled,
  updateScheduled,
} from '../store/scheduled.ts'
import { lockUser } from '../store/users.ts'
import { tellDevices } from './chats.ts'
import { type Extras, type Sender, toRich } from './content.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, isTimeKey, type Paging, toPage } from './cursor.ts'
import { asChatError, ChatError } from './errors.ts'
import type { Once } from './idempotency.ts'
import { storeMessage } from './messages.ts'
import { chatNotFound, forbidden, sendRefusal } from './rights.ts'
import { checkBody } from './text.ts'
import { checkTimeToCome } from './times.ts'
import { userNotFound } from './users.ts'

const LEAST_MS = 10_000
const BATCH = 50
/** What is not known to be refused is tried again. */
const TRANSIENT = new Set(['busy', 'unavailable', 'outcome_unknown', 'rate_limited'])

/** Looked at as a send is, with the rights of now; and again when it is sent. */
export async function scheduleMessage(
  core: Core,
  actor: Actor,
  { chatId, body, sendAt, ...extras }: ScheduleBody & { chatId: string },
  once: Once,
): Promise<Scheduled> {
  if (!isUuid(chatId)) throw chatNotFound()
  core.limits.sends.take(actor.id)
  const id = chatId.toLowerCase()
  await checkSend(core, actor, { chatId: id, body, extras })
  let isNew = false
  const scheduled = await once(async (tx) => {
    isNew = true
    const dueAt = checkDue(sendAt, extras)
    await checkRoom(tx, actor)
    const row = { id: uuidv7(), userId: actor.id, chatId: id, body, extras, dueAt }
    return toScheduled(await insertScheduled(tx, row))
  })
  if (isNew) tellWaiting(core, actor, scheduled)
  return scheduled
}

interface Asked {
  chatId: string
  body: string | undefined
  extras: Extras
}

async function checkSend(core: Core, actor: Actor, asked: Asked): Promise<void> {
  if (sendRefusal(await core.writer.rights(asked.chatId), actor)) {
    // A refusal out of the cache is looked up before it counts.
    core.writer.dropRights(asked.chatId)
    const refusal = sendRefusal(await core.writer.rights(asked.chatId), actor)
    if (refusal) throw refusal
  }
  await toRich(core, actor, { ...asked, isTrial: true })
}

function checkDue(sendAt: string, { poll }: Extras): Date {
  const dueAt = checkTimeToCome(sendAt, { field: '/sendAt', leastMs: LEAST_MS })
  if (poll?.closesAt !== undefined && Date.parse(poll.closesAt) <= dueAt.getTime())
    throw new ChatError('invalid', {
      field: '/poll/closesAt',
      detail: 'The poll would be closed before it is sent',
    })
  return dueAt
}

async function checkRoom(tx: Db, { id }: Actor): Promise<void> {
  if (!(await lockUser(tx, id))) throw userNotFound()
  if ((await countScheduled(tx, id)) >= LIMITS.scheduled)
    throw forbidden(`At most ${LIMITS.scheduled} messages wait; delete one first`)
}

function tellWaiting(core: Core, actor: Actor, scheduled: Scheduled): void {
  tell(core, actor, { ...keysOf(scheduled), state: 'waiting', scheduled })
  core.bus.publish({ kind: 'due', at: Date.parse(scheduled.sendAt) })
}

function tell(core: Core, to: Pick<Actor, 'id' | 'socket'>, data: ScheduledChange): void {
  tellDevices(core, to, 'scheduled.updated', data)
}

function keysOf({ id, chatId }: Scheduled) {
  return { id, chatId }
}

function toScheduled(row: ScheduledRow): Scheduled {
  return {
    id: row.id,
    chatId: row.chat_id,
    ...(row.body === null ? {} : { body: row.body }),
    ...row.extras,
    sendAt: row.due_at.toISOString(),
    createdAt: row.created_at.toISOString(),
    ...(row.failed === null ? {} : { failed: row.failed }),
  }
}

/** Mine, the soonest first; those that have failed too. */
export async function listScheduled(core: Core, actor: Actor, { limit = 50, cursor }: Paging) {
  const after = cursor === undefined ? undefined : toKey(cursor)
  const rows = await selectScheduled(core.db, actor.id, { after, limit: limit + 1 })
  return toPage<ScheduledRow, Scheduled>(rows, {
    limit,
    item: toScheduled,
    key: ({ due_at, id }) => [due_at.toISOString(), id],
  })
}

function toKey(cursor: string) {
  const [time = '', id = ''] = decodeCursor(cursor, 2)
  const dueAt = new Date(time)
  if (!isTimeKey(time) || !isUuid(id)) throw new ChatError('invalid_cursor', { field: '/cursor' })
  return { dueAt, id }
}

export async function editScheduled(
  core: Core,
  actor: Actor,
  id: string,
  { body, sendAt }: EditScheduledBody,
): Promise<Scheduled> {
  if (body === undefined && sendAt === undefined)
    throw new ChatError('invalid', { detail: 'Say what is to change: `body`, `sendAt`' })
  if (body !== undefined) checkBody(body, core.settings.messages.maxLength)
  const scheduled = await core.db.transaction(async (tx) => {
    const { extras } = await findMine(tx, actor, id)
    if (body !== undefined && (extras as Extras).forward)
      throw new ChatError('invalid', { field: '/body', detail: 'It passes on another message' })
    const dueAt = sendAt === undefined ? undefined : checkDue(sendAt, extras)
    const row = await updateScheduled(tx, id, { body, dueAt })
    if (!row) throw scheduledNotFound()
    return toScheduled(row)
  })
  if (scheduled.failed === undefined) tellWaiting(core, actor, scheduled)
  else tell(core, actor, { ...keysOf(scheduled), state: 'failed', scheduled })
  return scheduled
}

export async function removeScheduled(core: Core, actor: Actor, id: string): Promise<void> {
  const row = await core.db.transaction(async (tx) => {
    const found = await findMine(tx, actor, id)
    await deleteScheduled(tx, id)
    return found
  })
  tell(core, actor, { ...keysOf(toScheduled(row)), state: 'removed' })
}

/** Locked until the end of the transaction; one that is being sent is not to be changed any more. */
async function findMine(tx: Db, { id: userId }: Actor, id: string) {
  const row = isUuid(id) ? await selectScheduledOne(tx, { id, userId }) : undefined
  if (!row) throw scheduledNotFound()
  if (row.taken)
    throw new ChatError('in_progress', {
      detail: 'The message is being sent; it is too late to change it',
      retryAfterMs: 1_000,
    })
  return row
}

function scheduledNotFound(): ChatError {
  return new ChatError('not_found', { detail: 'You have no such message waiting' })
}

/** [TIME-3] true: there may be more. */
export async function sendScheduled(core: Core): Promise<boolean> {
  const rows = await takeScheduled(core.db, BATCH)
  const done = await Promise.allSettled(rows.map((row) => sendOne(core, row)))
  for (const result of done) if (result.status === 'rejected') throw result.reason
  return rows.length === BATCH
}

/** The clientId makes it one message, however often it is tried [SEND-3]. */
async function sendOne(core: Core, row: ClaimedRow): Promise<void> {
  const { id, user_id, chat_id: chatId } = row
  try {
    const { seq } = await sendNow(core, row)
    if (await deleteScheduled(core.db, id))
      tell(core, { id: user_id }, { id, chatId, state: 'sent', seq })
  } catch (error) {
    const refusal = asChatError(error)
    if (refusal && TRANSIENT.has(refusal.code)) return
    if (refusal?.code === 'slow_mode')
      return postponeScheduled(core.db, id, refusal.info.retryAfterMs ?? 1_000)
    const failed = await failScheduled(core.db, id, refusal?.code ?? 'internal')
    if (failed)
      tell(core, { id: user_id }, { id, chatId, state: 'failed', scheduled: toScheduled(failed) })
    if (!refusal) throw error
  }
}

async function sendNow(core: Core, row: ClaimedRow) {
  const { id, user_id, username, active, role, chat_id: chatId, body } = row
  if (username === null || !active) throw new ChatError('deactivated')
  const sender: Sender = { id: user_id, username, admin: role === 'admin' }
  const { reply, ...extras } = await withoutGone(core, chatId, row.extras)
  const message = { chatId, clientId: id, ...(body === null ? {} : { body }), ...extras }
  if (reply === undefined) return storeMessage(core, sender, message)
  try {
    return await storeMessage(core, sender, { ...message, reply })
  } catch (error) {
    // What it answers is gone for its sender: then it answers nothing.
    if (error instanceof ChatError && error.info.field === '/reply')
      return storeMessage(core, sender, message)
    throw error
  }
}

/** Who has left the chat is not mentioned. */
async function withoutGone(core: Core, chatId: string, extras: Extras): Promise<Extras> {
  if (!extras.mentions) return extras
  const rights = await core.writer.rights(chatId)
  const names = new Set(rights?.members.values())
  const { mentions, ...others } = extras
  const here = mentions.filter((name) => names.has(name))
  return here.length === 0 ? others : { ...others, mentions: here }
}
