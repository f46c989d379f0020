/**
 * The embedded engine, on a thread of its own so that no query holds up the sockets.
 * It speaks PostgreSQL's wire protocol over a message port: bytes in, bytes out, in order.
 */
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

export interface EmbeddedRequest {
  /** Which connection of the pool speaks; an answer to one that is gone is dropped by the other side. */
  connection: number
  kind: 'open' | 'bytes'
  bytes?: Uint8Array
}
export interface EmbeddedAnswer {
  connection: number
  bytes?: Uint8Array
  error?: string
}

const port = parentPort
if (!port) throw new Error('embedded-worker runs as a worker thread only')

const { dataDir } = workerData as { dataDir: string }
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB']

if (!existsSync(dataDir)) await unpack(`${dataDir}.new`)
const engine = await PGlite.create({ dataDir, startParams })

/** A folder that has its name is whole: one that was cut short in the making is made anew. */
async function unpack(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  const empty = await readFile(new URL('./empty-database.tar.gz', import.meta.url))
  const fresh = await PGlite.create({
    dataDir: folder,
    startParams,
    loadDataDir: new Blob([new Uint8Array(empty)]),
  })
  await fresh.close()
  await rename(folder, dataDir)
}

let tail: Promise<void> = Promise.resolve()

async function answer({ connection, kind, bytes }: EmbeddedRequest): Promise<void> {
  try {
    // One engine is one session: what a lost connection left open would be seen by the next.
    if (kind === 'open') {
      await engine.exec('ROLLBACK')
      await engine.exec('DISCARD ALL')
    } else if (bytes) await execute(connection, bytes)
  } catch (error) {
    port?.postMessage({ connection, error: String(error) } satisfies EmbeddedAnswer)
  }
}

async function execute(connection: number, bytes: Uint8Array): Promise<void> {
  // The engine's memory is reused by the next call, so the answer is copied before it is handed over.
  const result = Uint8Array.from(await engine.execProtocolRaw(bytes))
  port?.postMessage({ connection, bytes: result } satisfies EmbeddedAnswer, [result.buffer])
}

port.on('message', (request: EmbeddedRequest | 'close') => {
  tail = tail.then(async () => {
    if (request !== 'close') return answer(request)
    await engine.close()
    port.postMessage('closed')
    port.close()
  })
})
port.postMessage('ready')
