/** What the model knows of sending messages, and of what is done to them: MSG, EDIT, REACT. */
import { markOf, may, type ModelChat, type Refusal, type Sent, visible } from './model-chats.ts'
import type { Model } from './model.ts'

export interface NewMessage {
  body?: string | undefined
  clientId: string
  reply?: number | undefined
  thread?: number | undefined
  mentions?: string[] | undefined
  mentionAll?: true | undefined
  poll?: { options: string[]; multiple?: boolean } | undefined
  forward?: { from: ModelChat; seq: number } | undefined
}

/** [SEND-3, SEND-4] Gives the message that is there then, or why not. */
export function send(model: Model, chat: ModelChat, by: string, asked: NewMessage) {
  if (!chat.members.has(by)) return 'not_found'
  const { clientId, reply, thread, mentions, mentionAll, poll, forward } = asked
  const isSent = chat.messages.some((one) => one.sender === by && one.clientId === clientId)
  const isPlain = [reply, thread, mentions, mentionAll, poll, forward].every((one) => !one)
  const early = isPlain || isSent ? undefined : model.refusalOf(chat, by)
  const refused = early ?? check(chat, by, asked)
  if (refused) return refused
  openThread(model, chat, by, thread)
  const body = forward ? (forward.from.messages[forward.seq - 1]?.body ?? '') : (asked.body ?? '')
  const known = chat.messages.find((one) => one.sender === by && one.clientId === clientId)
  if (known) return known.body === body || known.change > 0 ? known : 'client_id_reused'
  const refusal = model.refusalOf(chat, by, true)
  if (refusal) return refusal
  const names = mentions && [...new Set(mentions)].sort()
  return model.post(chat, by, {
    body,
    clientId,
    reply,
    thread,
    mentions: names,
    mentionAll,
    forwarded: forward && true,
    poll: poll && { multiple: false, ...poll, closed: false, votes: new Map() },
    counted: (username) => mentionAll === true || names?.includes(username) === true,
  })
}

function check(chat: ModelChat, by: string, asked: NewMessage): Refusal | undefined {
  const { reply, thread, mentions, mentionAll, forward } = asked
  if (forward) return checkForward(by, forward)
  if (mentionAll && (chat.kind === 'direct' || !may(chat, by, 'mentionAll'))) return 'forbidden'
  if (mentions?.some((name) => !chat.members.has(name))) return 'invalid'
  if (reply !== undefined && !visible(chat, by, reply)) return 'not_found'
  if (thread === undefined) return undefined
  const root = visible(chat, by, thread)
  if (!root) return 'not_found'
  const isOne = root.thread === undefined && !root.event && root.deletedBy === undefined
  return isOne ? undefined : 'invalid'
}

/** [MSG-5] */
function checkForward(by: string, { from, seq }: { from: ModelChat; seq: number }) {
  const message = visible(from, by, seq)
  if (!message || message.deletedBy !== undefined) return 'not_found'
  return message.event || message.poll ? 'forbidden' : undefined
}

/** [MSG-2] The first message of a thread changes the one that it hangs on. */
function openThread(model: Model, chat: ModelChat, by: string, seq: number | undefined): void {
  const root = chat.messages[(seq ?? 0) - 1]
  if (!root || chat.messages.some(({ thread }) => thread === seq)) return
  if (!model.refusalOf(chat, by)) root.change = ++chat.changes
}

interface Of {
  model: Model
  chat: ModelChat
  by: string
  seq: number
}

/** `work` refuses, or gives what it does; 'same' changes nothing. [CHANGE-1] */
function change({ chat, by, seq }: Of, work: (m: Sent) => Refusal | 'same' | (() => void)) {
  const message = visible(chat, by, seq)
  if (!message) return 'not_found'
  const done = work(message)
  if (done === 'same') return message
  if (typeof done === 'string') return done
  done()
  message.change = ++chat.changes
  return message
}

/** [EDIT-2, SEND-4] It is there, and no block is between. */
function refusal({ model, chat, by }: Of, message: Sent): Refusal | undefined {
  if (message.deletedBy !== undefined) return 'deleted'
  // [PRIV-5]
  if (chat.members.get(by)?.request === 'pending') return 'forbidden'
  return chat.kind === 'direct' ? model.refusalOf(chat, by) : undefined
}

/** [EDIT-1] */
export function edit(of: Of, body: string) {
  return change(of, (message) => {
    const refused = refusal(of, message)
    if (refused) return refused
    const isOwn = message.sender === of.by
    if (!isOwn || message.event || message.poll || message.forwarded) return 'forbidden'
    if (!may(of.chat, of.by, 'post')) return 'forbidden'
    if (message.body === body) return 'same'
    return () => Object.assign(message, { body, edited: true })
  })
}

/** [EDIT-2] */
export function deleteForAll(of: Of) {
  return change(of, (message) => {
    if (message.deletedBy !== undefined) return 'same'
    if (message.event) return 'forbidden'
    if (message.sender !== of.by && !may(of.chat, of.by, 'deleteOthers')) return 'forbidden'
    return () => {
      const gone = { reply: undefined, poll: undefined, reactions: [] }
      Object.assign(message, { body: '', ...gone, pinned: undefined, deletedBy: of.by })
    }
  })
}

/** [EDIT-4] Twice is once. */
export function deleteForMe({ chat, by, seq }: Of) {
  const mark = chat.marks.get(`${by} ${seq}`)
  if (mark?.deleted && seq > (chat.members.get(by)?.clearedSeq ?? seq)) return mark
  const message = visible(chat, by, seq)
  if (!message) return 'not_found'
  return Object.assign(markOf(chat, by, message), { deleted: true, starred: false })
}

/** [MSG-4] */
export function star({ chat, by, seq }: Of, on: boolean) {
  const message = visible(chat, by, seq)
  if (!message) return 'not_found'
  return Object.assign(markOf(chat, by, message), { starred: on })
}

/** [REACT-1] */
export function react(of: Of, { emoji, on }: { emoji: string; on: boolean }) {
  return change(of, (message) => {
    const refused = refusal(of, message)
    if (refused) return refused
    if (message.event) return 'forbidden'
    const others = message.reactions.filter((r) => r.emoji !== emoji || r.username !== of.by)
    if (others.length < message.reactions.length === on) return 'same'
    return () => {
      message.reactions = on ? [...others, { emoji, username: of.by }] : others
      markOf(of.chat, of.by, message)
    }
  })
}

/** [MSG-4] */
export function pin(of: Of, on: boolean) {
  return change(of, (message) => {
    const refused = refusal(of, message)
    if (refused) return refused
    if (!may(of.chat, of.by, 'pin')) return 'forbidden'
    if ((message.pinned === true) === on) return 'same'
    return () => Object.assign(message, { pinned: on ? true : undefined })
  })
}

/** [MSG-6] */
export function vote(of: Of, options: number[]) {
  return change(of, (message) => {
    const refused = refusal(of, message)
    if (refused) return refused
    const { poll } = message
    if (!poll) return 'invalid'
    if (poll.closed) return 'forbidden'
    const chosen = [...new Set(options)].sort((one, two) => one - two)
    if (chosen.some((option) => option >= poll.options.length)) return 'invalid'
    if (chosen.length > 1 && !poll.multiple) return 'invalid'
    if (String(poll.votes.get(of.by) ?? []) === String(chosen)) return 'same'
    return () => {
      poll.votes.delete(of.by)
      if (chosen.length > 0) poll.votes.set(of.by, chosen)
      markOf(of.chat, of.by, message)
    }
  })
}

/** [MSG-6] */
export function closePoll(of: Of) {
  return change(of, (message) => {
    const refused = refusal(of, message)
    if (refused) return refused
    const { poll } = message
    if (!poll) return 'invalid'
    if (message.sender !== of.by && !may(of.chat, of.by, 'deleteOthers')) return 'forbidden'
    return poll.closed ? 'same' : () => Object.assign(poll, { closed: true })
  })
}
