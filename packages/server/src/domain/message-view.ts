/** Messages of the store, as the wire has them. What is empty is left out. */
import type { Message, My, Poll, Quote, SystemEvent } from '@microchatter/protocol'
import type { Content, Details, PollContent } from '../store/content.ts'
import type { MarkRow } from '../store/marks.ts'
import type { MessageRow } from '../store/messages.ts'
import { isoOf } from '../store/times.ts'

export type Shown = Pick<
  MessageRow,
  | 'chat_id'
  | 'seq'
  | 'sender'
  | 'client_id'
  | 'body'
  | 'created_at'
  | 'change'
  | 'content'
  | 'details'
>

export function toMessage(row: Shown): Message {
  const { chat_id: chatId, seq, sender, body, client_id: clientId } = row
  const createdAt = isoOf(row.created_at)
  const message: Message = sender
    ? { chatId, seq, sender, body, createdAt, clientId }
    : { chatId, seq, body, createdAt, clientId }
  if (row.content) addContent(message, row.content, row.details ?? {})
  if (row.change > 0) message.change = row.change
  return message
}

function addContent(message: Message, content: Content, details: Details): void {
  const { deletedAt, expiresAt, thread, mentionAll } = content
  Object.assign(message, without({ thread, mentionAll, mentions: details.mentions }))
  if (deletedAt !== undefined || isPast(expiresAt)) {
    // What has expired is gone at that time, also where it has not been erased yet.
    message.body = ''
    message.deletedAt = deletedAt ?? (expiresAt as string)
    if (details.deletedBy !== undefined) message.deletedBy = details.deletedBy
    if (details.replies) message.replies = details.replies
    return
  }
  const { kind, type, forwarded, metadata, location, card, files, preview } = content
  const { editedAt, pinned } = content
  Object.assign(
    message,
    without({ kind, type, forwarded, metadata, location, card, files, preview }),
    without({ editedAt, expiresAt, pinned }),
    without({ reactions: details.reactions, replies: details.replies }),
  )
  if (details.reply) message.reply = toQuote(details.reply)
  if (content.event) message.event = toEvent(content.event, details.usernames)
  if (content.poll) message.poll = toPoll(content.poll, details)
}

function toEvent(
  stored: NonNullable<Content['event']>,
  usernames: string[] | undefined,
): SystemEvent {
  const { userIds: _, ...event } = stored
  return { ...event, ...(usernames && usernames.length > 0 ? { usernames } : {}) }
}

/** What is left out is not there, not undefined. */
export function without<T extends object>(values: T): Partial<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}

export function isPast(time: string | undefined): boolean {
  return time !== undefined && Date.parse(time) <= Date.now()
}

function toQuote({ expiresAt, ...quote }: NonNullable<Details['reply']>): Quote {
  if (quote.deletedAt === undefined && isPast(expiresAt)) quote.deletedAt = expiresAt as string
  if (quote.deletedAt === undefined) return quote
  const { fileKind: _, ...gone } = quote
  return { ...gone, body: '' }
}

export function toPoll(poll: PollContent, { votes = [], voters = 0 }: Details): Poll {
  const { options, multiple, anonymous, closesAt } = poll
  const isClosed = poll.closed === true || isPast(closesAt)
  return {
    options: options.map((text, option) => {
      const found = votes.find((vote) => vote.option === option)
      const { count = 0, usernames = [] } = found ?? {}
      return { text, votes: count, ...(anonymous ? {} : { usernames }) }
    }),
    voters,
    ...without({ multiple, anonymous, closesAt, closed: isClosed || undefined }),
  }
}

export function toMy({ rev, starredAt, deleted, reactions, votes }: MarkRow): My {
  return {
    rev,
    ...(starredAt === null ? {} : { starredAt }),
    ...(deleted ? { deleted: true } : {}),
    ...(reactions ? { reactions } : {}),
    ...(votes ? { votes } : {}),
  }
}

/**
 * With what is mine alone. Of a message that I have deleted for me, its place is left; of one that is
 * deleted for all there is nothing that is mine [MERGE-11].
 */
export function withMy(message: Message, mark: MarkRow | null | undefined): Message {
  if (!mark || message.deletedAt !== undefined) return message
  const my = toMy(mark)
  return mark.deleted ? { ...bareOf(message), my } : { ...message, my }
}

/** [SEND-4] As the one who has blocked its sender has it. What happens to a group is for all. */
export function hide(message: Message): Message {
  if (message.kind === 'system') return message
  return { ...bareOf(message), hidden: true }
}

/** Its place in the chat. */
export function bareOf({
  chatId,
  seq,
  sender,
  createdAt,
  clientId,
  thread,
  change,
}: Message): Message {
  return {
    chatId,
    seq,
    ...without({ sender }),
    body: '',
    createdAt,
    clientId,
    ...without({ thread, change }),
  } as Message
}

/** For who cannot see the message that is quoted. */
export function withoutQuote(message: Message): Message {
  return message.reply ? { ...message, reply: { seq: message.reply.seq, body: '' } } : message
}
