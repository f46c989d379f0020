import { type CallError, ERRORS, type ErrorCode } from '@microchatter/protocol'

export interface ErrorInfo {
  /** What is wrong in this case, and how to mend it. */
  detail?: string
  /** The field at fault, as a JSON pointer. */
  field?: string
  retryAfterMs?: number
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
    return { code: this.code, detail: this.message, ...omit(this.info) }
  }
}

function omit({ field, retryAfterMs }: ErrorInfo): Partial<CallError> {
  return {
    ...(field === undefined ? {} : { field }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}
