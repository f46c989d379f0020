/** Changes of a chat, so that neither their caller nor anyone who should hear of them is misled. */
import { DatabaseAway, type Db } from '../store/db.ts'
import type { Core } from './core.ts'
import { afterCommit } from './errors.ts'

/** Changes a chat in one transaction: where the database goes away in it, the chat is doubtful. */
export function change<T>(core: Core, chatId: string, work: (tx: Db) => Promise<T>): Promise<T> {
  return doubting(core, chatId, () => core.db.transaction(work))
}

/** Tells of a change after its commit: where that fails, the chat is doubtful, and the change is done. */
export function tell(
  core: Core,
  chatIds: string | readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  return afterCommit(doubting(core, chatIds, work))
}

/** One chat, or several. @throws what `work` throws */
export async function doubting<T>(
  core: Core,
  chatIds: string | readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DatabaseAway)
      for (const chatId of [chatIds].flat()) core.heads.doubt(chatId)
    throw error
  }
}
