import type { FastifyCorsOptions } from '@fastify/cors'
import { createOriginRule } from '../domain/origins.ts'

/** Tokens go in a header, never in cookies, so no credentials are allowed. */
export function corsOptions(origins: readonly string[], production: boolean): FastifyCorsOptions {
  const isAllowed = createOriginRule(origins, production)
  return {
    origin: (origin, done) => done(null, origin !== undefined && isAllowed(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key'],
    exposedHeaders: ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'],
    maxAge: 600,
    strictPreflight: false,
  }
}
