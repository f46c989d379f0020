/**
 * Images, in a process of their own that is started by the first one and ends when none has come for a
 * while: a server that gets no images does not pay for it. One at a time; a few wait.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ChatError } from './errors.ts'
import type { ImageAnswer, ImageDone, ImageRequest } from './image-worker.ts'

const WAITING = 32
/** Of one user, or of whatever else they are for. */
const WAITING_OF_ONE = 3
const TIMEOUT_MS = 20_000
const IDLE_MS = 30_000

export class Images {
  #child: ChildProcess | undefined
  #settle: ((answer: ImageAnswer | undefined) => void) | undefined
  #lastId = 0
  #waiting = 0
  readonly #waitingOf = new Map<number, number>()
  #isStopped = false
  #turn: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined

  /**
   * Written anew, with a small one and a tiny one. `read` is called when it is its turn.
   * @throws file_refused, busy; unavailable where it is not the image's fault
   */
  async remake(
    ownerId: number,
    read: () => Promise<Uint8Array>,
    { small = false } = {},
  ): Promise<ImageDone> {
    const leave = this.#enter(ownerId)
    const done = this.#turn.then(async () => this.#try({ bytes: await read(), small }))
    this.#turn = done.catch(() => undefined)
    const answer = await done.finally(leave)
    if ('refused' in answer)
      throw new ChatError('file_refused', { detail: `The image is not taken: ${answer.refused}` })
    return answer
  }

  /** What is at work ends as unavailable. */
  stop(): void {
    this.#isStopped = true
    this.#end()
  }

  #enter(ownerId: number): () => void {
    const own = this.#waitingOf.get(ownerId) ?? 0
    if (this.#waiting >= WAITING || own >= WAITING_OF_ONE)
      throw new ChatError('busy', {
        detail: 'Too many images are waiting; ask for this one again in a few seconds',
        retryAfterMs: 5_000,
      })
    this.#waiting += 1
    this.#waitingOf.set(ownerId, own + 1)
    return () => {
      this.#waiting -= 1
      const left = (this.#waitingOf.get(ownerId) ?? 1) - 1
      if (left > 0) this.#waitingOf.set(ownerId, left)
      else this.#waitingOf.delete(ownerId)
    }
  }

  /** A process that ends by itself may have been killed for another's sake: once more, in a new one. */
  async #try(request: Omit<ImageRequest, 'id'>): Promise<ImageAnswer> {
    const answer = (await this.#ask(request)) ?? (await this.#ask(request))
    if (answer) return answer
    throw new ChatError('unavailable', {
      detail: 'The image could not be looked at; ask for it again',
      retryAfterMs: 5_000,
    })
  }

  async #ask(about: Omit<ImageRequest, 'id'>): Promise<ImageAnswer | undefined> {
    if (this.#isStopped) return undefined
    clearTimeout(this.#idle)
    const request = { ...about, id: ++this.#lastId }
    const child = (this.#child ??= this.#start())
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, TIMEOUT_MS)
    const answer = await new Promise<ImageAnswer | undefined>((resolve) => {
      this.#settle = (given) => (given === undefined || given.id === request.id) && resolve(given)
      child.send(request, (error) => error && resolve(undefined))
    })
    clearTimeout(timer)
    this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref()
    return isLate ? { id: request.id, refused: 'it takes too long' } : answer
  }

  #end(): void {
    clearTimeout(this.#idle)
    this.#child?.kill('SIGKILL')
    this.#child = undefined
    this.#settle?.(undefined)
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
