/**
 * The tabs of one user share one connection. Who holds the lock leads: it has the connection, and tells the others
 * what it hears and what is answered; they ask it what they would ask the server.
 *
 *   closed ──start──▶ following ──has the lock──▶ leading
 *                         ▲                          │
 *                         └── it was taken away ─────┘    its page froze, and did not answer
 *
 * Who follows syncs by itself over that connection. What is told before it asks for its sync is in there; what is told
 * until its sync has been merged is held here, as a server does for a new connection [SYNC-7].
 */
import type { CallAnswer, CallBody, CallError, CallName, EventName } from './protocol.ts'
import { eventsOf } from './answers.ts'
import { CALL_MS, Connection, type ConnectionOptions, type Status } from './connection.ts'
import { type ChatError, offline, toError } from './errors.ts'
import { WATCHED } from './limits.ts'

export interface TabsOptions extends ConnectionOptions {
  /** The same in all tabs of one user, and of no other. */
  name: string
  /** A tab has gone, or may have: what waited there is now to be sent by this one. */
  onOrphans(): void
  /** `isOut`: by a log-out in another tab. */
  onEnd(error: ChatError, isOut?: boolean): unknown
}

/** With the `id` of a call: it is what that call did. */
type Told = { is: 'event'; id?: string; name: EventName; data: unknown }
type Call = { id: string; name: CallName; body: object }
type Word =
  | Told
  | { is: 'status'; status: Status; username: string }
  | { is: 'answer'; id: string; answer?: object; error?: CallError }
  | { is: 'end'; error: CallError; isOut?: boolean }
  | { is: 'who' }
  | ({ is: 'call' } & Call)
/** `at` counts what a tab says, from a number of its own, so that a gap shows, and another leader. */
type Said = Word & { from: string; at: number }

/** Of the Web Locks API; the types of Node know none. */
interface Locks {
  request(name: string, options: object, work: () => unknown): Promise<unknown>
  query(): Promise<{ held?: { name?: string }[] }>
}
const { locks } = ((globalThis as { navigator?: unknown }).navigator ?? {}) as { locks: Locks }

/** Without these, each tab has its own connection. */
export const CAN_SHARE = !!locks && 'BroadcastChannel' in globalThis

interface Tab {
  usernames: string[]
  state: 'online' | 'away'
}

/** At each tick the leader is asked whether it is there; so many may pass without a word. */
const TICK_MS = 5_000
const SILENT_TICKS = 2
/** What waits for a sync; over it another one is cheaper. */
const HELD = 1_000

export class Tabs {
  readonly id = crypto.randomUUID()
  readonly #options: TabsOptions
  readonly #calls = new Map<
    string,
    { resolve(answer: never): void; reject(error: ChatError): void }
  >()
  #status: Status = 'closed'
  #channel: InstanceType<typeof BroadcastChannel> | undefined
  /** Its lock shows that this tab is there. */
  #life: Promise<void> | undefined
  #die = () => {}
  /** Aborted: it leads no more, nor waits for that. */
  #stay = new AbortController()
  #ticking: ReturnType<typeof setInterval> | undefined
  #at = Math.random()
  /** As long as it leads; with it, what it knows of the tabs. */
  #connection: Connection | undefined
  readonly #tabs = new Map<string, Tab>()
  /** While it follows: up to where it has heard. */
  #heardAt = 0
  #silentTicks = 0
  #isUp = false
  /** Whose connection it is. */
  #username = ''
  /** While it syncs. */
  #held: Told[] | undefined

  constructor(options: TabsOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#status !== 'closed') return
    this.#set('connecting')
    const channel = (this.#channel = new BroadcastChannel(this.#options.name))
    channel.onmessage = ({ data }: { data: unknown }) => this.#hear(data as Said)
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
    const stand = () => channel === this.#channel && this.#stand()
    this.#live().then(stand, stand)
  }

  stop(): void {
    clearInterval(this.#ticking)
    this.#stay.abort()
    this.#channel?.close()
    this.#channel = undefined
    this.#die()
    this.#life = undefined
    this.#resign('closed')
  }

  /** To be told before `stop`: the others end as well. */
  logOut(): void {
    this.#say({ is: 'end', error: { code: 'signed_out' }, isOut: true })
  }

  /** @throws ChatError */
  async call<N extends CallName>(name: N, body: CallBody<N>): Promise<CallAnswer<N>> {
    if (this.#connection) return this.#ask(this.id, { id: '', name, body })
    if (this.#status !== 'online' && !(this.#held && name === 'sync')) throw offline()
    return new Promise((resolve, reject) => {
      const id = crypto.randomUUID()
      this.#calls.set(id, { resolve, reject })
      this.#say({ is: 'call', id, name, body })
      setTimeout(() => this.#settle(id), CALL_MS)
    })
  }

  /** One tab after the other: whether what waits is of a tab that is still there. */
  async claim(work: (isThere: (tab: string) => boolean) => Promise<void>): Promise<void> {
    await this.#live()
    await locks.request(`outbox ${this.#options.name}`, {}, async () => {
      const { held = [] } = await locks.query()
      const there = held.map(({ name = '' }) => name.split(this.#lifeOf(''))[1])
      // None of them is lost sight of, whether it has said something or not.
      if (this.#connection) for (const tab of there) if (tab) this.#tab(tab)
      await work((tab) => there.includes(tab))
    })
  }

  #lifeOf(tab: string): string {
    return `\n${this.#options.name}\n${tab}`
  }

  #live(): Promise<void> {
    return (this.#life ??= new Promise((resolve, reject) => {
      const hold = () => {
        resolve()
        return new Promise<void>((die) => (this.#die = die))
      }
      locks.request(this.#lifeOf(this.id), {}, hold).catch(reject)
    }))
  }

  /** For the lock: when its turn comes, or at once, in place of a leader that says nothing. */
  #stand(steal = false): void {
    this.#stay.abort()
    const { signal } = (this.#stay = new AbortController())
    const lead = () => {
      if (signal.aborted) return
      this.#lead()
      return new Promise((resolve) => (signal.onabort = resolve))
    }
    locks.request(this.#options.name, steal ? { steal } : { signal }, lead).catch(() => {
      if (signal.aborted) return
      // Where a page may have no locks, it shares with none.
      if (!this.#connection) return this.#lead()
      this.#resign('connecting')
      this.#stand()
    })
    this.#silentTicks = 0
    this.#say({ is: 'who' })
  }

  #tick(): void {
    if (this.#connection) return
    this.#silentTicks += 1
    if (this.#silentTicks > SILENT_TICKS) this.#stand(true)
    else this.#say({ is: 'who' })
  }

  #lead(): void {
    this.#wait('connecting')
    this.#tabs.clear()
    this.#tab(this.id)
    const connection = new Connection({
      ...this.#options,
      onStatus: (status) => {
        if (this.#connection !== connection) return
        this.#set(status)
        this.#tellStatus()
      },
      onEvent: (name, data) => {
        this.#say({ is: 'event', name, data })
        this.#options.onEvent(name, data)
      },
      onConnect: async () => (this.#username = await this.#options.onConnect()),
      onEnd: (error) => {
        this.#say({ is: 'end', error: toInfo(error) })
        this.#end(error)
      },
    })
    this.#connection = connection
    this.#tellStatus()
    connection.start()
    this.#options.onOrphans()
  }

  /** It leads no more. */
  #resign(status: Status): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.stop()
    this.#wait(status)
  }

  #end(error: ChatError, isOut?: boolean): void {
    this.stop()
    this.#options.onEnd(error, isOut)
  }

  #hear(said: Said): void {
    const { from, is } = said
    if (is === 'end') this.#end(toError(said.error), said.isOut)
    else if (!this.#connection) this.#follow(said)
    else if (is === 'who' || is === 'call') {
      this.#tab(from)
      if (is === 'call') void this.#serve(from, said)
      else this.#tellStatus()
    }
  }

  /** Of whom it leads. */
  async #serve(from: string, call: Call): Promise<void> {
    const { id } = call
    try {
      this.#say({ is: 'answer', id, answer: await this.#ask(from, call) })
    } catch (error) {
      this.#say({ is: 'answer', id, error: toInfo(error as ChatError) })
    }
  }

  /** What it did, the tabs have to be told by this one [MERGE-9]; who has asked takes the answer. */
  async #ask<N extends CallName>(
    from: string,
    { id, name, body }: Call & { name: N; body: CallBody<N> },
  ): Promise<CallAnswer<N>> {
    const connection = this.#connection as Connection
    const answer = await connection.call(name, this.#joined(from, name, body))
    for (const [event, data] of eventsOf(name, body, answer, this.#username)) {
      this.#say({ is: 'event', id, name: event, data })
      if (id) this.#options.onEvent(event, data)
    }
    return answer
  }

  /** Presence is of all tabs together: whom any watches; away are they when all are. */
  #joined<N extends CallName>(from: string, name: N, body: CallBody<N>): CallBody<N> {
    if (!name.startsWith('presence.')) return body
    Object.assign(this.#tab(from), body)
    const tabs = [...this.#tabs.values()]
    const usernames = [...new Set(tabs.flatMap((tab) => tab.usernames))].slice(-WATCHED)
    const state = tabs.some((tab) => tab.state === 'online') ? 'online' : 'away'
    return ('state' in body ? { state } : { usernames }) as never
  }

  #tab(id: string): Tab {
    let tab = this.#tabs.get(id)
    if (!tab) {
      this.#tabs.set(id, (tab = { usernames: [], state: 'online' }))
      if (id !== this.id) void locks.request(this.#lifeOf(id), {}, () => this.#gone(id))
    }
    return tab
  }

  #gone(id: string): void {
    if (!this.#tabs.delete(id) || !this.#connection) return
    this.#options.onOrphans()
    const { state } = this.#tab(this.id)
    void this.call('presence.set', { state }).catch(() => undefined)
  }

  /** What the leader says, in its order. */
  #follow(said: Said): void {
    const { is, at } = said
    if (is === 'who' || is === 'call') return
    const isNext = at === this.#heardAt + 1
    this.#heardAt = at
    this.#silentTicks = 0
    if (is === 'event') this.#take(said)
    else if (is === 'answer') this.#settle(said.id, said)
    else if (is === 'status') {
      this.#username = said.username
      this.#isUp = said.status === 'online'
      if (!this.#isUp) this.#wait(said.status)
    }
    // Of another leader, or it has missed something: each has to know of the other.
    if (!isNext) this.#say({ is: 'who' })
    const isSynced = this.#held || this.#status === 'online'
    if (this.#isUp && !(isNext && isSynced)) void this.#sync()
  }

  #take(told: Told): void {
    if (told.id && this.#calls.has(told.id)) return
    if (this.#status === 'online') return this.#options.onEvent(told.name, told.data)
    this.#held?.push(told)
    if (this.#held && this.#held.length > HELD) void this.#sync()
  }

  async #sync(): Promise<void> {
    this.#wait('syncing')
    const held: Told[] = (this.#held = [])
    const error = await this.#options.onConnect(this.#username).then(
      () => undefined,
      (reason: ChatError) => reason,
    )
    if (held !== this.#held) return
    if (error?.code === 'signed_out') return this.#end(error)
    // The leader's next word begins it anew.
    if (error) return this.#wait('offline')
    this.#held = undefined
    for (const { name, data } of held) this.#options.onEvent(name, data)
    this.#set('online')
  }

  /** Until the leader is online, or a sync is through: what is on its way is not waited for. */
  #wait(status: Status): void {
    this.#held = undefined
    for (const id of this.#calls.keys()) this.#settle(id)
    this.#set(status)
  }

  #settle(id: string, { answer, error }: { answer?: object; error?: CallError } = {}): void {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (answer) call?.resolve(answer as never)
    else call?.reject(error ? toError(error) : offline())
  }

  #tellStatus(): void {
    this.#say({ is: 'status', status: this.#status, username: this.#username })
  }

  #say(word: Word): void {
    this.#channel?.postMessage({ ...word, from: this.id, at: (this.#at += 1) })
  }

  #set(status: Status): void {
    if (status === this.#status) return
    this.#status = status
    this.#options.onStatus(status)
  }
}

/** An error loses what it is on its way to another tab. */
function toInfo(error: ChatError): CallError {
  return { ...error, code: error.code as CallError['code'], detail: error.message }
}
