/**
 * What happened, by one clock: every call, each attempt at it and its answer. Written as it happens,
 * one JSON object a line, so that a run that is cut short leaves its history too.
 */
import { createWriteStream, type WriteStream } from 'node:fs'

export type Kind =
  | 'send'
  | 'schedule'
  | 'read'
  | 'setting'
  | 'change'
  | 'delivered'
  | 'delete'
  | 'block'
  | 'unblock'
  | 'look'
export type Via = 'socket' | 'rest'

/** One thing that a user wants done: the attempts at it are repeats of the same. */
export interface Call {
  id: number
  kind: Kind
  user: string
  /** The how-many-eth device of that user. */
  device: number
  /** '' until it is known: a first message makes the chat. */
  chatId: string
  /** Of a send. */
  clientId?: string
  body?: string
  /** The calls of one burst on one connection that did not wait for each other. */
  burst?: number
  /** What a change sets, and to what: of two of one key the later one counts. */
  key?: string
  value?: string
  /** The seq of the message that is changed. */
  at?: number
  /** When a scheduled message is due, in ms since 1970. */
  dueAt?: number
  /** A read that may go back. */
  back?: boolean
  /** A send that was answered before, sent again. */
  again?: boolean
  /** The database refuses this text, whoever sends it. */
  poison?: boolean
  /** Milliseconds of the suite's clock. */
  invokedAt: number
  /** When its answer came that counts. */
  answeredAt?: number
  outcome: 'ok' | 'refused' | 'open'
  /** Of a refusal. */
  code?: string
  /** The seq of an answered send or read, the last seq that a look found. */
  seq?: number
  /** The number of the change, of a change of a message that was answered. */
  change?: number
  attempts: Attempt[]
}

export interface Attempt {
  at: number
  ms: number
  via: Via
  /** 'ok', an error's code, or what ended it without an answer: 'cut', 'timeout'. */
  result: string
  /** Only the server and its database could be at fault for what came. */
  clean: boolean
}

export type NewCall = Pick<Call, 'kind' | 'user' | 'device' | 'chatId'> &
  Partial<
    Pick<
      Call,
      'clientId' | 'body' | 'key' | 'value' | 'at' | 'dueAt' | 'burst' | 'back' | 'again' | 'poison'
    >
  >

export class History {
  readonly calls: Call[] = []
  readonly #file: WriteStream | undefined

  /** `path` undefined: it is kept in memory alone. */
  constructor(path?: string) {
    this.#file = path === undefined ? undefined : createWriteStream(path)
  }

  now(): number {
    return Math.round(performance.now() * 1_000) / 1_000
  }

  invoke(call: NewCall): Call {
    const made: Call = {
      id: this.calls.length,
      ...call,
      invokedAt: this.now(),
      outcome: 'open',
      attempts: [],
    }
    this.calls.push(made)
    const { attempts: _, outcome: __, invokedAt: at, ...what } = made
    this.#write({ at, is: 'invoke', ...what })
    return made
  }

  /** An attempt has ended; without an answer that counts the call stays open. */
  tried(call: Call, attempt: Attempt): void {
    call.attempts.push(attempt)
    const is = attempt.result === 'ok' ? 'ok' : isUnknown(attempt.result) ? 'unknown' : 'fail'
    this.#write({ ...attempt, at: this.now(), is, call: call.id })
  }

  settle(call: Call, outcome: 'ok' | 'refused', more: Partial<Call> = {}): void {
    Object.assign(call, { ...more, outcome, answeredAt: this.now() })
    this.#write({ at: call.answeredAt, is: outcome, call: call.id, ...more })
  }

  /** What was done to the system. */
  mark(text: string): void {
    this.#write({ at: this.now(), text, is: 'mark' })
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => (this.#file ? this.#file.end(resolve) : resolve()))
  }

  #write(line: object): void {
    this.#file?.write(`${JSON.stringify(line)}\n`)
  }
}

/** It may have been done. */
export function isUnknown(result: string): boolean {
  return result === 'cut' || result === 'timeout' || result === 'outcome_unknown'
}
