/**
 * Coming back [SYNC-2]. After it, the client's state equals a fresh fetch [SYNC-1].
 *
 *   1. hold: the socket is in the live stream already; from now on its events wait, at most 1,000.
 *   2. read: what changed since the client's cursor, by domain/sync.ts.
 *   3. answer, then release what was held and is newer by (seq, rev).
 *   4. where the cursor is unknown or too old, the answer is a fresh state with `reset: true`; where
 *      more was held than fits, `sync.reset` follows: the client syncs again without a cursor.
 */
import type { Chat, Message, SyncBody, SyncResult } from '@microchatter/protocol'
import type { Core } from '../domain/core.ts'
import { sync } from '../domain/sync.ts'
import type { HeldEvent, SocketSession } from './session.ts'

/** `release` has to follow the acknowledgement with `result` at once: then come the events. */
export async function syncSession(
  core: Core,
  session: SocketSession,
  body: SyncBody,
): Promise<{ result: SyncResult; release: () => void }> {
  session.hold()
  try {
    const result = await sync(core, session.actor, body)
    return { result, release: () => releaseNewer(session, result) }
  } catch (error) {
    releaseNewer(session)
    throw error
  }
}

function releaseNewer(session: SocketSession, result?: SyncResult): void {
  const events = session.release()
  const known = new Map(result?.chats.map((chat) => [chat.id, chat]))
  if (!events) session.socket.emit('sync.reset', {})
  for (const { name, data } of events ?? [])
    if (session.admits(name, data) && isNewer({ name, data }, known))
      session.socket.emit(name, data)
}

function isNewer({ name, data }: HeldEvent, known: Map<string, Chat>): boolean {
  if (name === 'message.created') {
    const { chatId, seq } = data as Message
    return seq > (known.get(chatId)?.lastSeq ?? 0)
  }
  if (name !== 'chat.created' && name !== 'chat.updated') return true
  const { id, rev, lastSeq } = data as Chat
  const chat = known.get(id)
  return !chat || rev > chat.rev || lastSeq > chat.lastSeq
}
