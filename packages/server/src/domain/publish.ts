/** What is told of messages: to all members, and to those who have blocked the sender without it. */
import type { Message } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import { isForAll, sharesOf, type Unseen } from './audience.ts'
import type { Sent, Written } from './batch.ts'
import { publishChat } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { without } from './message-view.ts'
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
    const [first] = messages
    // Both are times of the database: what this node's clock says does not matter.
    if (first?.expiresAt !== undefined)
      core.clock.expect(Date.parse(first.expiresAt) - Date.parse(first.createdAt))
    for (const sent of messages) {
      const by = { ...sent.sender, unseen: sent.rich?.unseen }
      deliverMessage(core, rights, { name: 'message.created', data: ofSent(sent) }, by)
    }
  }
}

/** To all members, to each as far as it may see it (domain/audience.ts). */
export function deliverMessage(
  core: Core,
  rights: ChatRights,
  { name, data }: MessageEvent,
  { id: byId, socket, unseen }: Pick<Actor, 'id' | 'socket'> & { unseen?: Unseen | undefined },
): void {
  if (isForAll(rights, unseen)) {
    core.bus.publish({ kind: 'deliver', to: idsOf(rights), name, data, except: socket })
    return
  }
  const { rev, ...message } = data
  for (const share of sharesOf(rights, message, { byId, unseen }))
    core.bus.publish({
      kind: 'deliver',
      to: share.to,
      name,
      data: { ...share.data, ...without({ rev }) },
      except: socket,
    })
}

/** A chat came, or came back, on the lists of these members. */
export async function publishTouched(core: Core, written: Written[]): Promise<void> {
  for (const { rights, appeared, messages } of written) {
    if (appeared.length === 0) continue
    const event = messages[0]?.seq === 1 ? 'chat.created' : 'chat.updated'
    await publishChat(core, rights.id, appeared, event)
  }
}
