import type { FastifyCorsOptions } from '@fastify/cors'

/**
 * Pages of these origins alone may read answers. Tokens go in a header, never in cookies, so no
 * credentials are allowed. Development without a list: pages on this machine.
 */
export function corsOptions(origins: readonly string[], production: boolean): FastifyCorsOptions {
  const listed = new Set(origins)
  const isAllowed = (origin: string) =>
    listed.has(origin) || (!production && listed.size === 0 && isLocal(origin))
  return {
    origin: (origin, done) => done(null, origin !== undefined && isAllowed(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key'],
    exposedHeaders: ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'],
    maxAge: 600,
    strictPreflight: false,
  }
}

function isLocal(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  return /^https?:$/.test(protocol) && ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
