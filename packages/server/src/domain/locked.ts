/**
 * Sends into chats whose rights change all the time: what is otherwise proved by the statement itself
 * is looked at under the chats' locks. It takes longer, and always comes to an end.
 */
import type { WriteFrom } from '@microchatter/protocol'
import { lockChats, selectRights } from '../store/chats.ts'
import type { Database } from '../store/db.ts'
import { insertMessages, type Numbered } from '../store/messages.ts'
import { type Group, type Job, toBatch, toGroups } from './batch.ts'
import { sendRefusal } from './rights.ts'

export interface Locked {
  groups: Group[]
  numbered: Map<string, Numbered>
  refused: Map<Job, Error>
}

export function insertLocked(db: Database, jobs: Job[], writeFrom: WriteFrom): Promise<Locked> {
  const chatIds = [...new Set(jobs.map(({ draft }) => draft.chatId))].sort()
  return db.transaction(async (tx) => {
    await lockChats(tx, chatIds)
    const found = await selectRights(tx, chatIds, writeFrom)
    const rights = new Map(found.map((one) => [one.id, one]))
    const refused = new Map<Job, Error>()
    for (const job of jobs) {
      job.rights = rights.get(job.draft.chatId)
      const refusal = sendRefusal(job.rights, job.draft.sender)
      if (refusal) refused.set(job, refusal)
    }
    const allowed = jobs.filter((job) => !refused.has(job))
    const groups = toGroups(allowed, true)
    const rows = groups.length === 0 ? [] : await insertMessages(tx, groups.map(toBatch))
    return { groups, numbered: new Map(rows.map((row) => [row.id, row])), refused }
  })
}
