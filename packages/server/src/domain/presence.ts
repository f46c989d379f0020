/** Who is there, and who may know [PRES-1 to PRES-6]. */
import { LIMITS, type Presence as Shown, type PresenceState } from '@microchatter/protocol'
import type { Bus } from '../bus/bus.ts'
import type { Database } from '../store/db.ts'
import { type SeenRow, selectSeen } from '../store/presence.ts'
import type { Actor, Core, Settings } from './core.ts'
import { ChatError } from './errors.ts'
import { LastSeen } from './last-seen.ts'
import { idsOf } from './rights.ts'
import { States } from './states.ts'
import { isUsername } from './text.ts'
import { type Watcher, Watches } from './watches.ts'
import type { Writer } from './writer.ts'

export interface PresenceOptions {
  db: Database
  bus: Bus
  writer: Writer
  settings: Pick<Settings, 'presence'>
  /** What the sockets of a user on this node say together. */
  stateHere(userId: number): PresenceState
  tell(watchers: readonly Watcher[], presence: Shown): void
  onProblem(error: unknown): void
}

export class Presence {
  readonly #options: PresenceOptions
  readonly #states: States
  readonly #watches: Watches
  readonly #lastSeen: LastSeen
  readonly #unsubscribe: readonly (() => void)[]

  constructor(options: PresenceOptions) {
    const { db, bus, writer, stateHere, onProblem } = options
    this.#options = options
    this.#lastSeen = new LastSeen(db, onProblem)
    this.#watches = new Watches({
      read: (keys) => selectSeen(db, keys, options.settings.presence.visibleTo),
      membersOf: async (chatId) => {
        const rights = await writer.rights(chatId)
        return new Set(rights && idsOf(rights))
      },
      onSight: (watcher, row) => options.tell([watcher], this.#show(row)),
      onProblem,
    })
    const onChange = (userId: number, state: PresenceState) => this.#tell(userId, state)
    this.#states = new States({ bus, lastSeen: this.#lastSeen, stateHere, onChange })
    this.#unsubscribe = [
      bus.subscribe('user', ({ userId }) => this.#watches.noteUser(userId)),
      bus.subscribe('rights', (event) => this.#watches.noteRights(event)),
    ]
  }

  /** A socket of this user came, went, or said something else. */
  changed(userId: number): void {
    this.#states.changed(userId)
  }

  /** Who is on a socket's screen; in place of those named before. */
  async watch(watcher: Watcher, usernames: readonly string[]): Promise<Shown[]> {
    return this.#showAll(usernames, await this.#watches.watch(watcher, known(usernames)))
  }

  unwatch(socket: string): void {
    this.#watches.unwatch(socket)
  }

  async look(viewerId: number, usernames: readonly string[]): Promise<Shown[]> {
    const { db, settings } = this.#options
    const keys = known(usernames).map((username) => ({ viewerId, username }))
    return this.#showAll(usernames, await selectSeen(db, keys, settings.presence.visibleTo))
  }

  /** Events of other nodes may have been missed. */
  askAll(): void {
    this.#states.askAll()
    this.#watches.lookAtAll()
  }

  /** After the last socket. */
  async stop(): Promise<void> {
    for (const end of this.#unsubscribe) end()
    this.#watches.stop()
    this.#states.stop()
    await this.#lastSeen.stop()
  }

  #showAll(usernames: readonly string[], rows: SeenRow[]): Shown[] {
    const shown = new Map(rows.map((row) => [row.username, this.#show(row)]))
    return usernames.map((username) => shown.get(username) ?? { username, state: 'offline' })
  }

  #show({ user_id, username, via, last_seen_at }: SeenRow): Shown {
    if (via === null) return { username, state: 'offline' }
    return this.#shown({ userId: user_id, username }, this.#states.of(user_id), last_seen_at)
  }

  #shown(
    { userId, username }: { userId: number; username: string },
    state: PresenceState,
    stored: Date | null,
  ): Shown {
    const at = state === 'offline' ? this.#lastSeen.of(userId, stored) : undefined
    return { username, state, ...(at ? { lastSeenAt: at.toISOString() } : {}) }
  }

  #tell(userId: number, state: PresenceState): void {
    const { username, watchers } = this.#watches.watchersOf(userId)
    if (watchers.length > 0)
      this.#options.tell(watchers, this.#shown({ userId, username }, state, null))
  }
}

/** The database is asked for each once, and for what can be a username. */
function known(usernames: readonly string[]): string[] {
  return [...new Set(usernames)].filter(isUsername)
}

export async function watchPresence(
  core: Core,
  watcher: Watcher,
  usernames: readonly string[],
): Promise<{ items: Shown[] }> {
  return { items: await core.presence.watch(watcher, usernames) }
}

/** `usernames` has commas between them. */
export async function getPresence(
  core: Core,
  actor: Actor,
  { usernames }: { usernames: string },
): Promise<{ items: Shown[] }> {
  const names = usernames.split(',')
  const isName = (name: string) => name.length > 0 && name.length <= LIMITS.username
  if (names.length > LIMITS.watched || !names.every(isName))
    throw new ChatError('invalid', {
      field: '/usernames',
      detail: `Name 1 to ${LIMITS.watched} users, with commas between their usernames`,
    })
  return { items: await core.presence.look(actor.id, names) }
}
