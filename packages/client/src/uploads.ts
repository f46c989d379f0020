/** Files to the server by tus 1.0, in parts that are sent again where a connection breaks off [FILE-2]. */
import type { File as Uploaded } from './protocol.ts'
import { type ChatError, offline } from './errors.ts'
import { read } from './rest.ts'
import type { Token } from './token.ts'

export interface UploadOptions {
  /** Of the file; that of a `File` otherwise. */
  name?: string
  /** Of all bytes, 0 to 1. */
  onProgress?: (part: number) => void
  signal?: AbortSignal
}

const PART_BYTES = 4_194_304
const TRIES = 8
const PAUSE_MS = 1_000
const TUS = { 'tus-resumable': '1.0.0' }

/** @returns what a message names it by @throws ChatError; what `signal` was aborted with */
export async function upload(
  { url, token }: { url: string; token: Token },
  bytes: Blob,
  { name = (bytes as { name?: string }).name ?? 'file', onProgress, signal }: UploadOptions = {},
): Promise<Uploaded> {
  const ask = async (path: string, method: string, headers: object = {}, body?: Blob) => {
    signal?.throwIfAborted()
    const authorization = await token.authorization()
    const sent = {
      method,
      headers: { ...TUS, authorization, ...headers },
      body: body ?? null,
      signal: signal ?? null,
    }
    const response = await fetch(url + path, sent).catch(() => undefined)
    signal?.throwIfAborted()
    if (!response) throw offline()
    if (response.status === 401) token.forget()
    if (!response.ok && method !== 'HEAD') await read(response)
    return response
  }
  const metadata = `filename ${base64(name)},filetype ${base64(bytes.type)}`
  const length = { 'upload-length': String(bytes.size), 'upload-metadata': metadata }
  let path = ''
  let offset = 0
  /** All of it may be there, and only the answer was lost. */
  let isSent = false
  for (let tries = 0; ; ) {
    try {
      if (path === '') path = (await ask('/uploads', 'POST', length)).headers.get('location') ?? ''
      if (isSent) return await read<Uploaded>(await ask(path, 'GET'))
      const part = bytes.slice(offset, offset + PART_BYTES)
      const head = {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(offset),
      }
      const response = await ask(path, 'PATCH', head, part)
      offset = Number(response.headers.get('upload-offset'))
      onProgress?.(offset / bytes.size)
      tries = 0
      if (response.status === 200) return await read<Uploaded>(response)
    } catch (error) {
      const { code, isTransient } = error as Partial<ChatError>
      const mayGoOn = isTransient || code === 'offset_conflict'
      if (!mayGoOn || ++tries >= TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries))
      if (path === '') continue
      const response = await ask(path, 'HEAD').catch(() => undefined)
      offset = Number(response?.headers.get('upload-offset') ?? offset)
      isSent = offset === bytes.size
    }
  }
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)))
}
