/**
 * What devices say they have. A crowd of them says so at once, after each message, so it is gathered
 * for half a second and written together: of each member the last word. What is lost with a node, the
 * device says again with its next message.
 */
import { DatabaseAway, type Database, isRace } from '../store/db.ts'
import { type DeliveredKey, type DeliveredRow, updateDelivered } from '../store/delivered.ts'
import { tell } from './changing.ts'
import { getChat } from './chats.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { ChatError } from './errors.ts'
import { hearersOf } from './receipts.ts'
import { chatNotFound, isMember } from './rights.ts'

const EVERY_MS = 500
const BATCH = 256
/** Members that wait before more are refused. */
const QUEUE = 65_536

export interface DeliveredListener {
  /** After the commit. */
  onMoved(rows: DeliveredRow[]): Promise<void>
  /** It is not known whether anything was written in these chats. */
  onDoubt(chatIds: readonly string[]): void
  onProblem(error: unknown): void
}

export class Delivered {
  readonly #db: Database
  readonly #listener: DeliveredListener
  #waiting = new Map<string, DeliveredKey>()
  #timer: NodeJS.Timeout | undefined
  #atWork: Promise<void> | undefined

  constructor(db: Database, listener: DeliveredListener) {
    this.#db = db
    this.#listener = listener
  }

  /** @throws busy */
  add(key: DeliveredKey): void {
    const name = `${key.chatId} ${key.userId}`
    const known = this.#waiting.get(name)
    if (known) known.seq = Math.max(known.seq, key.seq)
    else if (this.#waiting.size >= QUEUE) throw busy()
    else this.#waiting.set(name, key)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#flush()
    }, EVERY_MS)
  }

  /** Writes what waits. */
  async stop(): Promise<void> {
    await this.#flush()
    clearTimeout(this.#timer)
  }

  async #flush(): Promise<void> {
    while (this.#atWork) await this.#atWork
    this.#atWork = this.#writeAll().finally(() => (this.#atWork = undefined))
    await this.#atWork
  }

  async #writeAll(): Promise<void> {
    const keys = [...this.#waiting.values()]
    this.#waiting = new Map()
    while (keys.length > 0) {
      const batch = keys.splice(0, BATCH)
      try {
        await this.#listener.onMoved(await updateDelivered(this.#db, batch))
      } catch (error) {
        this.#recover(batch, keys, error)
      }
    }
  }

  /** What could not be written waits for the next time; while the database is away, all does. */
  #recover(batch: DeliveredKey[], rest: DeliveredKey[], error: unknown): void {
    const isAway = error instanceof DatabaseAway
    if (isAway && error.sent) this.#listener.onDoubt(batch.map(({ chatId }) => chatId))
    if (!isAway && !isRace(error)) return this.#listener.onProblem(error)
    const again = isAway ? [...batch, ...rest.splice(0)] : batch
    for (const key of again) if (this.#waiting.size < QUEUE) this.add(key)
  }
}

function busy(): ChatError {
  return new ChatError('busy', {
    detail: 'More is delivered than can be written down; try again in a second',
    retryAfterMs: 1_000,
  })
}

/** [RECEIPT-1] The actor's device has the chat's messages up to `seq`. */
export async function markDelivered(
  core: Core,
  actor: Actor,
  { chatId, seq }: { chatId: string; seq: number },
): Promise<void> {
  const rights = isUuid(chatId) ? await core.writer.rights(chatId.toLowerCase()) : undefined
  if (!isMember(rights, actor.id)) throw chatNotFound()
  if (rights.begun) core.delivered.add({ chatId: rights.id, userId: actor.id, seq })
  // [CHAT-3] Who opened a chat without messages, or has blocked in it, is not shown to the other.
  else await getChat(core, actor, chatId)
}

/** [RECEIPT-2, RECEIPT-3] */
export async function publishDelivered(core: Core, rows: readonly DeliveredRow[]): Promise<void> {
  for (const row of rows)
    if (row.rev !== null) await tell(core, row.chat_id, () => publishOne(core, row))
}

async function publishOne(core: Core, row: DeliveredRow): Promise<void> {
  const { chat_id: chatId, user_id: userId, delivered_seq: seq, last_seq: lastSeq, rev } = row
  const rights = await core.writer.rights(chatId)
  const username = rights?.members.get(userId)
  if (username === undefined) return
  // [PRIV-5] A stranger is not told what came before the chat is accepted.
  const others = rights?.pending.has(userId) ? [] : await hearersOf(core, rights, userId)
  const to = [userId, ...others]
  const data = { chatId, username, seq, rev, lastSeq }
  core.bus.publish({ kind: 'deliver', to, name: 'delivered.updated', data })
}
