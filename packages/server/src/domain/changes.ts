/**
 * Changes of messages. They are numbered in their chat 1, 2, 3 … without gap, as messages are, under
 * the chat's lock; so a client that missed one sees the gap, and asks for what came after.
 */
import type { Changes, ChangesQuery, Message } from '@microchatter/protocol'
import { selectBlockers } from '../store/blocks.ts'
import { type ChatRights, selectRights, touchChats } from '../store/chats.ts'
import type { Content } from '../store/content.ts'
import type { Db } from '../store/db.ts'
import { selectCleared, selectVisibility } from '../store/marks.ts'
import {
  type ChangedKey,
  type MessageRow,
  selectMessages,
  updateMessage,
} from '../store/messages.ts'
import type { Unseen } from './audience.ts'
import { change, tell } from './changing.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { type Bounds, findBounds, marksOf } from './history.ts'
import { maskFor } from './masks.ts'
import { toMessage, withMy } from './message-view.ts'
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

/** Nothing is to be done: what the transaction has begun is taken back. */
class Unchanged extends Error {}

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
  const known = await core.writer.rights(chatId)
  if (!isMember(known, actor.id)) throw chatNotFound()
  try {
    const { rights, message, rev, unseen } = await change(core, chatId, (tx) =>
      changeHeld(tx, { known, userId: actor.id, seq: address.seq }, work),
    )
    const by = { ...actor, unseen }
    await tell(core, chatId, async () => deliverMessage(core, rights, event(message, rev), by))
    return message
  } catch (error) {
    if (error instanceof Unchanged) return readMessage(core.db, { chatId, seq: address.seq })
    throw error
  }
}

/** Under the chat's lock: those that are known, or, where they have moved on, those that hold. */
export async function currentRights(
  tx: Db,
  known: ChatRights,
  rightsRev: number | undefined,
): Promise<ChatRights> {
  if (rightsRev === known.rightsRev) return known
  // `writeFrom` is of direct chats that have not begun.
  const [rights] = await selectRights(tx, [known.id], 'everyone')
  if (!rights) throw chatNotFound()
  return rights
}

function updated(message: Message, rev: number): MessageEvent {
  return { name: 'message.updated', data: { ...message, rev } }
}

async function changeHeld(
  tx: Db,
  { known, userId, seq }: { known: ChatRights; userId: number; seq: number },
  work: (held: Held) => Promise<Becomes | undefined>,
): Promise<Changed> {
  const chatId = known.id
  const touched = (await touchChats(tx, [chatId], 1)).get(chatId)
  if (!touched) throw chatNotFound()
  const rights = await currentRights(tx, known, touched.rightsRev)
  if (!isMember(rights, userId)) throw chatNotFound()
  const row = await findRow(tx, { chatId, seq, userId })
  const content = row.content ?? {}
  const { changes, rev } = touched
  const held = { tx, rights, row, content, chatId, seq, change: changes, rev }
  const becomes = await work(held)
  if (!becomes) throw new Unchanged()
  const isPlain = Object.keys(becomes.content).length === 0
  const changed = { ...becomes, content: isPlain ? null : becomes.content }
  await updateMessage(tx, { chatId, seq, change: changes, ...changed })
  const unseen = await unseenOf(tx, rights, row)
  return { message: await readMessage(tx, { chatId, seq }), rev, rights, unseen }
}

interface Changed {
  message: Message
  rev: number
  rights: ChatRights
  unseen: Unseen
}

/** Who may not see this message, or what it quotes. */
export async function unseenOf(
  db: Db,
  { id, kind, members }: ChatRights,
  { seq, sender_id: senderId, content }: Pick<MessageRow, 'seq' | 'sender_id' | 'content'>,
): Promise<Unseen> {
  const cleared = await selectCleared(db, id, Math.min(seq, content?.reply ?? seq))
  if (kind === 'direct' || members.has(senderId)) return { cleared, members }
  return { cleared, members, blockers: await selectBlockers(db, senderId, [...members.keys()]) }
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
  return {
    ...page,
    changes: Math.max(page.changes, page.hasAfter ? 0 : bounds.changes),
    items: await asSeen(core, actor, bounds, page.items),
  }
}

/** [MERGE-11] What I have deleted for me is left out; of the rest nothing is told that is mine alone. */
export async function asSeen(
  core: Core,
  actor: Actor,
  bounds: Pick<Bounds, 'chatId' | 'kind' | 'cleared' | 'hasMarks'>,
  messages: Message[],
): Promise<Message[]> {
  const seen = messages.filter(({ seq }) => seq > bounds.cleared)
  const marks = await marksOf(core, actor, bounds, seen)
  const mask = await maskFor(core, actor, bounds)
  return seen.map((message) => {
    const mark = marks.get(message.seq)
    return mask(mark?.deleted ? withMy(message, mark) : message)
  })
}

/** `changes`: up to there all are in. */
export async function readChanges(core: Core, key: ChangedKey, limit: number): Promise<Changes> {
  const rows = await core.reads.changed.load(key)
  const items = rows.slice(0, limit).map(toMessage)
  return { items, changes: items.at(-1)?.change ?? key.change, hasAfter: rows.length > limit }
}
