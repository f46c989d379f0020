/** To be reminded of a message [TIME-5]. */
import { LIMITS, type Message, type Reminder, type ReminderBody } from '@microchatter/protocol'
import {
  countOtherReminders,
  deleteReminder,
  type DueRow,
  type ReminderRow,
  selectReminders,
  takeReminders,
  upsertReminder,
} from '../store/reminders.ts'
import { lockUser } from '../store/users.ts'
import type { MessageAddress } from './changes.ts'
import { tellDevices } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, isTimeKey, type Paging, toPage } from './cursor.ts'
import { checkThere } from './edits.ts'
import { ChatError } from './errors.ts'
import { findOwn, getMessage } from './history.ts'
import { forbidden } from './rights.ts'
import { checkData } from './text.ts'
import { checkTimeToCome } from './times.ts'
import { userNotFound } from './users.ts'

const BATCH = 100

export async function setReminder(
  core: Core,
  actor: Actor,
  { chatId, seq }: MessageAddress,
  { at, note }: ReminderBody,
): Promise<Reminder> {
  const dueAt = checkTimeToCome(at, { field: '/at', leastMs: 0 })
  if (note !== undefined) checkData(note, { field: '/note', maxBytes: LIMITS.metadata })
  const row = await findOwn(core, actor, { chatId, seq })
  checkThere(row.content ?? {})
  const key = { userId: actor.id, chatId: row.chat_id, seq }
  const reminder = await core.db.transaction(async (tx) => {
    if (!(await lockUser(tx, actor.id))) throw userNotFound()
    if ((await countOtherReminders(tx, key)) >= LIMITS.reminders)
      throw forbidden(`You may have ${LIMITS.reminders} reminders; delete one first`)
    return toReminder(await upsertReminder(tx, { ...key, dueAt, note }))
  })
  tellDevices(core, actor, 'reminder.updated', { chatId: row.chat_id, seq, reminder })
  core.bus.publish({ kind: 'due', at: dueAt.getTime() })
  return reminder
}

export async function removeReminder(
  core: Core,
  actor: Actor,
  { chatId, seq }: MessageAddress,
): Promise<void> {
  const key = { userId: actor.id, chatId: chatId.toLowerCase(), seq }
  const wasThere = isUuid(chatId) && (await deleteReminder(core.db, key))
  if (!wasThere)
    throw new ChatError('not_found', { detail: 'You have no reminder of this message' })
  tellDevices(core, actor, 'reminder.updated', { chatId: key.chatId, seq })
}

/** Mine, the soonest first; those whose time has come too, until I delete them. */
export async function listReminders(core: Core, actor: Actor, { limit = 50, cursor }: Paging) {
  const after = cursor === undefined ? undefined : toKey(cursor)
  const rows = await selectReminders(core.db, actor.id, { after, limit: limit + 1 })
  return toPage<ReminderRow, Reminder>(rows, {
    limit,
    item: toReminder,
    key: ({ due_at, chat_id, seq }) => [due_at.toISOString(), chat_id, String(seq)],
  })
}

function toKey(cursor: string) {
  const [time = '', chatId = '', seq = ''] = decodeCursor(cursor, 3)
  const dueAt = new Date(time)
  if (!isTimeKey(time) || !isUuid(chatId) || !/^\d{1,9}$/.test(seq))
    throw new ChatError('invalid_cursor', { field: '/cursor' })
  return { dueAt, chatId, seq: Number(seq) }
}

function toReminder({ chat_id, seq, due_at, note, told }: ReminderRow): Reminder {
  return {
    chatId: chat_id,
    seq,
    at: due_at.toISOString(),
    ...(note === null ? {} : { note }),
    ...(told ? { due: true } : {}),
  }
}

/** true: there may be more. */
export async function tellReminders(core: Core): Promise<boolean> {
  const rows = await takeReminders(core.db, BATCH)
  for (const row of rows) {
    const message = await findMessage(core, row)
    const data = { ...toReminder(row), ...(message ? { message } : {}) }
    tellDevices(core, { id: row.user_id }, 'reminder.due', data)
  }
  return rows.length === BATCH
}

/** As it is now; undefined where its reader cannot see it any more, or the database is away. */
async function findMessage(core: Core, row: DueRow): Promise<Message | undefined> {
  const { user_id: id, username, chat_id: chatId, seq } = row
  if (username === null) return undefined
  const reader: Actor = { id, username, admin: false, via: 'session' }
  return getMessage(core, reader, { chatId, seq }).catch(() => undefined)
}
