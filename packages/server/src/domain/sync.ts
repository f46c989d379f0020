/**
 * What changed since a client was here: step (2) of the recipe in socket/sync.ts.
 *
 * [SYNC-3] The cursor is a time of the database's clock, read before anything else. It is taken 30 s
 * earlier than it says, longer than any transaction may last, so a slow one is not lost; what comes
 * twice is told apart by (seq, rev), which are given under the chat's lock.
 */
import type { SyncBody, SyncResult } from '@microchatter/protocol'
import { selectFreshChats, type SeqsRow } from '../store/members.ts'
import { getUnread, toChats } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { toMy } from './message-view.ts'
import { AFTER, CHANGED_MESSAGES, type Kept, newMessages } from './sync-messages.ts'

const OVERLAP_MS = 30_000
/** Who was away for longer starts fresh. */
const OLDEST_MS = 90 * 86_400_000
/** More changed chats than these: a fresh start is cheaper. */
const CHANGED_CHATS = 200
const FRESH_CHATS = 100
const CHANGED_MARKS = 500
/** Message requests beside them. */
const FRESH_REQUESTS = 20
/** What one client reads at most; of a chat's messages the rest comes by history. */
export const SYNC_LIMITS = {
  changes: CHANGED_CHATS + 1,
  messagesAfter: AFTER,
  changed: CHANGED_MESSAGES + 1,
  marks: CHANGED_MARKS + 1,
}

export async function sync(core: Core, actor: Actor, body: SyncBody): Promise<SyncResult> {
  const now = await core.reads.now.load(undefined)
  const kept = keptOf(body)
  const heads = await selectHeads(core, actor, kept)
  // A client that is ahead has seen another database: a backup was put back.
  const isAhead = kept.some(({ chatId, seq }) => seq > (heads.get(chatId)?.last_seq ?? seq))
  const since = isAhead ? undefined : sinceOf(body.cursor, now)
  const state =
    (since && (await changedState(core, actor, since))) ?? (await freshState(core, actor))
  // What the views have seen, the messages must reach: what is held up to there is not released.
  for (const { id, lastSeq, changes = 0 } of state.chats) {
    const head = heads.get(id)
    if (!head) continue
    head.last_seq = Math.max(head.last_seq, lastSeq)
    head.changes = Math.max(head.changes, changes)
  }
  return {
    cursor: encodeCursor([now.toISOString()]),
    ...state,
    messages: await newMessages(core, actor, { kept, heads, isFresh: state.reset === true }),
    unread: await getUnread(core, actor),
  }
}

function keptOf({ chats = [] }: SyncBody): Kept[] {
  // A chat that is named twice is read once.
  const kept = new Map<string, Kept>()
  for (const { chatId, seq, change } of chats) {
    const id = chatId.toLowerCase()
    if (isUuid(id)) kept.set(id, { chatId: id, seq, change })
  }
  return [...kept.values()]
}

async function selectHeads(core: Core, actor: Actor, kept: Kept[]): Promise<Map<string, SeqsRow>> {
  if (kept.length === 0) return new Map()
  const rows = await core.reads.seqs.loadAll(
    kept.map(({ chatId }) => ({ userId: actor.id, chatId })),
  )
  const heads = new Map<string, SeqsRow>()
  for (const [index, { chatId }] of kept.entries()) {
    const head = rows[index]
    if (head) heads.set(chatId, head)
  }
  return heads
}

/** undefined: the cursor is unknown or too old [SYNC-2]. */
function sinceOf(cursor: string | undefined, now: Date): Date | undefined {
  if (cursor === undefined) return undefined
  const time = timeOf(cursor)
  const isUsable = time > now.getTime() - OLDEST_MS && time <= now.getTime() + OVERLAP_MS
  return isUsable ? new Date(time - OVERLAP_MS) : undefined
}

function timeOf(cursor: string): number {
  try {
    return Date.parse(decodeCursor(cursor, 1)[0] ?? '')
  } catch {
    return Number.NaN
  }
}

type State = Pick<SyncResult, 'chats' | 'removed' | 'reset' | 'more' | 'my' | 'blocks'>

/** undefined: more changed than is worth telling. */
async function changedState(core: Core, actor: Actor, since: Date): Promise<State | undefined> {
  const key = { userId: actor.id, since }
  // What was left and entered again meanwhile is among the chats: its view has the larger rev.
  const [left, rows, blocks] = await Promise.all([
    core.reads.departures.load(key),
    core.reads.changes.load(key),
    core.reads.blocks.load(key),
  ])
  if (rows.length + left.length > CHANGED_CHATS) return undefined
  const listed = rows.filter(({ active_day }) => active_day !== null)
  const hidden = rows.filter(({ active_day, unseen }) => active_day === null && !unseen)
  const my = rows.some((row) => row.has_marks) ? await changedMarks(core, actor, since) : []
  if (!my) return undefined
  return {
    ...(my.length > 0 ? { my } : {}),
    ...(blocks ? { blocks } : {}),
    chats: await toChats(core, listed),
    removed: [
      ...hidden.map(({ id, rev }) => ({ chatId: id, rev })),
      ...left.map(({ chat_id: chatId, rev }) => ({ chatId, rev })),
    ],
  }
}

/** undefined: more than is worth telling. */
async function changedMarks(core: Core, { id: userId }: Actor, since: Date) {
  const rows = await core.reads.marks.load({ userId, since })
  if (rows.length > CHANGED_MARKS) return undefined
  return rows.map(({ chat_id, mark }) => ({ chatId: chat_id, seq: mark.seq, my: toMy(mark) }))
}

async function freshState(core: Core, actor: Actor): Promise<State> {
  const rows = await selectFreshChats(core.db, actor.id, {
    chats: FRESH_CHATS + 1,
    requests: FRESH_REQUESTS,
  })
  const listed = rows.filter(({ request }) => request !== 'pending')
  const asked = rows.filter(({ request }) => request === 'pending')
  return {
    reset: true,
    chats: await toChats(core, [...listed.slice(0, FRESH_CHATS), ...asked]),
    removed: [],
    ...(listed.length > FRESH_CHATS ? { more: true } : {}),
  }
}
