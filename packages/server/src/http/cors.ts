import type { FastifyCorsOptions } from '@fastify/cors'
import { createOriginRule } from '../domain/origins.ts'

/** Of tus 1.0, by which files are uploaded. */
const TUS_HEADERS = ['Tus-Resumable', 'Upload-Length', 'Upload-Metadata', 'Upload-Offset']

/** Tokens go in a header, never in cookies, so no credentials are allowed. */
export function corsOptions(origins: readonly string[], production: boolean): FastifyCorsOptions {
  const isAllowed = createOriginRule(origins, production)
  return {
    origin: (origin, done) => done(null, origin !== undefined && isAllowed(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', ...TUS_HEADERS],
    exposedHeaders: [
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'X-Request-Id',
      'Location',
      ...TUS_HEADERS,
    ],
    maxAge: 600,
    strictPreflight: false,
  }
}
