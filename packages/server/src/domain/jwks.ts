/** The keys of a site that publishes them (JWKS): fetched, kept, and served on while it is away. */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
} from 'jose'
import { readCapped } from './capped.ts'
import { ChatError } from './errors.ts'

const JWKS = {
  freshMs: 600_000,
  /** Known keys serve so long after their last fetch while the address is away. */
  staleMs: 3_600_000,
  cooldownMs: 30_000,
  /** Between two tries while there are no keys at all: the site may just be starting. */
  firstTryMs: 1_000,
  timeoutMs: 3_000,
  bytes: 65_536,
}

/** @throws Error where the address is neither https nor http on loopback. */
export function jwksAddress(address: string): URL {
  const url = new URL(address)
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback))
    throw new Error('The address of the JWKS must be https; http is for loopback only')
  return url
}

/**
 * Keys by `kid`. A fetch is tried when the keys are 10 minutes old or a `kid` is unknown, at most
 * once per 30 s, whatever tokens arrive. While there are none, it throws `unavailable`.
 */
export function remoteKeys(url: URL): JWTVerifyGetKey {
  const kept = createKeptKeys(url)
  return async (header, token) => {
    if (typeof header.kid !== 'string')
      throw new ChatError('bad_credentials', {
        detail: 'The token\'s header needs a "kid" that names one of the site\'s keys',
      })
    if (!kept.fresh()) await kept.refresh()
    const find = kept.usable()
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    }
    await kept.refresh()
    return await kept.usable()(header, token)
  }
}

function createKeptKeys(url: URL) {
  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: JWKS.freshMs,
    cooldownDuration: JWKS.cooldownMs,
    timeoutDuration: JWKS.timeoutMs,
    [customFetch]: fetchCapped,
  })
  let keys: JWTVerifyGetKey | undefined
  let pending: Promise<void> | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  let fetchedAt = Number.NEGATIVE_INFINITY

  async function load(): Promise<void> {
    await remote.reload()
    keys = createLocalJWKSet(remote.jwks() ?? { keys: [] })
    fetchedAt = Date.now()
  }

  return {
    fresh: () => remote.fresh,

    /** Never fails: the keys at hand serve on, and without any `usable` says so. */
    async refresh(): Promise<void> {
      const pauseMs = keys === undefined ? JWKS.firstTryMs : JWKS.cooldownMs
      if (pending === undefined && Date.now() - triedAt >= pauseMs) {
        triedAt = Date.now()
        pending = load()
          .catch(() => {})
          .finally(() => (pending = undefined))
      }
      await pending
    },

    usable(): JWTVerifyGetKey {
      if (keys !== undefined && Date.now() - fetchedAt <= JWKS.staleMs) return keys
      const detail = 'The keys that tokens are verified with could not be fetched; try again soon'
      throw new ChatError('unavailable', { detail, retryAfterMs: JWKS.firstTryMs })
    },
  }
}

/** Redirects come back as their 3xx, which jose refuses. */
async function fetchCapped(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  const bytes = await readCapped(response.body, JWKS.bytes)
  return new Response(bytes, { status: response.status })
}
