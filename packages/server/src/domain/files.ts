/**
 * Files [FILE-1]: uploaded in as many requests as it takes, looked at when they are whole, then put into
 * messages. What no message has goes after a day (leftovers.ts).
 */
import { randomUUID } from 'node:crypto'
import type { File, FileDraft } from '@microchatter/protocol'
import { uuidv7 } from 'uuidv7'
import {
  type Blobs,
  type Progress,
  type Range,
  StorageAway,
  StorageFull,
  type Upload,
} from '../blobs/blobs.ts'
import type { Content } from '../store/content.ts'
import {
  expireFiles,
  type FileDetails,
  type FileRow,
  holdFiles,
  insertFile,
  saveProgress,
  selectFile,
  settleFile,
  takeFile,
} from '../store/files.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import { HEAD_BYTES, isTaken, typeOf } from './file-types.ts'
import type { Images } from './images.ts'
import { without } from './message-view.ts'
import { lockUser } from '../store/users.ts'
import { forbidden } from './rights.ts'
import { cleanName } from './text.ts'

/** What a server that takes files has. */
export interface Files {
  blobs: Blobs
  images: Images
  /** Signs links to files; all nodes have the same. */
  key: Buffer
  /** Uploads that are being received on this node, by user. */
  receiving: Map<number, number>
  /** Uploads that are being looked at on this node. */
  looking: Map<string, Promise<File>>
  /** Aborted when the server stops: what is being received ends, and is kept. */
  stopping: AbortController
}

/** How long an upload is kept that no message has. */
const KEPT_HOURS = 24
const MEGABYTE = 1_000_000
/** Of one image: it is decoded in memory. */
const IMAGE_BYTES = 40 * MEGABYTE
const OF_USER = 6
const OF_NODE = 256

/** @throws forbidden where the site takes none */
export function filesOf({ files }: Core): Files {
  if (!files) throw forbidden('This site takes no files')
  return files
}

export interface NewUpload {
  size: number
  name: string | undefined
  /** The media type that its sender names. */
  claimed: string | undefined
}

/** @returns the id of an upload that has no bytes yet */
export async function openUpload(core: Core, actor: Actor, upload: NewUpload): Promise<string> {
  filesOf(core)
  const { maxMegabytes, megabytesPerUser } = core.settings.files
  core.limits.uploads.take(actor.id)
  const { size, name = '', claimed } = upload
  if (size < 1) throw new ChatError('file_refused', { detail: 'The file is empty' })
  if (size > maxMegabytes * MEGABYTE)
    throw new ChatError('too_large', { detail: `A file may have ${maxMegabytes} MB` })
  const id = uuidv7()
  const file = {
    id,
    ownerId: actor.id,
    name: fileName(name),
    size,
    claimed: /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(claimed ?? '')?.[0],
    hours: KEPT_HOURS,
  }
  const hasRoom = await core.db.transaction(async (tx) => {
    // Of several at once, each counts those before it.
    await lockUser(tx, actor.id)
    return insertFile(tx, file, megabytesPerUser * MEGABYTE)
  })
  if (!hasRoom)
    throw forbidden(
      `All your files may have ${megabytesPerUser} MB; delete messages with files, or wait: what was not sent goes after a day`,
    )
  return id
}

/** Without folders and without what disguises it. */
function fileName(name: string): string {
  const [last = ''] = name.split(/[\\/]/).slice(-1)
  const clean = cleanName(last) ?? ''
  return /[^.]/.test(clean) ? clean : 'file'
}

/** Of the actor. @throws not_found */
export async function findUpload(core: Core, actor: Actor, id: string): Promise<FileRow> {
  filesOf(core)
  const row = await selectFile(core.db, id, actor.id)
  if (!row) throw uploadNotFound()
  return row
}

/**
 * Adds bytes at `offset`. Where they break off, those that came are kept.
 * @returns how many bytes there are then
 * @throws offset_conflict where the upload is at another one, or another request goes on with it
 */
export async function receiveBytes(
  core: Core,
  actor: Actor,
  { id, offset, bytes }: { id: string; offset: number; bytes: AsyncIterable<Uint8Array> },
): Promise<number> {
  const files = filesOf(core)
  const release = countReceiving(files, actor)
  try {
    const writer = randomUUID()
    const row = await takeFile(core.db, id, { ownerId: actor.id, writer })
    if (!row) throw uploadNotFound()
    if (row.received !== offset) throw offsetConflict()
    let { received } = row
    const save = async (progress: Progress) => {
      if (!(await saveProgress(core.db, { parts: undefined, ...progress, id, writer })))
        throw offsetConflict()
      received = progress.received
    }
    await guarded(files.blobs.append(toUpload(row), bytes, save))
    return received
  } finally {
    release()
  }
}

function countReceiving({ receiving }: Files, { id }: Actor): () => void {
  const own = receiving.get(id) ?? 0
  const all = [...receiving.values()].reduce((sum, count) => sum + count, 0)
  if (own >= OF_USER || all >= OF_NODE)
    throw new ChatError('busy', {
      detail:
        own >= OF_USER ? `Send ${OF_USER} files at a time` : 'Too many files are on their way',
      retryAfterMs: 2_000,
    })
  receiving.set(id, own + 1)
  return () => {
    const left = (receiving.get(id) ?? 1) - 1
    if (left > 0) receiving.set(id, left)
    else receiving.delete(id)
  }
}

export function toUpload({ id, size, received, parts }: FileRow): Upload {
  return { key: id, size, progress: { received, ...(parts ? { parts } : {}) } }
}

/**
 * Looks at an upload that is whole, once; after a crash half-way, once more.
 * @throws file_refused, and then it is gone; in_progress where bytes are missing
 */
export async function finishUpload(core: Core, actor: Actor, id: string): Promise<File> {
  const files = filesOf(core)
  const row = await findUpload(core, actor, id)
  if (row.details) return toFile(row, row.details)
  if (row.received < row.size)
    throw new ChatError('in_progress', {
      detail: `The file has ${row.received} of ${row.size} bytes; send the rest`,
    })
  const known = files.looking.get(id)
  if (known) return known
  const looking = lookAt(core, files, row).finally(() => files.looking.delete(id))
  files.looking.set(id, looking)
  return looking
}

async function lookAt(core: Core, files: Files, row: FileRow): Promise<File> {
  const { id, owner_id: ownerId } = row
  try {
    const { size, details } = await guarded(judge(core, files, row))
    const isFirst = await settleFile(core.db, id, size, details)
    // Where another node was first, what it has said holds.
    const settled = await selectFile(core.db, id, ownerId)
    if (!settled?.details) throw uploadNotFound()
    // Nobody gets what was uploaded, with its metadata.
    if (isFirst && details.kind === 'image') await guarded(files.blobs.remove(id))
    return toFile(settled, settled.details)
  } catch (error) {
    const settled = await selectFile(core.db, id, ownerId)
    if (settled?.details) return toFile(settled, settled.details)
    if (error instanceof ChatError && error.code === 'file_refused')
      await expireFiles(core.db, { id })
    throw error
  }
}

interface Judged {
  size: number
  details: FileDetails
}

async function judge(core: Core, { blobs, images }: Files, row: FileRow): Promise<Judged> {
  const { id, size } = row
  await blobs.complete(toUpload(row))
  const head = await readBlob(blobs, id, { start: 0, end: Math.min(size, HEAD_BYTES) - 1 })
  const { kind, type } = await typeOf(head, row.claimed ?? undefined)
  const { types } = core.settings.files
  if (!isTaken(type, types))
    throw new ChatError('file_refused', {
      detail: `Files of the type ${type} are not taken here, only ${types.join(', ')}`,
    })
  if (kind !== 'image') return { size, details: { kind, type } }
  if (size > IMAGE_BYTES)
    throw new ChatError('file_refused', {
      detail: `An image may have ${IMAGE_BYTES / MEGABYTE} MB; make it smaller`,
    })
  const made = await images.remake(row.owner_id, () => readBlob(blobs, id))
  const image = made.image ?? new Uint8Array()
  await blobs.put(thumbnailKey(id), made.thumbnail, 'image/webp')
  await blobs.put(imageKey(id), image, made.type)
  const { width, height, placeholder } = made
  return {
    size: image.length,
    details: { kind, type: made.type, width, height, placeholder, thumbnail: true },
  }
}

/** Of an image as it is served, beside what was uploaded. */
export function imageKey(id: string): string {
  return `${id}-image`
}

export function thumbnailKey(id: string): string {
  return `${id}-thumbnail`
}

async function readBlob(blobs: Blobs, key: string, range?: Range): Promise<Buffer> {
  return Buffer.concat(await (await blobs.get(key, range)).toArray())
}

function toFile({ id, name, size }: FileRow, details: FileDetails): File {
  return { id, name, size, ...details }
}

/** One that no message has. */
export async function removeUpload(core: Core, actor: Actor, id: string): Promise<void> {
  await findUpload(core, actor, id)
  if (!(await expireFiles(core.db, { id }))) throw forbidden('A message has it; delete that one')
}

/** What a message has of its sender's uploads. @throws not_found, in_progress */
export async function holdUploads(
  core: Core,
  ownerId: number,
  drafts: readonly FileDraft[],
): Promise<File[]> {
  filesOf(core)
  const ids = drafts.map(({ id }) => id.toLowerCase())
  if (new Set(ids).size < ids.length)
    throw new ChatError('invalid', { field: '/files', detail: 'Name each file once' })
  const found = new Map((await holdFiles(core.db, ids, ownerId)).map((row) => [row.id, row]))
  return drafts.map(({ durationMs, waveform, voice }, index) => {
    const row = found.get(ids[index] ?? '')
    const field = `/files/${index}/id`
    if (!row) throw new ChatError('not_found', { field, detail: 'You have no such upload' })
    if (!row.details)
      throw new ChatError('in_progress', { field, detail: 'The upload is not whole yet' })
    return { ...toFile(row, row.details), ...without({ durationMs, waveform, voice }) }
  })
}

/** Of a message that is passed on: they stay for the new one, too. @throws not_found */
export async function holdFilesOf(core: Core, { files, preview }: Content): Promise<void> {
  const ids = [...(files ?? []), ...(preview?.image ? [preview.image] : [])].map(({ id }) => id)
  if (ids.length === 0) return
  const held = await holdFiles(core.db, ids)
  if (held.length < ids.length)
    throw new ChatError('not_found', { field: '/forward', detail: 'Its files are gone' })
}

/** What the store says of itself, for callers. */
export async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof StorageFull)
      throw new ChatError('storage_full', {
        detail: 'The server has no room for files; what has come is kept, try again later',
        retryAfterMs: 60_000,
      })
    if (error instanceof StorageAway)
      throw new ChatError('unavailable', {
        detail: 'Where files are kept does not answer; try again soon',
        retryAfterMs: 5_000,
      })
    throw error
  }
}

export function offsetConflict(): ChatError {
  return new ChatError('offset_conflict', {
    detail: 'Ask with HEAD how far the upload is, and go on from there',
  })
}

export function uploadNotFound(): ChatError {
  return new ChatError('not_found', { detail: 'You have no such upload' })
}
