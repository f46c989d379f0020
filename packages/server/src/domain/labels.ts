/** The folders of a user: labels on its chats [MAIL-2]. */
import { type LabelCount, LIMITS } from '@microchatter/protocol'
import type { Db } from '../store/db.ts'
import { countLabels, selectLabels } from '../store/labels.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import { isVisible } from './text.ts'

export async function listLabels(core: Core, actor: Actor): Promise<{ items: LabelCount[] }> {
  return { items: await selectLabels(core.db, actor.id) }
}

/** Stored as they are. @throws invalid_text */
export function checkLabels(labels: readonly string[] = []): void {
  for (const [index, label] of labels.entries())
    if (!isVisible(label))
      throw new ChatError('invalid_text', {
        field: `/labels/${index}`,
        detail: 'A label has no control or invisible characters, and no space at its ends',
      })
}

/** After labels were set. @throws invalid */
export async function checkLabelsOf(tx: Db, { id }: Actor): Promise<void> {
  if ((await countLabels(tx, id)) > LIMITS.labelsOfUser)
    throw new ChatError('invalid', {
      field: '/labels',
      detail: `You have ${LIMITS.labelsOfUser} labels; use one of them, or take one away first`,
    })
}
