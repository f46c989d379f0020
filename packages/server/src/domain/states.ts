/**
 * Who is there, on this node and on the others [PRES-1]. A user's state is the best of those that the
 * nodes have of it; each node says only what changes on it, and what a lost word has left wrong shows
 * at the next beat, by its sum:
 *
 *   states   these users' states have changed here, or, in a new round, all of them again
 *   beat     every 10 s, with the sum of all states; who was not named in a new round is gone
 *   ask      say all again: at the start, after a gap, and where a sum is another one
 *   bye      the node stops; its users have a moment to come back elsewhere
 */
import { randomUUID } from 'node:crypto'
import type { PresenceState } from '@microchatter/protocol'
import type { Bus, PresenceEvent } from '../bus/bus.ts'
import type { LastSeen } from './last-seen.ts'

export interface StatesOptions {
  bus: Bus
  lastSeen: LastSeen
  /** What the sockets of a user on this node say together. */
  stateHere(userId: number): PresenceState
  /** A user's state is another one now. */
  onChange(userId: number, state: PresenceState): void
}

interface Other {
  /** Up to which round who was not named is gone. */
  sweptRound: number
  /** ms of performance.now(), as all of the node's times here. */
  heardAt: number
  /** It said good-bye. */
  endsAt: number
  users: Map<number, { state: PresenceState; round: number }>
}

/** A reconnect is no absence [PRES-2]. */
const GRACE_MS = 5_000
const TICK_MS = 500
const BEAT_MS = 10_000
const SILENT_MS = 30_000
const CHUNK = 1_000

export class States {
  readonly #options: StatesOptions
  readonly #node = randomUUID()
  /** As the others were told. */
  readonly #here = new Map<number, PresenceState>()
  /** Whose last socket here went a moment ago. */
  readonly #leaving = new Map<number, { at: Date; goneAt: number }>()
  readonly #others = new Map<string, Other>()
  #round = 0
  #isAsked = false
  #beatAt = performance.now()
  readonly #unsubscribe: () => void
  readonly #timer: NodeJS.Timeout

  constructor(options: StatesOptions) {
    this.#options = options
    this.#unsubscribe = options.bus.subscribe('presence', (event) => {
      if (event.node !== this.#node) this.#hear(event)
    })
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  of(userId: number): PresenceState {
    let best: PresenceState = this.#here.get(userId) ?? 'offline'
    for (const { users } of this.#others.values())
      best = better(best, users.get(userId)?.state ?? 'offline')
    return best
  }

  /** A socket of this user came here, went, or said something else. */
  changed(userId: number): void {
    const state = this.#options.stateHere(userId)
    if (state !== 'offline') {
      this.#leaving.delete(userId)
      this.#set(userId, state)
    } else if (this.#here.has(userId))
      this.#leaving.set(userId, { at: new Date(), goneAt: performance.now() + GRACE_MS })
  }

  /** What other nodes have may be otherwise than it is here. */
  askAll(): void {
    this.#say({ says: 'ask' })
    this.#isAsked = true
  }

  /** Everyone here goes. */
  stop(): void {
    clearInterval(this.#timer)
    this.#unsubscribe()
    const now = new Date()
    for (const userId of this.#here.keys())
      this.#options.lastSeen.note(userId, this.#leaving.get(userId)?.at ?? now, { isOurs: true })
    this.#say({ says: 'bye' })
  }

  #set(userId: number, state: PresenceState, at?: Date): void {
    if ((this.#here.get(userId) ?? 'offline') === state) return
    this.#change(userId, () => {
      if (state === 'offline') this.#here.delete(userId)
      else this.#here.set(userId, state)
    })
    const said: Said = at ? [userId, state, at.getTime()] : [userId, state]
    this.#say({ says: 'states', round: this.#round, states: [said] })
  }

  #change(userId: number, work: () => void): void {
    const before = this.of(userId)
    work()
    const after = this.of(userId)
    if (before !== after) this.#options.onChange(userId, after)
  }

  #tick(): void {
    const now = performance.now()
    for (const [userId, { at, goneAt }] of this.#leaving)
      if (goneAt <= now) {
        this.#leaving.delete(userId)
        this.#options.lastSeen.note(userId, at, { isOurs: true })
        this.#set(userId, 'offline', at)
      }
    for (const [node, { heardAt, endsAt }] of this.#others)
      if (endsAt <= now || heardAt + SILENT_MS <= now) this.#drop(node, now - heardAt)
    if (this.#isAsked) this.#sayAll()
    if (this.#beatAt + BEAT_MS <= now) this.#beat()
  }

  #sayAll(): void {
    this.#isAsked = false
    this.#round += 1
    const all: Said[] = [...this.#here]
    for (let from = 0; from < all.length; from += CHUNK)
      this.#say({ says: 'states', round: this.#round, states: all.slice(from, from + CHUNK) })
    this.#beat()
  }

  #beat(): void {
    this.#beatAt = performance.now()
    this.#say({ says: 'beat', round: this.#round, sum: sumOf(this.#here) })
  }

  #say(word: Word): void {
    this.#options.bus.publish({ kind: 'presence', node: this.#node, ...word })
  }

  #hear(event: PresenceEvent): void {
    if (event.says === 'ask') {
      if (event.of === undefined || event.of === this.#node) this.#isAsked = true
      return
    }
    const node = this.#other(event.node)
    if (event.says === 'states') this.#hearStates(node, event)
    else if (event.says === 'beat') this.#hearBeat(node, event)
    else node.endsAt = node.heardAt + GRACE_MS
  }

  #other(id: string): Other {
    const known = this.#others.get(id)
    const node = known ?? {
      sweptRound: 0,
      heardAt: 0,
      endsAt: Infinity,
      users: new Map(),
    }
    node.heardAt = performance.now()
    this.#others.set(id, node)
    return node
  }

  #hearStates({ users }: Other, { round, states }: Says<'states'>): void {
    for (const [userId, state, at] of states) {
      if (at !== undefined) this.#options.lastSeen.note(userId, new Date(at), { isOurs: false })
      this.#change(userId, () => {
        if (state === 'offline') users.delete(userId)
        else users.set(userId, { state, round })
      })
    }
  }

  #hearBeat(node: Other, { node: id, round, sum }: Says<'beat'>): void {
    if (node.sweptRound < round)
      for (const [userId, known] of node.users)
        if (known.round < round) this.#change(userId, () => node.users.delete(userId))
    node.sweptRound = round
    const states = [...node.users].map(([userId, { state }]) => [userId, state] as const)
    if (sumOf(states) !== sum) this.#say({ says: 'ask', of: id })
  }

  /** It was heard of last so long ago. */
  #drop(id: string, silentMs: number): void {
    const { users } = this.#other(id)
    const at = new Date(Date.now() - silentMs)
    for (const userId of users.keys()) {
      this.#options.lastSeen.note(userId, at, { isOurs: false })
      this.#change(userId, () => users.delete(userId))
    }
    this.#others.delete(id)
  }
}

type Said = [userId: number, state: PresenceState, at?: number]
type Says<S extends PresenceEvent['says']> = Extract<PresenceEvent, { says: S }>
type Word = PresenceEvent extends infer E
  ? E extends PresenceEvent
    ? Omit<E, 'kind' | 'node'>
    : never
  : never

const RANK: Record<PresenceState, number> = { offline: 0, away: 1, online: 2 }

function better(one: PresenceState, other: PresenceState): PresenceState {
  return RANK[one] >= RANK[other] ? one : other
}

function sumOf(states: Iterable<readonly [userId: number, state: PresenceState]>): number {
  let sum = 0
  for (const [userId, state] of states) sum = (sum + userId * RANK[state]) % 1e15
  return sum
}
