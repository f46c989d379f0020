import { createHash, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import * as argon2 from '@node-rs/argon2'
import { LIMITS } from '@microchatter/protocol'
import { matchesBcrypt } from './bcrypt.ts'
import { ChatError } from './errors.ts'

/*
 * What users.password may hold, besides null (no login by password):
 *   $argon2id$v=…               argon2id(password), the form that every right login ends in
 *   5f4dcc3b5aa765d61d8327de…   md5(password), put in by plain SQL, in any case
 *   argon2id+md5$argon2id$v=…   argon2id(lower-case md5 hex), a raw MD5 that was wrapped
 *   $2a$, $2b$, $2y$            bcrypt(password)
 *
 * How long a failure takes must not tell whether the user exists or which form is stored. So each
 * failure costs as many argon2 runs as the longest way through (`readings`): one for an ASCII
 * password. Excepted are bcrypt and foreign argon2 parameters, whose cost is their own.
 */

const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const WRAPPED = 'argon2id+md5'
const ARGON2ID = 2
/** Above these a stored hash is refused: one login would hold a core and memory for seconds. */
const MOST = { memoryKib: 1_048_576, memoryKibTimesPasses: 4 * 1_048_576, bcryptCost: 16 }

export interface Verdict {
  ok: boolean
  /** A new hash to store in place of the old one, by compare-and-swap. */
  upgraded?: string
}

export interface Passwords {
  /** Refuses with `invalid` an empty password and one over 1,024 bytes. */
  hash(password: string): Promise<string>
  verify(password: string, stored: string | null | undefined): Promise<Verdict>
  /** Turns a raw MD5 into its wrapped form. */
  wrapMd5(md5hex: string): Promise<string>
}

/** At most `concurrency` hashes at once and `queue` waiting; more are refused with `busy`. */
export function createPasswords(options: { concurrency?: number; queue?: number } = {}): Passwords {
  const { concurrency = Math.min(4, availableParallelism()), queue = 64 } = options
  const gate = createGate(concurrency, queue)
  let dummy: string | undefined

  async function answer(password: string, stored: string): Promise<Verdict> {
    dummy ??= await argon2.hash('', COST)
    const runs = { left: readings(password).md5.length }
    const match = await compare(password, stored, runs)
    if (match === undefined) {
      while (runs.left-- > 0) await argon2.verify(dummy, password)
      return { ok: false }
    }
    return match.current ? { ok: true } : { ok: true, upgraded: await hashNow(password) }
  }

  return {
    async hash(password) {
      if (password === '' || isTooLong(password)) {
        const detail = `The password must have 1 to ${LIMITS.password} bytes`
        throw new ChatError('invalid', { field: '/password', detail })
      }
      return await gate(() => hashNow(password))
    },

    async verify(password, stored) {
      if (isTooLong(password)) return { ok: false }
      return await gate(() => answer(password, stored ?? ''))
    },

    async wrapMd5(md5hex) {
      if (!isRawMd5(md5hex)) throw new ChatError('invalid', { detail: 'Not an MD5 of 32 digits' })
      return await gate(async () => WRAPPED + (await argon2.hash(md5hex.toLowerCase(), COST)))
    },
  }
}

export function isRawMd5(stored: string): boolean {
  return /^[0-9a-f]{32}$/i.test(stored)
}

/** Whether a password can be verified against this text. */
export function isKnownHash(stored: string): boolean {
  return isRawMd5(stored) || isBcrypt(stored) || argon2Options(unwrapped(stored)) !== undefined
}

interface Runs {
  /** How many argon2 runs a failure still has to pay for. */
  left: number
}

/** `current: false` where the stored form is old, or was made from another spelling. */
async function compare(
  password: string,
  stored: string,
  runs: Runs,
): Promise<{ current: boolean } | undefined> {
  const { text, md5: digests } = readings(password)
  // An empty password never logs in: md5('') is how old sites stored 'none'.
  if (password === '') return undefined
  if (isRawMd5(stored)) return matchMd5(digests, stored) ? { current: false } : undefined
  if (isBcrypt(stored)) return await matchBcrypt(text, stored, runs)
  const options = argon2Options(unwrapped(stored))
  if (options === undefined) return undefined
  const wrapped = stored.startsWith(WRAPPED)
  for (const [index, candidate] of (wrapped ? digests : text).entries()) {
    runs.left--
    if (await matchArgon2(unwrapped(stored), candidate))
      return { current: !wrapped && index === 0 && !isWeak(options) }
  }
  return undefined
}

function matchMd5(digests: string[], stored: string): boolean {
  const wanted = Buffer.from(stored.toLowerCase())
  return digests.some((digest) => timingSafeEqual(wanted, Buffer.from(digest)))
}

async function matchBcrypt(text: string[], stored: string, runs: Runs) {
  // bcrypt repeats the text with a NUL after it, so that '\0' would do for '', and 'a\0a' for 'a'.
  if (text.some((candidate) => candidate.includes('\0'))) return undefined
  runs.left = 0
  for (const candidate of text)
    if (await matchesBcrypt(candidate, stored)) return { current: false }
  return undefined
}

async function matchArgon2(phc: string, candidate: string): Promise<boolean> {
  // The parser accepts texts that the verifier then throws on, a salt that is too short for one.
  return await argon2.verify(phc, candidate).catch(() => false)
}

/**
 * The texts and digests that this password may have been stored as, likeliest first. Old sites
 * stored what the browser sent, in UTF-8 or Latin-1; new hashes are of the NFC spelling.
 */
function readings(password: string): { text: string[]; md5: string[] } {
  const nfc = password.normalize('NFC')
  const text = [...new Set([nfc, password])]
  const latin1 = /^[\0-\xff]*$/.test(nfc) ? [Buffer.from(nfc, 'latin1')] : []
  return { text, md5: [...new Set([...text, ...latin1].map(md5))] }
}

function md5(data: string | Buffer): string {
  return createHash('md5').update(data).digest('hex')
}

function hashNow(password: string): Promise<string> {
  return argon2.hash(password.normalize('NFC'), COST)
}

function isTooLong(password: string): boolean {
  return password.length > LIMITS.password || Buffer.byteLength(password) > LIMITS.password
}

function unwrapped(stored: string): string {
  return stored.startsWith(`${WRAPPED}$`) ? stored.slice(WRAPPED.length) : stored
}

function isBcrypt(stored: string): boolean {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(stored)?.[1]
  return cost !== undefined && Number(cost) >= 4 && Number(cost) <= MOST.bcryptCost
}

function argon2Options(phc: string): argon2.ParsedHashOptions | undefined {
  try {
    const options = argon2.parseOptions(phc)
    const { memoryCost, timeCost } = options
    const bounded =
      memoryCost <= MOST.memoryKib && memoryCost * timeCost <= MOST.memoryKibTimesPasses
    return bounded ? options : undefined
  } catch {
    return undefined
  }
}

/** Weaker than ours; m=47104, t=1 counts as equal. */
function isWeak({ algorithm, memoryCost, timeCost }: argon2.ParsedHashOptions): boolean {
  if (Number(algorithm) !== ARGON2ID || memoryCost < COST.memoryCost) return true
  return memoryCost * timeCost < COST.memoryCost * COST.timeCost
}

/** Runs at most `concurrency` jobs at once, in order, with at most `queue` more waiting. */
function createGate(concurrency: number, queue: number) {
  const waiting: (() => void)[] = []
  let running = 0

  return async function pass<T>(job: () => Promise<T>): Promise<T> {
    if (running < concurrency) running++
    else if (waiting.length >= queue) {
      const detail = 'Too many passwords are being checked at once; try again in a second'
      throw new ChatError('busy', { detail, retryAfterMs: 1_000 })
    } else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await job()
    } finally {
      // The place is handed to the next in line, so `running` stays as it is.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
