import { LIMITS, type Message } from '@microchatter/protocol'
import { selectMessagesAt } from '../store/messages.ts'
import { countPins, deletePin, insertPin, selectPins } from '../store/pins.ts'
import { changeMessage, type Held, type MessageAddress } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { checkThere } from './edits.ts'
import { findBounds, show } from './history.ts'
import { checkNoBlock, forbidden, may } from './rights.ts'

/** For all members. Twice is once. */
export function pinMessage(
  core: Core,
  actor: Actor,
  address: MessageAddress,
  pinned: boolean,
): Promise<Message> {
  return changeMessage(core, actor, address, async (held) => {
    checkThere(held.content)
    checkNoBlock(held.rights, actor.id)
    if (!may(held.rights, actor.id, 'pin')) throw forbidden('You may not pin messages here')
    if ((held.content.pinned === true) === pinned) return undefined
    return pinned ? pin(held, actor) : unpin(held)
  })
}

async function pin({ tx, chatId, seq, content }: Held, { id }: Actor) {
  if ((await countPins(tx, chatId)) >= LIMITS.pins)
    throw forbidden(`A chat has at most ${LIMITS.pins} pinned messages; take one off first`)
  await insertPin(tx, chatId, seq, id)
  return { content: { ...content, pinned: true as const } }
}

async function unpin({ tx, chatId, seq, content }: Held) {
  await deletePin(tx, chatId, seq)
  const { pinned: _, ...rest } = content
  return { content: rest }
}

/** The pinned messages that I can see, the newest pin first. */
export async function listPins(
  core: Core,
  actor: Actor,
  chatId: string,
): Promise<{ items: Message[] }> {
  const bounds = await findBounds(core, actor, chatId)
  const seqs = (await selectPins(core.db, bounds.chatId)).filter((seq) => seq > bounds.cleared)
  const rows = await selectMessagesAt(
    core.db,
    seqs.map((seq) => ({ chat_id: bounds.chatId, seq })),
  )
  rows.sort((a, b) => a.seq - b.seq)
  const messages = await show(core, actor, bounds, rows)
  const bySeq = new Map(messages.map((message) => [message.seq, message]))
  return { items: seqs.flatMap((seq) => bySeq.get(seq) ?? []) }
}
