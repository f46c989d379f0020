/**
 * What changed since a client was here: step (2) of the recipe in socket/sync.ts.
 *
 * [SYNC-3] The cursor is a time of the database's clock, read before anything else. It is taken 30 s
 * earlier than it says, longer than any transaction may last, so a slow one is not lost; what comes
 * twice is told apart by (seq, rev), which are given under the chat's lock.
 */
import type { Message, SyncBody, SyncResult } from '@microchatter/protocol'
import { selectMarks } from '../store/marks.ts'
import { selectFreshChats, type SeqsRow } from '../store/members.ts'
import { getUnread, toChats } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { readChanges } from './changes.ts'
import { maskFor } from './history.ts'
import { toMessage, toMy, withMy } from './message-view.ts'

const OVERLAP_MS = 30_000
/** Who was away for longer starts fresh. */
const OLDEST_MS = 90 * 86_400_000
/** More changed chats than these: a fresh start is cheaper. */
const CHANGED_CHATS = 200
const FRESH_CHATS = 100
const CHANGED_MARKS = 500
const CHANGED_MESSAGES = 100
/** Message requests beside them. */
const FRESH_REQUESTS = 20
/** What one client reads at most; of a chat's messages the rest comes by history. */
export const SYNC_LIMITS = {
  changes: CHANGED_CHATS + 1,
  messagesAfter: 50,
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

interface Kept {
  chatId: string
  seq: number
  change: number | undefined
}

function keptOf({ chats = [] }: SyncBody): Kept[] {
  return chats
    .filter(({ chatId }) => isUuid(chatId))
    .map(({ chatId, seq, change }) => ({ chatId: chatId.toLowerCase(), seq, change }))
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

type State = Pick<SyncResult, 'chats' | 'removed' | 'reset' | 'more' | 'my'>

/** undefined: more changed than is worth telling. */
async function changedState(core: Core, actor: Actor, since: Date): Promise<State | undefined> {
  const key = { userId: actor.id, since }
  // What was left and entered again meanwhile is among the chats: its view has the larger rev.
  const [left, rows] = await Promise.all([
    core.reads.departures.load(key),
    core.reads.changes.load(key),
  ])
  if (rows.length + left.length > CHANGED_CHATS) return undefined
  const listed = rows.filter(({ active_day }) => active_day !== null)
  const hidden = rows.filter(({ active_day, unseen }) => active_day === null && !unseen)
  const my = rows.some((row) => row.has_marks) ? await changedMarks(core, actor, since) : []
  if (!my) return undefined
  return {
    ...(my.length > 0 ? { my } : {}),
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

interface Keeping {
  kept: Kept[]
  heads: Map<string, SeqsRow>
  /** The client forgets what it has. */
  isFresh: boolean
}

async function newMessages(core: Core, actor: Actor, { kept, heads, isFresh }: Keeping) {
  const all = kept.map(async (one) => {
    const head = heads.get(one.chatId)
    if (!head) return []
    // Of what is read from now on: what the client keeps may be older.
    const first = one.change === undefined || isFresh ? head.changes : one.change
    const after = Math.max(Math.min(one.seq, head.last_seq), head.cleared_seq)
    const isBehind = one.change !== undefined && !isFresh && one.change < head.changes
    if (after >= head.last_seq && !isBehind) return []
    const mask = await maskFor(core, actor, { chatId: one.chatId, kind: head.kind })
    const added =
      after < head.last_seq ? await messagesAfter(core, actor, { head, after, one }) : []
    const items = added.map(mask)
    return [
      {
        chatId: one.chatId,
        items,
        hasAfter: (items.at(-1)?.seq ?? head.last_seq) < head.last_seq,
        ...(isBehind ? await changedOf(core, { one, head, mask }) : { changes: first }),
      },
    ]
  })
  return (await Promise.all(all)).flat()
}

interface Asked {
  head: SeqsRow
  one: Kept
}

async function messagesAfter(
  core: Core,
  actor: Actor,
  { head, one, after }: Asked & { after: number },
) {
  const { chatId } = one
  const rows = await core.reads.messagesAfter.load({ chatId, seq: after })
  const messages = rows.map(toMessage)
  if (!head.has_marks || rows.length === 0) return messages
  const range = { from: after + 1, to: messages.at(-1)?.seq ?? after }
  const marks = await selectMarks(core.db, { userId: actor.id, chatId, ...range })
  const bySeq = new Map(marks.map((mark) => [mark.seq, mark]))
  return messages.map((message) => withMy(message, bySeq.get(message.seq)))
}

/** What the client has, and has changed since. */
async function changedOf(
  core: Core,
  { one, head, mask }: Asked & { mask: (m: Message) => Message },
) {
  const { chatId, seq, change = 0 } = one
  const { items, changes, hasAfter } = await readChanges(core, { chatId, change }, CHANGED_MESSAGES)
  return {
    changed: items.filter((item) => item.seq <= seq && item.seq > head.cleared_seq).map(mask),
    changes: hasAfter ? changes : Math.max(changes, head.changes),
    ...(hasAfter ? { hasChanges: true } : {}),
  }
}
