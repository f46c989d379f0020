/** The drafts of one statement: repeats joined, put in order of chat, and answered. */
import type { Message } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import type { ChatBatch, MessageRow, Numbered, Rich } from '../store/messages.ts'
import { isoOf } from '../store/times.ts'
import type { Unseen } from './audience.ts'
import { ChatError } from './errors.ts'
import { toMessage, without } from './message-view.ts'
import { needsAsking } from './rights.ts'

export interface Draft {
  chatId: string
  sender: { id: number; username: string; socket?: string | undefined }
  clientId: string
  body: string
  /** undefined: a text and nothing more. */
  rich?: RichDraft | undefined
}
export interface RichDraft extends Rich {
  /** What the wire has of it. */
  shown: Partial<Message>
  /** Of the message that it quotes. */
  unseen?: Unseen | undefined
}
export interface Sent {
  draft: Draft
  /** As the wire has it; of one that was stored before, as it is now. */
  message: Message
}
/** What a statement has just made durable in one chat. */
export interface Written {
  rights: ChatRights
  /** Those on whose lists the chat came, or came back. */
  appeared: number[]
  /** In the order of seq. */
  messages: Sent[]
}

export interface Job {
  draft: Draft
  resolve: (sent: Sent) => void
  reject: (error: unknown) => void
  /** Sends of the same clientId that came while this one was waiting. */
  repeats: Job[] | undefined
  /** Of its chat, the same for all jobs of the chat; undefined: not known yet, or there is no chat. */
  rights: ChatRights | undefined
}

export interface Group {
  rights: ChatRights
  touch: boolean
  jobs: Job[]
}

/** Of the same clientId in one batch, the first is written and the others wait for its answer. */
export function joinRepeats(jobs: Job[]): Job[] {
  const firsts = new Map<string, Job>()
  return jobs.filter((job) => {
    const { chatId, sender, clientId } = job.draft
    const key = keyOf(chatId, sender.id, clientId)
    const first = firsts.get(key)
    if (first) first.repeats = [...(first.repeats ?? []), job]
    else firsts.set(key, job)
    return first === undefined
  })
}

/** Chat → the senders of its jobs in their order, where something has to be asked before [PRIV-3]. */
export function sendersToAsk(jobs: Job[]): Map<string, Draft['sender'][]> {
  const senders = new Map<ChatRights, Draft['sender'][]>()
  for (const { draft, rights } of jobs)
    if (rights && rights.pending.size + rights.takes.size > 0)
      senders.set(rights, [...(senders.get(rights) ?? []), draft.sender])
  const asking = [...senders].filter(([rights, list]) => needsAsking(rights, list))
  return new Map(asking.map(([{ id }, list]) => [id, list]))
}

/**
 * Sorted by chat, so that the statements of two nodes take their locks in the same order. `again`: the
 * chat had moved on, and all of its members are touched.
 */
export function toGroups(jobs: Job[], again: boolean): Group[] {
  const day = today()
  const groups = new Map<ChatRights, Group>()
  for (const job of jobs) {
    const { rights } = job
    if (!rights) continue
    const known = groups.get(rights)
    if (known) known.jobs.push(job)
    else groups.set(rights, { rights, touch: again || rights.activeDay !== day, jobs: [job] })
  }
  return [...groups.values()].sort((a, b) => (a.rights.id < b.rights.id ? -1 : 1))
}

export function toBatch({ rights, touch, jobs }: Group): ChatBatch {
  return {
    chatId: rights.id,
    rightsRev: rights.rightsRev,
    touch,
    expireAfter: rights.settings?.expireAfterSeconds || undefined,
    messages: jobs.map(({ draft: { sender, clientId, body, rich } }) => ({
      senderId: sender.id,
      clientId,
      body,
      rich,
    })),
  }
}

/** Answers the drafts of a chat that were just stored. */
export function settleGroup(group: Group, { base, last_at, appeared }: Numbered): Written {
  const { rights, touch, jobs } = group
  rights.begun = true
  if (touch) rights.activeDay = today()
  const createdAt = last_at.toISOString()
  const expiresAt = expiryOf(rights, last_at)
  let seq = base
  const messages: Sent[] = []
  for (const { draft, resolve, repeats } of jobs) {
    const message = messageOf(draft, ++seq, createdAt)
    if (draft.rich || expiresAt !== undefined)
      Object.assign(message, draft.rich?.shown, without({ expiresAt }))
    const sent = { draft, message }
    messages.push(sent)
    resolve(sent)
    if (repeats) for (const repeat of repeats) settleRepeat(repeat, sent)
  }
  return { rights, appeared: appeared ?? [], messages }
}

/** [TIME-1] The same instant as the database's. */
function expiryOf({ settings }: ChatRights, sentAt: Date): string | undefined {
  const { expireAfterSeconds: seconds = 0 } = settings ?? {}
  return seconds > 0 ? new Date(sentAt.getTime() + seconds * 1_000).toISOString() : undefined
}

function settleRepeat(repeat: Job, sent: Sent): void {
  if (repeat.draft.body === sent.draft.body) repeat.resolve(sent)
  else repeat.reject(reused())
}

/**
 * [SEND-3] The answer of a draft that was stored before. Who is in the chat no more hears what it has
 * sent itself, and nothing of what has become of it.
 */
export function answer(job: Job, row: MessageRow, isMember: boolean): void {
  const createdAt = isoOf(row.created_at)
  const stored = isMember ? toMessage(row) : undefined
  for (const { draft, resolve, reject } of withRepeats(job)) {
    // Of one that was edited, the first text is not at hand; nor is that of one that passes on another.
    if (row.body === draft.body || row.change > 0 || row.content?.forwarded)
      resolve({ draft, message: stored ?? messageOf(draft, row.seq, createdAt) })
    else reject(reused())
  }
}

/** With its text and nothing more. */
function messageOf(draft: Draft, seq: number, createdAt: string): Message {
  const { chatId, sender, clientId, body } = draft
  return { chatId, seq, sender: sender.username, body, createdAt, clientId }
}

export function fail(job: Job, error: unknown): void {
  for (const { reject } of withRepeats(job)) reject(error)
}

function withRepeats(job: Job): Job[] {
  return [job, ...(job.repeats ?? [])]
}

export function keyOf(chatId: string, senderId: number, clientId: string): string {
  return `${chatId}${senderId}/${clientId}`
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function reused(): ChatError {
  return new ChatError('client_id_reused', {
    field: '/clientId',
    detail:
      'This clientId was used for a message with another text; make a new one for each message',
  })
}
