/**
 * Who is logged in, and their client. All elements of a page with the same server and the same token share one;
 * it ends a moment after the last of them has gone.
 */
import {
  type ChatError,
  Client,
  type Features,
  type GetToken,
  idbStorage,
  type Value,
} from '@microchatter/client'
import { tellDelivered } from './delivered.ts'

export interface Source {
  /** Of the chat server. */
  server: string
  tokenUrl: string
  getToken: GetToken | undefined
}

/**
 *   connecting ──token──▶ ready ──ended──▶ signed out
 *       └── no token ────────────────────────▲
 *       └── the site does not answer ──▶ failed
 */
export type State =
  | { name: 'connecting' }
  | { name: 'ready'; client: Client; features: Features }
  | { name: 'signed out' }
  | { name: 'failed' }

/** An element may move in the page, or be made anew by a framework. */
const LEAVE_MS = 1_000
const AGAIN_MS = 5_000
const NONE: Features = { previews: false, findUsers: false }
const sessions = new Map<string | GetToken, Session>()

export class Session implements Value<State> {
  readonly #source: Source
  readonly #key: string | GetToken
  readonly #listeners = new Set<() => void>()
  #state: State = { name: 'connecting' }
  #users = 0
  #endTelling: (() => void) | undefined

  constructor(source: Source, key: string | GetToken) {
    this.#source = source
    this.#key = key
    void this.start()
  }

  readonly getSnapshot = (): State => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @returns the way to give it up */
  use(): () => void {
    this.#users += 1
    return () => {
      this.#users -= 1
      setTimeout(() => this.#leave(), LEAVE_MS)
    }
  }

  /** Once more, after nobody was logged in or the site did not answer. */
  async start(): Promise<void> {
    if (this.#state.name === 'ready') return
    this.#set({ name: 'connecting' })
    try {
      // Whose it is has to be known first, so that nobody sees what another has kept in this browser.
      const first = await this.#getToken()
      const user = first && subjectOf(first)
      await forgetOthers(this.#source.server, user || undefined)
      if (first) this.#begin(first, user)
      else this.#set({ name: 'signed out' })
    } catch {
      this.#set({ name: 'failed' })
    }
  }

  /** Somebody else may be logged in at the site now, or nobody. */
  async refresh(): Promise<void> {
    if (this.#state.name === 'ready') {
      this.#endTelling?.()
      this.#state.client.stop()
      this.#set({ name: 'connecting' })
    }
    await this.start()
  }

  #begin(first: string, user: string | undefined): void {
    let next: string | undefined = first
    const client = new Client({
      url: this.#source.server,
      getToken: () => {
        const token = next
        next = undefined
        return token ?? this.#getToken()
      },
      ...(user === undefined ? {} : { storage: storageOf(this.#source.server, user) }),
      onEnd: (error) => this.#onEnd(client, error),
    })
    this.#set({ name: 'ready', client, features: NONE })
    void this.#ask(client)
    this.#endTelling = tellDelivered(client)
    void client.start()
  }

  /** What is offered stays as it is until the page is loaded anew. */
  async #ask(client: Client): Promise<void> {
    const features = await client.api.getFeatures().catch(() => undefined)
    if (this.#state.name !== 'ready' || this.#state.client !== client) return
    if (features) this.#set({ name: 'ready', client, features })
    else setTimeout(() => void this.#ask(client), AGAIN_MS)
  }

  #onEnd(client: Client, { code }: ChatError): void {
    this.#endTelling?.()
    if (code === 'signed_out') void client.logOut()
    else client.stop()
    this.#set({ name: 'signed out' })
  }

  #getToken(): Promise<string | undefined> | string | undefined {
    const { getToken, tokenUrl } = this.#source
    return getToken ? getToken() : fetchToken(tokenUrl)
  }

  #leave(): void {
    if (this.#users > 0 || sessions.get(this.#key) !== this) return
    sessions.delete(this.#key)
    this.#endTelling?.()
    if (this.#state.name === 'ready') this.#state.client.stop()
  }

  #set(state: State): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

export function sessionOf(source: Source): Session {
  const key = source.getToken ?? `${source.server} ${source.tokenUrl}`
  let session = sessions.get(key)
  if (!session) {
    session = new Session(source, key)
    sessions.set(key, session)
  }
  return session
}

function storageOf(server: string, user: string) {
  return idbStorage(`${server} ${user}`)
}

/** Nobody reads what another one, who has logged out at the site, has left in this browser. */
async function forgetOthers(server: string, user: string | undefined): Promise<void> {
  const key = `microchatter ${server}`
  try {
    const last = localStorage.getItem(key)
    if (last !== null && last !== user) await storageOf(server, last).clear()
    if (user === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, user)
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

/** `{ token }` by the site, for who is logged in there; without one, and by 401 or 403: nobody is. */
async function fetchToken(url: string): Promise<string | undefined> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    credentials: 'same-origin',
    cache: 'no-store',
  })
  if (response.status === 401 || response.status === 403) return undefined
  if (!response.ok) throw new Error(`${url} answered with the status ${response.status}`)
  const { token } = (await response.json()) as { token?: string | null }
  return token ?? undefined
}

/** Of a JWT, unproven: it only names a place in this browser. undefined: the token says nothing. */
function subjectOf(token: string): string | undefined {
  try {
    const payload = token.split('.')[1] ?? ''
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    )
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: string }
    return sub
  } catch {
    return undefined
  }
}
