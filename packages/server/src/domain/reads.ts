/** What many clients ask at the same time, above all when they come back [SYNC-2]. */
import { LIMITS } from '@microchatter/protocol'
import { selectBlocksChanged } from '../store/blocks.ts'
import { type DepartureRow, selectDepartures } from '../store/departures.ts'
import {
  type ChangesKey,
  type ChatRow,
  type MemberRow,
  type SeqsKey,
  type SeqsRow,
  selectChangedChats,
  selectMembers,
  selectSeqs,
} from '../store/members.ts'
import { type ChangedMarks, type MarksKey, selectChangedMarks } from '../store/marks.ts'
import {
  type AfterKey,
  type ChangedKey,
  type MessageRow,
  selectChanged,
  selectMessagesAfter,
  selectNow,
} from '../store/messages.ts'
import type { Db, Nth } from '../store/db.ts'
import { selectUnread, type UnreadRow } from '../store/unread.ts'
import { Together, Turns } from './together.ts'

export interface Reads {
  now: Together<undefined, Date>
  /** undefined: not a member. */
  seqs: Together<SeqsKey, SeqsRow | undefined>
  changes: Together<ChangesKey, (ChatRow & Nth)[]>
  /** Groups that the user has left. */
  departures: Together<ChangesKey, DepartureRow[]>
  /** Has changed whom the user blocks? */
  blocks: Together<ChangesKey, boolean>
  /** Of a chat, the oldest first. */
  members: Together<string, MemberRow[]>
  messagesAfter: Together<AfterKey, (MessageRow & Nth)[]>
  /** In the order of change. */
  changed: Together<ChangedKey, (MessageRow & Nth)[]>
  marks: Together<MarksKey, ChangedMarks[]>
  unread: Together<number, UnreadRow>
}

export interface ReadLimits {
  changes: number
  messagesAfter: number
  changed: number
  marks: number
}

export function createReads(db: Db, limits: ReadLimits): Reads {
  const turns = new Turns()
  return {
    now: new Together(turns, async (keys) => {
      const now = await selectNow(db)
      return keys.map(() => now)
    }),
    seqs: new Together(turns, async (keys) => ones(keys, await selectSeqs(db, keys))),
    changes: new Together(turns, async (keys) =>
      many(keys, await selectChangedChats(db, keys, limits.changes)),
    ),
    departures: new Together(turns, async (keys) =>
      many(keys, await selectDepartures(db, keys, limits.changes)),
    ),
    blocks: new Together(turns, async (keys) => {
      const changed = new Set(await selectBlocksChanged(db, keys))
      return keys.map((_, index) => changed.has(index))
    }),
    members: new Together(turns, async (keys) =>
      many(keys, await selectMembers(db, keys, LIMITS.shownMembers)),
    ),
    messagesAfter: new Together(turns, async (keys) =>
      many(keys, await selectMessagesAfter(db, keys, limits.messagesAfter)),
    ),
    changed: new Together(turns, async (keys) =>
      many(keys, await selectChanged(db, keys, limits.changed)),
    ),
    marks: new Together(turns, async (keys) =>
      many(keys, await selectChangedMarks(db, keys, limits.marks)),
    ),
    unread: new Together(turns, async (keys) => {
      const rows = ones(keys, await selectUnread(db, keys))
      return rows.map((row) => row ?? { nth: 0, total: 0, chats: 0, requests: 0 })
    }),
  }
}

/** The rows of each key, which say the how-many-eth it is, counted from 1. */
function many<R extends Nth>(keys: readonly unknown[], rows: R[]): R[][] {
  const lists: R[][] = keys.map(() => [])
  for (const row of rows) lists[row.nth - 1]?.push(row)
  return lists
}

function ones<R extends Nth>(keys: readonly unknown[], rows: R[]): (R | undefined)[] {
  return many(keys, rows).map(([row]) => row)
}
