/** What is told of messages: to all members, and to those who have blocked the sender without it. */
import type { Message } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import { isForAll, sharesOf, type Unseen } from './audience.ts'
import type { Written } from './batch.ts'
import { publishChat } from './chats.ts'
import type { Actor, Core } from './core.ts'
import { without } from './message-view.ts'
import { idsOf } from './rights.ts'

export interface MessageEvent {
  name: 'message.created' | 'message.updated' | 'message.deleted' | 'reaction.updated'
  data: Message & { rev?: number }
}

/** [SEND-6] After the commit, in the order of seq. */
export function publishWritten(core: Core, written: Written[]): void {
  for (const { rights, messages } of written) {
    const { expiresAt, createdAt = '' } = messages[0]?.message ?? {}
    // Both are times of the database: what this node's clock says does not matter.
    if (expiresAt !== undefined) core.clock.expect(Date.parse(expiresAt) - Date.parse(createdAt))
    for (const { draft, message } of messages) {
      const { id, socket } = draft.sender
      const by = { id, socket, unseen: draft.rich?.unseen }
      deliverMessage(core, rights, { name: 'message.created', data: message }, by)
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
    const event = messages[0]?.message.seq === 1 ? 'chat.created' : 'chat.updated'
    await publishChat(core, rights.id, appeared, event)
  }
}
