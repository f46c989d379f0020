/**
 * bcrypt on one worker thread for the whole process, started by the first hash that needs it: it is
 * JavaScript, and would hold up every socket for as long as a comparison takes (0.3 s at cost 12).
 */
import { Worker } from 'node:worker_threads'
import type { BcryptAnswer, BcryptRequest } from './bcrypt-worker.ts'

interface Waiting {
  resolve: (match: boolean) => void
  reject: (error: Error) => void
}
interface Thread {
  worker: Worker
  /** Request id → who waits for its answer. */
  waiting: Map<number, Waiting>
}

let thread: Thread | undefined
let lastId = 0

/**
 * Whether `stored` ($2a$, $2b$ or $2y$) was made of this text. As everywhere with bcrypt, only the
 * first 72 bytes of its UTF-8 count. Comparisons run one after the other.
 * @throws Error where the thread fails, with the reason as its cause; the next call starts another.
 */
export function matchesBcrypt(text: string, stored: string): Promise<boolean> {
  thread ??= startThread()
  const { worker, waiting } = thread
  const id = ++lastId
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    worker.ref()
    worker.postMessage({ id, text, stored } satisfies BcryptRequest)
  })
}

function startThread(): Thread {
  // Node 20 loads no TypeScript in a worker: when run from source, the thread runs what was built.
  const fromSource = import.meta.url.endsWith('.ts')
  const file = fromSource ? '../../dist/bcrypt-worker.js' : './bcrypt-worker.js'
  // Without the flags of the process: loaders would slow its start, and --input-type prevents it.
  const worker = new Worker(new URL(file, import.meta.url), { execArgv: [] })
  const started: Thread = { worker, waiting: new Map() }
  worker.on('message', (answer: BcryptAnswer) => settle(started, answer))
  worker.on('error', (cause) => abandon(started, cause))
  worker.on('exit', () => abandon(started))
  return started
}

function settle({ worker, waiting }: Thread, { id, match }: BcryptAnswer): void {
  waiting.get(id)?.resolve(match)
  waiting.delete(id)
  // An idle thread does not keep the process alive; one that owes an answer does.
  if (waiting.size === 0) worker.unref()
}

function abandon(ended: Thread, cause?: unknown): void {
  if (thread === ended) thread = undefined
  const error = new Error('The thread that checks bcrypt has ended; try again', { cause })
  for (const { reject } of ended.waiting.values()) reject(error)
  ended.waiting.clear()
}
