/** All that a client may call: name → schema (protocol's CALLS) → function. */
import { type CallBody, type CallName, CALLS } from '@microchatter/protocol'
import { Ajv, type ValidateFunction } from 'ajv'
import { markRead } from '../domain/chats.ts'
import type { Core } from '../domain/core.ts'
import { deleteForMe, deleteMessage, editMessage } from '../domain/edits.ts'
import { setDraft } from '../domain/drafts.ts'
import { ChatError } from '../domain/errors.ts'
import { invalid } from '../domain/invalid.ts'
import { sendMessage } from '../domain/messages.ts'
import { setReaction } from '../domain/reactions.ts'
import { markDelivered } from '../domain/delivered.ts'
import { watchPresence } from '../domain/presence.ts'
import { setTyping } from '../domain/typing.ts'
import type { SocketSession } from './session.ts'
import { syncSession } from './sync.ts'

export interface Call<N extends CallName> {
  core: Core
  session: SocketSession
  body: CallBody<N>
}
/** What the acknowledgement says beside `ok: true`, and what has to follow it at once. */
export interface Answer {
  values: Record<string, unknown>
  after?: () => void
}
type Table = { [N in CallName]: (call: Call<N>) => Promise<Answer> }

const TABLE: Table = {
  'message.send': onSend,
  'message.edit': onEdit,
  'message.delete': onDelete,
  'reaction.set': onReact,
  'chat.read': onRead,
  'draft.set': onDraft,
  'chat.delivered': onDelivered,
  typing: onTyping,
  'presence.set': onSetPresence,
  'presence.subscribe': onWatchPresence,
  sync: onSync,
  'auth.refresh': onRefresh,
}

const ajv = new Ajv()
const SCHEMAS = new Map<string, ValidateFunction>(
  Object.entries(CALLS).map(([name, { request }]) => [name, ajv.compile(request)]),
)

/** @throws ChatError where there is no such call, or the body is against its schema */
export async function call(
  name: string,
  { core, session, body }: Omit<Call<CallName>, 'body'> & { body: unknown },
): Promise<Answer> {
  const matches = SCHEMAS.get(name)
  if (!matches)
    throw new ChatError('unknown_event', {
      detail: `There is no such call; the calls are ${Object.keys(TABLE).join(', ')}`,
    })
  if (!matches(body)) throw invalid(matches.errors)
  core.limits.calls.take(session.actor.id)
  const run = TABLE[name as CallName] as (call: Call<CallName>) => Promise<Answer>
  return run({ core, session, body: body as CallBody<CallName> })
}

async function onSend({ core, session, body }: Call<'message.send'>): Promise<Answer> {
  return { values: { message: await sendMessage(core, session.actor, body) } }
}

async function onEdit({ core, session, body }: Call<'message.edit'>): Promise<Answer> {
  const { chatId, seq, ...edit } = body
  return { values: { message: await editMessage(core, session.actor, { chatId, seq }, edit) } }
}

async function onDelete({ core, session, body }: Call<'message.delete'>): Promise<Answer> {
  const { for: whom = 'all', ...address } = body
  const { actor } = session
  if (whom === 'me') return { values: { my: await deleteForMe(core, actor, address) } }
  return { values: { message: await deleteMessage(core, actor, address) } }
}

async function onReact({ core, session, body }: Call<'reaction.set'>): Promise<Answer> {
  return { values: { message: await setReaction(core, session.actor, body) } }
}

async function onRead({ core, session, body }: Call<'chat.read'>): Promise<Answer> {
  const { chatId, ...read } = body
  return { values: { read: await markRead(core, session.actor, chatId, read) } }
}

async function onDraft({ core, session, body }: Call<'draft.set'>): Promise<Answer> {
  return { values: { draft: await setDraft(core, session.actor, body.chatId, body.draft) } }
}

async function onDelivered({ core, session, body }: Call<'chat.delivered'>): Promise<Answer> {
  await markDelivered(core, session.actor, body)
  return { values: {} }
}

async function onTyping({ core, session, body }: Call<'typing'>): Promise<Answer> {
  await setTyping(core, session.actor, { ...body, socket: session.socket.id })
  return { values: {} }
}

async function onSetPresence({ core, session, body }: Call<'presence.set'>): Promise<Answer> {
  session.away = body.state === 'away'
  core.presence.changed(session.actor.id)
  return { values: {} }
}

async function onWatchPresence({
  core,
  session,
  body,
}: Call<'presence.subscribe'>): Promise<Answer> {
  const watcher = { userId: session.actor.id, socket: session.socket.id }
  return { values: await watchPresence(core, watcher, body.usernames) }
}

async function onSync({ core, session, body }: Call<'sync'>): Promise<Answer> {
  const { result, release } = await syncSession(core, session, body)
  return { values: { sync: result }, after: release }
}

/** New credentials for an open socket, of the same user. */
async function onRefresh({ core, session, body }: Call<'auth.refresh'>): Promise<Answer> {
  const { token } = body
  const { address = '' } = session.actor
  const actor = await core.identity.authenticate(
    { kind: 'bearer', token },
    { address, secure: true },
  )
  if (actor.id !== session.actor.id)
    throw new ChatError('forbidden', {
      field: '/token',
      detail: 'The token is of another user; open a new connection for that one',
    })
  actor.socket = session.socket.id
  session.actor = actor
  session.warned = false
  const { expiresAt } = actor
  return {
    values: expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() },
  }
}
