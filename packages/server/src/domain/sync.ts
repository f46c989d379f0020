/**
 * What changed since a client was here: step (2) of the recipe in socket/sync.ts.
 *
 * [SYNC-3] The cursor is a time of the database's clock, read before anything else. It is taken 30 s
 * earlier than it says, longer than any transaction may last, so a slow one is not lost; what comes
 * twice is told apart by (seq, rev), which are given under the chat's lock.
 */
import type { SyncBody, SyncResult } from '@microchatter/protocol'
import { selectChats } from '../store/members.ts'
import { getUnread, toChats } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { toMessage } from './views.ts'

const OVERLAP_MS = 30_000
/** Who was away for longer starts fresh. */
const OLDEST_MS = 90 * 86_400_000
/** More changed chats than these: a fresh start is cheaper. */
const CHANGED_CHATS = 200
const FRESH_CHATS = 100
/** What one client reads at most; of a chat's messages the rest comes by history. */
export const SYNC_LIMITS = { changes: CHANGED_CHATS + 1, messagesAfter: 50 }

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
  for (const { id, lastSeq } of state.chats) {
    const head = heads.get(id)
    if (head) head.last_seq = Math.max(head.last_seq, lastSeq)
  }
  return {
    cursor: encodeCursor([now.toISOString()]),
    ...state,
    messages: await newMessages(core, kept, heads),
    unread: await getUnread(core, actor),
  }
}

interface Kept {
  chatId: string
  seq: number
}

function keptOf({ chats = [] }: SyncBody): Kept[] {
  return chats
    .filter(({ chatId }) => isUuid(chatId))
    .map(({ chatId, seq }) => ({ chatId: chatId.toLowerCase(), seq }))
}

interface Head {
  last_seq: number
  cleared_seq: number
}

async function selectHeads(core: Core, actor: Actor, kept: Kept[]): Promise<Map<string, Head>> {
  if (kept.length === 0) return new Map()
  const rows = await core.reads.seqs.loadAll(
    kept.map(({ chatId }) => ({ userId: actor.id, chatId })),
  )
  const heads = new Map<string, Head>()
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

type State = Pick<SyncResult, 'chats' | 'removed' | 'reset' | 'more'>

/** undefined: more changed than is worth telling. */
async function changedState(core: Core, actor: Actor, since: Date): Promise<State | undefined> {
  const rows = await core.reads.changes.load({ userId: actor.id, since })
  if (rows.length > CHANGED_CHATS) return undefined
  const listed = rows.filter(({ active_day }) => active_day !== null)
  const hidden = rows.filter(({ active_day, unseen }) => active_day === null && !unseen)
  return {
    chats: await toChats(core, listed),
    removed: hidden.map(({ id, rev }) => ({ chatId: id, rev })),
  }
}

async function freshState(core: Core, actor: Actor): Promise<State> {
  const rows = await selectChats(core.db, actor.id, {
    archived: false,
    unread: undefined,
    after: undefined,
    limit: FRESH_CHATS + 1,
  })
  return {
    reset: true,
    chats: await toChats(core, rows.slice(0, FRESH_CHATS)),
    removed: [],
    ...(rows.length > FRESH_CHATS ? { more: true } : {}),
  }
}

async function newMessages(
  core: Core,
  kept: Kept[],
  heads: Map<string, Head>,
): Promise<SyncResult['messages']> {
  const wanted = kept.flatMap(({ chatId, seq }) => {
    const head = heads.get(chatId)
    if (!head) return []
    const after = Math.max(Math.min(seq, head.last_seq), head.cleared_seq)
    return after < head.last_seq ? [{ chatId, seq: after, lastSeq: head.last_seq }] : []
  })
  if (wanted.length === 0) return []
  const pages = await core.reads.messagesAfter.loadAll(wanted)
  return wanted.map(({ chatId, lastSeq }, index) => {
    const items = (pages[index] ?? []).map(toMessage)
    return { chatId, items, hasAfter: (items.at(-1)?.seq ?? lastSeq) < lastSeq }
  })
}
