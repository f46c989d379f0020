/** Reading messages: a page of a chat or of a thread, or one of them, as the reader may see it. */
import type { History, HistoryQuery, Message } from '@microchatter/protocol'
import { selectChatSeqs } from '../store/chats.ts'
import { type MarkRow, selectMarks } from '../store/marks.ts'
import { type MessageRow, selectMessages, selectThread } from '../store/messages.ts'
import { audit } from './audit.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { ChatError } from './errors.ts'
import { maskFor } from './masks.ts'
import { toMessage, withMy, withoutQuote } from './message-view.ts'
import { chatNotFound, messageNotFound } from './rights.ts'

/** What of a chat someone may read. */
export interface Bounds {
  chatId: string
  kind: 'direct' | 'group'
  /** Up to here it is gone for the reader. */
  cleared: number
  last: number
  /** The number of the last change of a message. */
  changes: number
  hasMarks: boolean
}

/** [READ-3] By keyset: seq has no gaps, so a page is a range. What is cleared for me is not there. */
export async function getHistory(
  core: Core,
  actor: Actor,
  chatId: string,
  query: HistoryQuery,
): Promise<History> {
  const bounds = await findBounds(core, actor, chatId)
  if ([query.before, query.after, query.around].filter((seq) => seq !== undefined).length > 1)
    throw new ChatError('invalid', { detail: 'Use one of `before`, `after` and `around`' })
  const page = query.thread === undefined ? readRange : readThread
  const { rows, ...edges } = await page(core, bounds, query)
  return { items: await show(core, actor, bounds, rows), ...edges, changes: bounds.changes }
}

async function readRange(core: Core, bounds: Bounds, query: HistoryQuery) {
  const { chatId, cleared, last } = bounds
  const { from, to } = rangeOf(bounds, query)
  const first = Math.max(from, cleared + 1)
  const end = Math.min(to, last)
  const rows = first > end ? [] : await selectMessages(core.db, { chatId, from: first, to: end })
  // Past an edge the page is empty, and tells on which side there is something.
  return {
    rows,
    hasBefore: Math.min(first, last + 1) > cleared + 1,
    hasAfter: Math.max(end, cleared) < last,
  }
}

function rangeOf({ cleared, last }: Bounds, { before, after, around, limit = 50 }: HistoryQuery) {
  if (after !== undefined) {
    const start = Math.max(cleared, after) + 1
    return { from: start, to: start + limit - 1 }
  }
  if (around !== undefined) {
    const start = Math.max(cleared + 1, around - Math.floor(limit / 2))
    return { from: start, to: start + limit - 1 }
  }
  const past = Math.min(before ?? last + 1, last + 1)
  return { from: past - limit, to: past - 1 }
}

async function readThread(core: Core, { chatId, cleared, last }: Bounds, query: HistoryQuery) {
  const { thread = 0, before, after, around, limit = 50 } = query
  if (around !== undefined)
    throw new ChatError('invalid', { field: 'around', detail: 'A thread has no `around`' })
  const from = after === undefined ? undefined : Math.max(after, cleared)
  const found = await selectThread(core.db, {
    chatId,
    thread,
    after: from,
    before: before ?? last + 1,
    limit: limit + 1,
  })
  const seen = found.filter(({ seq }) => seq > cleared)
  const rows = from === undefined ? seen.slice(-limit) : seen.slice(0, limit)
  return {
    rows,
    hasBefore: from === undefined ? seen.length > limit : from > cleared,
    hasAfter: from === undefined ? before !== undefined && before <= last : seen.length > limit,
  }
}

/** One message, as the actor may see it. */
export async function getMessage(
  core: Core,
  actor: Actor,
  { chatId, seq }: { chatId: string; seq: number },
): Promise<Message> {
  const bounds = await findBounds(core, actor, chatId)
  const row = await findRow(core, bounds, seq)
  const message = withMy(toMessage(row), (await marksOf(core, actor, bounds, [row])).get(seq))
  const masked = (await maskFor(core, actor, bounds))(message)
  // Asked for by itself, it is shown; not what it quotes.
  return masked.hidden ? { ...withoutQuote(message), hidden: true } : masked
}

/** @throws not_found for who may not see the message */
export function checkSeen({ cleared, last }: Bounds, seq: number): void {
  if (seq <= cleared || seq > last) throw messageNotFound()
}

/** @throws not_found */
export async function findRow(core: Core, bounds: Bounds, seq: number): Promise<MessageRow> {
  checkSeen(bounds, seq)
  const { chatId } = bounds
  const [row] = await selectMessages(core.db, { chatId, from: seq, to: seq })
  if (!row) throw messageNotFound()
  return row
}

/** A message that the actor sees as a member of the chat. @throws not_found */
export async function findOwn(
  core: Core,
  actor: Actor,
  { chatId, seq }: { chatId: string; seq: number },
): Promise<MessageRow> {
  const bounds = await findBounds(core, { ...actor, admin: false }, chatId)
  const row = await findRow(core, bounds, seq)
  const mark = (await marksOf(core, actor, bounds, [row])).get(seq)
  if (mark?.deleted) throw messageNotFound()
  return row
}

/** Rows as the reader has them: with what is its own, and without whom it has blocked. */
export async function show(
  core: Core,
  actor: Actor,
  bounds: Bounds,
  rows: MessageRow[],
): Promise<Message[]> {
  const marks = await marksOf(core, actor, bounds, rows)
  const mask = await maskFor(core, actor, bounds)
  return rows.map((row) => mask(withMy(toMessage(row), marks.get(row.seq))))
}

export async function marksOf(
  core: Core,
  { id: userId }: Pick<Actor, 'id'>,
  { chatId, hasMarks }: Pick<Bounds, 'chatId' | 'hasMarks'>,
  messages: readonly { seq: number }[],
): Promise<Map<number, MarkRow>> {
  if (!hasMarks || messages.length === 0) return new Map<number, MarkRow>()
  const seqs = messages.map(({ seq }) => seq)
  const range = { userId, chatId, from: Math.min(...seqs), to: Math.max(...seqs) }
  return new Map((await selectMarks(core.db, range)).map((mark) => [mark.seq, mark]))
}

/** What of the chat the actor may read. Admins only where the site says so, and it is written down. */
export async function findBounds(core: Core, actor: Actor, chatId: string): Promise<Bounds> {
  const id = chatId.toLowerCase()
  const row = isUuid(id) ? await selectChatSeqs(core.db, id, actor.id) : undefined
  if (!row) throw chatNotFound()
  const { kind, last_seq: last, changes, has_marks } = row
  const bounds = { chatId: id, kind, last, changes, hasMarks: has_marks === true }
  if (row.cleared_seq !== null) return { ...bounds, cleared: row.cleared_seq }
  if (!actor.admin || !core.settings.admin.readChats) throw chatNotFound()
  await audit(core.db, actor, 'chat.read', chatId)
  return { ...bounds, cleared: 0 }
}
