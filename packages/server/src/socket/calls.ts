/** All that a client may call: name → schema (protocol's CALLS) → function. */
import { type CallBody, type CallName, CALLS } from '@microchatter/protocol'
import { Ajv, type ValidateFunction } from 'ajv'
import { markRead, setTyping } from '../domain/chats.ts'
import type { Core } from '../domain/core.ts'
import { ChatError } from '../domain/errors.ts'
import { invalid } from '../domain/invalid.ts'
import { sendMessage } from '../domain/messages.ts'
import type { SocketSession } from './session.ts'
import { syncSession } from './sync.ts'

export interface Call<N extends CallName> {
  core: Core
  session: SocketSession
  body: CallBody<N>
  answer: (values: Record<string, unknown>) => void
}
type Table = { [N in CallName]: (call: Call<N>) => Promise<void> }

const TABLE: Table = {
  'message.send': onSend,
  'chat.read': onRead,
  typing: onTyping,
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
  { core, session, body, answer }: Omit<Call<CallName>, 'body'> & { body: unknown },
): Promise<void> {
  const matches = SCHEMAS.get(name)
  if (!matches)
    throw new ChatError('unknown_event', {
      detail: `There is no such call; the calls are ${Object.keys(TABLE).join(', ')}`,
    })
  if (!matches(body)) throw invalid(matches.errors)
  core.limits.calls.take(session.actor.id)
  const run = TABLE[name as CallName] as (call: Call<CallName>) => Promise<void>
  return run({ core, session, body: body as CallBody<CallName>, answer })
}

async function onSend({ core, session, body, answer }: Call<'message.send'>) {
  answer({ message: await sendMessage(core, session.actor, body) })
}

async function onRead({ core, session, body, answer }: Call<'chat.read'>) {
  const { chatId, ...read } = body
  answer({ read: await markRead(core, session.actor, chatId, read) })
}

async function onTyping({ core, session, body, answer }: Call<'typing'>) {
  await setTyping(core, session.actor, body)
  answer({})
}

async function onSync({ core, session, body, answer }: Call<'sync'>) {
  await syncSession(core, session, { body, answer: (result) => answer({ sync: result }) })
}

/** New credentials for an open socket, of the same user. */
async function onRefresh({ core, session, body: { token }, answer }: Call<'auth.refresh'>) {
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
  answer(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() })
}
