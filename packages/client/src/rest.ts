/** Calls by REST, with the token of the moment. */
import type { Problem } from './protocol.ts'
import { type Api, CALLS } from './api.ts'
import { ChatError } from './errors.ts'
import type { Token } from './token.ts'

export interface RestOptions {
  /** Of the server, without a slash at the end. */
  url: string
  token: Token
  fetch?: typeof globalThis.fetch
}

const TIMEOUT_MS = 20_000

export interface Sent {
  method: string
  path: string
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
}

export type Ask = <T>(sent: Sent) => Promise<T>

/** @throws ChatError */
export function createAsk({ url, token, fetch = globalThis.fetch }: RestOptions): Ask {
  async function once(sent: Sent, authorization: string): Promise<Response> {
    const { method, path, query = {}, body } = sent
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) search.set(name, value.toString())
    const tail = search.size > 0 ? `?${search.toString()}` : ''
    try {
      return await fetch(`${url}${path}${tail}`, {
        method,
        headers: {
          authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch {
      throw new ChatError('offline', { detail: 'The server cannot be reached' })
    }
  }
  return async <T>(sent: Sent): Promise<T> => {
    let response = await once(sent, await token.authorization())
    if (response.status === 401) {
      token.forget()
      response = await once(sent, await token.authorization())
    }
    return read<T>(response)
  }
}

export async function read<T>(response: Response): Promise<T> {
  const text = await response.text().catch(() => '')
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T
  throw toError(response.status, text)
}

function toError(status: number, text: string): ChatError {
  try {
    const problem = JSON.parse(text) as Problem
    return new ChatError(problem.code as ChatError['code'], problem)
  } catch {
    // Not ours: a proxy's, or no answer at all.
    return new ChatError(status >= 500 || status === 429 ? 'unavailable' : 'not_found', {
      detail: `The server answered with the status ${status}`,
    })
  }
}

/** Every call of the table, by its name. */
export function createApi(ask: Ask): Api {
  const calls = Object.entries(CALLS).map(([name, address]) => {
    const [method = '', path = '', body] = address.split(' ')
    const call = (input: Record<string, string | number | boolean | undefined> = {}) => {
      const rest = { ...input }
      const filled = path.replaceAll(/:(\w+)/g, (_, key: string) => {
        const value = String(rest[key])
        delete rest[key]
        return encodeURIComponent(value)
      })
      return ask({ method, path: filled, ...(body ? { body: rest } : { query: rest }) })
    }
    return [name, call]
  })
  return Object.fromEntries(calls) as unknown as Api
}
