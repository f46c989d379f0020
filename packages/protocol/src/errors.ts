/**
 * The catalogue of errors: one stable `code` each, the same over REST and over the socket.
 * `status` is the HTTP status; `title` says what is wrong in general (RFC 9457).
 */
export const ERRORS = {
  // 400: malformed, or against the schema
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_utf8: { status: 400, title: 'The body is not valid UTF-8' },
  invalid_url: { status: 400, title: 'The address is malformed' },
  invalid: { status: 400, title: 'The request is against the schema' },
  invalid_text: { status: 400, title: 'The text has characters that cannot be stored' },
  invalid_cursor: { status: 400, title: 'The cursor is not one that this list gave out' },
  token_in_url: { status: 400, title: 'Credentials do not belong into an address' },
  unknown_event: { status: 400, title: 'There is no such call' },
  // 401: no or bad credentials
  unauthenticated: { status: 401, title: 'Credentials are missing' },
  bad_credentials: { status: 401, title: 'The credentials are wrong' },
  token_expired: { status: 401, title: 'The token has expired' },
  // 403: known, but not allowed
  forbidden: { status: 403, title: 'Not allowed' },
  admin_only: { status: 403, title: 'Only admins of the site may do this' },
  blocked: { status: 403, title: 'One of the two has blocked the other' },
  deactivated: { status: 403, title: 'The account is deactivated' },
  link_expired: { status: 403, title: 'The link has expired' },
  insecure: { status: 403, title: 'Basic needs HTTPS' },
  // 404, 405: not there, or not yours
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  // 409: conflict
  username_taken: { status: 409, title: 'The username is taken' },
  last_owner: { status: 409, title: 'A group with members needs an owner' },
  group_full: { status: 409, title: 'The group has as many members as it may' },
  client_id_reused: { status: 409, title: 'The clientId was used for another message' },
  idempotency_key_reused: {
    status: 409,
    title: 'The Idempotency-Key was used for another request',
  },
  deleted: { status: 409, title: 'The message was deleted' },
  offset_conflict: { status: 409, title: 'The upload is at another offset' },
  in_progress: { status: 409, title: 'The same request is still being worked on' },
  // 413, 415, 416, 422, 429, 431
  too_large: { status: 413, title: 'The body is too large' },
  wrong_type: { status: 415, title: 'The content type must be application/json' },
  range_unsatisfiable: { status: 416, title: 'The file does not have these bytes' },
  file_refused: { status: 422, title: 'The file is not taken' },
  rate_limited: { status: 429, title: 'Too many requests' },
  slow_mode: { status: 429, title: 'The next message may come later' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  // 5xx: ours
  internal: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'A part of the service is away' },
  busy: { status: 503, title: 'The service has too much to do' },
  storage_full: { status: 507, title: 'There is no room for files' },
  outcome_unknown: { status: 503, title: 'It is not known whether this was done' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

/** Why the server closes a socket; sent as `session.closed { reason }` just before. */
export const CLOSE_REASONS = [
  'session_expired',
  'session_revoked',
  'account_deactivated',
  'account_removed',
  'too_slow',
  'flooding',
  'server_stopping',
] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]
