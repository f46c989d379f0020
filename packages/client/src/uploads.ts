/** Files to the server by tus 1.0, in parts that are sent again where a connection breaks off [FILE-2]. */
import type { File as Uploaded } from './protocol.ts'
import { ChatError } from './errors.ts'
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
      ...(body ? { body } : {}),
      ...(signal ? { signal } : {}),
    }
    const response = await fetch(url + path, sent).catch(() => undefined)
    signal?.throwIfAborted()
    if (!response) throw new ChatError('offline', { detail: 'The server cannot be reached' })
    if (response.status === 401) token.forget()
    if (!response.ok && method !== 'HEAD') await read(response)
    return response
  }
  const metadata = `filename ${base64(name)},filetype ${base64(bytes.type)}`
  const length = { 'upload-length': String(bytes.size), 'upload-metadata': metadata }
  const begun = await again(() => ask('/uploads', 'POST', length))
  const path = begun.headers.get('location') ?? ''
  let offset = 0
  for (let tries = 0; ; ) {
    try {
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
      if (!mayGoOn(error) || ++tries >= TRIES) throw error
      await pause(PAUSE_MS * tries)
      offset = await offsetOf(() => ask(path, 'HEAD'), offset)
      // All of it is there, and only the answer was lost.
      if (offset === bytes.size) return read<Uploaded>(await again(() => ask(path, 'GET')))
    }
  }
}

function mayGoOn(error: unknown): boolean {
  return error instanceof ChatError && (error.isTransient || error.code === 'offset_conflict')
}

async function offsetOf(ask: () => Promise<Response>, last: number): Promise<number> {
  const response = await ask().catch(() => undefined)
  const offset = response?.headers.get('upload-offset')
  return offset ? Number(offset) : last
}

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!mayGoOn(error) || tries >= TRIES) throw error
      await pause(PAUSE_MS * tries)
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)))
}
