import { type Static, Type } from 'typebox'
import { Chat, Rev, Unread } from './chats.ts'
import { My } from './content.ts'
import { LIMITS } from './limits.ts'
import { Message } from './messages.ts'
import { ChatId, closed, opt, Seq } from './schema.ts'

/** What a client that comes back already has. */
export const SyncBody = closed({
  cursor: opt(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'The `cursor` of the last sync. Without it: a fresh start.',
    }),
  ),
  chats: opt(
    Type.Array(
      closed({
        chatId: ChatId,
        seq: Seq,
        change: opt(
          Type.Integer({ minimum: 0, description: 'The last change of a message that it has.' }),
        ),
      }),
      {
        maxItems: LIMITS.syncChats,
        description: 'The chats whose messages the client keeps, with the last seq that it has.',
      },
    ),
  ),
})
export type SyncBody = Static<typeof SyncBody>

export const SyncResult = closed({
  cursor: Type.String({ description: 'For the next sync.' }),
  reset: opt(
    Type.Boolean({ description: 'true: forget what you have; this is a fresh state [SYNC-2].' }),
  ),
  chats: Type.Array(Chat, { description: 'Each chat that changed, as it is now, newest first.' }),
  removed: Type.Array(closed({ chatId: ChatId, rev: Rev }), {
    description: 'Chats that are no longer on the list.',
  }),
  messages: Type.Array(
    closed({
      chatId: ChatId,
      items: Type.Array(Message),
      hasAfter: Type.Boolean({
        description: 'true: fetch the rest by history, `after` the last seq.',
      }),
      changed: opt(
        Type.Array(Message, {
          description: 'Messages up to that seq that have changed, in the order of `change`.',
        }),
      ),
      changes: Type.Integer({
        minimum: 0,
        description: 'The changes up to this number are in.',
      }),
      hasChanges: opt(
        Type.Boolean({ description: 'true: fetch the rest by `changes`, `after` that number.' }),
      ),
    }),
    { description: 'Per chat asked for: the messages after its seq, oldest first.' },
  ),
  my: opt(
    Type.Array(closed({ chatId: ChatId, seq: Seq, my: My }), {
      description: 'What changed of what I alone have of messages; not in a fresh state.',
    }),
  ),
  blocks: opt(
    Type.Boolean({
      description: 'true: whom I have blocked has changed; fetch messages of groups anew [SYNC-9].',
    }),
  ),
  more: opt(
    Type.Boolean({ description: 'true: more chats than these; the list of chats has them.' }),
  ),
  unread: Unread,
})
export type SyncResult = Static<typeof SyncResult>
