import {
  ChatId,
  type ChangesQuery,
  closed,
  Cursor,
  type DeleteMessageQuery,
  type EditBody,
  type HistoryQuery,
  LIMITS,
  Limit,
  opt,
  type SendBody,
  type SendToUserBody,
  Username,
  type VoteBody,
} from '@microchatter/protocol'
import { type Static, Type } from 'typebox'
import { listChanges } from '../domain/changes.ts'
import { deleteForMe, deleteMessage, editMessage, listEdits } from '../domain/edits.ts'
import { getHistory, getMessage } from '../domain/history.ts'
import { sendMessage, sendToUser } from '../domain/messages.ts'
import { listPins, pinMessage } from '../domain/pins.ts'
import { closePoll, vote } from '../domain/polls.ts'
import { listReactions, setReaction } from '../domain/reactions.ts'
import { listStars, starMessage } from '../domain/stars.ts'
import type { ChatParams } from './chats.ts'
import { type Answer, type Call, created, NOTHING, ok } from './route.ts'

export const RecipientParams = closed({ username: Username })
export type RecipientParams = Static<typeof RecipientParams>
export const MessageParams = closed({
  chatId: ChatId,
  seq: Type.Integer({ minimum: 1, maximum: LIMITS.seq, description: 'Of the message.' }),
})
export type MessageParams = Static<typeof MessageParams>
export const ReactionParams = closed({
  ...MessageParams.properties,
  emoji: Type.String({ minLength: 1, maxLength: 64, description: 'One Unicode emoji.' }),
})
export type ReactionParams = Static<typeof ReactionParams>
export const PageQuery = closed({ limit: opt(Limit), cursor: opt(Cursor) })
export type PageQuery = Static<typeof PageQuery>

type At = Call<{ params: MessageParams }>

export async function onGetHistory(
  call: Call<{ params: ChatParams; query: HistoryQuery }>,
): Promise<Answer> {
  return ok(await getHistory(call.core, call.actor, call.params.chatId, call.query))
}

export async function onSendMessage({
  core,
  actor,
  params,
  body,
}: Call<{ params: ChatParams; body: SendBody }>): Promise<Answer> {
  return created(await sendMessage(core, actor, { ...body, chatId: params.chatId }))
}

export async function onSendToUser(
  call: Call<{ params: RecipientParams; body: SendToUserBody }>,
): Promise<Answer> {
  return created(await sendToUser(call.core, call.actor, call.params.username, call.body))
}

export async function onListChanges(
  call: Call<{ params: ChatParams; query: ChangesQuery }>,
): Promise<Answer> {
  return ok(await listChanges(call.core, call.actor, call.params.chatId, call.query))
}

export async function onGetMessage({ core, actor, params }: At): Promise<Answer> {
  return ok(await getMessage(core, actor, params))
}

export async function onEditMessage({
  core,
  actor,
  params,
  body,
}: Call<{ params: MessageParams; body: EditBody }>): Promise<Answer> {
  return ok(await editMessage(core, actor, params, body))
}

export async function onDeleteMessage({
  core,
  actor,
  params,
  query,
}: Call<{ params: MessageParams; query: DeleteMessageQuery }>): Promise<Answer> {
  const work = query.for === 'me' ? deleteForMe : deleteMessage
  await work(core, actor, params)
  return NOTHING
}

export async function onListEdits({
  core,
  actor,
  params,
  query,
}: Call<{ params: MessageParams; query: PageQuery }>): Promise<Answer> {
  return ok(await listEdits(core, actor, params, query))
}

export async function onListReactions({
  core,
  actor,
  params,
  query,
}: Call<{ params: MessageParams; query: PageQuery }>): Promise<Answer> {
  return ok(await listReactions(core, actor, params, query))
}

export async function onAddReaction({
  core,
  actor,
  params,
}: Call<{ params: ReactionParams }>): Promise<Answer> {
  return ok(await setReaction(core, actor, { ...params, on: true }))
}

export async function onRemoveReaction({
  core,
  actor,
  params,
}: Call<{ params: ReactionParams }>): Promise<Answer> {
  return ok(await setReaction(core, actor, { ...params, on: false }))
}

export async function onListPins({
  core,
  actor,
  params,
}: Call<{ params: ChatParams }>): Promise<Answer> {
  return ok(await listPins(core, actor, params.chatId))
}

export async function onPinMessage({ core, actor, params }: At): Promise<Answer> {
  return ok(await pinMessage(core, actor, params, true))
}

export async function onUnpinMessage({ core, actor, params }: At): Promise<Answer> {
  return ok(await pinMessage(core, actor, params, false))
}

export async function onStarMessage({ core, actor, params }: At): Promise<Answer> {
  await starMessage(core, actor, params, true)
  return NOTHING
}

export async function onUnstarMessage({ core, actor, params }: At): Promise<Answer> {
  await starMessage(core, actor, params, false)
  return NOTHING
}

export async function onListStars(call: Call<{ query: PageQuery }>): Promise<Answer> {
  return ok(await listStars(call.core, call.actor, call.query))
}

export async function onVote({
  core,
  actor,
  params,
  body,
}: Call<{ params: MessageParams; body: VoteBody }>): Promise<Answer> {
  return ok(await vote(core, actor, params, body))
}

export async function onClosePoll({ core, actor, params }: At): Promise<Answer> {
  return ok(await closePoll(core, actor, params))
}
