/**
 * Which socket watches whom [PRES-4], on this node: what is on its screen, at most 200 users, until it
 * goes. Whether a watcher may see a user is read when it begins to watch, and again when something
 * happened that may have changed it: a block, the end of a membership, a setting, an account's end.
 */
import type { EventOf } from '../bus/bus.ts'
import { DatabaseAway } from '../store/db.ts'
import type { SeenKey, SeenRow } from '../store/presence.ts'
import { Sets } from './sets.ts'

export interface Watcher {
  userId: number
  socket: string
}

export interface WatchesOptions {
  /** A row for each key whose user there is. */
  read(keys: SeenKey[]): Promise<SeenRow[]>
  /** Who is in a chat now. */
  membersOf(chatId: string): Promise<ReadonlySet<number>>
  /** Whether the watcher sees this user is another answer now. */
  onSight(watcher: Watcher, seen: SeenRow): void
  onProblem(error: unknown): void
}

interface Watch extends Watcher {
  /** By user id; `via` is null for those whom the watcher may not see. */
  targets: Map<number, { username: string; via: string | null }>
}

/** Pairs that are looked at again by one statement. */
const BATCH = 100
const RETRY_MS = 1_000

export class Watches {
  readonly #options: WatchesOptions
  readonly #bySocket = new Map<string, Watch>()
  readonly #byWatcher = new Sets<number, Watch>()
  readonly #byTarget = new Sets<number, Watch>()
  /** Watches that see someone by way of a chat. */
  readonly #byChat = new Sets<string, Watch>()
  /** What is to be looked at again. */
  readonly #pairs = new Sets<Watch, number>()
  readonly #dirty = new Set<Watch>()
  readonly #chats = new Set<string>()
  /** Events that may have changed what someone may see. */
  #events = 0
  #isAtWork = false
  #isStopped = false

  constructor(options: WatchesOptions) {
    this.#options = options
  }

  /** Takes the place of what this socket watched. Gives a row for each user that there is. */
  async watch(watcher: Watcher, usernames: readonly string[]): Promise<SeenRow[]> {
    this.unwatch(watcher.socket)
    const watch: Watch = { ...watcher, targets: new Map() }
    this.#bySocket.set(watch.socket, watch)
    this.#byWatcher.add(watch.userId, watch)
    const events = this.#events
    const rows = await this.#options.read(
      usernames.map((username) => ({ viewerId: watcher.userId, username })),
    )
    // It has gone meanwhile, or watches others.
    if (this.#bySocket.get(watch.socket) !== watch) return rows
    for (const row of rows) this.#put(watch, row)
    // What was read may be from before what happened meanwhile.
    if (events !== this.#events) this.#lookAgain(watch, watch.targets.keys())
    return rows
  }

  unwatch(socket: string): void {
    const watch = this.#bySocket.get(socket)
    if (!watch) return
    this.#bySocket.delete(socket)
    this.#byWatcher.delete(watch.userId, watch)
    for (const userId of watch.targets.keys()) {
      this.#byTarget.delete(userId, watch)
      this.#pairs.delete(watch, userId)
    }
    for (const { via } of watch.targets.values()) if (via) this.#byChat.delete(via, watch)
    this.#dirty.delete(watch)
  }

  /** Who is told of a change of this user. */
  watchersOf(userId: number): { username: string; watchers: Watcher[] } {
    let username = ''
    const watchers = this.#byTarget.of(userId).filter(({ targets }) => {
      const target = targets.get(userId)
      username = target?.username ?? username
      return target?.via !== null
    })
    return { username, watchers }
  }

  noteRights({ chatId, between }: EventOf<'rights'>): void {
    this.#events += 1
    if (between) this.#noteBlock(between)
    if (!this.#byChat.has(chatId)) return
    this.#chats.add(chatId)
    this.#start()
  }

  /** Events may have been missed. */
  lookAtAll(): void {
    this.#events += 1
    for (const watch of this.#bySocket.values()) this.#lookAgain(watch, watch.targets.keys())
  }

  stop(): void {
    this.#isStopped = true
  }

  noteUser(userId: number): void {
    this.#events += 1
    for (const watch of this.#byWatcher.of(userId)) this.#lookAgain(watch, watch.targets.keys())
    for (const watch of this.#byTarget.of(userId)) this.#lookAgain(watch, [userId])
  }

  #noteBlock([one, other]: [number, number]): void {
    for (const [watcher, target] of [
      [one, other],
      [other, one],
    ] as const)
      for (const watch of this.#byWatcher.of(watcher))
        if (watch.targets.has(target)) this.#lookAgain(watch, [target])
  }

  #put(watch: Watch, { user_id: userId, username, via }: SeenRow): void {
    const before = watch.targets.get(userId)?.via
    watch.targets.set(userId, { username, via })
    this.#byTarget.add(userId, watch)
    if (via) this.#byChat.add(via, watch)
    if (!before || before === via) return
    if (![...watch.targets.values()].some((target) => target.via === before))
      this.#byChat.delete(before, watch)
  }

  #lookAgain(watch: Watch, userIds: Iterable<number>): void {
    for (const userId of userIds) this.#pairs.add(watch, userId)
    this.#dirty.add(watch)
    this.#start()
  }

  #start(): void {
    if (this.#isAtWork || this.#isStopped) return
    this.#isAtWork = true
    // At the end of this turn: the caches that the same event makes true are dropped by then.
    setImmediate(() => void this.#work())
  }

  async #work(): Promise<void> {
    try {
      while (!this.#isStopped && this.#chats.size + this.#dirty.size > 0) {
        const [chatId] = this.#chats
        if (chatId !== undefined) await this.#lookAtChat(chatId)
        await this.#lookAtSome()
      }
      this.#isAtWork = false
    } catch (error) {
      if (!(error instanceof DatabaseAway)) this.#options.onProblem(error)
      setTimeout(() => {
        this.#isAtWork = false
        if (this.#chats.size + this.#dirty.size > 0) this.#start()
      }, RETRY_MS).unref()
    }
  }

  /** Only those that see someone by way of it, and only where one of the two is no longer in it. */
  async #lookAtChat(chatId: string): Promise<void> {
    this.#chats.delete(chatId)
    const members = await this.#options.membersOf(chatId).catch((error: unknown) => {
      this.#chats.add(chatId)
      throw error
    })
    // In a chat of two there may be other reasons than a departure.
    const isPair = members.size <= 2
    for (const watch of this.#byChat.of(chatId))
      for (const [userId, { via }] of watch.targets)
        if (via === chatId && (isPair || !members.has(watch.userId) || !members.has(userId)))
          this.#lookAgain(watch, [userId])
  }

  async #lookAtSome(): Promise<void> {
    const pairs = this.#takePairs()
    if (pairs.length === 0) return
    const keys = pairs.map(({ watch, username }) => ({ viewerId: watch.userId, username }))
    const rows = await this.#options.read(keys).catch((error: unknown) => {
      for (const { watch, userId } of pairs)
        if (this.#bySocket.get(watch.socket) === watch) {
          this.#pairs.add(watch, userId)
          this.#dirty.add(watch)
        }
      throw error
    })
    const found = new Map(rows.map((row) => [row.nth, row]))
    for (const [index, { watch, userId, username }] of pairs.entries()) {
      const row = found.get(index + 1)
      const isSame = row?.user_id === userId
      this.#see(watch, isSame ? row : { ...GONE, user_id: userId, username })
    }
  }

  #takePairs(): { watch: Watch; userId: number; username: string }[] {
    const pairs: { watch: Watch; userId: number; username: string }[] = []
    for (const watch of this.#dirty) {
      for (const userId of this.#pairs.of(watch)) {
        if (pairs.length === BATCH) return pairs
        this.#pairs.delete(watch, userId)
        const username = watch.targets.get(userId)?.username
        if (username !== undefined) pairs.push({ watch, userId, username })
      }
      this.#dirty.delete(watch)
    }
    return pairs
  }

  #see(watch: Watch, row: SeenRow): void {
    const before = watch.targets.get(row.user_id)
    if (this.#bySocket.get(watch.socket) !== watch || !before) return
    this.#put(watch, row)
    if ((before.via === null) !== (row.via === null)) this.#options.onSight(watch, row)
  }
}

/** A user that there is no longer. */
const GONE = { nth: 0, last_seen_at: null, via: null }
