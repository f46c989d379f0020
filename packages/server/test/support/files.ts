/** Files of people: how they send them, and what they get. */
import assert from 'node:assert/strict'
import type { File, FileLink, Message } from '@microchatter/protocol'
import sharp from 'sharp'
import type { Person } from './server.ts'

export interface Given {
  name?: string
  /** What the sender says it is. */
  type?: string
}

export const TUS = { 'tus-resumable': '1.0.0' }
const BYTES = { ...TUS, 'content-type': 'application/offset+octet-stream' }

/** By one request of tus: the answer as it is. */
export async function tryUpload(
  person: Person,
  bytes: Uint8Array,
  { name = 'a file.bin', type = '' }: Given = {},
  headers: Record<string, string> = {},
) {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const metadata = [`filename ${base64(name)}`, ...(type ? [`filetype ${base64(type)}`] : [])]
  return ask(person, 'POST', '/uploads', {
    headers: {
      ...BYTES,
      'upload-length': String(bytes.length),
      'upload-metadata': metadata.join(','),
      ...headers,
    },
    body: bytes,
  })
}

export async function upload(person: Person, bytes: Uint8Array, given?: Given): Promise<File> {
  const { status, body } = await tryUpload(person, bytes, given)
  assert.equal(status, 201, JSON.stringify(body))
  return body as File
}

/** An upload that is announced, and has no bytes yet. */
export async function announce(person: Person, size: number, headers: Record<string, string> = {}) {
  const answer = await ask(person, 'POST', '/uploads', {
    headers: { ...TUS, 'upload-length': String(size), ...headers },
  })
  return { ...answer, path: answer.headers.get('location') ?? '' }
}

export function patch(person: Person, path: string, offset: number, bytes: Uint8Array) {
  return ask(person, 'PATCH', path, {
    headers: { ...BYTES, 'upload-offset': String(offset) },
    body: bytes,
  })
}

export async function offsetOf(person: Person, path: string): Promise<number> {
  const { headers } = await ask(person, 'HEAD', path, { headers: TUS })
  return Number(headers.get('upload-offset'))
}

export async function ask(
  person: Person,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: Uint8Array } = {},
) {
  const response = await fetch(person.server.url + path, {
    method,
    headers: { authorization: person.authorization, ...headers },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as any,
  }
}

export async function sendFiles(
  person: Person,
  chatId: string,
  files: readonly File[],
  more: object = {},
): Promise<Message> {
  const ids = files.map(({ id }) => ({ id }))
  return person.ask<Message>('POST', `/chats/${chatId}/messages`, { files: ids, ...more })
}

/** undefined: the person gets none. */
export async function linkOf(person: Person, { chatId, seq }: Message, file?: File) {
  const fileId = file?.id ?? ''
  const body = { files: [{ chatId, seq, fileId }] }
  const { items } = await person.ask<{ items: FileLink[] }>('POST', '/files/links', body)
  return items[0]
}

/** By its address alone, as a browser gets it. */
export async function download(
  person: Person,
  url = '',
  headers: Record<string, string> = {},
  method = 'GET',
) {
  const response = await fetch(new URL(url, person.server.url), { method, headers })
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  }
}

/** With a place in its metadata, as phones write it. */
export function photo({ width = 600, height = 400, orientation = 1 } = {}): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#3a7' } })
    .withExif({
      IFD0: { Copyright: 'CANARY-COPYRIGHT' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' },
    })
    .withMetadata({ orientation })
    .jpeg()
    .toBuffer()
}
