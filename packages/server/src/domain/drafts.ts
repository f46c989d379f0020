/** What a user has begun to write in a chat, the same on all devices [MAIL-1]. */
import type { Draft, NewDraft, DraftState } from '@microchatter/protocol'
import { bumpRev } from '../store/chats.ts'
import { updateDraft } from '../store/drafts.ts'
import { change } from './changing.ts'
import { findChat, tellDevices } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import { checkBody } from './text.ts'

/** null: none any more. */
export async function setDraft(
  core: Core,
  actor: Actor,
  chatId: string,
  body: NewDraft | null,
): Promise<DraftState> {
  const draft = body && toDraft(body, core.settings.messages.maxLength)
  const row = await findChat(core, actor, chatId)
  const { id } = row
  if (draft === null && row.draft === null)
    return { chatId: id, rev: row.rev, lastSeq: row.last_seq }
  const { rev, lastSeq } = await change(core, id, async (tx) => {
    const head = await bumpRev(tx, id)
    checkReply(body, head.lastSeq)
    await updateDraft(tx, { chatId: id, userId: actor.id, draft })
    return head
  })
  const state = { chatId: id, rev, lastSeq, ...(draft && { draft }) }
  tellDevices(core, actor, 'draft.updated', state)
  return state
}

function toDraft({ body, reply }: NewDraft, maxLength: number): Draft {
  const updatedAt = new Date().toISOString()
  return { body: checkBody(body, maxLength), ...(reply === undefined ? {} : { reply }), updatedAt }
}

function checkReply(body: NewDraft | null, lastSeq: number): void {
  if (body?.reply !== undefined && body.reply > lastSeq)
    throw new ChatError('invalid', {
      field: '/reply',
      detail: `The chat's last seq is ${lastSeq}; there is no such message to answer`,
    })
}
