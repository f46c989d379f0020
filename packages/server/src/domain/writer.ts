/**
 * [SEND-5] Sends that arrive together are written together. A chat belongs to one lane, and a lane has
 * one statement on its way, so messages keep the order in which they came.
 *
 *   send → queue of the lane → (as soon as the lane is free) up to 256 drafts:
 *     join repeats → check the rights → one statement → settle what it wrote, publish
 *       rights have moved: read them again, once more     a clientId is taken: that is the answer
 *       any other error: halve the batch, so that one bad message fails alone
 */
import { LRUCache } from 'lru-cache'
import { type Database, DatabaseAway, isRace, isUniqueViolation } from '../store/db.ts'
import { type ChatRights, selectRights } from '../store/chats.ts'
import { type ChatBatch, insertMessages, type MessageRow, selectSent } from '../store/messages.ts'
import { ChatError } from './errors.ts'
import { sendRefusal } from './rights.ts'

export interface Draft {
  chatId: string
  sender: { id: number; username: string; socket?: string | undefined }
  clientId: string
  body: string
}
export interface Sent extends Draft {
  seq: number
  createdAt: Date
}
/** What a statement has just made durable. */
export interface Written extends Sent {
  rights: ChatRights
  /** The chat may be new on someone's list. */
  touched: boolean
}

interface Job {
  draft: Draft
  resolve: (sent: Sent) => void
  reject: (error: unknown) => void
  /** Sends of the same clientId that came while this one was waiting. */
  repeats: Job[]
}

const BATCH = 256
/** Drafts that wait in one lane before more are refused. */
const QUEUE = 8_192
const ATTEMPTS = 5
const KEPT_CHATS = 50_000

export class Writer {
  /** The direct chat of a pair of user ids, smaller first. It never changes. */
  readonly directChats = new LRUCache<string, string>({ max: KEPT_CHATS })
  readonly #db: Database
  readonly #onWritten: (written: Written[]) => void
  readonly #lanes: { queue: Job[]; busy: boolean }[]
  readonly #rights = new LRUCache<string, ChatRights>({ max: KEPT_CHATS })
  #drops = 0

  /** `onWritten` is called after the commit, in the order of seq. */
  constructor(db: Database, onWritten: (written: Written[]) => void) {
    this.#db = db
    this.#onWritten = onWritten
    const lanes = db.engine === 'embedded' ? 1 : 2
    this.#lanes = Array.from({ length: lanes }, () => ({ queue: [], busy: false }))
  }

  /** Resolves when the message is committed [SEND-1]. */
  send(draft: Draft): Promise<Sent> {
    const lane = this.#lanes[laneOf(draft.chatId, this.#lanes.length)]
    if (!lane || lane.queue.length >= QUEUE) return Promise.reject(busy())
    return new Promise((resolve, reject) => {
      lane.queue.push({ draft, resolve, reject, repeats: [] })
      if (lane.busy) return
      lane.busy = true
      // At the end of this turn of the event loop: what arrived with it goes along, nothing waits.
      setImmediate(() => void this.#run(lane))
    })
  }

  /** From the cache where it has it; a send proves it anyway. */
  async rights(chatId: string): Promise<ChatRights | undefined> {
    return this.#rights.get(chatId) ?? (await this.#load(chatId))
  }

  /** The rights of this chat have changed, or of all of them. */
  dropRights(chatId?: string): void {
    this.#drops += 1
    if (chatId === undefined) this.#rights.clear()
    else this.#rights.delete(chatId)
  }

  async #load(chatId: string): Promise<ChatRights | undefined> {
    const drops = this.#drops
    const rights = await selectRights(this.#db, chatId)
    // What was read while something changed may be from before the change.
    if (rights && drops === this.#drops) this.#rights.set(chatId, rights)
    return rights
  }

  async #run(lane: { queue: Job[]; busy: boolean }): Promise<void> {
    while (lane.queue.length > 0) {
      const jobs = joinRepeats(lane.queue.splice(0, BATCH))
      await this.#write(jobs).catch((error: unknown) => {
        for (const job of jobs) fail(job, error)
      })
    }
    lane.busy = false
  }

  async #write(jobs: Job[]): Promise<void> {
    let left = jobs
    for (let attempt = 1; left.length > 0 && attempt <= ATTEMPTS; attempt += 1) {
      const rights = await this.#rightsOf(left, attempt > 1)
      left = await this.#refuse(left, rights)
      left = await this.#insert(left, rights, attempt > 1)
      for (const { draft } of left) this.#rights.delete(draft.chatId)
    }
    for (const job of left) fail(job, busy())
  }

  async #rightsOf(jobs: Job[], fresh: boolean): Promise<Map<string, ChatRights | undefined>> {
    const ids = [...new Set(jobs.map(({ draft }) => draft.chatId))]
    const entries = ids.map(async (id) => {
      return [id, fresh ? await this.#load(id) : await this.rights(id)] as const
    })
    return new Map(await Promise.all(entries))
  }

  /** Returns those that may be sent. A refusal out of the cache is looked up before it counts. */
  async #refuse(jobs: Job[], rights: Map<string, ChatRights | undefined>): Promise<Job[]> {
    const refused = (job: Job) => sendRefusal(rights.get(job.draft.chatId), job.draft.sender)
    const doubtful = jobs.filter((job) => refused(job) !== undefined)
    if (doubtful.length === 0) return jobs
    for (const id of new Set(doubtful.map(({ draft }) => draft.chatId)))
      rights.set(id, await this.#load(id))
    // [SEND-3] A retry of what was sent before the block still gets its first answer.
    const unsent = new Set(await this.#settleSent(doubtful.filter((job) => refused(job))))
    for (const job of unsent) fail(job, refused(job))
    return jobs.filter((job) => refused(job) === undefined)
  }

  /** Returns those whose chat had moved on. */
  async #insert(
    jobs: Job[],
    rights: Map<string, ChatRights | undefined>,
    again: boolean,
  ): Promise<Job[]> {
    if (jobs.length === 0) return []
    const groups = toGroups(jobs, rights, again)
    try {
      const numbered = await insertMessages(this.#db, groups.map(toBatch))
      const rows = new Map(numbered.map((row) => [row.id, row]))
      this.#settle(
        groups.flatMap((group) => {
          const row = rows.get(group.rights.id)
          return row ? writtenOf(group, row.base, row.last_at) : []
        }),
      )
      return groups.filter(({ rights: { id } }) => !rows.has(id)).flatMap((group) => group.jobs)
    } catch (error) {
      return this.#recover(jobs, rights, error)
    }
  }

  async #recover(
    jobs: Job[],
    rights: Map<string, ChatRights | undefined>,
    error: unknown,
  ): Promise<Job[]> {
    if (error instanceof DatabaseAway) throw error
    if (isRace(error)) return jobs
    if (isUniqueViolation(error, 'messages_once')) {
      const unsent = await this.#settleSent(jobs)
      return unsent.length < jobs.length ? this.#insert(unsent, rights, false) : unsent
    }
    const [only] = jobs
    if (jobs.length === 1 && only) {
      fail(only, error)
      return []
    }
    const half = Math.ceil(jobs.length / 2)
    const first = await this.#insert(jobs.slice(0, half), rights, false)
    return [...first, ...(await this.#insert(jobs.slice(half), rights, false))]
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
      if (row) answer(job, row)
      return row === undefined
    })
  }

  #settle(written: (Written & { job: Job })[]): void {
    for (const { job, ...sent } of written) {
      sent.rights.begun = true
      if (sent.touched) sent.rights.activeDay = today()
      job.resolve(sent)
      for (const repeat of job.repeats) settleRepeat(repeat, sent)
    }
    this.#onWritten(written)
  }
}

interface Group {
  rights: ChatRights
  touch: boolean
  jobs: Job[]
}

/** Sorted by chat, so that the statements of two nodes take their locks in the same order. */
function toGroups(jobs: Job[], rights: Map<string, ChatRights | undefined>, again: boolean) {
  const groups = new Map<string, Group>()
  for (const job of jobs) {
    const known = groups.get(job.draft.chatId)
    const of = rights.get(job.draft.chatId)
    if (known) known.jobs.push(job)
    else if (of)
      groups.set(of.id, { rights: of, touch: again || of.activeDay !== today(), jobs: [job] })
  }
  return [...groups.values()].sort((a, b) => (a.rights.id < b.rights.id ? -1 : 1))
}

function toBatch({ rights, touch, jobs }: Group): ChatBatch {
  return {
    chatId: rights.id,
    rightsRev: rights.rightsRev,
    touch,
    messages: jobs.map(({ draft: { sender, clientId, body } }) => ({
      senderId: sender.id,
      clientId,
      body,
    })),
  }
}

function writtenOf({ rights, touch, jobs }: Group, base: number, createdAt: Date) {
  return jobs.map((job, index) => ({
    ...job.draft,
    seq: base + index + 1,
    createdAt,
    rights,
    touched: touch,
    job,
  }))
}

/** Of the same clientId in one batch, the first is written and the others wait for its answer. */
function joinRepeats(jobs: Job[]): Job[] {
  const firsts = new Map<string, Job>()
  for (const job of jobs) {
    const { chatId, sender, clientId } = job.draft
    const key = keyOf(chatId, sender.id, clientId)
    const first = firsts.get(key)
    if (first) first.repeats.push(job)
    else firsts.set(key, job)
  }
  return [...firsts.values()]
}

function settleRepeat(repeat: Job, sent: Sent): void {
  if (repeat.draft.body === sent.body) repeat.resolve(sent)
  else repeat.reject(reused())
}

function answer(job: Job, row: MessageRow): void {
  for (const { draft, resolve, reject } of [job, ...job.repeats]) {
    if (row.body === draft.body) resolve({ ...draft, seq: row.seq, createdAt: row.created_at })
    else reject(reused())
  }
}

function fail(job: Job, error: unknown): void {
  for (const { reject } of [job, ...job.repeats]) reject(error)
}

function keyOf(chatId: string, senderId: number, clientId: string): string {
  return `${chatId}${senderId}/${clientId}`
}

/** The chat's id ends in random hex digits. */
function laneOf(chatId: string, lanes: number): number {
  return Number.parseInt(chatId.slice(-2), 16) % lanes
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function busy(): ChatError {
  return new ChatError('busy', {
    detail: 'More messages arrive than can be stored; try again in a second',
    retryAfterMs: 1_000,
  })
}

function reused(): ChatError {
  return new ChatError('client_id_reused', {
    field: '/clientId',
    detail:
      'This clientId was used for a message with another text; make a new one for each message',
  })
}
