/**
 * Images, in a process of their own that is started by the first one and ends when none has come for a
 * while: a server that gets no images does not pay for it. One at a time; a few wait.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ChatError } from './errors.ts'
import type { ImageAnswer, ImageDone, ImageRequest } from './image-worker.ts'

const WAITING = 32
const TIMEOUT_MS = 20_000
const IDLE_MS = 30_000

export class Images {
  #child: ChildProcess | undefined
  #settle: ((answer: ImageAnswer | undefined) => void) | undefined
  #lastId = 0
  #waiting = 0
  #turn: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined

  /** Written anew, with a small one and a tiny one. @throws file_refused, busy */
  async remake(bytes: Uint8Array, { small = false } = {}): Promise<ImageDone> {
    if (this.#waiting >= WAITING)
      throw new ChatError('busy', {
        detail: 'Too many images are waiting; try again in a few seconds',
        retryAfterMs: 5_000,
      })
    this.#waiting += 1
    const done = this.#turn.then(() => this.#ask({ id: ++this.#lastId, bytes, small }))
    this.#turn = done.catch(() => undefined).finally(() => (this.#waiting -= 1))
    const answer = await done
    if ('refused' in answer)
      throw new ChatError('file_refused', { detail: `The image is not taken: ${answer.refused}` })
    return answer
  }

  stop(): void {
    clearTimeout(this.#idle)
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  async #ask(request: ImageRequest): Promise<ImageAnswer> {
    clearTimeout(this.#idle)
    const child = (this.#child ??= this.#start())
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
    const answer = await new Promise<ImageAnswer | undefined>((resolve) => {
      this.#settle = resolve
      child.send(request, (error) => error && resolve(undefined))
    })
    clearTimeout(timer)
    this.#idle = setTimeout(() => this.stop(), IDLE_MS).unref()
    return answer ?? { id: request.id, refused: 'it cannot be decoded, or takes too long' }
  }

  #start(): ChildProcess {
    // As for the threads: when run from source, it is what was built.
    const file = import.meta.url.endsWith('.ts')
      ? '../../dist/image-worker.js'
      : './image-worker.js'
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      execArgv: [],
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const end = () => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#settle?.(undefined)
    }
    child.on('message', (answer: ImageAnswer) => this.#settle?.(answer))
    child.on('exit', end).on('error', end)
    return child
  }
}
