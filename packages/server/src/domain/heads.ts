/**
 * What clients were told, and what is stored, brought together again [SYNC-1] where an event was lost:
 * on the bus between nodes, or because the database did what it was asked and its answer never came.
 * A lost last message shows no gap, for nothing follows it. Two ways find it:
 *
 *   doubtful chats: something was stored in them, perhaps, and not told of; or a view of them was told
 *     after something newer. Their members are told how they are now.
 *   heads: (seq, rev) of chats that changed are compared with what has passed through this node. It is
 *     done where there is a bus, and after trouble with the database; else nothing is read.
 */
import { type Chat, LIMITS } from '@microchatter/protocol'
import { LRUCache } from 'lru-cache'
import type { Bus, EventOf } from '../bus/bus.ts'
import { DatabaseAway } from '../store/db.ts'
import { type HeadRow, selectChangedMembers, selectHeads } from '../store/heads.ts'
import { selectNow } from '../store/messages.ts'
import { publishChat, tellDevices } from './chats.ts'
import type { Core } from './core.ts'
import { publishHead } from './system.ts'
import { idsOf, isLarge } from './rights.ts'
import { startRounds } from './rounds.ts'
import { publishMarks } from './stars.ts'

interface Head {
  seq: number
  rev: number
}

interface Told extends Head {
  chatId: string
  /** The whole chat, as it was when it was read. */
  isView: boolean
}

interface Doubt {
  /** Until then something may still come. */
  until: number
  /** It was told of, since it came up. */
  isTold: boolean
}

export interface HeadsOptions {
  /** Users with open sockets on this node. */
  online: () => Iterable<number>
  /** Other nodes tell of their changes over a bus. */
  hasBus: boolean
  onProblem: (error: unknown) => void
}

const TICK_MS = 1_000
/** With a bus. */
const EVERY_MS = 10_000
/** What was under way when the database was in trouble may be committed later, but not after this. */
const DOUBT_MS = 60_000
/** As long as the cursor of a sync is taken earlier than it says [SYNC-3]. */
const OVERLAP_MS = 30_000
/** What has just been committed is told a moment later. */
const GRACE_MS = 500
const USERS = 256
const KEPT_CHATS = 200_000
/** A statement that is not known to have ended may end so late. */
const LATE_MS = 15_000
const DOUBTFUL_CHATS = 50_000
/** Chats that are told of again at once. */
const TOGETHER = 8

export class Heads {
  readonly #options: HeadsOptions
  /** What was told of a chat. One that is not here is told of once more, which does no harm. */
  readonly #told = new LRUCache<string, Head>({ max: KEPT_CHATS })
  /** Of whom a chat was taken from, by chat and user id: the rev of that. */
  readonly #removed = new LRUCache<string, number>({ max: KEPT_CHATS })
  readonly #doubtful = new Map<string, Doubt>()
  /** Of large groups: who was told an older view. */
  readonly #outdated = new Map<string, Set<number>>()
  /** Up to here nothing is in doubt, in ms of performance.now(), as all times here. */
  #calmAt = performance.now()
  #comparedAt = performance.now()
  #isDue = false
  #endRounds: (() => Promise<void>) | undefined
  readonly #unsubscribe: () => void

  constructor(bus: Bus, options: HeadsOptions) {
    this.#options = options
    this.#unsubscribe = bus.subscribe('deliver', (event) => this.#note(event))
  }

  start(core: Core): void {
    this.#endRounds ??= startRounds(TICK_MS, () => this.#round(core))
  }

  /** Events of other nodes may have been missed: compare soon. */
  doubtAll(): void {
    this.#isDue = true
  }

  /** Something of this chat may be stored that nobody was told of; now, or a little later. */
  doubt(chatId: string, lateMs = LATE_MS): void {
    if (this.#doubtful.size >= DOUBTFUL_CHATS) return
    const known = this.#doubtful.get(chatId)?.until ?? 0
    const until = Math.max(known, performance.now() + lateMs)
    this.#doubtful.set(chatId, { until, isTold: false })
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    await this.#endRounds?.()
  }

  #note(event: EventOf<'deliver'>): void {
    const head = headOf(event.name, event.data)
    if (!head) return
    const { chatId, seq, rev, isView } = head
    if (event.name === 'chat.removed')
      for (const userId of event.to) this.#removed.set(`${chatId} ${userId}`, rev)
    const told = this.#told.get(chatId)
    if (!told) {
      this.#told.set(chatId, { seq, rev })
      return
    }
    // Read before something that was told already: who did not know the chat has missed that.
    if (isView && (seq < told.seq || rev < told.rev)) this.#doubtView(event)
    told.seq = Math.max(told.seq, seq)
    told.rev = Math.max(told.rev, rev)
  }

  /** Of a large group only those who were told: the others have heard what came since. */
  #doubtView({ to, data }: EventOf<'deliver'>): void {
    const { id, memberCount = 0 } = data as Chat
    if (memberCount <= LIMITS.shownMembers) return this.doubt(id, 0)
    const known = this.#outdated.get(id) ?? new Set()
    for (const userId of to) known.add(userId)
    this.#outdated.set(id, known)
  }

  async #round(core: Core): Promise<void> {
    try {
      await this.#work(core)
    } catch (error) {
      // While the database is away nothing can be said; the next round tries again.
      if (!(error instanceof DatabaseAway)) this.#options.onProblem(error)
    }
  }

  async #work(core: Core): Promise<void> {
    const now = performance.now()
    const { hasBus } = this.#options
    const { troubledAt } = core.db
    const isInDoubt = now - troubledAt < DOUBT_MS
    const isTime = this.#isDue || troubledAt > this.#comparedAt || now - this.#comparedAt > EVERY_MS
    if (this.#doubtful.size > 0) await this.#heal(core, now)
    for (const [chatId, userIds] of this.#outdated) {
      this.#outdated.delete(chatId)
      await publishChat(core, chatId, [...userIds], 'chat.updated')
    }
    if ((hasBus || isInDoubt || this.#isDue) && isTime) await this.#compare(core)
    else if (!hasBus && !isInDoubt) this.#calmAt = now
  }

  /** Each once now, and once more when nothing can come late any more. */
  async #heal(core: Core, now: number): Promise<void> {
    const due = [...this.#doubtful].filter(([, { until, isTold }]) => until <= now || !isTold)
    for (let from = 0; from < due.length; from += TOGETHER)
      await Promise.all(
        due.slice(from, from + TOGETHER).map(async ([chatId, doubt]) => {
          await this.#tellAgain(core, chatId)
          doubt.isTold = true
          // One that came up anew meanwhile stays.
          if (doubt.until <= now && this.#doubtful.get(chatId) === doubt)
            this.#doubtful.delete(chatId)
        }),
      )
  }

  /**
   * To these members, or to all. Of a large group all are told the same, and views are read for those
   * alone whose own part in it has changed, or who have a special role.
   */
  async #tellAgain(core: Core, chatId: string, userIds?: number[]): Promise<void> {
    const rights = await core.writer.rights(chatId)
    if (!rights) return
    const to = userIds ?? idsOf(rights)
    if (isLarge(rights)) {
      await publishHead(core, chatId, rights)
      const lately = await selectChangedMembers(core.db, chatId, DOUBT_MS)
      await publishChat(
        core,
        chatId,
        [...new Set([...rights.roles.keys(), ...lately])],
        'chat.updated',
      )
    } else await publishChat(core, chatId, to, 'chat.updated')
    // A view has nothing of what is one's own of a message.
    await publishMarks(core, chatId, to)
  }

  /** @throws DatabaseAway */
  async #compare(core: Core): Promise<void> {
    const { hasBus, online } = this.#options
    const startedAt = performance.now()
    const now = await selectNow(core.db)
    const since = new Date(now.getTime() - (startedAt - this.#calmAt) - OVERLAP_MS)
    const users = [...online()]
    for (let from = 0; from < users.length; from += USERS)
      await this.#compareFor(core, users.slice(from, from + USERS), since)
    this.#isDue = false
    this.#comparedAt = startedAt
    if (hasBus && startedAt - core.db.troubledAt > DOUBT_MS) this.#calmAt = startedAt
  }

  async #compareFor(core: Core, users: number[], since: Date): Promise<void> {
    const behind = (await selectHeads(core.db, users, since)).filter((row) => this.#isBehind(row))
    if (behind.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, GRACE_MS))
    const missed = behind.filter((row) => this.#isBehind(row))
    const removed = missed.filter(({ listed }) => !listed)
    for (const { chat_id: chatId, user_id: id, rev } of removed)
      tellDevices(core, { id }, 'chat.removed', { chatId, rev })
    for (const [chatId, rows] of byChat(missed.filter(({ listed }) => listed)))
      await this.#tellAgain(
        core,
        chatId,
        rows.map(({ user_id }) => user_id),
      )
  }

  #isBehind({ chat_id, last_seq, rev, ...row }: HeadRow): boolean {
    if (row.departed) return (this.#removed.get(`${chat_id} ${row.user_id}`) ?? -1) < rev
    const told = this.#told.get(chat_id)
    return !told || told.seq < last_seq || told.rev < rev
  }
}

/** What an event says of a chat's head; undefined: nothing. */
function headOf(name: string, data: unknown): Told | undefined {
  const { chatId, id, seq, lastSeq, rev } = data as {
    chatId: string
    id: string
    seq: number
    lastSeq: number
    rev: number
  }
  switch (name) {
    case 'message.created':
      return { chatId, seq, rev: 0, isView: false }
    case 'chat.created':
    case 'chat.updated':
      return { chatId: id, seq: lastSeq, rev, isView: true }
    case 'message.updated':
    case 'message.deleted':
    case 'reaction.updated':
    case 'chat.removed':
    case 'read.updated':
    case 'draft.updated':
    case 'delivered.updated':
      return { chatId, seq: 0, rev, isView: false }
    case 'group.updated':
    case 'member.added':
    case 'member.updated':
    case 'member.removed':
      return { chatId, seq: lastSeq, rev, isView: false }
    default:
      return undefined
  }
}

function byChat(rows: readonly HeadRow[]): Map<string, HeadRow[]> {
  const chats = new Map<string, HeadRow[]>()
  for (const row of rows) {
    const known = chats.get(row.chat_id)
    if (known) known.push(row)
    else chats.set(row.chat_id, [row])
  }
  return chats
}
