import { type FileLinksBody, closed } from '@microchatter/protocol'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { type Static, Type } from 'typebox'
import type { Range } from '../domain/file-links.ts'
import { ChatError } from '../domain/errors.ts'
import { linkFiles, openLink, type OpenFile } from '../domain/file-links.ts'
import { type Answer, type Call, ok, type RawCall } from './route.ts'

export const LinkParams = closed({
  link: Type.String({ maxLength: 512, description: 'Made by `POST /files/links`.' }),
  name: Type.String({ description: 'For who saves it; any.' }),
})
export type LinkParams = Static<typeof LinkParams>

/** Who has begun to fetch a file and takes nothing any more. */
const STALLED_MS = 60_000

export async function onLinkFiles({
  core,
  actor,
  body,
}: Call<{ body: FileLinksBody }>): Promise<Answer> {
  return ok(await linkFiles(core, actor, body))
}

/** All of a file, or a part of it; of HEAD, what there is to say of it. */
export async function onGetFile({
  core,
  params,
  request,
  reply,
}: RawCall<LinkParams>): Promise<Answer> {
  const file = await openLink(core, params.link)
  const { headers, method, raw } = request
  const about = { ...HEADERS, ETag: file.tag, 'Content-Disposition': dispositionOf(file) }
  if (headers['if-none-match'] === file.tag) return { status: 304, headers: about }
  const range = rangeOf(file, headers)
  const { type, size } = file
  const length = range ? range.end - range.start + 1 : size
  if (method !== 'HEAD') endStalled(raw.socket, reply.raw)
  return {
    status: range ? 206 : 200,
    type: isShown(file) ? type : 'application/octet-stream',
    headers: {
      ...about,
      ...(size === undefined ? {} : { 'Accept-Ranges': 'bytes' }),
      ...(range ? { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` } : {}),
      ...(length === undefined ? {} : { 'Content-Length': String(length) }),
    },
    body: method === 'HEAD' ? Readable.from([]) : await file.read(range),
  }
}

/** A connection may bring several files: each watches for its own time. */
function endStalled(socket: Socket, answer: ServerResponse): void {
  const end = () => void socket.destroy()
  socket.setTimeout(STALLED_MS).once('timeout', end)
  answer.once('close', () => socket.off('timeout', end))
}

function isShown({ kind }: OpenFile): boolean {
  return kind !== 'file'
}

/** Pages of the site show it; nothing in it may run or ask for anything. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
  // Asked for anew each time: whether it may still be seen is not the browser's to say.
  'Cache-Control': 'private, no-cache',
}

/** What is not shown is saved, whatever its name or its bytes say. */
function dispositionOf(file: OpenFile): string {
  const { name } = file
  const ascii = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  )
  const how = isShown(file) ? 'inline' : 'attachment'
  return `${how}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** One range; where several are asked for, all of it is the answer (RFC 9110). */
function rangeOf(
  { size, tag }: OpenFile,
  { range, 'if-range': ifRange }: RawCall['request']['headers'],
): Range | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '') ?? []
  if (size === undefined || from + to === '') return undefined
  if (ifRange !== undefined && ifRange !== tag) return undefined
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (start > end || (from === '' && Number(to) === 0))
    throw new ChatError('range_unsatisfiable', { detail: `The file has ${size} bytes` })
  return { start, end }
}
