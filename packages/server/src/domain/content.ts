/** What a sender adds to the text: looked at, and its references looked up with the sender's rights. */
import { LIMITS, type Message, type SendBody } from '@microchatter/protocol'
import type { ChatRights } from '../store/chats.ts'
import { type Content, QUOTED } from '../store/content.ts'
import type { Rich, MessageRow } from '../store/messages.ts'
import type { RichDraft } from './batch.ts'
import { unseenOf, changeMessage, type MessageAddress } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import { holdFilesOf, holdUploads } from './files.ts'
import { findOwn } from './history.ts'
import { isPast, toMessage, toPoll, without } from './message-view.ts'
import {
  chatNotFound,
  forbidden,
  isMember,
  may,
  messageNotFound,
  sendRefusal,
  SYSTEM,
} from './rights.ts'
import { checkBody, checkData } from './text.ts'
import { isToCome } from './times.ts'
import { requireAdmin } from './users.ts'

export type Sender = Pick<Actor, 'id' | 'username' | 'socket'> & { admin?: boolean }
export type Extras = Omit<SendBody, 'body' | 'clientId'>
type Part = Rich & Pick<RichDraft, 'shown' | 'unseen'>

interface Asked {
  chatId: string
  body: string | undefined
  extras: Extras
  /** It is only looked at, and sent later: nothing changes. */
  isTrial?: boolean
}

/** The text of a message with extras, and what is stored and shown beside it. */
export async function toRich(
  core: Core,
  sender: Sender,
  { chatId, body, extras, isTrial = false }: Asked,
): Promise<{ body: string; rich: RichDraft | undefined }> {
  checkKinds(extras)
  const rights = await core.writer.rights(chatId)
  if (!isMember(rights, sender.id)) throw chatNotFound()
  // Before anything is opened for it.
  const refusal = sendRefusal(rights, sender)
  if (refusal && !isTrial) throw refusal
  if (extras.forward) return forward(core, sender, body, extras.forward)
  const text = textOf(core, body, extras)
  const own = [plainPart(sender, extras), mentionPart(rights, sender.id, extras)]
  const refs = await referTo(core, sender, { chatId, extras, isTrial, rights })
  const parts = [...own, refs, await filePart(core, sender, extras)]
  const rich = {
    content: Object.assign({}, ...parts.map(({ content }) => content)) as Content,
    shown: Object.assign({}, ...parts.map(({ shown }) => shown)) as Partial<Message>,
    mentioned: parts.flatMap(({ mentioned }) => mentioned),
    unseen: refs.unseen,
  }
  return { body: text, rich: Object.keys(rich.content).length === 0 ? undefined : rich }
}

const KINDS = ['poll', 'location', 'card', 'files', 'forward'] as const

function checkKinds(extras: Extras): void {
  const kinds = KINDS.filter((kind) => extras[kind] !== undefined)
  if (kinds.length > 1)
    throw new ChatError('invalid', {
      field: `/${kinds[1]}`,
      detail: `A message is one of ${KINDS.join(', ')}; send two`,
    })
}

/** A place, a card and files need no text; a poll's text is its question. */
function textOf(core: Core, body: string | undefined, { location, card, files }: Extras): string {
  if (body === undefined && (location || card || files)) return ''
  if (body === undefined)
    throw new ChatError('invalid', { field: '/body', detail: 'The message needs a `body`' })
  return checkBody(body, core.settings.messages.maxLength)
}

function plainPart(sender: Sender, { type, metadata, poll, location, card }: Extras): Part {
  if (metadata) checkData(metadata, { field: '/metadata', maxBytes: LIMITS.metadata })
  if (location) checkData(location, { field: '/location', maxBytes: LIMITS.frame })
  if (card) checkCard(sender, card)
  if (poll) checkPoll(poll)
  const kind = poll ? 'poll' : location ? 'location' : card ? 'card' : undefined
  const same = without({ kind, type, metadata, location, card })
  const content = { ...same, ...without({ poll }) } as Content
  const shown = { ...same, ...(poll ? { poll: toPoll(poll, {}) } : {}) } as Partial<Message>
  return { content, shown, mentioned: [] }
}

function checkCard({ username, admin }: Sender, card: NonNullable<Extras['card']>): void {
  if (username !== SYSTEM) requireAdmin({ admin: admin === true } as Actor)
  checkData(card, { field: '/card', maxBytes: LIMITS.frame })
  const ids = (card.buttons ?? []).map(({ id }) => id)
  if (new Set(ids).size < ids.length)
    throw new ChatError('invalid', { field: '/card/buttons', detail: 'Each button has its own id' })
}

function checkPoll({ options, closesAt }: NonNullable<Extras['poll']>): void {
  checkData(options, { field: '/poll/options', maxBytes: LIMITS.frame })
  if (new Set(options).size < options.length)
    throw new ChatError('invalid', { field: '/poll/options', detail: 'Two options are the same' })
  if (closesAt !== undefined && !isToCome(closesAt))
    throw new ChatError('invalid', { field: '/poll/closesAt', detail: 'It is no time to come' })
}

/** The sender's own uploads. */
async function filePart(core: Core, sender: Sender, { files, preview }: Extras): Promise<Part> {
  const held = files ? await holdUploads(core, sender.id, files) : undefined
  const shown = without({ files: held })
  const noPreview = preview === false || undefined
  return { content: { ...shown, ...without({ noPreview }) }, shown, mentioned: [] }
}

interface Referring extends Omit<Asked, 'body'> {
  rights: ChatRights
}

/** The message that is answered, and the thread: those that the sender can see. */
async function referTo(
  core: Core,
  sender: Sender,
  { chatId, extras: { reply, thread }, isTrial, rights }: Referring,
): Promise<Part> {
  const content = without({ reply, thread })
  const answered = reply === undefined ? undefined : await find(core, sender, chatId, { reply })
  const root = thread === undefined ? undefined : await find(core, sender, chatId, { thread })
  if (root && !hasThread(root) && !isTrial)
    await openThread(core, sender, { chatId, seq: root.seq })
  const shown = { ...without({ thread }), ...(answered ? { reply: quote(answered) } : {}) }
  const unseen = answered && (await unseenOf(core.db, rights, answered))
  return { content, shown, mentioned: [], unseen }
}

/** @throws not_found, with the name of the field */
async function find(
  core: Core,
  sender: Sender,
  chatId: string,
  named: Record<string, number>,
): Promise<MessageRow> {
  const [[field, seq] = ['', 0]] = Object.entries(named)
  try {
    return await findOwn(core, sender as Actor, { chatId, seq })
  } catch (error) {
    if (!(error instanceof ChatError) || error.code !== 'not_found') throw error
    throw messageNotFound(`/${field}`)
  }
}

function quote(row: MessageRow): NonNullable<Message['reply']> {
  const { seq, sender, body, kind, files, deletedAt, change } = toMessage(row)
  const text = [...body].slice(0, QUOTED).join('')
  return {
    seq,
    body: text,
    ...without({ sender, kind, fileKind: files?.[0]?.kind, deletedAt, change }),
  }
}

/** true: it has a message already. @throws invalid where none can hang on it */
function hasThread({ content }: MessageRow): boolean {
  checkHook(content ?? {})
  return content?.threaded === true
}

/** [MSG-2] What a thread may hang on. */
function checkHook({ thread, kind, deletedAt, expiresAt }: Content): void {
  if (thread !== undefined || kind === 'system' || deletedAt !== undefined || isPast(expiresAt))
    throw new ChatError('invalid', {
      field: '/thread',
      detail: 'A thread hangs on a message that is there, and that is in no thread itself',
    })
}

/** The first message of a thread marks the one that it hangs on. */
async function openThread(core: Core, sender: Sender, address: MessageAddress): Promise<void> {
  // Its answer is of another message: the sender's own socket is told of this one as well.
  const by = { ...sender, socket: undefined }
  await changeMessage(core, by, address, async ({ rights, content }) => {
    // Who may not write changes nothing; and it may have been deleted since it was looked at.
    const refusal = sendRefusal(rights, sender)
    if (refusal) throw refusal
    checkHook(content)
    return content.threaded ? undefined : { content: { ...content, threaded: true } }
  })
}

function mentionPart(rights: ChatRights, senderId: number, extras: Extras): Part {
  const { mentions, mentionAll } = extras
  if (mentionAll && (rights.kind === 'direct' || !may(rights, senderId, 'mentionAll')))
    throw forbidden('You may not mention all members here')
  const ids = mentions ? idsOfNames(rights, mentions) : []
  const names = [...new Set(mentions)].sort()
  return {
    content: {
      ...(ids.length > 0 ? { mentions: ids } : {}),
      ...(mentionAll ? { mentionAll } : {}),
    },
    shown: {
      ...(ids.length > 0 ? { mentions: names } : {}),
      ...(mentionAll ? { mentionAll } : {}),
    },
    // Who has blocked the sender does not hear of it.
    mentioned: [
      ...ids.filter((id) => !hasBlocked(rights, id, senderId)),
      ...(mentionAll ? [0] : []),
    ],
  }
}

function hasBlocked({ blocks }: ChatRights, blocker: number, blocked: number): boolean {
  return blocks.some((pair) => pair[0] === blocker && pair[1] === blocked)
}

/** @throws invalid for who is no member */
function idsOfNames({ members }: ChatRights, names: readonly string[]): number[] {
  const ids = new Map([...members].map(([id, name]) => [name, id]))
  const found = names.map((name, index) => {
    const id = ids.get(name)
    if (id !== undefined) return id
    throw new ChatError('invalid', {
      field: `/mentions/${index}`,
      detail: `"${name}" is not in this chat`,
    })
  })
  return [...new Set(found)]
}

/** Copied, with the rights of who passes it on; not from whom it was. */
async function forward(
  core: Core,
  sender: Sender,
  body: string | undefined,
  { chatId, seq }: NonNullable<Extras['forward']>,
): Promise<{ body: string; rich: RichDraft }> {
  if (body !== undefined)
    throw new ChatError('invalid', { field: '/body', detail: 'With `forward`, leave `body` out' })
  const row = await find(core, sender, chatId, { forward: seq })
  const message = toMessage(row)
  if (message.deletedAt !== undefined) throw messageNotFound('/forward')
  if (message.kind !== undefined && message.kind !== 'location')
    throw new ChatError('forbidden', { field: '/forward', detail: 'This cannot be passed on' })
  const { kind, type, metadata, location, files, preview } = message
  const same = without({ kind, type, metadata, location, files, preview })
  const shown = { forwarded: true, ...same } as Partial<Message>
  const content = { ...shown, ...without({ noPreview: row.content?.noPreview }) } as Content
  await holdFilesOf(core, content)
  return { body: message.body, rich: { content, shown, mentioned: [] } }
}
