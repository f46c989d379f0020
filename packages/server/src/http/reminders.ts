import type { ReminderBody } from '@microchatter/protocol'
import { listReminders, removeReminder, setReminder } from '../domain/reminders.ts'
import { type MessageParams, type PageQuery } from './messages.ts'
import { type Answer, type Call, NOTHING, ok } from './route.ts'

export async function onSetReminder({
  core,
  actor,
  params,
  body,
}: Call<{ params: MessageParams; body: ReminderBody }>): Promise<Answer> {
  return ok(await setReminder(core, actor, params, body))
}

export async function onRemoveReminder({
  core,
  actor,
  params,
}: Call<{ params: MessageParams }>): Promise<Answer> {
  await removeReminder(core, actor, params)
  return NOTHING
}

export async function onListReminders(call: Call<{ query: PageQuery }>): Promise<Answer> {
  return ok(await listReminders(call.core, call.actor, call.query))
}
