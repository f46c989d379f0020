/** Calls by REST, with the token of the moment. */
import { type Api, CALLS } from './api.ts'
import { offline, toError } from './errors.ts'
import type { Token } from './token.ts'

export interface RestOptions {
  /** Of the server, without a slash at the end. */
  url: string
  token: Token
}

const TIMEOUT_MS = 20_000

type Input = Record<string, string | number | boolean | undefined>

/** Every call of the table, by its name. @throws ChatError, each of them */
export function createApi({ url, token }: RestOptions): Api {
  async function once(path: string, init: RequestInit): Promise<Response> {
    const authorization = await token.authorization()
    const headers = { authorization, ...(init.body ? { 'content-type': 'application/json' } : {}) }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    return fetch(url + path, { ...init, headers, signal }).catch(() => Promise.reject(offline()))
  }
  const calls = Object.entries(CALLS).map(([name, address]) => {
    const [method = '', path = '', hasBody] = address.split(' ')
    const call = async (input: Input = {}) => {
      const rest = { ...input }
      const filled = path.replaceAll(/:(\w+)/g, (_, key: string) => {
        const value = String(rest[key])
        delete rest[key]
        return encodeURIComponent(value)
      })
      const fields = Object.entries(rest).filter(([, value]) => value !== undefined)
      const query = new URLSearchParams(fields as [string, string][]).toString()
      const sent: [path: string, init: RequestInit] = hasBody
        ? [filled, { method, body: JSON.stringify(rest) }]
        : [query ? `${filled}?${query}` : filled, { method }]
      let response = await once(...sent)
      if (response.status === 401) {
        token.forget()
        response = await once(...sent)
      }
      return read(response)
    }
    return [name, call]
  })
  return Object.fromEntries(calls) as unknown as Api
}

export async function read<T>(response: Response): Promise<T> {
  const { ok, status } = response
  const text = await response.text().catch(() => '')
  if (ok) return (text === '' ? undefined : JSON.parse(text)) as T
  // Not ours: a proxy's, or no answer at all.
  const code = status >= 500 || status === 429 ? 'unavailable' : 'not_found'
  const problem = { code, detail: `Status ${status}` }
  try {
    Object.assign(problem, JSON.parse(text))
  } catch {}
  throw toError(problem)
}
