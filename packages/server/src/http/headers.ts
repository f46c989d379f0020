import type { FastifyReply, FastifyRequest } from 'fastify'

/** On every answer, also on those that are refused before there is a request. */
export const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  Vary: 'Origin, Authorization',
}
/** For pages of ours: their own style sheet, and nothing else. */
export const PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"

export function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(HEADERS)
  reply.header('X-Request-Id', request.id)
  if (request.protocol === 'https') reply.header('Strict-Transport-Security', 'max-age=31536000')
}
