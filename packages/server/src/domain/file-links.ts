/**
 * Links to files [FILE-4]: signed for one user and a few minutes, since a page cannot send a token with an
 * image. Whether that user may see it is looked up each time it is fetched, so a link gives nothing
 * after a deletion, a log-out of the account, or a departure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { FileLink, FileLinksBody } from '@microchatter/protocol'
import { NoSuchBlob, type Range } from '../blobs/blobs.ts'
import { type FileDetails, type FileKey, selectSeenFiles } from '../store/files.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { ChatError } from './errors.ts'
import { type Files, filesOf, guarded, imageKey, thumbnailKey } from './files.ts'

/**
 * The same file has the same address for a while, so that a browser need not fetch it anew: links end at
 * the end of a window of so many milliseconds, or of the next one.
 */
const WINDOW_MS = 150_000
const SIGNATURE = 43

export type { Range } from '../blobs/blobs.ts'

type Variant = 'file' | 'thumbnail'

interface Link extends FileKey {
  userId: number
  variant: Variant
  /** Milliseconds since 1970. */
  expires: number
}

/** Those of these files that the actor may see. */
export async function linkFiles(core: Core, actor: Actor, { files: asked }: FileLinksBody) {
  const files = filesOf(core)
  const keys = asked
    .filter(({ chatId }) => isUuid(chatId))
    .map((key) => ({ ...key, chatId: key.chatId.toLowerCase(), fileId: key.fileId.toLowerCase() }))
  const rows = await selectSeenFiles(core.db, actor.id, keys)
  const expires = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS + 2 * WINDOW_MS
  const items = rows.map((row): FileLink => {
    const key = { chatId: row.chat_id, seq: row.seq, fileId: row.id }
    const to = (variant: Variant) =>
      addressOf(core, files, { ...key, userId: actor.id, variant, expires }, row.name)
    return {
      ...key,
      url: to('file'),
      ...(row.details?.thumbnail ? { thumbnailUrl: to('thumbnail') } : {}),
      expiresAt: new Date(expires).toISOString(),
    }
  })
  return { items }
}

function addressOf(core: Core, { key }: Files, link: Link, name: string): string {
  const { chatId, seq, fileId, userId, variant, expires } = link
  const text = [chatId, seq, fileId, userId, variant, expires].join('.')
  const token = Buffer.from(text).toString('base64url')
  return `${core.settings.files.publicUrl}/files/${token}.${sign(key, token)}/${encodeURIComponent(name)}`
}

function sign(key: Buffer, token: string): string {
  return createHmac('sha256', key).update(token).digest('base64url')
}

/** @throws not_found, link_expired */
function readLink({ key }: Files, text: string): Link {
  const token = text.slice(0, -SIGNATURE - 1)
  const given = Buffer.from(text.slice(token.length))
  const due = Buffer.from(`.${sign(key, token)}`)
  if (given.length !== due.length || !timingSafeEqual(given, due)) throw linkNotFound()
  const [chatId = '', seq, fileId = '', userId, variant, expires] = Buffer.from(token, 'base64url')
    .toString()
    .split('.')
  if (Number(expires) <= Date.now())
    throw new ChatError('link_expired', { detail: 'Ask for a new one with POST /files/links' })
  return {
    chatId,
    seq: Number(seq),
    fileId,
    userId: Number(userId),
    variant: variant as Variant,
    expires: Number(expires),
  }
}

export interface OpenFile {
  /** Names these bytes for good. */
  tag: string
  name: string
  type: string
  kind: FileDetails['kind']
  /** undefined: not known before it is read. */
  size: number | undefined
  /** undefined: all of it. */
  read(range?: Range): Promise<Readable>
}

/** What a link leads to, if its user may still see it. @throws not_found, link_expired */
export async function openLink(core: Core, text: string): Promise<OpenFile> {
  const files = filesOf(core)
  const link = readLink(files, text)
  const [row] = await selectSeenFiles(core.db, link.userId, [link])
  if (!row?.details) throw linkNotFound()
  const isFile = link.variant === 'file'
  // Those of people were written anew, beside what was uploaded.
  const whole = row.details.thumbnail ? imageKey(row.id) : row.id
  const key = isFile ? whole : thumbnailKey(row.id)
  const { kind, type } = isFile ? row.details : ({ kind: 'image', type: 'image/webp' } as const)
  return {
    tag: `"${key}"`,
    name: isFile ? row.name : `${row.name}.webp`,
    type,
    kind,
    size: isFile ? row.size : undefined,
    read: (range) =>
      guarded(files.blobs.get(key, range)).catch((error: unknown) => {
        throw error instanceof NoSuchBlob ? linkNotFound() : error
      }),
  }
}

function linkNotFound(): ChatError {
  return new ChatError('not_found', { detail: 'There is no such file, or you cannot see it' })
}
