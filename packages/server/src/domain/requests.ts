/** Message requests: chats that a stranger has begun, and that wait for an answer [PRIV-3]. */
import type { Chat, RequestBody } from '@microchatter/protocol'
import { bumpRights, selectRights, touchChats } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import { clearChat } from '../store/members.ts'
import { acceptRequest, askMember, declineRequest } from '../store/requests.ts'
import type { Draft } from './batch.ts'
import { change, tell } from './changing.ts'
import { findChat, publishUnread, viewChat } from './chats.ts'
import { publishDelivered } from './delivered.ts'
import { tellRead } from './receipts.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import { asked, sendRefusal } from './rights.ts'

type Person = Pick<Actor, 'id' | 'username'>

/** The chat as the one who accepted it has it then. */
interface Accepted {
  by: Person
  chat: Chat
  isListed: boolean
}

/** Accepts a request, or declines it. */
export async function answerRequest(
  core: Core,
  actor: Actor,
  chatId: string,
  { accept }: RequestBody,
): Promise<Chat> {
  const { id, request } = await findChat(core, actor, chatId)
  const isDone = request === (accept ? null : 'declined')
  if (isDone) return (await viewChat(core.db, id, actor.id)).chat
  return accept ? accepts(core, actor, id) : declines(core, actor, id)
}

async function accepts(core: Core, actor: Actor, id: string): Promise<Chat> {
  const accepted = await change(core, id, async (tx) => {
    await bumpRights(tx, id)
    return acceptIn(tx, id, actor)
  })
  core.bus.publish({ kind: 'rights', chatId: id })
  if (accepted === undefined) return (await viewChat(core.db, id, actor.id)).chat
  await tellAccepted(core, accepted)
  return accepted.chat
}

/** undefined: another call has done it. The transaction holds the chat's lock. */
async function acceptIn(tx: Db, id: string, by: Person): Promise<Accepted | undefined> {
  if (!(await acceptRequest(tx, { chatId: id, userId: by.id }))) return undefined
  // The other sees from now on what is read: that is a change for all.
  await touchChats(tx, [id])
  return { by, ...(await viewChat(tx, id, by.id)) }
}

async function tellAccepted(core: Core, accepted: Accepted): Promise<void> {
  const { by, chat, isListed } = accepted
  const { id: chatId, readSeq: seq, rev, lastSeq } = chat
  await tell(core, chatId, async () => {
    if (isListed)
      core.bus.publish({ kind: 'deliver', to: [by.id], name: 'chat.updated', data: chat })
    await tellRead(core, by, { chatId, seq, rev, lastSeq })
    await tellHad(core, accepted)
    await publishUnread(core, by)
  })
}

/** What was on a device before, and not read. */
async function tellHad(core: Core, { by, chat }: Accepted): Promise<void> {
  const own = chat.members.find(({ username }) => username === by.username)
  const { readSeq = 0, deliveredSeq = 0 } = own ?? {}
  if (deliveredSeq <= readSeq) return
  const { id: chat_id, lastSeq: last_seq, rev } = chat
  const row = { chat_id, user_id: by.id, delivered_seq: deliveredSeq, last_seq, rev }
  await publishDelivered(core, [row])
}

async function declines(core: Core, actor: Actor, id: string): Promise<Chat> {
  const { isNew, rev, chat } = await change(core, id, async (tx) => {
    const head = await bumpRights(tx, id)
    const isNew = await declineRequest(tx, { chatId: id, userId: actor.id })
    if (isNew) await clearChat(tx, { chatId: id, userId: actor.id, seq: head.lastSeq })
    const { chat } = await viewChat(tx, id, actor.id)
    if (chat.request !== 'declined') throw isNoRequest()
    return { isNew, rev: head.rev, chat }
  })
  core.bus.publish({ kind: 'rights', chatId: id })
  if (!isNew) return chat
  core.bus.publish({
    kind: 'deliver',
    to: [actor.id],
    name: 'chat.removed',
    data: { chatId: id, rev },
  })
  await tell(core, id, () => publishUnread(core, actor))
  return chat
}

function isNoRequest(): ChatError {
  return new ChatError('invalid', {
    field: '/accept',
    detail: 'This chat does not wait for an answer; delete it, or block the user',
  })
}

/**
 * Before messages of these senders: who writes accepts the chat, and the first one asks the other
 * where it is a stranger. The rights are looked at anew, under the chat's lock.
 */
export async function askFirst(
  core: Core,
  chatId: string,
  senders: readonly Draft['sender'][],
): Promise<void> {
  const accepted = await change(core, chatId, async (tx) => {
    await bumpRights(tx, chatId)
    const [rights] = await selectRights(tx, [chatId], core.settings.privacy.writeFrom)
    const allowed = senders.filter((sender) => sendRefusal(rights, sender) === undefined)
    const [first] = allowed
    if (!rights || !first) return []
    for (const { userId, ask } of asked(rights, first)) await askMember(tx, { chatId, userId }, ask)
    const done: Accepted[] = []
    for (const sender of new Map(allowed.map((one) => [one.id, one])).values()) {
      const one = await acceptIn(tx, chatId, sender)
      if (one) done.push(one)
    }
    return done
  })
  core.bus.publish({ kind: 'rights', chatId })
  // The messages do not wait for it.
  for (const one of accepted) void tellAccepted(core, one)
}
