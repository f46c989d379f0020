import { randomUUID } from 'node:crypto'
import type {
  History,
  HistoryQuery,
  Message,
  SendBody,
  SendToUserBody,
} from '@microchatter/protocol'
import { selectChatSeqs } from '../store/chats.ts'
import { selectMessages } from '../store/messages.ts'
import { audit } from './audit.ts'
import { publishChat } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { directChat } from './direct.ts'
import { ChatError } from './errors.ts'
import { chatNotFound, idsOf, SYSTEM } from './rights.ts'
import { checkBody } from './text.ts'
import { requireAdmin } from './users.ts'
import { toMessage } from './views.ts'
import type { Sent, Written } from './batch.ts'

/** Resolves once the message is committed [SEND-1]; the same clientId again gives the first answer [SEND-3]. */
export async function sendMessage(
  core: Core,
  actor: Pick<Actor, 'id' | 'username' | 'socket'>,
  { chatId, body = '', clientId }: SendBody & { chatId: string },
): Promise<Message> {
  checkBody(body, core.settings.messages.maxLength)
  if (!isUuid(chatId)) throw chatNotFound()
  if (actor.username !== SYSTEM) core.limits.sends.take(actor.id)
  const sent = await core.writer.send({
    chatId: chatId.toLowerCase(),
    sender: actor,
    clientId: clientId?.toLowerCase() ?? randomUUID(),
    body,
  })
  return ofSent(sent)
}

/** The direct chat appears if there is none. Admins may send as the system. */
export async function sendToUser(
  core: Core,
  actor: Actor,
  username: string,
  { as, ...body }: SendToUserBody,
): Promise<Message> {
  checkBody(body.body ?? '', core.settings.messages.maxLength)
  const sender = as === 'system' ? await actAsSystem(core, actor, username) : actor
  if (username === SYSTEM)
    throw new ChatError('forbidden', { detail: 'Messages of the system cannot be answered' })
  const chatId = await directChat(core, sender, username)
  return sendMessage(core, sender, { ...body, chatId })
}

async function actAsSystem(core: Core, actor: Actor, username: string) {
  requireAdmin(actor)
  const system = await core.identity.user(SYSTEM)
  if (!system) throw new Error('The user "system" is missing')
  await audit(core.db, actor, 'message.system', username)
  return { id: system.id, username: SYSTEM, socket: actor.socket }
}

function ofSent({ chatId, seq, sender, body, createdAt, clientId }: Sent): Message {
  return {
    chatId,
    seq,
    sender: sender.username,
    body,
    createdAt,
    clientId,
  }
}

/** [SEND-6] After the commit, in the order of seq. */
export function publishWritten(core: Core, written: Written[]): void {
  for (const { rights, messages } of written) {
    const to = idsOf(rights)
    for (const sent of messages)
      core.bus.publish({
        kind: 'deliver',
        to,
        name: 'message.created',
        data: ofSent(sent),
        except: sent.sender.socket,
      })
  }
}

/** A chat came, or came back, on the lists of its members. */
export async function publishTouched(core: Core, written: Written[]): Promise<void> {
  for (const { rights, touched, messages } of written) {
    if (!touched) continue
    const event = messages[0]?.seq === 1 ? 'chat.created' : 'chat.updated'
    await publishChat(core, rights.id, idsOf(rights), event)
  }
}

/** [READ-3] By keyset: seq has no gaps, so a page is a range. What is cleared for me is not there. */
export async function getHistory(
  core: Core,
  actor: Actor,
  chatId: string,
  query: HistoryQuery,
): Promise<History> {
  const { cleared, last } = await findBounds(core, actor, chatId)
  const { from, to } = rangeOf(query)
  const first = Math.max(from, cleared + 1)
  const end = Math.min(to, last)
  const rows =
    first > end
      ? []
      : await selectMessages(core.db, { chatId: chatId.toLowerCase(), from: first, to: end })
  // Past an edge the page is empty, and tells on which side there is something.
  return {
    items: rows.map(toMessage),
    hasBefore: Math.min(first, last + 1) > cleared + 1,
    hasAfter: Math.max(end, cleared) < last,
    changes: 0,
  }

  function rangeOf({ before, after, around, limit = 50 }: HistoryQuery) {
    if ([before, after, around].filter((seq) => seq !== undefined).length > 1)
      throw new ChatError('invalid', { detail: 'Use one of `before`, `after` and `around`' })
    if (after !== undefined) {
      const start = Math.max(cleared, after) + 1
      return { from: start, to: start + limit - 1 }
    }
    if (around !== undefined) {
      const start = Math.max(cleared + 1, around - Math.floor(limit / 2))
      return { from: start, to: start + limit - 1 }
    }
    const past = Math.min(before ?? last + 1, last + 1)
    return { from: past - limit, to: past - 1 }
  }
}

/** What of the chat the actor may read. Admins only where the site says so, and it is written down. */
async function findBounds(core: Core, actor: Actor, chatId: string) {
  const seqs = isUuid(chatId) ? await selectChatSeqs(core.db, chatId, actor.id) : undefined
  if (!seqs) throw chatNotFound()
  if (seqs.cleared_seq !== null) return { cleared: seqs.cleared_seq, last: seqs.last_seq }
  if (!actor.admin || !core.settings.admin.readChats) throw chatNotFound()
  await audit(core.db, actor, 'chat.read', chatId)
  return { cleared: 0, last: seqs.last_seq }
}
