/** Whatever went wrong, as RFC 9457 problem JSON with a code of the catalogue. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ERRORS, type ErrorCode, type Problem } from '@microchatter/protocol'
import type { ConnectionError, FastifyReply, FastifyRequest } from 'fastify'
import { asChatError, ChatError } from '../domain/errors.ts'
import { HEADERS, setHeaders } from './headers.ts'
import { isReceiving } from './receiving.ts'
import { withPlainField } from './validation.ts'

const PROBLEM = 'application/problem+json'

/** What fastify throws, by its code. */
const FRAMEWORK: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'A body may have 64 KB; send less at once'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['wrong_type', 'Send `Content-Type: application/json`'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid', 'Content-Length is not the length of the body'],
  FST_ERR_BAD_URL: ['invalid_url', 'The path has a % that begins no encoded UTF-8; write it %25'],
  FST_ERR_MAX_PARAM_LENGTH: ['invalid_url', 'A part of the path is too long'],
  FST_ERR_NOT_FOUND: ['not_found', 'There is no such address; /docs lists them'],
}

export function onError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = toChatError(error, request)
  if (!known) request.log.error({ err: describe(error), reqId: request.id }, 'a call failed')
  // Errors of the framework may come before the hooks have run.
  if (!reply.hasHeader('x-request-id')) setHeaders(request, reply)
  sendProblem(reply, known ?? new ChatError('internal', { detail: internal(request) }))
}

function internal({ id }: FastifyRequest): string {
  return `The cause is in the log of the server, under ${id}`
}

export const SEND_BYTES =
  'Send the bytes of a file with `Content-Type: application/offset+octet-stream`'

function toChatError(error: unknown, request: FastifyRequest): ChatError | undefined {
  const { method, routeOptions } = request
  const known = asChatError(error)
  if (known) return method === 'GET' || method === 'HEAD' ? withPlainField(known) : known
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const { takesBytes } = (routeOptions.config ?? {}) as { takesBytes?: boolean }
  if (takesBytes && code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ChatError('wrong_type', { detail: SEND_BYTES })
  const mapped = FRAMEWORK[String(code)]
  if (mapped) return new ChatError(mapped[0], { detail: mapped[1] })
  const isTheirs = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
  return isTheirs ? new ChatError('invalid', { detail: NOT_WHOLE }) : undefined
}

const NOT_WHOLE = 'The request did not arrive whole; send it again'

/** Without what drivers add to errors: it may hold values of the row. */
function describe(error: unknown) {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack } = error
  return { name, message, stack, code: (error as { code?: unknown }).code }
}

function sendProblem(reply: FastifyReply, error: ChatError): void {
  const { status } = ERRORS[error.code]
  const { retryAfterMs, limit } = error.info
  if (status === 401) reply.header('WWW-Authenticate', 'Bearer')
  if (retryAfterMs !== undefined) reply.header('Retry-After', seconds(retryAfterMs))
  if (limit !== undefined) {
    const { name, quota, windowSeconds } = limit
    reply.header('RateLimit-Policy', `"${name}";q=${quota};w=${windowSeconds}`)
    reply.header('RateLimit', `"${name}";r=0;t=${seconds(retryAfterMs ?? 0)}`)
  }
  reply.code(status).type(PROBLEM).send(toProblem(error))
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000)
}

function toProblem({ code, info: { detail, field, retryAfterMs } }: ChatError): Problem {
  return {
    type: 'about:blank',
    ...ERRORS[code],
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(field === undefined ? {} : { field }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** What node's parser refuses: there is no request yet, so the answer is written by hand. */
export function onClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isReceiving(socket)) return
  // Where an answer is on its way already, another one would end up in the middle of it.
  const { _httpMessage: current } = socket as { _httpMessage?: { _headerSent?: boolean } }
  if (error.code === 'ECONNRESET' || !socket.writable || current?._headerSent === true) {
    socket.destroy()
    return
  }
  const { status, ...problem } = toProblem(ofConnection(error.code))
  const body = JSON.stringify({ ...problem, status })
  const head = {
    ...HEADERS,
    'Content-Type': PROBLEM,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  }
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

function ofConnection(code: string): ChatError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ChatError('headers_too_large', { detail: 'The headers may have 16 KB' })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ChatError('request_timeout', { detail: 'Send the whole request within 15 s' })
    case 'HPE_INVALID_URL':
      return new ChatError('invalid_url', { detail: 'The address has characters that it may not' })
    default:
      return new ChatError('invalid', { detail: 'This is not valid HTTP' })
  }
}
