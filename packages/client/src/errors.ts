import type { ErrorCode, Problem } from './protocol.ts'

/**
 * `offline`: there is no way to the server now. `signed_out`: the site gave no token. All others are the
 * server's, see docs/protocol.md.
 */
export type ClientErrorCode = ErrorCode | 'offline' | 'signed_out'

/** What a call is refused with. */
export class ChatError extends Error {
  readonly code: ClientErrorCode
  /** Of the field at fault: a JSON pointer in a body, a plain name elsewhere. */
  readonly field: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ClientErrorCode, { detail, field, retryAfterMs }: Partial<Problem> = {}) {
    super(detail ?? code)
    this.name = 'ChatError'
    this.code = code
    this.field = field
    this.retryAfterMs = retryAfterMs
  }

  /** The same again may do: nothing was done, or, with a clientId, nothing is done twice. */
  get isTransient(): boolean {
    return TRANSIENT.has(this.code)
  }
}

const TRANSIENT: ReadonlySet<string> = new Set([
  'offline',
  'busy',
  'unavailable',
  'outcome_unknown',
  'rate_limited',
  'request_timeout',
  'in_progress',
  'internal',
])
