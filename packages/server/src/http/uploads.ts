/**
 * Uploads by tus 1.0 (https://tus.io), which clients for all platforms speak. The protocol is the library's
 * (@tus/server); rights, storage and errors are the domain's.
 */
import { Readable } from 'node:stream'
import { closed, type File, Uuid } from '@microchatter/protocol'
import { DataStore, MemoryLocker, Server, Upload } from '@tus/server'
import type { Static } from 'typebox'
import type { Actor, Core } from '../domain/core.ts'
import { asChatError, ChatError } from '../domain/errors.ts'
import {
  filesOf,
  findUpload,
  finishUpload,
  offsetConflict,
  openUpload,
  receiveBytes,
  removeUpload,
  uploadNotFound,
} from '../domain/files.ts'
import { SEND_BYTES } from './errors.ts'
import { receiving } from './receiving.ts'
import { type Answer, type Call, NOTHING, ok, type RawCall } from './route.ts'

export const UploadParams = closed({ uploadId: Uuid })
export type UploadParams = Static<typeof UploadParams>

const PATH = '/uploads'
const JSON_TYPE = 'application/json; charset=utf-8'
/** A request that goes on with an upload waits so long for one that still holds it, then ends that one. */
const DRAIN_MS = 300
const locker = new MemoryLocker({ acquireLockTimeout: 10_000 })

type ByTus = RawCall & { actor: Actor }

/** POST, HEAD and PATCH, as tus has them. */
export async function onUpload({ core, actor, request, reply }: ByTus): Promise<Answer> {
  const { stopping } = filesOf(core)
  checkType(request)
  const { bytes, end } = receiving(request.raw, stopping.signal)
  const uploads = new Uploads(core, actor)
  try {
    const server = serverFor(uploads, (id) => finishUpload(core, actor, id))
    const response = await server.handleWeb(toWebRequest(request, bytes))
    const text = await response.text()
    if (response.status >= 400) throw refusal(response.status, text)
    return {
      status: response.status,
      ...(text ? { body: text, type: JSON_TYPE } : {}),
      headers: headersOf(response),
    }
  } catch (error) {
    // Nobody has been told of it: it cannot be gone on with.
    if (uploads.created !== undefined)
      await removeUpload(core, actor, uploads.created).catch(() => undefined)
    throw stopping.signal.aborted ? serverStops() : error
  } finally {
    end(reply)
  }
}

export async function onGetUpload({
  core,
  actor,
  params,
}: Call<{ params: UploadParams }>): Promise<Answer> {
  return ok(await finishUpload(core, actor, params.uploadId))
}

export async function onRemoveUpload({
  core,
  actor,
  params,
}: Call<{ params: UploadParams }>): Promise<Answer> {
  await removeUpload(core, actor, params.uploadId)
  return NOTHING
}

/** @throws wrong_type for bytes that would be thrown away */
function checkType({ body, headers }: RawCall['request']): void {
  const hasBytes = Number(headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in headers
  if (hasBytes && !(body instanceof Readable))
    throw new ChatError('wrong_type', { detail: SEND_BYTES })
}

function serverStops(): ChatError {
  return new ChatError('unavailable', {
    detail: 'The server stops; what has come is kept, go on with it in a moment',
    retryAfterMs: 2_000,
  })
}

function serverFor(datastore: Uploads, finish: (id: string) => Promise<File>): Server {
  return new Server({
    path: PATH,
    datastore,
    locker,
    lockDrainTimeout: DRAIN_MS,
    relativeLocation: true,
    onUploadFinish: async (request, { id }) => ({
      // tus says 204; its clients take any success, and this one says what the file is.
      status_code: request.method === 'POST' ? 201 : 200,
      body: JSON.stringify(await finish(id)),
    }),
    onResponseError: async (_, error) => {
      throw (await datastore.refusal()) ?? toChatError(error)
    },
  })
}

/** What tus asks of a store, from the domain. */
class Uploads extends DataStore {
  readonly #core: Core
  readonly #actor: Actor
  #writing: Promise<number> | undefined
  created: string | undefined

  constructor(core: Core, actor: Actor) {
    super()
    this.#core = core
    this.#actor = actor
    this.extensions = ['creation', 'creation-with-upload', 'termination']
  }

  override async create(upload: Upload): Promise<Upload> {
    const { size = 0, metadata } = upload
    const name = metadata?.filename ?? metadata?.name ?? undefined
    const claimed = metadata?.filetype ?? metadata?.type ?? undefined
    upload.id = await openUpload(this.#core, this.#actor, { size, name, claimed })
    this.created = upload.id
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    const { size, received: offset } = await findUpload(this.#core, this.#actor, id)
    return new Upload({ id, size, offset })
  }

  override write(bytes: Readable, id: string, offset: number): Promise<number> {
    const writing = receiveBytes(this.#core, this.#actor, { id, offset, bytes })
    this.#writing = writing
    return writing
  }

  /** Why the bytes were not taken, once what came is kept: the library says no more than that they ended. */
  async refusal(): Promise<ChatError | undefined> {
    return this.#writing?.then(() => undefined, asChatError)
  }
}

function toWebRequest(request: RawCall['request'], bytes: ReadableStream): Request {
  const { method, headers, body, url } = request
  return new Request(`http://localhost${url}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    ),
    ...(body === undefined ? {} : { body: bytes, duplex: 'half' }),
  } as RequestInit)
}

const OURS = /^(location|tus-|upload-)/

/** The rest is as on all answers. */
function headersOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => OURS.test(name)))
}

function toChatError(error: Error | { status_code: number; body: string }): Error {
  if (error instanceof Error && !('status_code' in error)) return error
  const { status_code: status, body } = error as { status_code: number; body: string }
  return refusal(status, body)
}

function refusal(status: number, text: string): ChatError {
  const detail = text.trim()
  switch (status) {
    case 404:
    case 410:
      return uploadNotFound()
    case 409:
      return offsetConflict()
    case 413:
      return new ChatError('too_large', { detail: 'There are more bytes than were announced' })
    case 412:
      return new ChatError('invalid', { detail: 'Uploads go by tus: send `Tus-Resumable: 1.0.0`' })
    default:
      return new ChatError('invalid', { detail: `tus: ${detail}` })
  }
}
