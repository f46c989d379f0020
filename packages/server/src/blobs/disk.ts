/** A folder: `<the last two of the id>/<key>`. */
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Blobs,
  NoSuchBlob,
  type Range,
  StorageAway,
  StorageFull,
  type Upload,
} from './blobs.ts'

/** How much may have to be sent again after a crash. */
const SAVE_BYTES = 8_388_608
const UUID_CHARS = 36

/** @throws StorageAway where the folder cannot be made or written to */
export async function openDisk(dir: string): Promise<Blobs> {
  const pathOf = (key: string) => join(dir, key.slice(UUID_CHARS - 2, UUID_CHARS), key)
  await guarded(() => mkdir(dir, { recursive: true, mode: 0o700 }))
  return {
    append: (upload, bytes, save) => guarded(() => append(pathOf(upload.key), upload, bytes, save)),
    complete: async () => undefined,
    put: (key, bytes) => guarded(() => put(pathOf(key), bytes)),
    get: (key, range) => read(pathOf(key), range),
    remove: (key) => guarded(() => rm(pathOf(key), { force: true })),
    abandon: ({ key }) => guarded(() => rm(pathOf(key), { force: true })),
    list: () => list(dir),
  }
}

async function append(
  path: string,
  { progress }: Upload,
  bytes: AsyncIterable<Uint8Array>,
  save: (progress: { received: number }) => Promise<void>,
): Promise<void> {
  const file = await openFor(path)
  let received = progress.received
  let saved = received
  const keep = async () => {
    if (received === saved) return
    await file.sync()
    saved = received
    await save({ received })
  }
  try {
    for await (const chunk of bytes) {
      await writeAll(file, chunk, received)
      received += chunk.length
      if (received - saved >= SAVE_BYTES) await keep()
    }
  } finally {
    try {
      await keep()
    } finally {
      await file.close()
    }
  }
}

/** All of it or nothing: a reader sees what was there until all of the new one is. */
async function put(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}-new`
  const file = await openFor(fresh)
  try {
    await file.truncate()
    await writeAll(file, bytes, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
}

/** For reading and writing; made where it is not there. */
async function openFor(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return open(path, 'w+', 0o600)
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}

async function read(path: string, range: Range | undefined) {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? new NoSuchBlob() : new StorageAway(path, { cause: error })
  })
  return createReadStream('', { fd: file, ...range })
}

async function* list(dir: string) {
  for (const shard of await readdir(dir)) {
    for (const key of await readdir(join(dir, shard)).catch(() => [])) {
      const found = await stat(join(dir, shard, key)).catch(() => undefined)
      if (found?.isFile()) yield { key, at: found.mtime }
    }
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
/** Those of a folder; a connection that breaks off has others. */
const AWAY = new Set('EACCES EPERM EROFS EIO ENOENT ENOTDIR EMFILE ENFILE ESTALE'.split(' '))

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    if (FULL.has(code)) throw new StorageFull(code, { cause: error })
    throw AWAY.has(code) ? new StorageAway(code, { cause: error }) : error
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code)
}
