import { DatabaseAway } from '../store/db.ts'
import type { Core } from './core.ts'

/** Work that changes a chat and tells of it: where the database goes away in it, the chat is doubtful. */
export async function changing<T>(core: Core, chatId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DatabaseAway) core.heads.doubt(chatId)
    throw error
  }
}
