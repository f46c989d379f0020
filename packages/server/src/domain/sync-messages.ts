/** The messages of a sync: what is new in the chats whose messages a client keeps, and what has changed. */
import type { Message, SyncResult } from '@microchatter/protocol'
import type { SeqsRow } from '../store/members.ts'
import { asSeen, readChanges } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { marksOf } from './history.ts'
import { maskFor } from './masks.ts'
import { toMessage, withMy } from './message-view.ts'

export const AFTER = 50
export const CHANGED_MESSAGES = 100
/** Chats that are read at once. */
const TOGETHER = 8
/** Bytes of texts and the rest in one answer, roughly; what is past it comes by history [SOCK-1]. */
const ANSWER_BYTES = 524_288

export interface Kept {
  chatId: string
  seq: number
  change: number | undefined
}

interface Keeping {
  kept: Kept[]
  heads: Map<string, SeqsRow>
  /** The client forgets what it has. */
  isFresh: boolean
}

type Page = SyncResult['messages'][number]

export async function newMessages(
  core: Core,
  actor: Actor,
  { kept, heads, isFresh }: Keeping,
): Promise<Page[]> {
  const asked = kept.flatMap((one) => {
    const head = heads.get(one.chatId)
    const ask = head && toAsk(one, head, isFresh)
    return ask ? [ask] : []
  })
  const pages: Page[] = []
  let bytes = 0
  for (let from = 0; from < asked.length; from += TOGETHER) {
    const some = asked.slice(from, from + TOGETHER)
    const isFull = bytes > ANSWER_BYTES
    const read = isFull
      ? some.map(later)
      : await Promise.all(some.map((ask) => page(core, actor, ask)))
    bytes += JSON.stringify(read).length
    pages.push(...read)
  }
  return pages
}

interface Ask {
  one: Kept
  head: SeqsRow
  /** New messages are those after this seq. */
  after: number
  hasNew: boolean
  hasChanges: boolean
  /** Changes up to here are in what the client has, or will have. */
  changes: number
}

/** undefined: there is nothing new for the client. */
function toAsk(one: Kept, head: SeqsRow, isFresh: boolean): Ask | undefined {
  const follows = one.change !== undefined && !isFresh
  const after = Math.max(Math.min(one.seq, head.last_seq), head.cleared_seq)
  const hasNew = after < head.last_seq
  const hasChanges = follows && (one.change ?? 0) < head.changes
  // Of what is read from now on: what the client keeps may be older.
  const changes = follows ? (one.change ?? 0) : head.changes
  return hasNew || hasChanges ? { one, head, after, hasNew, hasChanges, changes } : undefined
}

/** There is more than this answer can carry. */
function later({ one, hasNew, hasChanges, changes }: Ask): Page {
  return {
    chatId: one.chatId,
    items: [],
    hasAfter: hasNew,
    changes,
    ...(hasChanges ? { changed: [], hasChanges: true } : {}),
  }
}

async function page(core: Core, actor: Actor, ask: Ask): Promise<Page> {
  const { one, head, hasNew, hasChanges, changes } = ask
  const items = hasNew ? await messagesAfter(core, actor, ask) : []
  return {
    chatId: one.chatId,
    items,
    hasAfter: (items.at(-1)?.seq ?? head.last_seq) < head.last_seq,
    ...(hasChanges ? await changedOf(core, actor, ask) : { changes }),
  }
}

async function messagesAfter(core: Core, actor: Actor, ask: Ask): Promise<Message[]> {
  const { one, head, after } = ask
  const rows = await core.reads.messagesAfter.load({ chatId: one.chatId, seq: after })
  const marks = await marksOf(core, actor, boundsOf(ask), rows)
  const mask = await maskFor(core, actor, { kind: head.kind, cleared: head.cleared_seq })
  return rows.map((row) => mask(withMy(toMessage(row), marks.get(row.seq))))
}

/** What the client has, and has changed since. */
async function changedOf(core: Core, actor: Actor, ask: Ask) {
  const { chatId, seq, change = 0 } = ask.one
  const { items, changes, hasAfter } = await readChanges(core, { chatId, change }, CHANGED_MESSAGES)
  const kept = items.filter((item) => item.seq <= seq)
  return {
    changed: await asSeen(core, actor, boundsOf(ask), kept),
    changes: hasAfter ? changes : Math.max(changes, ask.head.changes),
    ...(hasAfter ? { hasChanges: true } : {}),
  }
}

function boundsOf({ one, head }: Ask) {
  const { kind, cleared_seq: cleared, has_marks: hasMarks } = head
  return { chatId: one.chatId, kind, cleared, hasMarks }
}
