import { randomUUID } from 'node:crypto'
import type { Message, SendBody, SendToUserBody } from '@microchatter/protocol'
import { audit } from './audit.ts'
import type { Draft } from './batch.ts'
import { type Sender, toRich } from './content.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { directChat } from './direct.ts'
import { ChatError } from './errors.ts'
import { chatNotFound, SYSTEM } from './rights.ts'
import { checkBody } from './text.ts'
import { requireAdmin } from './users.ts'

/** Resolves once the message is committed [SEND-1]; the same clientId again gives the first answer [SEND-3]. */
export async function sendMessage(
  core: Core,
  actor: Sender,
  message: SendBody & { chatId: string },
): Promise<Message> {
  if (isPlain(message)) checkBody(message.body ?? '', core.settings.messages.maxLength)
  if (!isUuid(message.chatId)) throw chatNotFound()
  if (actor.username !== SYSTEM) core.limits.sends.take(actor.id)
  return storeMessage(core, actor, message)
}

/** As `sendMessage`, of one that was looked at and counted before. */
export async function storeMessage(
  core: Core,
  actor: Sender,
  message: SendBody & { chatId: string },
): Promise<Message> {
  const { body, clientId } = message
  const draft = {
    chatId: message.chatId.toLowerCase(),
    sender: actor,
    clientId: clientId?.toLowerCase() ?? randomUUID(),
    body: body ?? '',
    rich: undefined,
  }
  const sent = isPlain(message)
    ? await core.writer.send(draft)
    : await storeRich(core, draft, message)
  return sent.message
}

async function storeRich(core: Core, draft: Draft, message: SendBody & { chatId: string }) {
  const { chatId: _, body, clientId, ...extras } = message
  const { chatId, sender } = draft
  try {
    const rich = await toRich(core, sender, { chatId, body, extras })
    return await core.writer.send({ ...draft, ...rich })
  } catch (error) {
    // What it answers or passes on may be gone since: a repeat gets its first answer all the same.
    const sent = clientId && error instanceof ChatError ? await core.writer.sent(draft) : undefined
    if (!sent) throw error
    return sent
  }
}

/** The direct chat appears if there is none. Admins may send as the system. */
export async function sendToUser(
  core: Core,
  actor: Actor,
  username: string,
  { as, ...body }: SendToUserBody,
): Promise<Message> {
  if (isPlain(body)) checkBody(body.body ?? '', core.settings.messages.maxLength)
  const sender = as === 'system' ? await actAsSystem(core, actor, username) : actor
  if (username === SYSTEM)
    throw new ChatError('forbidden', { detail: 'Messages of the system cannot be answered' })
  const chatId = await directChat(core, sender, username)
  return sendMessage(core, sender, { ...body, chatId })
}

/** A text and nothing more, as nearly all are. */
function isPlain(message: SendBody & { chatId?: string }): boolean {
  for (const key in message) if (!PLAIN.has(key)) return false
  return true
}
const PLAIN: ReadonlySet<string> = new Set(['chatId', 'body', 'clientId'])

async function actAsSystem(core: Core, actor: Actor, username: string): Promise<Sender> {
  requireAdmin(actor)
  const system = await core.identity.user(SYSTEM)
  if (!system) throw new Error('The user "system" is missing')
  await audit(core.db, actor, 'message.system', username)
  return { id: system.id, username: SYSTEM, socket: actor.socket, admin: true }
}
