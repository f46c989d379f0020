/**
 * What changed since a client was here: step (2) of the recipe in socket/sync.ts.
 *
 * [SYNC-3] The cursor is a time of the database's clock, read before anything else. It is taken 30 s
 * earlier than it says, longer than any transaction may last, so a slow one is not lost; what comes
 * twice is told apart by (seq, rev), which are given under the chat's lock.
 */
import type { SyncBody, SyncResult } from '@microchatter/protocol'
import { selectChangedChats, selectChats, selectSeqs, selectUnread } from '../store/members.ts'
import { selectMessagesAfter, selectNow } from '../store/messages.ts'
import { toChats } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { toMessage } from './views.ts'

const OVERLAP_MS = 30_000
/** Who was away for longer starts fresh. */
const OLDEST_MS = 90 * 86_400_000
/** More changed chats than these: a fresh start is cheaper. */
const CHANGED_CHATS = 200
const FRESH_CHATS = 100
/** Messages of one chat; the rest comes by history. */
const MESSAGES = 50

export async function sync(core: Core, actor: Actor, body: SyncBody): Promise<SyncResult> {
  const now = await selectNow(core.db)
  const since = sinceOf(body.cursor, now)
  const kept = (body.chats ?? []).filter(({ chatId }) => isUuid(chatId))
  const seqs = await selectSeqs(
    core.db,
    actor.id,
    kept.map(({ chatId }) => chatId),
  )
  const last = new Map(seqs.map((row) => [row.chat_id, row]))
  // A client that is ahead has seen another database: a backup was put back.
  const isAhead = kept.some(({ chatId, seq }) => seq > (last.get(lower(chatId))?.last_seq ?? seq))
  const rows =
    since && !isAhead
      ? await selectChangedChats(core.db, actor.id, { since, limit: CHANGED_CHATS + 1 })
      : undefined
  const state =
    rows === undefined || rows.length > CHANGED_CHATS
      ? await freshState(core, actor)
      : {
          chats: await toChats(
            core,
            rows.filter(({ active_day }) => active_day !== null),
          ),
          removed: rows
            .filter(({ active_day }) => active_day === null)
            .map(({ id, rev }) => ({ chatId: id, rev })),
        }
  return {
    cursor: encodeCursor([now.toISOString()]),
    ...state,
    messages: await newMessages(core, kept, last),
    unread: await selectUnread(core.db, actor.id),
  }
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

async function freshState(core: Core, actor: Actor) {
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

interface Seqs {
  last_seq: number
  cleared_seq: number
}

async function newMessages(
  core: Core,
  kept: { chatId: string; seq: number }[],
  last: Map<string, Seqs>,
): Promise<SyncResult['messages']> {
  const wanted = kept.flatMap(({ chatId, seq }) => {
    const id = lower(chatId)
    const row = last.get(id)
    const after = Math.max(Math.min(seq, row?.last_seq ?? 0), row?.cleared_seq ?? 0)
    return row && after < row.last_seq ? [{ chatId: id, seq: after, lastSeq: row.last_seq }] : []
  })
  if (wanted.length === 0) return []
  const rows = await selectMessagesAfter(core.db, { chats: wanted, limit: MESSAGES })
  return wanted.map(({ chatId, lastSeq }) => {
    const items = rows.filter((row) => row.chat_id === chatId).map(toMessage)
    return { chatId, items, hasAfter: (items.at(-1)?.seq ?? lastSeq) < lastSeq }
  })
}

function lower(chatId: string): string {
  return chatId.toLowerCase()
}
