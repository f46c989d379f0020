/**
 * Tells a database that is away or frozen from a statement that is slow.
 *
 *   living ──nothing came for 500 ms though something waits, or a connection failed──▶ asked
 *     ▲                                                                                 │
 *     ├──────── it answers within 600 ms, or something comes on another connection ─────┤
 *     │                                                                                 ▼
 *     └──────────────────────────── the first answer ◀── asked again and again ─────── away
 *
 * Away: all connections are cut, so that whatever waits on them fails at once. Asking is by a
 * connection of its own, one question at a time. Nothing here is done per statement: what came is read
 * off the sockets. All is counted in ticks, not in time, because after this process itself has stood
 * still, an answer that has long arrived is read only after the timers.
 */
import { Socket } from 'node:net'

const TICK_MS = 100
const SILENT_TICKS = 5
const ANSWER_TICKS = 6
/** Between two questions while it is away. */
const PAUSE_TICKS = 2

export interface PulseOptions {
  /** Something waits for the database. */
  isBusy(): boolean
  /** Asks over this socket; rejects where the database cannot serve. */
  ask(socket: Socket): Promise<void>
  onAway(cause: unknown): void
  onBack(): void
}

interface Question {
  socket: Socket
  ticks: number
}

export class Pulse {
  readonly #options: PulseOptions
  /** The sockets of statements, and what each had read at the last look. */
  readonly #sockets = new Map<Socket, number>()
  readonly #timer: NodeJS.Timeout
  #question: Question | undefined
  #quiet = 0
  #away: { cause: unknown } | undefined

  constructor(options: PulseOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Why the database cannot be used now; undefined: it can. */
  get away(): { cause: unknown } | undefined {
    return this.#away
  }

  /** A socket for statements: it is cut when the database is away. */
  socket(): Socket {
    const socket = new Socket()
    this.#sockets.set(socket, 0)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  /** A connection could not be made: asks at once. */
  doubt(): void {
    if (!this.#question && !this.#away) this.#ask()
  }

  /** Cuts what is still open; nothing is asked any more. */
  stop(): void {
    clearInterval(this.#timer)
    this.#question?.socket.destroy()
    this.#question = undefined
    this.#away = { cause: new Error('The database was closed') }
    this.#cut()
  }

  #tick(): void {
    const heard = this.#hear()
    if (this.#question) this.#wait(this.#question, heard)
    else if (this.#away) this.#pause()
    else if (heard || !this.#options.isBusy()) this.#quiet = 0
    else if (++this.#quiet >= SILENT_TICKS) this.#ask()
  }

  #hear(): boolean {
    let heard = false
    for (const [socket, before] of this.#sockets) {
      const { bytesRead } = socket
      if (bytesRead <= before) continue
      heard = true
      this.#sockets.set(socket, bytesRead)
    }
    return heard
  }

  #wait(question: Question, heard: boolean): void {
    question.ticks += 1
    if (heard) this.#settle(question, true)
    else if (question.ticks >= ANSWER_TICKS)
      this.#settle(question, false, new Error('The database does not answer'))
  }

  #pause(): void {
    this.#quiet += 1
    if (this.#quiet >= PAUSE_TICKS) this.#ask()
  }

  #ask(): void {
    const question = { socket: new Socket(), ticks: 0 }
    this.#question = question
    this.#options.ask(question.socket).then(
      () => this.#settle(question, true),
      (error: unknown) => this.#settle(question, false, error),
    )
  }

  #settle(question: Question, answered: boolean, cause?: unknown): void {
    if (this.#question !== question) return
    this.#question = undefined
    this.#quiet = 0
    question.socket.destroy()
    if (answered === (this.#away === undefined)) return
    if (answered) {
      this.#away = undefined
      this.#options.onBack()
    } else {
      this.#away = { cause }
      this.#options.onAway(cause)
      this.#cut()
    }
  }

  #cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy()
  }
}
