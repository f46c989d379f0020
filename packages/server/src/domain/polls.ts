import type { Message, VoteBody } from '@microchatter/protocol'
import { type MarkRow, upsertMark } from '../store/marks.ts'
import { replaceVotes, selectVotes } from '../store/votes.ts'
import { changeMessage, type Held, type MessageAddress } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { checkThere } from './edits.ts'
import { ChatError } from './errors.ts'
import { toPoll } from './message-view.ts'
import { checkNoBlock, forbidden, may } from './rights.ts'
import { answerMy } from './stars.ts'

/** In place of what I had chosen; none takes it back. */
export async function vote(
  core: Core,
  actor: Actor,
  address: MessageAddress,
  { options }: VoteBody,
): Promise<Message> {
  const chosen = [...new Set(options)].sort((a, b) => a - b)
  let mark: MarkRow | undefined
  const message = await changeMessage(core, actor, address, async (held) => {
    checkVote(held, actor, chosen)
    const { tx, chatId, seq, rev, content } = held
    const before = await selectVotes(tx, chatId, seq, actor.id)
    if (String(before) === String(chosen)) return undefined
    await replaceVotes(tx, { chatId, seq, userId: actor.id, options: chosen })
    mark = await upsertMark(tx, { userId: actor.id, chatId, seq, rev })
    return { content }
  })
  return answerMy(core, actor, message, mark)
}

function checkVote({ content, rights }: Held, { id }: Actor, chosen: number[]): void {
  checkThere(content)
  checkNoBlock(rights, id)
  const { poll } = content
  if (!poll) throw new ChatError('invalid', { detail: 'This message is not a poll' })
  if (toPoll(poll, {}).closed) throw forbidden('The poll is closed')
  if (chosen.some((option) => option >= poll.options.length))
    throw new ChatError('invalid', { field: '/options', detail: 'There is no such option' })
  if (chosen.length > 1 && !poll.multiple)
    throw new ChatError('invalid', { field: '/options', detail: 'Choose one' })
}

/** Its sender ends it, or who may delete it. */
export function closePoll(core: Core, actor: Actor, address: MessageAddress): Promise<Message> {
  return changeMessage(core, actor, address, async ({ row, content, rights }) => {
    checkThere(content)
    checkNoBlock(rights, actor.id)
    const { poll } = content
    if (!poll) throw new ChatError('invalid', { detail: 'This message is not a poll' })
    if (row.sender_id !== actor.id && !may(rights, actor.id, 'deleteOthers'))
      throw forbidden('Only its sender closes a poll')
    return poll.closed ? undefined : { content: { ...content, poll: { ...poll, closed: true } } }
  })
}
