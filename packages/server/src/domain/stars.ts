/** What is mine alone of a message: stars, and what I have deleted for me. */
import type { Message, My } from '@microchatter/protocol'
import { bumpRev } from '../store/chats.ts'
import {
  type MarkRow,
  selectLateMarks,
  selectVisibility,
  selectMarks,
  selectStars,
  type StarRow,
  upsertMark,
} from '../store/marks.ts'
import { touchMember } from '../store/members.ts'
import { selectMessagesAt } from '../store/messages.ts'
import { change } from './changing.ts'
import { tellDevices } from './chats.ts'
import type { MessageAddress } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { decodeCursor, encodeCursor, isTimeKey, type Paging } from './cursor.ts'
import { ChatError } from './errors.ts'
import { findBounds } from './history.ts'
import { type Mask, maskFor, masksFor } from './masks.ts'
import { toMessage, toMy, withMy } from './message-view.ts'
import { messageNotFound } from './rights.ts'

export async function starMessage(
  core: Core,
  actor: Actor,
  address: MessageAddress,
  starred: boolean,
): Promise<void> {
  await setMark(core, actor, address, { starred })
}

export async function setMark(
  core: Core,
  actor: Actor,
  address: MessageAddress,
  patch: { starred?: boolean; deleted?: boolean },
): Promise<My> {
  const { chatId, last } = await findBounds(core, actor, address.chatId)
  const { seq } = address
  if (seq > last) throw messageNotFound()
  const mark = await change(core, chatId, async (tx) => {
    const { rev } = await bumpRev(tx, chatId)
    const seen = await selectVisibility(tx, { userId: actor.id, chatId, seq })
    // What was deleted for me can be deleted again: the answer may have been lost.
    const isGone = seen?.deleted === true && patch.deleted !== true
    if (!seen || isGone || seq <= seen.cleared_seq) throw messageNotFound()
    await touchMember(tx, chatId, actor.id)
    return upsertMark(tx, { userId: actor.id, chatId, seq, rev, ...patch })
  })
  return tellMy(core, actor, { chatId, seq }, mark)
}

/** The message with what is mine of it; `mark` is new, undefined: nothing was changed. */
export async function answerMy(
  core: Core,
  actor: Actor,
  message: Message,
  mark: MarkRow | undefined,
): Promise<Message> {
  const { chatId, seq } = message
  if (mark) tellMy(core, actor, { chatId, seq }, mark)
  const range = { userId: actor.id, chatId, from: seq, to: seq }
  const own = withMy(message, mark ?? (await selectMarks(core.db, range))[0])
  const { kind, cleared } = await findBounds(core, actor, chatId)
  return (await maskFor(core, actor, { kind, cleared }))(own)
}

function tellMy(core: Core, actor: Actor, address: MessageAddress, mark: MarkRow): My {
  const my = toMy(mark)
  tellDevices(core, actor, 'my.updated', { ...address, my })
  return my
}

/** To each of these members what became its own of late: where nobody was told of that. */
export async function publishMarks(core: Core, chatId: string, userIds: number[]): Promise<void> {
  for (const { user_id, mark } of await selectLateMarks(core.db, chatId, userIds))
    core.bus.publish({
      kind: 'deliver',
      to: [user_id],
      name: 'my.updated',
      data: { chatId, seq: mark.seq, my: toMy(mark) },
    })
}

/** My starred messages, the newest star first. */
export async function listStars(
  core: Core,
  actor: Actor,
  { limit = 50, cursor }: Paging,
): Promise<{ items: Message[]; nextCursor?: string }> {
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  if (after !== undefined && !isTimeKey(after))
    throw new ChatError('invalid_cursor', { field: '/cursor' })
  const rows = await selectStars(core.db, actor.id, { after, limit: limit + 1 })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: await readStars(core, actor, page),
    ...(rows.length > limit && last ? { nextCursor: encodeCursor([last.starred_at_text]) } : {}),
  }
}

async function readStars(core: Core, actor: Actor, stars: StarRow[]): Promise<Message[]> {
  const rows = await selectMessagesAt(core.db, stars)
  const maskOf = masksFor(core, actor)
  const masks = new Map<string, Mask>()
  for (const { chat_id: chatId, kind, cleared_seq: cleared } of stars)
    if (!masks.has(chatId)) masks.set(chatId, await maskOf({ kind, cleared }))
  return stars.flatMap(({ chat_id, seq, mark }) => {
    const row = rows.find((one) => one.chat_id === chat_id && one.seq === seq)
    const message = row && withMy(toMessage(row), mark)
    if (message?.deletedAt !== undefined) return []
    return message ? [masks.get(chat_id)?.(message) ?? message] : []
  })
}
