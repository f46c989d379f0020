/** The drafts of one statement: repeats joined, put in order of chat, and answered. */
import type { Message } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import type { ChatBatch, MessageRow, Numbered, Rich } from '../store/messages.ts'
import type { Unseen } from './audience.ts'
import { ChatError } from './errors.ts'
import { toMessage } from './message-view.ts'
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
export interface Sent extends Draft {
  seq: number
  /** ISO 8601, UTC. */
  createdAt: string
  expiresAt?: string | undefined
  /** It was stored before, and may have changed since. */
  stored?: Message
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
export function sendersToAsk(
  jobs: Job[],
  rights: ReadonlyMap<string, ChatRights | undefined>,
): Map<string, Draft['sender'][]> {
  const senders = new Map<string, Draft['sender'][]>()
  for (const { draft } of jobs) {
    const { pending, takes } = rights.get(draft.chatId) ?? {}
    if (!pending?.size && !takes?.size) continue
    senders.set(draft.chatId, [...(senders.get(draft.chatId) ?? []), draft.sender])
  }
  for (const [chatId, list] of senders) {
    const of = rights.get(chatId)
    if (!of || !needsAsking(of, list)) senders.delete(chatId)
  }
  return senders
}

/**
 * Sorted by chat, so that the statements of two nodes take their locks in the same order. `again`: the
 * chat had moved on, and all of its members are touched.
 */
export function toGroups(
  jobs: Job[],
  rights: ReadonlyMap<string, ChatRights | undefined>,
  again: boolean,
): Group[] {
  const day = today()
  const groups = new Map<string, Group>()
  for (const job of jobs) {
    const { chatId } = job.draft
    const known = groups.get(chatId)
    const of = known ? undefined : rights.get(chatId)
    if (known) known.jobs.push(job)
    else if (of)
      groups.set(chatId, { rights: of, touch: again || of.activeDay !== day, jobs: [job] })
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
    const { chatId, sender, clientId, body, rich } = draft
    const sent = { chatId, sender, clientId, body, rich, seq: ++seq, createdAt, expiresAt }
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
  if (repeat.draft.body === sent.body) repeat.resolve(sent)
  else repeat.reject(reused())
}

/**
 * [SEND-3] The answer of a draft that was stored before. Who is in the chat no more hears what it has
 * sent itself, and nothing of what has become of it.
 */
export function answer(job: Job, row: MessageRow, isMember: boolean): void {
  const createdAt = row.created_at.toISOString()
  const stored = isMember ? toMessage(row) : undefined
  for (const { draft, resolve, reject } of withRepeats(job)) {
    // Of one that was edited, the first text is not at hand.
    if (row.body === draft.body || row.change > 0)
      resolve(
        stored ? { ...draft, seq: row.seq, createdAt, stored } : bareOf(draft, row.seq, createdAt),
      )
    else reject(reused())
  }
}

function bareOf({ chatId, sender, clientId, body }: Draft, seq: number, createdAt: string): Sent {
  return { chatId, sender, clientId, body, seq, createdAt }
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
