/** What the checker looks at. */
import type { Call } from './history.ts'

export interface ChatEvidence {
  id: string
  lastSeq: number
  /** The number of the last change of a message. */
  changes: number
  members: { user: string; readSeq: number; clearedSeq: number }[]
  /** Who was removed, and the seq of the last message that says so. */
  left: { user: string; seq: number }[]
}

export interface MessageEvidence {
  chatId: string
  seq: number
  sender: string
  clientId: string
  body: string
  /** The number of its last change; 0: none. */
  change: number
  /** ms since 1970. */
  createdAt: number
  /** null: a text. */
  kind: string | null
  /** By someone; else it has disappeared. */
  isErased: boolean | null
  deletedAt: string | null
  expiresAt: string | null
}

export interface ChangeEvidence {
  chatId: string
  change: number
  seq: number
  /** The message was deleted, or had been. */
  erased: boolean
  /** ms since 1970. */
  at: number
}

export interface Rows {
  chats: readonly ChatEvidence[]
  /** By chat and seq. */
  messages: readonly MessageEvidence[]
  /** What is set, by the keys of calls. */
  values: ReadonlyMap<string, string>
  /** Messages that wait for their time, or could not be sent. */
  scheduled: readonly { id: string; failed: string | null }[]
  /** All changes by chat and number; undefined: nobody could write them down. */
  changes?: readonly ChangeEvidence[]
}

export interface Evidence extends Rows {
  calls: readonly Call[]
  /** Chats of which a user's devices were told anything, and the last seq that was told. */
  heardOf: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Of devices that did not converge, in words. */
  differences: readonly string[]
  /** Numbers under which devices were told of two changes, in words. */
  numberedTwice: readonly string[]
  /** Ends of processes that nobody asked for, and defects that the server logged. */
  deaths: readonly string[]
  /** What the server's own `microchatter check` reports. */
  drifts: readonly string[]
  /** What else was promised of this fault, and not kept, each with the number of its rule. */
  broken: readonly Violation[]
  /** When faults were at work, in ms since 1970. */
  faults: readonly { from: number; to: number }[]
  /** When the rows were read. */
  at: number
}

export interface Violation {
  rule: string
  text: string
  /** The calls that show it. */
  calls: readonly Call[]
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
