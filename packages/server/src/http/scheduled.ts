import { closed, type EditScheduledBody, type ScheduleBody, Uuid } from '@microchatter/protocol'
import type { Static } from 'typebox'
import {
  editScheduled,
  listScheduled,
  removeScheduled,
  scheduleMessage,
} from '../domain/scheduled.ts'
import type { ChatParams } from './chats.ts'
import type { PageQuery } from './messages.ts'
import { type Answer, type Call, created, NOTHING, ok } from './route.ts'

export const ScheduledParams = closed({ id: Uuid })
export type ScheduledParams = Static<typeof ScheduledParams>

export async function onScheduleMessage({
  core,
  actor,
  params,
  body,
  once,
}: Call<{ params: ChatParams; body: ScheduleBody }>): Promise<Answer> {
  return created(await scheduleMessage(core, actor, { ...body, chatId: params.chatId }, once))
}

export async function onListScheduled(call: Call<{ query: PageQuery }>): Promise<Answer> {
  return ok(await listScheduled(call.core, call.actor, call.query))
}

export async function onEditScheduled({
  core,
  actor,
  params,
  body,
}: Call<{ params: ScheduledParams; body: EditScheduledBody }>): Promise<Answer> {
  return ok(await editScheduled(core, actor, params.id.toLowerCase(), body))
}

export async function onRemoveScheduled({
  core,
  actor,
  params,
}: Call<{ params: ScheduledParams }>): Promise<Answer> {
  await removeScheduled(core, actor, params.id.toLowerCase())
  return NOTHING
}
