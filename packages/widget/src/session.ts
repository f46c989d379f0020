/**
 * Who is logged in, and their client. All elements of a page with the same server and the same token share one;
 * it ends a moment after the last of them has gone.
 */
import {
  type ChatError,
  Client,
  type ClientStorage,
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
const STORAGE_MS = 1_500
const NONE: Features = { previews: false, findUsers: false }
const sessions = new Map<string | GetToken, Session>()
/** Tokens that are on their way. */
const asking = new Set<Promise<unknown>>()

export class Session implements Value<State> {
  readonly #source: Source
  readonly #key: string | GetToken
  readonly #listeners = new Set<() => void>()
  #state: State = { name: 'connecting' }
  #users = 0
  #endTelling: (() => void) | undefined
  /** Whose it is. */
  user: string | undefined
  /** What was begun in an earlier one is nobody's any more. */
  #turn = 0

  constructor(source: Source, key: string | GetToken) {
    this.#source = source
    this.#key = key
    void this.#start()
  }

  readonly getSnapshot = (): State => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @returns the way to give it up */
  use(): () => void {
    // It was without an element for a moment: a page may have changed more than that.
    if (this.#users === 0) void this.compare()
    this.#users += 1
    let isUsed = true
    return () => {
      if (!isUsed) return
      isUsed = false
      this.#users -= 1
      setTimeout(() => this.#leave(), LEAVE_MS)
    }
  }

  /** Once more, after nobody was logged in or the site did not answer. */
  async start(): Promise<void> {
    const { name } = this.#state
    if (name === 'signed out' || name === 'failed') await this.#start()
  }

  /** Somebody else may be logged in at the site now, or nobody. */
  async refresh(): Promise<void> {
    this.#stop()
    await this.#start()
  }

  /** Whether the same one is still logged in at the site; where not, it begins anew. */
  async compare(): Promise<void> {
    if (this.#state.name !== 'ready') return
    const turn = this.#turn
    try {
      const token = await this.#getToken()
      const user = token ? subjectOf(token) : undefined
      if (turn === this.#turn && (user !== this.user || !token)) await this.refresh()
    } catch {
      // The site does not answer: it stays as it is.
    }
  }

  async #start(): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    this.#set({ name: 'connecting' })
    try {
      // Whose it is has to be known first, so that nobody sees what another has kept in this browser.
      const first = await this.#askFirst()
      if (turn !== this.#turn) return
      const user = first ? subjectOf(first) : undefined
      this.user = user
      await forgetOthers(this.#source.server, user)
      const storage = user === undefined ? undefined : await storageOf(this.#source.server, user)
      if (turn !== this.#turn) return
      if (first) this.#begin(first, storage)
      else this.#set({ name: 'signed out' })
    } catch {
      if (turn === this.#turn) this.#set({ name: 'failed' })
    }
  }

  /** So that others of this page know that there will be one more. */
  async #askFirst(): Promise<string | undefined> {
    const asked = Promise.resolve(this.#getToken())
    asking.add(asked)
    try {
      return await asked
    } finally {
      asking.delete(asked)
    }
  }

  #stop(): void {
    this.#turn += 1
    this.#endTelling?.()
    if (this.#state.name === 'ready') this.#state.client.stop()
  }

  #begin(first: string, storage: ClientStorage | undefined): void {
    let next: string | undefined = first
    const client = new Client({
      url: this.#source.server,
      getToken: async () => {
        const token = next ?? (await this.#getToken())
        next = undefined
        // Of another user: for this client nobody is logged in any more.
        return token && subjectOf(token) === this.user ? token : undefined
      },
      ...(storage ? { storage } : {}),
      onEnd: (error) => void this.#onEnd(client, error),
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

  async #onEnd(client: Client, { code }: ChatError): Promise<void> {
    if (this.#state.name !== 'ready' || this.#state.client !== client) return
    this.#endTelling?.()
    this.#set({ name: 'signed out' })
    if (code !== 'signed_out') return client.stop()
    await client.logOut()
    // Perhaps another one is logged in.
    await this.start()
  }

  #getToken(): Promise<string | undefined> | string | undefined {
    const { getToken, tokenUrl } = this.#source
    return getToken ? getToken() : fetchToken(tokenUrl)
  }

  #leave(): void {
    if (this.#users > 0 || sessions.get(this.#key) !== this) return
    sessions.delete(this.#key)
    this.#stop()
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

/** undefined: the browser keeps nothing, or does not answer. */
async function storageOf(server: string, user: string): Promise<ClientStorage | undefined> {
  const storage = idbStorage(`${server} ${user}`)
  const answers = storage.pending().then(
    () => true,
    () => false,
  )
  const isThere = await Promise.race([answers, new Promise((no) => setTimeout(no, STORAGE_MS))])
  return isThere ? storage : undefined
}

/** Nobody reads what others, who have logged out at the site, have left in this browser. */
async function forgetOthers(server: string, user: string | undefined): Promise<void> {
  const key = `microchatter ${server}`
  // A page may have several people at once.
  await Promise.race([
    Promise.allSettled(asking),
    new Promise((done) => setTimeout(done, STORAGE_MS)),
  ])
  try {
    const known = JSON.parse(localStorage.getItem(key) ?? '[]') as string[]
    const here = new Set([user, ...[...sessions.values()].map((session) => session.user)])
    const gone = known.filter((name) => !here.has(name))
    const kept = new Set([...known.filter((name) => here.has(name)), ...(user ? [user] : [])])
    for (const name of gone) await erase(`${server} ${name}`, server)
    if (kept.size === 0) localStorage.removeItem(key)
    else localStorage.setItem(key, JSON.stringify([...kept]))
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

/** By a client that ends itself: tabs of this user end, too, and write nothing after it. */
async function erase(name: string, server: string): Promise<void> {
  const client = new Client({ url: server, getToken: () => undefined, storage: idbStorage(name) })
  await client.start()
  await client.logOut()
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
