/** Slow mode [TIME-6]: the next message of a member comes so long after its last. */
import { type ChatRights, lockChat } from '../store/chats.ts'
import type { Database } from '../store/db.ts'
import { insertMessages, type Numbered } from '../store/messages.ts'
import { takeTurns } from '../store/turns.ts'
import { type Group, type Job, toBatch } from './batch.ts'
import { ChatError } from './errors.ts'
import { SYSTEM } from './rights.ts'

/** The rights have moved on since they were read: nothing was written. */
export class Moved extends Error {}

/** Seconds; 0: it is not slow. */
export function slownessOf({ kind, settings }: ChatRights): number {
  return kind === 'group' ? (settings?.slowModeSeconds ?? 0) : 0
}

export interface InTurn {
  /** Undefined: nobody's turn. */
  numbered: Numbered | undefined
  written: Job[]
  /** Those who have to wait, and for how many milliseconds. */
  waiting: Map<Job, number>
}

/**
 * Turns and messages are one transaction, so a send that fails takes no turn, and of two at the same
 * moment, on whichever nodes, one is too early.
 */
export async function insertInTurn(db: Database, group: Group): Promise<InTurn> {
  const { rights, jobs } = group
  const seconds = slownessOf(rights)
  const firsts = firstsOf(group)
  return db.transaction(async (tx) => {
    if ((await lockChat(tx, rights.id)) !== rights.rightsRev) throw new Moved()
    const waits =
      firsts.size === 0
        ? new Map<number, number>()
        : await takeTurns(tx, { chatId: rights.id, userIds: [...firsts.keys()], seconds })
    const waiting = new Map<Job, number>()
    for (const job of jobs) {
      const { id } = job.draft.sender
      const waitMs = waits.get(id) ?? seconds * 1_000
      if (firsts.has(id) && (waits.has(id) || firsts.get(id) !== job)) waiting.set(job, waitMs)
    }
    const written = jobs.filter((job) => !waiting.has(job))
    if (written.length === 0) return { numbered: undefined, written, waiting }
    const [numbered] = await insertMessages(tx, [toBatch({ ...group, jobs: written })])
    if (!numbered) throw new Moved()
    return { numbered, written, waiting }
  })
}

/** By user id, the first message of each for whom the chat is slow. */
function firstsOf({ rights, jobs }: Group): Map<number, Job> {
  const firsts = new Map<number, Job>()
  for (const job of jobs) {
    const { id, username } = job.draft.sender
    if (username === SYSTEM || rights.roles.has(id) || firsts.has(id)) continue
    firsts.set(id, job)
  }
  return firsts
}

export function tooEarly(waitMs: number): ChatError {
  return new ChatError('slow_mode', {
    detail: `This chat is in slow mode: write again in ${Math.ceil(waitMs / 1_000)} s`,
    retryAfterMs: waitMs,
  })
}
