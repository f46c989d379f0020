/**
 * A bucket of an S3-compatible store. An upload is a multipart upload: each 8 MB are a part. What is left
 * over at the end of a request is too small for one, so it lies beside as `<key>-tail` until more comes.
 */
import { Readable } from 'node:stream'
import { AwsClient } from 'aws4fetch'
import { Parser } from 'htmlparser2'
import {
  type Blobs,
  NoSuchBlob,
  type Progress,
  type Range,
  StorageAway,
  StorageFull,
  type Upload,
} from './blobs.ts'

export interface S3Settings {
  /** Of the bucket, without a slash at the end. */
  url: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

interface Parts {
  uploadId: string
  /** Of the parts 1, 2, 3 … */
  etags: string[]
  /** Bytes of the tail. */
  tail: number
}

/** The store takes no part under 5 MB but the last one. */
const PART_BYTES = 8_388_608
const TIMEOUT_MS = 60_000
const RETRIES = 2
const ERROR_BYTES = 2_000

export function openS3({ url, region, accessKeyId, secretAccessKey }: S3Settings): Blobs {
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: 's3',
    retries: RETRIES,
  })
  const bucket: Bucket = (path, init) => call(client, `${url}${path}`, init)
  const remove = async (key: string) => {
    await bucket(`/${key}`, { method: 'DELETE' })
  }
  return {
    append: (upload, bytes, save) => append(bucket, upload, bytes, save),
    complete: (upload) => complete(bucket, upload),
    async put(key, bytes, type) {
      const headers = { 'content-type': type }
      await bucket(`/${key}`, { method: 'PUT', body: Buffer.from(bytes), headers })
    },
    get: (key, range) => get(bucket, key, range),
    remove,
    async abandon({ key, progress }) {
      const { uploadId } = partsOf(progress)
      if (uploadId !== '')
        await bucket(`/${key}?uploadId=${encodeURIComponent(uploadId)}`, { method: 'DELETE' })
      await remove(tailOf(key))
    },
    list: () => list(bucket),
  }
}

type Bucket = (path: string, init: RequestInit) => Promise<Response>

/** @throws NoSuchBlob, StorageFull, StorageAway */
async function call(client: AwsClient, url: string, init: RequestInit): Promise<Response> {
  const late = new AbortController()
  // Until it answers: what is read of it may take as long as its reader does.
  const timer = setTimeout(() => late.abort(), TIMEOUT_MS)
  const response = await client
    .fetch(url, { ...init, signal: late.signal })
    .catch((error: unknown) => {
      throw new StorageAway('The object store does not answer', { cause: error })
    })
    .finally(() => clearTimeout(timer))
  if (response.ok || (init.method === 'DELETE' && NOTHING_TO_DELETE.has(response.status)))
    return response
  const text = (await response.text().catch(() => '')).slice(0, ERROR_BYTES)
  if (response.status === 404) throw new NoSuchBlob(text)
  if (response.status === 507 || /QuotaExceeded|StorageFull/.test(text)) throw new StorageFull(text)
  throw new StorageAway(`The object store answered ${response.status}: ${text}`)
}

function partsOf({ parts }: Progress): Parts {
  return (parts as Parts | undefined) ?? { uploadId: '', etags: [], tail: 0 }
}

/** It is not there, or, of an upload, the store forgets it by itself and knows no other way. */
const NOTHING_TO_DELETE = new Set([404, 405, 501])

const tailOf = (key: string) => `${key}-tail`

async function append(
  bucket: Bucket,
  { key, size, progress }: Upload,
  bytes: AsyncIterable<Uint8Array>,
  save: (progress: Progress) => Promise<void>,
): Promise<void> {
  const begun = partsOf(progress)
  const uploadId = begun.uploadId || (await create(bucket, key))
  const etags = [...begun.etags]
  let received = progress.received
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  if (begun.tail > 0) {
    // One that was written by a node that died before it could say so has more, behind the same bytes.
    waiting = [(await readAll(await get(bucket, tailOf(key)))).subarray(0, begun.tail)]
    waitingBytes = begun.tail
  }
  const putPart = async () => {
    const path = `/${key}?partNumber=${etags.length + 1}&uploadId=${encodeURIComponent(uploadId)}`
    const body = Buffer.concat(waiting)
    const { headers } = await bucket(path, { method: 'PUT', body })
    etags.push(headers.get('etag') ?? '')
    waiting = []
    waitingBytes = 0
    await save({ received, parts: { uploadId, etags, tail: 0 } })
  }
  const putRest = async () => {
    if (received === size && waitingBytes > 0) return putPart()
    if (received === progress.received) return undefined
    const tail = Buffer.concat(waiting)
    if (tail.length > 0) await bucket(`/${tailOf(key)}`, { method: 'PUT', body: tail })
    return save({ received, parts: { uploadId, etags, tail: tail.length } })
  }
  // Known before the first byte, so that it is ended also where no byte comes.
  if (begun.uploadId === '') await save({ received, parts: { uploadId, etags, tail: 0 } })
  try {
    for await (const chunk of bytes) {
      waiting.push(chunk)
      waitingBytes += chunk.length
      received += chunk.length
      if (waitingBytes >= PART_BYTES) await putPart()
    }
  } finally {
    await putRest()
  }
}

async function create(bucket: Bucket, key: string): Promise<string> {
  const response = await bucket(`/${key}?uploads=`, { method: 'POST' })
  const [uploadId] = texts(await response.text(), 'UploadId')
  if (uploadId === undefined) throw new StorageAway('The object store gave no upload id')
  return uploadId
}

async function complete(bucket: Bucket, { key, progress }: Upload): Promise<void> {
  const { uploadId, etags } = partsOf(progress)
  const parts = etags.map(
    (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
  )
  const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
  try {
    const path = `/${key}?uploadId=${encodeURIComponent(uploadId)}`
    const text = await (await bucket(path, { method: 'POST', body })).text()
    // The status is sent before the work is done.
    if (texts(text, 'Code').length > 0) throw new StorageAway(text.slice(0, ERROR_BYTES))
  } catch (error) {
    // Where it is there, it was completed before, and only the answer was lost.
    const isThere = await bucket(`/${key}`, { method: 'HEAD' }).then(
      () => true,
      () => false,
    )
    if (!isThere) throw error
  }
  await bucket(`/${tailOf(key)}`, { method: 'DELETE' })
}

async function get(bucket: Bucket, key: string, range?: Range): Promise<Readable> {
  const headers: Record<string, string> = range
    ? { range: `bytes=${range.start}-${range.end}` }
    : {}
  const { body } = await bucket(`/${key}`, { method: 'GET', headers })
  return Readable.fromWeb(body as import('node:stream/web').ReadableStream)
}

async function readAll(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray())
}

async function* list(bucket: Bucket) {
  for (let token: string | undefined = ''; token !== undefined; ) {
    const after = token === '' ? '' : `&continuation-token=${encodeURIComponent(token)}`
    const text = await (await bucket(`?list-type=2${after}`, { method: 'GET' })).text()
    const times = texts(text, 'LastModified')
    for (const [index, key] of texts(text, 'Key').entries())
      yield { key, at: new Date(times[index] ?? 0) }
    ;[token] = texts(text, 'NextContinuationToken')
  }
}

/** What stands in the elements of this name. */
function texts(xml: string, name: string): string[] {
  const found: string[] = []
  let isIn = false
  const parser = new Parser(
    {
      onopentag(tag) {
        if (tag !== name) return
        isIn = true
        found.push('')
      },
      ontext(text) {
        if (isIn) found[found.length - 1] += text
      },
      onclosetag(tag) {
        if (tag === name) isIn = false
      },
    },
    { xmlMode: true },
  )
  parser.end(xml)
  return found
}
