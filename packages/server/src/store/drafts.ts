import type { Draft } from '@microchatter/protocol'
import type { Db } from './db.ts'
import { CHANGED_DAY } from './members.ts'

/** null: none any more. The caller holds the chat's lock. */
export async function updateDraft(
  db: Db,
  { chatId, userId, draft }: { chatId: string; userId: number; draft: Draft | null },
): Promise<void> {
  await db.query(
    `UPDATE members SET draft = $3::jsonb, changed_at = now(), ${CHANGED_DAY}
     WHERE chat_id = $1 AND user_id = $2`,
    [chatId, userId, draft === null ? null : JSON.stringify(draft)],
  )
}
