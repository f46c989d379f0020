/**
 * Changes of messages. They are numbered in their chat 1, 2, 3 … without gap, as messages are, under
 * the chat's lock; so a client that missed one sees the gap, and asks for what came after.
 */
import type { Changes, ChangesQuery, Message } from '@microchatter/protocol'
import { type ChatRights, touchChats } from '../store/chats.ts'
import type { Content } from '../store/content.ts'
import type { Db } from '../store/db.ts'
import { selectVisibility } from '../store/marks.ts'
import {
  type ChangedKey,
  type MessageRow,
  selectMessages,
  updateMessage,
} from '../store/messages.ts'
import { change, tell } from './changing.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { ChatError } from './errors.ts'
import { findBounds, maskFor } from './history.ts'
import { toMessage } from './message-view.ts'
import { deliverMessage, type MessageEvent } from './publish.ts'
import { chatNotFound, isMember, messageNotFound } from './rights.ts'

/** A message under its chat's lock, with the rights that are true as long as it is held. */
export interface Held {
  tx: Db
  rights: ChatRights
  row: MessageRow
  content: Content
  chatId: string
  seq: number
  /** The number of this change. */
  change: number
  rev: number
}

/** What becomes of it; undefined: nothing, and no change is counted. */
export interface Becomes {
  body?: string
  content: Content
}

export interface MessageAddress {
  chatId: string
  seq: number
}

const ATTEMPTS = 3

/** Nothing is to be done: what the transaction has begun is taken back. */
class Unchanged extends Error {}
/** The rights have moved on since they were read. */
class Outdated extends Error {}

/**
 * Changes one message. `work` looks at the rights, writes what is beside the message, and gives what
 * becomes of it. The message as it is then is the answer, and is told to the members.
 */
export async function changeMessage(
  core: Core,
  actor: Pick<Actor, 'id' | 'username' | 'socket'>,
  address: MessageAddress,
  work: (held: Held) => Promise<Becomes | undefined>,
  event: (message: Message, rev: number) => MessageEvent = updated,
): Promise<Message> {
  const chatId = address.chatId.toLowerCase()
  if (!isUuid(chatId)) throw chatNotFound()
  return withRights(core, chatId, async (rights) => {
    if (!isMember(rights, actor.id)) throw chatNotFound()
    try {
      const { message, rev } = await change(core, chatId, (tx) =>
        changeHeld(tx, { rights, userId: actor.id, seq: address.seq }, work),
      )
      await tell(core, chatId, async () => deliverMessage(core, rights, event(message, rev), actor))
      return message
    } catch (error) {
      if (error instanceof Unchanged) return readMessage(core.db, { chatId, seq: address.seq })
      throw error
    }
  })
}

/** Does it with the chat's rights as they are in the cache; again, where `checkCurrent` finds them old. */
export async function withRights<T>(
  core: Core,
  chatId: string,
  work: (rights: ChatRights | undefined) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(await core.writer.rights(chatId))
    } catch (error) {
      if (!(error instanceof Outdated) || attempt === ATTEMPTS) throw asBusy(error)
      core.writer.dropRights(chatId)
    }
  }
}

/** Under the chat's lock: the rights hold until it is given back, or `withRights` begins anew. */
export function checkCurrent(rightsRev: number | undefined, rights: ChatRights): void {
  if (rightsRev !== rights.rightsRev) throw new Outdated()
}

function updated(message: Message, rev: number): MessageEvent {
  return { name: 'message.updated', data: { ...message, rev } }
}

function asBusy(error: unknown): unknown {
  if (!(error instanceof Outdated)) return error
  return new ChatError('busy', {
    detail: 'The members of this chat change all the time; try again in a second',
    retryAfterMs: 1_000,
  })
}

async function changeHeld(
  tx: Db,
  { rights, userId, seq }: { rights: ChatRights; userId: number; seq: number },
  work: (held: Held) => Promise<Becomes | undefined>,
): Promise<{ message: Message; rev: number }> {
  const chatId = rights.id
  const touched = (await touchChats(tx, [chatId], 1)).get(chatId)
  if (!touched) throw chatNotFound()
  checkCurrent(touched.rightsRev, rights)
  const row = await findRow(tx, { chatId, seq, userId })
  const content = row.content ?? {}
  const { changes, rev } = touched
  const held = { tx, rights, row, content, chatId, seq, change: changes, rev }
  const becomes = await work(held)
  if (!becomes) throw new Unchanged()
  const isPlain = Object.keys(becomes.content).length === 0
  const changed = { ...becomes, content: isPlain ? null : becomes.content }
  await updateMessage(tx, { chatId, seq, change: changes, ...changed })
  return { message: await readMessage(tx, { chatId, seq }), rev }
}

/** A message that this member can see. */
async function findRow(tx: Db, { chatId, seq, userId }: MessageAddress & { userId: number }) {
  const [row] = await selectMessages(tx, { chatId, from: seq, to: seq })
  const seen = await selectVisibility(tx, { chatId, seq, userId })
  if (!row || !seen || seq <= seen.cleared_seq || seen.deleted) throw messageNotFound()
  return row
}

async function readMessage(db: Db, { chatId, seq }: MessageAddress): Promise<Message> {
  const [row] = await selectMessages(db, { chatId, from: seq, to: seq })
  if (!row) throw messageNotFound()
  return toMessage(row)
}

/** What changed after the change with this number, each message as it is now. */
export async function listChanges(
  core: Core,
  actor: Actor,
  chatId: string,
  { after, limit = 50 }: ChangesQuery,
): Promise<Changes> {
  const bounds = await findBounds(core, actor, chatId)
  const page = await readChanges(core, { chatId: bounds.chatId, change: after }, limit)
  const mask = await maskFor(core, actor, bounds)
  return {
    ...page,
    changes: Math.max(page.changes, page.hasAfter ? 0 : bounds.changes),
    items: page.items.filter(({ seq }) => seq > bounds.cleared).map(mask),
  }
}

/** `changes`: up to there all are in. */
export async function readChanges(core: Core, key: ChangedKey, limit: number): Promise<Changes> {
  const rows = await core.reads.changed.load(key)
  const items = rows.slice(0, limit).map(toMessage)
  return { items, changes: items.at(-1)?.change ?? key.change, hasAfter: rows.length > limit }
}
