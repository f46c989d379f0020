/** What each call and event of the socket is for, in the words of docs/protocol.md; shown at /docs. */
import type { CallName, EventName } from '@microchatter/protocol'

export const CALL_WORDS: Record<CallName, string> = {
  'message.send': 'send a message; SEND-1, SEND-3',
  'message.edit': 'edit a message of mine; EDIT-1',
  'message.delete':
    'delete it, for all (the answer is what is left of it) or for me; EDIT-2, EDIT-4',
  'reaction.set': 'react, or take it back; REACT-1',
  'chat.read': 'mark as read up to `seq`, or with `unread: true` back to it; READ-2',
  'draft.set': 'keep `draft: { body, reply? }`, or `null`: none any more; MAIL-1',
  'chat.delivered': 'this device has the messages up to `seq`; RECEIPT-1',
  typing: 'tell the others; repeat while it lasts (CHAT-11)',
  'presence.set': 'this socket is `online` or `away`; PRES-1',
  'presence.subscribe': 'watch these users, at most 200, and no others; PRES-4',
  sync: 'what changed since the cursor; SYNC-1 to SYNC-9',
  'auth.refresh': 'new credentials for this socket; AUTH-11',
}

export const EVENT_WORDS: Record<EventName, string> = {
  'message.created': "a message was stored; to all members, the sender's other devices too",
  'message.updated':
    'a message was edited, pinned, voted on, has a preview or a thread now; as it is then (CHANGE-1)',
  'message.deleted': 'a message was deleted for all, or has disappeared; what is left of it',
  'reaction.updated': 'the reactions of a message changed; as it is then',
  'my.updated': 'what is mine alone of a message changed; to my devices (MERGE-11)',
  'scheduled.updated':
    'a message of mine was scheduled or changed (`waiting`), was `sent` as `seq`, has `failed`, was `removed`; to my devices',
  'reminder.updated': 'I have set a reminder, or, without `reminder`, deleted it; to my devices',
  'reminder.due': 'its time has come (TIME-5); to my devices',
  'chat.created':
    'a chat is new on my list: I opened it elsewhere, its first message came, or I am in a group now',
  'chat.updated':
    'a chat changed, as I have it now; also where an event may have been lost (SEND-6)',
  'chat.removed':
    'I deleted the chat on another device, declined it, left the group or was removed from it',
  'group.updated': 'what all members share of a group, as it is now (MERGE-12)',
  'member.added': 'someone is in the group now',
  'member.updated': 'a member of the group has another role',
  'member.removed': 'someone is no longer in the group; to those who still are',
  'read.updated':
    'someone has read up to `seq`; `unread` goes to the reader alone. Deleting a chat reads it, which the others are told',
  'draft.updated': 'I have begun to write something on another device, or taken it away',
  'delivered.updated':
    'a device of someone has the messages up to `seq`; to all members (RECEIPT-2)',
  typing: 'someone types, or stops; to the others',
  'presence.updated':
    'someone whom this socket watches came, went, or cannot be seen any more (PRES-4, PRES-6)',
  'block.updated': 'I have blocked someone on another device, or taken it back',
  'user.updated':
    'a profile was changed by `PATCH /users/…`; to the user and at most 1,000 contacts. One that came with a JWT is seen at the next fetch or sync',
  'user.removed': 'an account was deleted; to at most 1,000 contacts',
  'unread.updated': 'I have read, muted or deleted something, or answered a request (READ-5)',
  'settings.updated': 'I have changed my settings on another device',
  'session.expiring': 'the credentials of this socket end within a minute (AUTH-11)',
  'session.closed': 'just before the server closes this socket (SOCK-5)',
  'sync.reset': 'sync again, without a cursor (SYNC-2)',
}
