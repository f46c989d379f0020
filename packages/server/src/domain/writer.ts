/**
 * [SEND-5] Sends that arrive together are written together, and those of one chat one statement after
 * the other, so messages keep the order in which they came.
 *
 *   send → queue → (as soon as a lane is free) up to 256 drafts of chats that no other lane has:
 *     join repeats → check the rights → one statement → settle what it wrote, publish
 *       rights have moved: read them again, once more     a clientId is taken: that is the answer
 *       any other error: halve the batch, so that one bad message fails alone
 */
import type { WriteFrom } from '@microchatter/protocol'
import { LRUCache } from 'lru-cache'
import { type Database, DatabaseAway, isRace, isUniqueViolation } from '../store/db.ts'
import { type ChatRights, selectRights } from '../store/chats.ts'
import { insertMessages, type Numbered, selectSent } from '../store/messages.ts'
import {
  answer,
  type Draft,
  fail,
  type Group,
  type Job,
  joinRepeats,
  keyOf,
  sendersToAsk,
  type Sent,
  settleGroup,
  toBatch,
  toGroups,
  type Written,
} from './batch.ts'
import { ChatError } from './errors.ts'
import { insertLocked } from './locked.ts'
import { sendRefusal } from './rights.ts'
import { insertInTurn, type InTurn, Moved, slownessOf, tooEarly } from './slow.ts'

const BATCH = 256
/** Drafts that wait before more are refused. */
const QUEUE = 8_192
const ATTEMPTS = 3
/** Of a PostgreSQL; the embedded engine is a single session. */
const LANES = 2
/**
 * One statement at a time is cheapest: it takes more with it. Another one goes beside it when this many
 * drafts wait, or when it takes this long: a lock, a slow disk (measured with 32 in flight: 8.4k
 * messages a second where 16 have to wait, 7.5k where 64 have to; with 256 in flight the same).
 */
const CROWD = 16
const SLOW_MS = 10
const KEPT_CHATS = 50_000
const KEPT_MEMBERS = 2_000_000

export interface WriterListener {
  /** After the commit, in the order of seq. */
  onWritten(written: Written[]): void
  /** It is not known whether anything was written in these chats. */
  onDoubt(chatIds: readonly string[]): void
  /** [PRIV-3] Before messages of these senders, the first of whom may begin the chat. */
  onAsk?(chatId: string, senders: readonly Draft['sender'][]): Promise<void>
}

export class Writer {
  /** The direct chat of a pair of user ids, smaller first. It never changes. */
  readonly directChats = new LRUCache<string, string>({ max: KEPT_CHATS })
  readonly #db: Database
  readonly #listener: WriterListener
  readonly #lanes: number
  readonly #writeFrom: WriteFrom
  #queue: Job[] = []
  /** Chats of the statements that are on their way. */
  readonly #busy = new Set<string>()
  #running = 0
  #startedAt = 0
  #waking = false
  readonly #rights = new LRUCache<string, ChatRights>({
    max: KEPT_CHATS,
    maxSize: KEPT_MEMBERS,
    sizeCalculation: ({ members }) => members.size + 1,
  })
  #drops = 0

  /** `writeFrom`: of users who have not set it. */
  constructor(db: Database, listener: WriterListener, writeFrom: WriteFrom = 'everyone') {
    this.#db = db
    this.#listener = listener
    this.#writeFrom = writeFrom
    this.#lanes = db.engine === 'embedded' ? 1 : LANES
  }

  /** Resolves when the message is committed [SEND-1]. */
  send(draft: Draft): Promise<Sent> {
    if (this.#queue.length >= QUEUE) return Promise.reject(busy())
    return new Promise((resolve, reject) => {
      this.#queue.push({ draft, resolve, reject, repeats: undefined, rights: undefined })
      this.#wake()
    })
  }

  /** [SEND-3] What this draft has made before, if it has. */
  async sent(draft: Draft): Promise<Sent | undefined> {
    return new Promise((resolve, reject) => {
      const job = { draft, resolve, reject, repeats: undefined, rights: undefined }
      this.#settleSent([job]).then((unsent) => unsent.length > 0 && resolve(undefined), reject)
    })
  }

  /** From the cache where it has it; a send proves it anyway. */
  async rights(chatId: string): Promise<ChatRights | undefined> {
    return this.#rights.get(chatId) ?? (await this.#load([chatId]))[0]
  }

  /** So that `rights` of these chats need no statement each. */
  async preload(chatIds: readonly string[]): Promise<void> {
    const missing = chatIds.filter((chatId) => !this.#rights.has(chatId))
    if (missing.length > 0) await this.#load(missing)
  }

  /** The rights of this chat have changed, or of all of them. */
  dropRights(chatId?: string): void {
    this.#drops += 1
    if (chatId === undefined) this.#rights.clear()
    else this.#rights.delete(chatId)
  }

  async #load(chatIds: readonly string[]): Promise<ChatRights[]> {
    const drops = this.#drops
    const found = await selectRights(this.#db, chatIds, this.#writeFrom)
    // What was read while something changed may be from before the change. Who may begin a chat hangs
    // on settings and groups, whose changes no event of the chat tells.
    if (drops === this.#drops)
      for (const rights of found) if (rights.begun) this.#rights.set(rights.id, rights)
    return found
  }

  #wake(): void {
    if (this.#waking || !this.#wantsLane()) return
    this.#waking = true
    // At the end of this turn of the event loop: what arrived with it goes along, nothing waits.
    setImmediate(() => {
      this.#waking = false
      void this.#run()
    })
  }

  #wantsLane(): boolean {
    if (this.#running === 0) return true
    if (this.#running >= this.#lanes) return false
    return this.#queue.length >= CROWD || performance.now() - this.#startedAt > SLOW_MS
  }

  async #run(): Promise<void> {
    this.#running += 1
    for (let jobs = this.#take(); jobs.length > 0; jobs = this.#take()) {
      this.#startedAt = performance.now()
      const chats = jobs.map(({ draft }) => draft.chatId)
      for (const chatId of chats) this.#busy.add(chatId)
      const firsts = joinRepeats(jobs)
      await this.#write(firsts).catch((error: unknown) => {
        for (const job of firsts) fail(job, error)
        if (error instanceof DatabaseAway) this.#listener.onDoubt(chats)
      })
      for (const chatId of chats) this.#busy.delete(chatId)
      if (this.#running > 1 && this.#queue.length < CROWD) break
    }
    this.#running -= 1
  }

  /** The oldest drafts of chats that no other lane has. */
  #take(): Job[] {
    if (this.#busy.size === 0) return this.#queue.splice(0, BATCH)
    const taken: Job[] = []
    const left: Job[] = []
    for (const job of this.#queue)
      if (taken.length < BATCH && !this.#busy.has(job.draft.chatId)) taken.push(job)
      else left.push(job)
    this.#queue = left
    return taken
  }

  async #write(jobs: Job[]): Promise<void> {
    let left = jobs
    for (let attempt = 1; left.length > 0 && attempt <= ATTEMPTS; attempt += 1) {
      await this.#findRights(left, attempt > 1)
      left = await this.#ask(left)
      left = await this.#refuse(left)
      left = await this.#insert(left, attempt > 1)
      for (const { draft } of left) this.#rights.delete(draft.chatId)
    }
    if (left.length > 0) await this.#writeLocked(left)
  }

  /** The rights have moved on each time: under the locks they cannot. Slow chats have their own way. */
  async #writeLocked(jobs: Job[]): Promise<void> {
    const { groups, numbered, refused } = await insertLocked(this.#db, jobs, this.#writeFrom)
    for (const job of await this.#settleSent([...refused.keys()])) fail(job, refused.get(job))
    for (const job of this.#settle(groups, numbered)) fail(job, busy())
  }

  async #findRights(jobs: Job[], fresh: boolean): Promise<void> {
    const missing = new Set<string>()
    for (const job of jobs) {
      const { chatId } = job.draft
      job.rights = fresh ? undefined : this.#rights.get(chatId)
      if (!job.rights) missing.add(chatId)
    }
    await this.#readRights(jobs, missing)
  }

  /** Anew, of those of these jobs that are of these chats. */
  async #readRights(jobs: Job[], chatIds: ReadonlySet<string>): Promise<void> {
    if (chatIds.size === 0) return
    const found = new Map((await this.#load([...chatIds])).map((rights) => [rights.id, rights]))
    for (const job of jobs)
      if (chatIds.has(job.draft.chatId)) job.rights = found.get(job.draft.chatId)
  }

  /** [PRIV-3] Returns those of chats where nothing is left to be written down before them. */
  async #ask(jobs: Job[]): Promise<Job[]> {
    const wanting = sendersToAsk(jobs)
    if (wanting.size === 0) return jobs
    const failed = new Map<string, unknown>()
    const ask = async ([chatId, senders]: [string, Draft['sender'][]]) => {
      await this.#listener.onAsk?.(chatId, senders)
    }
    await Promise.all(
      [...wanting].map((of) => ask(of).catch((error: unknown) => failed.set(of[0], error))),
    )
    await this.#readRights(jobs, new Set(wanting.keys()))
    for (const job of jobs)
      if (failed.has(job.draft.chatId)) fail(job, failed.get(job.draft.chatId))
    return jobs.filter(({ draft }) => !failed.has(draft.chatId))
  }

  /** Returns those that may be sent. A refusal out of the cache is looked up before it counts. */
  async #refuse(jobs: Job[]): Promise<Job[]> {
    const refused = (job: Job) => sendRefusal(job.rights, job.draft.sender)
    const doubtful = jobs.filter((job) => refused(job) !== undefined)
    if (doubtful.length === 0) return jobs
    await this.#readRights(jobs, new Set(doubtful.map(({ draft }) => draft.chatId)))
    // [SEND-3] A retry of what was sent before the block still gets its first answer.
    const unsent = new Set(await this.#settleSent(doubtful.filter((job) => refused(job))))
    for (const job of unsent) fail(job, refused(job))
    return jobs.filter((job) => refused(job) === undefined)
  }

  /** Returns those whose chat had moved on. */
  async #insert(jobs: Job[], again: boolean): Promise<Job[]> {
    if (jobs.length === 0) return []
    const groups = toGroups(jobs, again)
    const slow = groups.filter((group) => slownessOf(group.rights) > 0)
    const quick = slow.length === 0 ? groups : groups.filter((group) => !slow.includes(group))
    const left = await this.#insertGroups(quick)
    for (const group of slow) left.push(...(await this.#insertInTurn(group)))
    return left
  }

  async #insertGroups(groups: Group[]): Promise<Job[]> {
    if (groups.length === 0) return []
    let numbered: Numbered[]
    try {
      numbered = await insertMessages(this.#db, groups.map(toBatch))
    } catch (error) {
      const jobs = groups.flatMap((group) => group.jobs)
      return this.#recover(jobs, error)
    }
    return this.#settle(groups, new Map(numbered.map((row) => [row.id, row])))
  }

  /** [TIME-6] */
  async #insertInTurn(group: Group): Promise<Job[]> {
    let done: InTurn
    try {
      done = await insertInTurn(this.#db, group)
    } catch (error) {
      return error instanceof Moved ? group.jobs : this.#recover(group.jobs, error)
    }
    const { numbered, written, waiting } = done
    if (numbered) this.#listener.onWritten([settleGroup({ ...group, jobs: written }, numbered)])
    for (const job of await this.#settleSent([...waiting.keys()]))
      fail(job, tooEarly(waiting.get(job) ?? 0))
    return []
  }

  #settle(groups: Group[], numbered: ReadonlyMap<string, Numbered>): Job[] {
    const left: Job[] = []
    const written: Written[] = []
    for (const group of groups) {
      const row = numbered.get(group.rights.id)
      if (row) written.push(settleGroup(group, row))
      else left.push(...group.jobs)
    }
    this.#listener.onWritten(written)
    return left
  }

  async #recover(jobs: Job[], error: unknown): Promise<Job[]> {
    if (error instanceof DatabaseAway) throw error
    if (isRace(error)) return jobs
    if (isUniqueViolation(error, 'messages_once')) {
      const unsent = await this.#settleSent(jobs)
      return unsent.length < jobs.length ? this.#insert(unsent, false) : unsent
    }
    const [only] = jobs
    if (jobs.length === 1 && only) {
      fail(only, error)
      return []
    }
    const half = Math.ceil(jobs.length / 2)
    const first = await this.#insert(jobs.slice(0, half), false)
    return [...first, ...(await this.#insert(jobs.slice(half), false))]
  }

  /** [SEND-3] Answers the jobs whose clientId is taken; returns the others. */
  async #settleSent(jobs: Job[]): Promise<Job[]> {
    if (jobs.length === 0) return []
    const rows = await selectSent(
      this.#db,
      jobs.map(({ draft: { chatId, sender, clientId } }) => ({
        chatId,
        senderId: sender.id,
        clientId,
      })),
    )
    const sent = new Map(rows.map((row) => [keyOf(row.chat_id, row.sender_id, row.client_id), row]))
    return jobs.filter((job) => {
      const { chatId, sender, clientId } = job.draft
      const row = sent.get(keyOf(chatId, sender.id, clientId))
      if (row) answer(job, row, row.is_member)
      return row === undefined
    })
  }
}

function busy(): ChatError {
  return new ChatError('busy', {
    detail: 'More messages arrive than can be stored; try again in a second',
    retryAfterMs: 1_000,
  })
}
