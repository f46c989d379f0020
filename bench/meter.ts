/** Messages in flight: sent, acknowledged, arrived. One counts when it is both of the last. */

/** Samples that are kept; what comes after counts, but not for the percentiles. */
const SAMPLES = 4_000_000
const ACKNOWLEDGED = 1
const ARRIVED = 2

export interface Figures {
  messages: number
  perSecond: number
  ackMs: { p50: number; p99: number }
  arrivalMs: { p50: number; p99: number }
}

/** A slot is a place in the window; the number of a message tells its slot and its turn there. */
export class Meter {
  completed = 0
  readonly #window: number
  readonly #send: (number: number) => void
  readonly #numbers: Float64Array
  readonly #sentAt: Float64Array
  readonly #ackMs: Float64Array
  readonly #arrivalMs: Float64Array
  readonly #seen: Uint8Array
  #samples: { ack: Float32Array; arrival: Float32Array; from: number } | undefined
  #counted = 0
  #stopping = false
  #open = 0

  /** `send` puts the message with this number on its way. */
  constructor(window: number, send: (number: number) => void) {
    this.#window = window
    this.#send = send
    this.#numbers = new Float64Array(window).fill(-1)
    this.#sentAt = new Float64Array(window)
    this.#ackMs = new Float64Array(window)
    this.#arrivalMs = new Float64Array(window)
    this.#seen = new Uint8Array(window)
  }

  get open(): number {
    return this.#open
  }

  start(): void {
    for (let slot = 0; slot < this.#window; slot += 1) this.#next(slot)
  }

  /** From here on it counts. */
  measure(): void {
    const arrays = { ack: new Float32Array(SAMPLES), arrival: new Float32Array(SAMPLES) }
    this.#samples = { ...arrays, from: performance.now() }
  }

  /** Counts no more and sends no more; what is on its way still comes. */
  finish(): Figures {
    if (!this.#samples) throw new Error('nothing was measured')
    const { ack, arrival, from } = this.#samples
    const seconds = (performance.now() - from) / 1_000
    this.#samples = undefined
    this.#stopping = true
    const kept = Math.min(this.#counted, SAMPLES)
    return {
      messages: this.#counted,
      perSecond: this.#counted / seconds,
      ackMs: percentiles(ack.subarray(0, kept)),
      arrivalMs: percentiles(arrival.subarray(0, kept)),
    }
  }

  acknowledged(number: number): void {
    this.#mark(number, ACKNOWLEDGED, this.#ackMs)
  }

  arrived(number: number): void {
    this.#mark(number, ARRIVED, this.#arrivalMs)
  }

  #mark(number: number, what: number, times: Float64Array): void {
    const slot = number % this.#window
    if (this.#numbers[slot] !== number) return
    times[slot] = performance.now() - (this.#sentAt[slot] as number)
    const seen = (this.#seen[slot] as number) | what
    this.#seen[slot] = seen
    if (seen === (ACKNOWLEDGED | ARRIVED)) this.#complete(slot)
  }

  #complete(slot: number): void {
    this.completed += 1
    this.#open -= 1
    if (this.#samples) {
      if (this.#counted < SAMPLES) {
        this.#samples.ack[this.#counted] = this.#ackMs[slot] as number
        this.#samples.arrival[this.#counted] = this.#arrivalMs[slot] as number
      }
      this.#counted += 1
    }
    if (!this.#stopping) this.#next(slot)
  }

  #next(slot: number): void {
    const before = this.#numbers[slot] as number
    const number = before < 0 ? slot : before + this.#window
    this.#numbers[slot] = number
    this.#seen[slot] = 0
    this.#open += 1
    this.#sentAt[slot] = performance.now()
    this.#send(number)
  }
}

function percentiles(samples: Float32Array): { p50: number; p99: number } {
  const sorted = samples.sort()
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return { p50: at(0.5) ?? 0, p99: at(0.99) ?? 0 }
}
