/** Messages in flight: sent, acknowledged, arrived. One counts when it is both of the last. */

/** Samples that are kept; what comes after counts, but not for the percentiles. */
const SAMPLES = 4_000_000

export interface Percentiles {
  p50: number
  p90: number
  p99: number
  p999: number
  max: number
}
export interface Figures {
  messages: number
  perSecond: number
  ackMs: Percentiles
  /** At the last of its receivers. */
  arrivalMs: Percentiles
  /** In µs a message; undefined where the system does not tell. */
  cpuUs: Partial<Record<'server' | 'database' | 'generator', number>>
}

export interface MeterOptions {
  /** Messages in flight, at most. */
  slots: number
  /** How often each message arrives. */
  copies: number
  /** Puts the message with this number on its way. */
  send: (number: number) => void
}

/** A slot is a place in flight; the number of a message tells its slot and its turn there. */
export class Meter {
  completed = 0
  open = 0
  readonly #slots: number
  readonly #copies: number
  readonly #send: (number: number) => void
  readonly #numbers: Float64Array
  readonly #sentAt: Float64Array
  readonly #ackMs: Float64Array
  readonly #arrivalMs: Float64Array
  /** Arrivals and the acknowledgement that are still to come. */
  readonly #missing: Int32Array
  #samples: { ack: Float32Array; arrival: Float32Array; from: number; to: number } | undefined
  #counted = 0
  #isClosed = false

  constructor({ slots, copies, send }: MeterOptions) {
    this.#slots = slots
    this.#copies = copies
    this.#send = send
    this.#numbers = new Float64Array(slots).fill(-1)
    this.#sentAt = new Float64Array(slots)
    this.#ackMs = new Float64Array(slots)
    this.#arrivalMs = new Float64Array(slots)
    this.#missing = new Int32Array(slots)
  }

  /** A closed loop: all slots are filled, and each again as soon as its message is there. */
  fill(): void {
    this.#isClosed = true
    for (let slot = 0; slot < this.#slots; slot += 1) this.#begin(slot, performance.now())
  }

  /** An open loop: this message should leave at `intendedAt`; false: too many are in flight. */
  sendAt(number: number, intendedAt: number): boolean {
    if (this.#missing[number % this.#slots] !== 0) return false
    this.#begin(number, intendedAt)
    return true
  }

  /** From here on it counts: what ends in a closed loop, what should begin in an open one. */
  measure(): void {
    const arrays = { ack: new Float32Array(SAMPLES), arrival: new Float32Array(SAMPLES) }
    this.#samples = { ...arrays, from: performance.now(), to: Number.POSITIVE_INFINITY }
  }

  /** Counts no more; what is on its way still comes, and counts in an open loop. */
  finish(): void {
    if (!this.#samples) throw new Error('nothing was measured')
    this.#samples.to = performance.now()
  }

  figures(): Omit<Figures, 'cpuUs'> {
    if (!this.#samples) throw new Error('nothing was measured')
    const { ack, arrival, from, to } = this.#samples
    const kept = Math.min(this.#counted, SAMPLES)
    return {
      messages: this.#counted,
      perSecond: (this.#counted * 1_000) / (to - from),
      ackMs: percentilesOf(ack.subarray(0, kept)),
      arrivalMs: percentilesOf(arrival.subarray(0, kept)),
    }
  }

  acknowledged(number: number): void {
    this.#mark(number, this.#ackMs)
  }

  arrived(number: number): void {
    this.#mark(number, this.#arrivalMs)
  }

  #mark(number: number, times: Float64Array): void {
    const slot = number % this.#slots
    if (this.#numbers[slot] !== number || this.#missing[slot] === 0) return
    const now = performance.now()
    times[slot] = now - (this.#sentAt[slot] as number)
    const missing = (this.#missing[slot] as number) - 1
    this.#missing[slot] = missing
    if (missing === 0) this.#complete(slot, now)
  }

  #complete(slot: number, now: number): void {
    this.completed += 1
    this.open -= 1
    const samples = this.#samples
    const at = this.#isClosed ? now : (this.#sentAt[slot] as number)
    if (samples && at >= samples.from && at < samples.to) {
      if (this.#counted < SAMPLES) {
        samples.ack[this.#counted] = this.#ackMs[slot] as number
        samples.arrival[this.#counted] = this.#arrivalMs[slot] as number
      }
      this.#counted += 1
    }
    if (this.#isClosed && (!samples || now < samples.to))
      this.#begin((this.#numbers[slot] as number) + this.#slots, now)
  }

  #begin(number: number, at: number): void {
    const slot = number % this.#slots
    this.#numbers[slot] = number
    this.#missing[slot] = this.#copies + 1
    this.#sentAt[slot] = at
    this.open += 1
    this.#send(number)
  }
}

function percentilesOf(samples: Float32Array): Percentiles {
  const sorted = samples.sort()
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: sorted.at(-1) ?? 0 }
}
