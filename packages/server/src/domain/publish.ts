/** What is told of messages: to all members, and to those who have blocked the sender without it. */
import type { Message } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import type { Sent, Written } from './batch.ts'
import { publishChat } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { hide, without } from './message-view.ts'
import { idsOf } from './rights.ts'

export interface MessageEvent {
  name: 'message.created' | 'message.updated' | 'message.deleted' | 'reaction.updated'
  data: Message & { rev?: number }
}

export function ofSent(sent: Sent): Message {
  const { chatId, seq, sender, body, createdAt, clientId, rich, expiresAt } = sent
  if (sent.stored) return sent.stored
  const message = { chatId, seq, sender: sender.username, body, createdAt, clientId }
  if (!rich && expiresAt === undefined) return message
  return { ...message, ...rich?.shown, ...without({ expiresAt }) }
}

/** [SEND-6] After the commit, in the order of seq. */
export function publishWritten(core: Core, written: Written[]): void {
  for (const { rights, messages } of written) {
    const [{ expiresAt } = {}] = messages
    if (expiresAt !== undefined) core.clock.expect(Date.parse(expiresAt))
    for (const sent of messages)
      deliverMessage(core, rights, { name: 'message.created', data: ofSent(sent) }, sent.sender)
  }
}

/** [SEND-4] Who has blocked the sender gets its place in the chat, and nothing of what it says. */
export function deliverMessage(
  core: Core,
  rights: ChatRights,
  { name, data }: MessageEvent,
  { id, socket }: Pick<Actor, 'id' | 'socket'>,
): void {
  const blockers = blockersOf(rights, data.sender, id)
  const all = idsOf(rights)
  const to = blockers.size === 0 ? all : all.filter((userId) => !blockers.has(userId))
  core.bus.publish({ kind: 'deliver', to, name, data, except: socket })
  if (blockers.size === 0) return
  const { rev } = data
  core.bus.publish({
    kind: 'deliver',
    to: [...blockers],
    name: name === 'reaction.updated' ? 'message.updated' : name,
    data: { ...hide(data), ...without({ rev }) },
  })
}

const NOBODY: ReadonlySet<number> = new Set()

/** Of a group: in a direct chat nothing is stored where one has blocked the other. */
function blockersOf({ kind, blocks, members }: ChatRights, sender: string | undefined, by: number) {
  if (kind === 'direct' || blocks.length === 0 || sender === undefined) return NOBODY
  const senderOf = ([, blocked]: [number, number]) =>
    members.get(blocked) === sender || (blocked === by && members.get(by) === sender)
  return new Set(blocks.filter(senderOf).map(([blocker]) => blocker))
}

/** A chat came, or came back, on the lists of these members. */
export async function publishTouched(core: Core, written: Written[]): Promise<void> {
  for (const { rights, appeared, messages } of written) {
    if (appeared.length === 0) continue
    const event = messages[0]?.seq === 1 ? 'chat.created' : 'chat.updated'
    await publishChat(core, rights.id, appeared, event)
  }
}
