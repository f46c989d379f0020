/** Messages that are edited, or deleted: for all, or for oneself. */
import type { Edit, EditBody, Message, My } from '@microchatter/protocol'
import { LIMITS } from '@microchatter/protocol'
import type { Content } from '../store/content.ts'
import { type EditRow, insertEdit, selectEdits } from '../store/edits.ts'
import { releaseFiles } from '../store/files.ts'
import { deletePin } from '../store/pins.ts'
import { deleteReactions } from '../store/reactions.ts'
import { isoOf } from '../store/times.ts'
import { deleteVotes } from '../store/votes.ts'
import { changeMessage, type Becomes, type Held, type MessageAddress } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { decodeCursor, type Paging, toPage } from './cursor.ts'
import { ChatError } from './errors.ts'
import { findBounds, findRow } from './history.ts'
import { firstLink } from './links.ts'
import { isPast, without } from './message-view.ts'
import { checkNoBlock, forbidden, may, messageNotFound } from './rights.ts'
import { setMark } from './stars.ts'
import { checkBody, checkData } from './text.ts'

const MINUTE_MS = 60_000

/** Its sender may, for some time. What it was before is kept for moderators. */
export async function editMessage(
  core: Core,
  actor: Actor,
  address: MessageAddress,
  body: EditBody,
): Promise<Message> {
  if (body.body !== undefined) checkBody(body.body, core.settings.messages.maxLength)
  if (body.metadata) checkData(body.metadata, { field: '/metadata', maxBytes: LIMITS.metadata })
  if (Object.keys(body).length === 0)
    throw new ChatError('invalid', { detail: 'Say what is to change: `body` or `metadata`' })
  let wantsPreview = false
  const message = await changeMessage(core, actor, address, async (held) => {
    checkEdit(core, actor, held)
    const becomes = edited(held, body)
    const isSame =
      becomes.body === held.row.body &&
      JSON.stringify(becomes.content) === JSON.stringify(held.content)
    if (isSame) return undefined
    await keepEdit(held, actor)
    if (held.content.preview && !becomes.content.preview) await releasePreview(held)
    wantsPreview = !becomes.content.preview && !becomes.content.noPreview
    return { ...becomes, content: { ...becomes.content, editedAt: new Date().toISOString() } }
  })
  if (wantsPreview) core.previews?.lookAt(actor, message)
  return message
}

/** Another text has another preview, or none. */
async function releasePreview({ tx, chatId, seq, content }: Held): Promise<void> {
  const { image } = content.preview ?? {}
  if (image) await releaseFiles(tx, chatId, [seq], image.id)
}

async function keepEdit({ tx, chatId, seq, change }: Held, { id }: Actor): Promise<void> {
  await insertEdit(tx, { chatId, seq, change, userId: id })
}

function checkEdit(core: Core, actor: Actor, held: Held): void {
  const { row, content, rights } = held
  checkThere(content)
  checkNoBlock(rights, actor.id)
  // What may not be sent cannot come in by an edit.
  if (!may(rights, actor.id, 'post')) throw forbidden('You may not write here')
  if (row.sender_id !== actor.id) throw forbidden('Only its sender edits a message')
  if (content.kind === 'system' || content.kind === 'poll' || content.forwarded)
    throw forbidden('This message cannot be edited; delete it and send another')
  checkTime(row.created_at, core.settings.messages.editMinutes, 'edited')
}

/** Of one that is gone there is nothing to change. */
export function checkThere({ deletedAt, expiresAt }: Content): void {
  if (deletedAt !== undefined || isPast(expiresAt)) throw new ChatError('deleted')
}

function checkTime(createdAt: string, minutes: number, verb: string): void {
  if (minutes === 0) throw forbidden(`Messages cannot be ${verb} on this site`)
  if (Date.now() - Date.parse(isoOf(createdAt)) > minutes * MINUTE_MS)
    throw forbidden(`A message can be ${verb} for ${minutes} minutes after it was sent`)
}

function edited({ row, content }: Held, { body, metadata }: EditBody): Becomes {
  const text = body ?? row.body
  const { preview, ...others } = content
  const isOther = preview === undefined || firstLink(text) !== preview.url
  return {
    body: text,
    content: { ...(isOther ? others : content), ...without({ metadata }) },
  }
}

/** For all: nobody can read it any more. Its place, and its number, stay. */
export function deleteMessage(core: Core, actor: Actor, address: MessageAddress): Promise<Message> {
  return changeMessage(
    core,
    actor,
    address,
    async (held) => {
      const { row, content, rights } = held
      if (content.deletedAt !== undefined) return undefined
      if (content.kind === 'system') throw forbidden('A message of the system stays')
      if (row.sender_id !== actor.id) {
        if (!may(rights, actor.id, 'deleteOthers')) throw forbidden('It is not your message')
      } else if (!may(rights, actor.id, 'deleteOthers'))
        checkTime(row.created_at, core.settings.messages.deleteMinutes, 'deleted')
      await keepEdit(held, actor)
      return erased(held, { deletedBy: actor.id })
    },
    (message, rev) => ({ name: 'message.deleted', data: { ...message, rev } }),
  )
}

/** What is left of a message: its place, when it went, and its thread. */
async function erased(held: Held, by: { deletedBy?: number }): Promise<Becomes> {
  const { tx, chatId, seq, content } = held
  await deleteReactions(tx, chatId, seq)
  await deleteVotes(tx, chatId, seq)
  await deletePin(tx, chatId, seq)
  await releaseFiles(tx, chatId, [seq])
  const { thread, threaded, expiresAt, mentions, mentionAll } = content
  const deletedAt = new Date().toISOString()
  // What it was before goes when it expires; who was mentioned counts until it is read [MSG-3].
  const kept = without({ thread, threaded, expiresAt, mentions, mentionAll })
  return { body: '', content: { deletedAt, ...by, ...kept } as Content }
}

/** For oneself alone. */
export async function deleteForMe(core: Core, actor: Actor, address: MessageAddress): Promise<My> {
  return setMark(core, actor, address, { deleted: true, starred: false })
}

/** What it was before each edit: for its sender, and for who may delete it. */
export async function listEdits(
  core: Core,
  actor: Actor,
  { chatId, seq }: MessageAddress,
  { limit = 50, cursor }: Paging,
) {
  const bounds = await findBounds(core, actor, chatId)
  const row = await findRow(core, bounds, seq)
  const rights = await core.writer.rights(bounds.chatId)
  const isModerator = actor.admin && core.settings.admin.readChats
  const { deletedAt, expiresAt } = row.content ?? {}
  if (isPast(expiresAt)) throw messageNotFound()
  const isOwn = row.sender_id === actor.id && deletedAt === undefined
  if (!isOwn && !isModerator && !(rights && may(rights, actor.id, 'deleteOthers')))
    throw forbidden('What a message was before is for its sender and for moderators')
  const [key = '0'] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  const after = Number(key)
  if (!/^\d{1,9}$/.test(key)) throw new ChatError('invalid_cursor', { field: '/cursor' })
  const rows = await selectEdits(core.db, { chatId: bounds.chatId, seq, after, limit: limit + 1 })
  return toPage<EditRow, Edit>(rows, {
    limit,
    item: ({ body, edited_by, edited_at }) => ({
      body,
      ...(edited_by === null ? {} : { editedBy: edited_by }),
      editedAt: edited_at.toISOString(),
    }),
    key: (edit) => [String(edit.change)],
  })
}
