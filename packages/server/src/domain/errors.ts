import { type CallError, ERRORS, type ErrorCode } from '@microchatter/protocol'
import { DatabaseAway, isRace } from '../store/db.ts'

export interface ErrorInfo {
  /** What is wrong in this case, and how to mend it. */
  detail?: string
  /** The field at fault, as a JSON pointer. */
  field?: string
  retryAfterMs?: number
  /** The limit that was met, for the RateLimit fields. */
  limit?: { name: string; quota: number; windowSeconds: number }
}

/** A refusal with a stable code. It knows no transport: http/errors.ts and socket/errors.ts map it. */
export class ChatError extends Error {
  readonly code: ErrorCode
  readonly info: ErrorInfo

  constructor(code: ErrorCode, info: ErrorInfo = {}) {
    super(info.detail ?? ERRORS[code].title)
    this.name = 'ChatError'
    this.code = code
    this.info = info
  }

  toCallError(): CallError {
    const { field, retryAfterMs } = this.info
    return {
      code: this.code,
      detail: this.message,
      ...(field === undefined ? {} : { field }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }
  }
}

/**
 * What is told to others after a commit. Where the database goes away meanwhile, the deed is done all
 * the same: its caller hears so, and the others find it by their next sync.
 */
export async function afterCommit(telling: Promise<void>): Promise<void> {
  try {
    await telling
  } catch (error) {
    if (!(error instanceof DatabaseAway)) throw error
  }
}

/**
 * What is told to the caller. A database that is away is `unavailable`: nothing was done. Where it
 * may have been, `outcome_unknown`: the same call again, with the same clientId or Idempotency-Key, is safe.
 * Changes that stay in each other's way, also when tried again, are `busy`: nothing was done.
 * undefined for a defect of ours, which is to be logged.
 */
export function asChatError(error: unknown): ChatError | undefined {
  if (error instanceof ChatError) return error
  if (isRace(error))
    return new ChatError('busy', {
      detail: 'Others are changing the same; try again in a second',
      retryAfterMs: 1_000,
    })
  if (!(error instanceof DatabaseAway)) return undefined
  return error.sent
    ? new ChatError('outcome_unknown', {
        detail: 'The database was cut off before it said whether this was done; try the same again',
        retryAfterMs: 1_000,
      })
    : new ChatError('unavailable', {
        detail: 'The database is away; try again soon',
        retryAfterMs: 1_000,
      })
}
