/** What a call did, as the events that tell of it: its own socket is sent none [MERGE-9]. */
import type { Chat, CallName, DraftState, EventName, Message, My, ReadState } from './protocol.ts'

interface Answer {
  message?: Message
  my?: My
  read?: ReadState
  draft?: DraftState
  sync?: { chats: readonly Chat[] }
}

const CHANGES: Partial<Record<CallName, EventName>> = {
  'message.send': 'message.created',
  'message.edit': 'message.updated',
  'message.delete': 'message.deleted',
  'reaction.set': 'reaction.updated',
}

/** `username`: who has called. */
export function eventsOf(
  name: CallName,
  body: object,
  answer: object,
  username: string,
): [name: EventName, data: unknown][] {
  const { message, my, read, draft, sync }: Answer = answer
  const change = CHANGES[name]
  const events: [EventName, unknown][] = []
  if (change && message) events.push([change, message])
  if (my) events.push(['my.updated', { ...body, my }])
  if (read) events.push(['read.updated', { ...read, username, lastSeq: read.seq + read.unread }])
  if (draft) events.push(['draft.updated', draft])
  // What its views have, the server does not tell this socket once more [SYNC-2].
  for (const chat of sync?.chats ?? []) events.push(['chat.updated', chat])
  return events
}
