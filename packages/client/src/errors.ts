import type { ErrorCode, Problem } from './protocol.ts'

/**
 * `offline`: there is no way to the server now. `signed_out`: the site gave no token. All others are the
 * server's, see docs/protocol.md.
 */
export type ClientErrorCode = ErrorCode | 'offline' | 'signed_out'

/** What a call is refused with. */
export class ChatError extends Error {
  declare readonly code: ClientErrorCode
  /** Of the field at fault: a JSON pointer in a body, a plain name elsewhere. */
  declare readonly field: string | undefined
  declare readonly retryAfterMs: number | undefined

  constructor(code: ClientErrorCode, { detail, field, retryAfterMs }: Partial<Problem> = {}) {
    super(detail ?? code)
    Object.assign(this, { name: 'ChatError', code, field, retryAfterMs })
  }

  /** The same again may do: nothing was done, or, with a clientId, nothing is done twice. */
  get isTransient(): boolean {
    return TRANSIENT.test(this.code)
  }
}

/** As the server tells it, or another tab. */
export function toError(error: Partial<Omit<Problem, 'code'>> & { code?: string } = {}): ChatError {
  return new ChatError((error.code ?? 'internal') as ClientErrorCode, error as Partial<Problem>)
}

/** There is no way to the server, or its answer did not come. */
export function offline(): ChatError {
  return new ChatError('offline', { detail: 'The server cannot be reached' })
}

const TRANSIENT =
  /^(offline|busy|unavailable|outcome_unknown|rate_limited|request_timeout|in_progress|internal)$/
