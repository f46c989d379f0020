/**
 * The embedded database: one PGlite on a worker thread, reached by the same driver as a PostgreSQL,
 * over a stream that is a message port. It never calls fsync: acknowledged rows survive a crash of the
 * process, but a power cut may cost the newest.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import lockfile from 'proper-lockfile'
import type { EmbeddedAnswer, EmbeddedRequest } from './embedded-worker.ts'
import { hasEnded } from './ended.ts'

export interface Embedded {
  /** A fresh stream for the driver; only one is in use at a time. */
  stream(): Duplex
  close(): Promise<void>
}

class FolderInUse extends Error {}

/** @throws FolderInUse where another process has the folder open: two would lose each other's rows. */
export async function openEmbedded(dataDir: string): Promise<Embedded> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const release = await lockFolder(dataDir)
  try {
    const worker = await startWorker(join(dataDir, 'pglite'))
    return new EmbeddedEngine(worker, release)
  } catch (error) {
    await release()
    throw error
  }
}

interface Owner {
  pid: number
  host: string
}

/** The engine takes no lock of its own, so the folder has one: a heartbeat file, and who holds it. */
async function lockFolder(dataDir: string): Promise<() => Promise<void>> {
  const lockfilePath = join(dataDir, 'lock')
  const ownerFile = join(dataDir, 'lock.owner')
  const lock = () =>
    lockfile.lock(dataDir, {
      lockfilePath,
      stale: 10_000,
      onCompromised: (error) => {
        throw new FolderInUse(`The lock on ${dataDir} was lost: ${error.message}`)
      },
    })
  const release = await lock().catch(async () => {
    const owner = await readOwner(ownerFile)
    if (owner && isGone(owner)) await removeStale(lockfilePath)
    return lock().catch(() => {
      const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process'
      throw new FolderInUse(
        `The data folder ${dataDir} is in use by ${who}. Stop that one first, or choose another folder with MICROCHATTER_DATA_DIR.`,
      )
    })
  })
  await writeFile(ownerFile, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Owner))
  return release
}

async function readOwner(file: string): Promise<Owner | undefined> {
  return JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) ?? undefined
}

/** A process that was killed leaves its lock; on the same host its end can be seen at once. */
function isGone({ pid, host }: Owner): boolean {
  if (host !== hostname()) return false
  return pid === process.pid || hasEnded(pid)
}

/** Renaming is atomic: of two that find the same stale lock, one removes it. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.stale-${process.pid}`
  await rename(path, aside).catch(() => undefined)
  await rm(aside, { recursive: true, force: true })
}

async function startWorker(dataDir: string): Promise<Worker> {
  // Node 20 loads no TypeScript in a worker: when run from source, the thread runs what was built.
  const fromSource = import.meta.url.endsWith('.ts')
  const file = fromSource ? '../../dist/embedded-worker.js' : './embedded-worker.js'
  const worker = new Worker(new URL(file, import.meta.url), { workerData: { dataDir } })
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
  worker.removeAllListeners('error')
  return worker
}

class EmbeddedEngine implements Embedded {
  #worker: Worker
  #release: () => Promise<void>
  #streams = new Map<number, PortStream>()
  #last = 0
  #closed: Promise<void> | undefined

  constructor(worker: Worker, release: () => Promise<void>) {
    this.#worker = worker
    this.#release = release
    worker.on('message', (answer: EmbeddedAnswer | 'closed') => {
      if (answer === 'closed') return
      this.#streams.get(answer.connection)?.receive(answer)
    })
    const fail = (error: Error) => {
      for (const stream of this.#streams.values()) stream.destroy(error)
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('The embedded database has stopped')))
  }

  stream(): Duplex {
    const id = ++this.#last
    const stream = new PortStream(
      (request) => this.#worker.postMessage({ connection: id, ...request }),
      () => this.#streams.delete(id),
    )
    this.#streams.set(id, stream)
    return stream
  }

  close(): Promise<void> {
    this.#closed ??= this.#stop()
    return this.#closed
  }

  async #stop(): Promise<void> {
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.postMessage('close')
    await exited
    await this.#release()
  }
}

type Post = (request: Omit<EmbeddedRequest, 'connection'>) => void

/** What the driver takes for a TCP socket. */
class PortStream extends Duplex {
  #post: Post
  #onGone: () => void

  constructor(post: Post, onGone: () => void) {
    super()
    this.#post = post
    this.#onGone = onGone
  }

  connect(): this {
    this.#post({ kind: 'open' })
    process.nextTick(() => this.emit('connect'))
    return this
  }

  receive({ bytes, error }: EmbeddedAnswer): void {
    if (bytes) this.push(bytes)
    else this.destroy(new Error(error))
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#send(chunk)
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    done()
  }

  /** The driver has said goodbye; a server would close the connection now. */
  override _final(done: () => void): void {
    done()
    this.destroy()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#onGone()
    done(error)
  }

  #send(bytes: Uint8Array): void {
    // The driver's write buffers are its own, to be used again: the worker gets a copy.
    this.#post({ kind: 'bytes', bytes: Uint8Array.from(bytes) })
  }

  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}
