import { ChatError } from './errors.ts'

/**
 * A bounded set of token buckets, one per key. Taken on every send, so it is synchronous and keeps
 * two numbers a key; of more than `KEYS` keys the longest unused goes, which at worst forgives it.
 */
export class TokenBuckets {
  readonly #name: string
  readonly #burst: number
  readonly #perMs: number
  readonly #buckets = new Map<string | number, { tokens: number; at: number }>()

  /** `burst` at once, then `perSecond`. */
  constructor(name: string, burst: number, perSecond: number) {
    this.#name = name
    this.#burst = burst
    this.#perMs = perSecond / 1_000
  }

  /** @throws rate_limited, with the time until there is a token again */
  take(key: string | number): void {
    const bucket = this.#refill(key)
    if (!spend(bucket)) throw this.#refusal(bucket.tokens)
  }

  /** false: there is none. */
  tryTake(key: string | number): boolean {
    return spend(this.#refill(key))
  }

  /** As `take`, but takes nothing. */
  check(key: string | number): void {
    const { tokens } = this.#refill(key)
    if (tokens < 1) throw this.#refusal(tokens)
  }

  #refusal(tokens: number): ChatError {
    const retryAfterMs = Math.ceil((1 - tokens) / this.#perMs)
    return new ChatError('rate_limited', {
      detail: `Too many ${this.#name}; try again in ${Math.ceil(retryAfterMs / 1_000)} s`,
      retryAfterMs,
      limit: {
        name: this.#name.replaceAll(' ', '-'),
        quota: this.#burst,
        windowSeconds: Math.ceil(this.#burst / this.#perMs / 1_000),
      },
    })
  }

  #refill(key: string | number) {
    const now = performance.now()
    const known = this.#buckets.get(key)
    if (known) {
      this.#buckets.delete(key)
      known.tokens = Math.min(this.#burst, known.tokens + (now - known.at) * this.#perMs)
      known.at = now
    }
    const bucket = known ?? { tokens: this.#burst, at: now }
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > KEYS) this.#buckets.delete(this.#buckets.keys().next().value ?? '')
    return bucket
  }
}

const KEYS = 100_000

function spend(bucket: { tokens: number }): boolean {
  if (bucket.tokens < 1) return false
  bucket.tokens -= 1
  return true
}

export interface Rates {
  sendsBurst: number
  sendsPerMinute: number
  chatsBurst: number
  chatsPerHour: number
  loginFailuresPerAccount: number
  loginFailuresPerAddress: number
  loginWindowMinutes: number
  socketsPerUser: number
  socketsPerAddress: number
  connectsPerMinute: number
  uploadsBurst: number
  uploadsPerHour: number
  callsPerSecond: number
}

export interface Limits {
  sends: TokenBuckets
  newChats: TokenBuckets
  uploads: TokenBuckets
  /** Failed log-ins, by account, by account and address, by address. */
  loginsOfAccount: TokenBuckets
  loginsOfPair: TokenBuckets
  loginsOfAddress: TokenBuckets
  /** Socket handshakes, by address. */
  connects: TokenBuckets
  /** Calls of one user over sockets and REST. */
  calls: TokenBuckets
  socketsPerUser: number
  socketsPerAddress: number
}

const UNLIMITED = 1e12

/** `on: false` lifts all of them. */
export function createLimits(rates: Rates, on: boolean): Limits {
  const buckets = (name: string, burst: number, perSecond: number) =>
    on ? new TokenBuckets(name, burst, perSecond) : new TokenBuckets(name, UNLIMITED, UNLIMITED)
  const failures = (count: number) =>
    buckets('failed log-ins', count, count / (rates.loginWindowMinutes * 60))
  return {
    sends: buckets('messages', rates.sendsBurst, rates.sendsPerMinute / 60),
    newChats: buckets('new chats', rates.chatsBurst, rates.chatsPerHour / 3_600),
    uploads: buckets('uploads', rates.uploadsBurst, rates.uploadsPerHour / 3_600),
    loginsOfAccount: failures(rates.loginFailuresPerAccount),
    loginsOfPair: failures(rates.loginFailuresPerAccount),
    loginsOfAddress: failures(rates.loginFailuresPerAddress),
    connects: buckets('connections', rates.connectsPerMinute, rates.connectsPerMinute / 60),
    calls: buckets('calls', rates.callsPerSecond * 2, rates.callsPerSecond),
    socketsPerUser: on ? rates.socketsPerUser : UNLIMITED,
    socketsPerAddress: on ? rates.socketsPerAddress : UNLIMITED,
  }
}
