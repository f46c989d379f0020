/** Who has read what, and has it on a device, and who is told of that. */
import {
  type EventData,
  type Receipt,
  type Receipts,
  type ReceiptsQuery,
} from '@microchatter/protocol'
import { LRUCache } from 'lru-cache'
import type { ChatRights } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import { type ReceiptRow, selectReceipts } from '../store/delivered.ts'
import { selectReceiptFlags } from '../store/users.ts'
import type { Actor, Core } from './core.ts'
import { decodeCursor, toPage } from './cursor.ts'
import { checkSeen, findBounds } from './history.ts'
import { idsOf, isLarge } from './rights.ts'

const KEPT_USERS = 200_000
/** A change is told by the bus; this mends what it loses. */
const KEPT_MS = 300_000

/** [RECEIPT-5] Which users tell and see receipts. Kept, so that a mark costs no statement more. */
export class Sharing {
  readonly #db: Db
  readonly #kept = new LRUCache<number, boolean>({
    max: KEPT_USERS,
    ttl: KEPT_MS,
    ttlResolution: 1_000,
  })
  #drops = 0

  constructor(db: Db) {
    this.#db = db
  }

  /** Of these, those who do. */
  async among(userIds: readonly number[]): Promise<number[]> {
    const missing = userIds.filter((id) => this.#kept.get(id) === undefined)
    const read = missing.length === 0 ? undefined : await this.#read(missing)
    return userIds.filter((id) => read?.get(id) ?? this.#kept.get(id) ?? false)
  }

  async has(userId: number): Promise<boolean> {
    return (await this.among([userId])).length === 1
  }

  /** What is kept of this user is out of date, or of all. */
  drop(userId?: number): void {
    this.#drops += 1
    if (userId === undefined) this.#kept.clear()
    else this.#kept.delete(userId)
  }

  /** What was read while something changed may be from before the change: it is not kept. */
  async #read(userIds: readonly number[]): Promise<Map<number, boolean>> {
    const drops = this.#drops
    const rows = await selectReceiptFlags(this.#db, userIds)
    if (drops === this.#drops) for (const { id, receipts } of rows) this.#kept.set(id, receipts)
    return new Map(rows.map(({ id, receipts }) => [id, receipts]))
  }
}

/** Members that hear of a mark of this user, without the user itself. */
export async function hearersOf(
  core: Core,
  rights: ChatRights | undefined,
  userId: number,
): Promise<number[]> {
  if (!rights || isLarge(rights)) return []
  const ids = idsOf(rights)
  const sharing = await core.sharing.among(ids)
  return sharing.includes(userId) ? sharing.filter((id) => id !== userId) : []
}

type Mark = Omit<EventData<'read.updated'>, 'username' | 'unread'>

/** To the others. Returns what they are told. */
export async function tellRead(
  core: Core,
  actor: Pick<Actor, 'id' | 'username'>,
  mark: Mark,
): Promise<EventData<'read.updated'>> {
  const rights = await core.writer.rights(mark.chatId)
  // [CHAT-3] The other does not know of a chat without messages; [PRIV-3] nor a stranger what is read.
  const isKnown = mark.lastSeq > 0 && !rights?.pending.has(actor.id)
  const to = isKnown ? await hearersOf(core, rights, actor.id) : []
  const data = { ...mark, username: actor.username }
  core.bus.publish({ kind: 'deliver', to, name: 'read.updated', data })
  return data
}

/** [RECEIPT-4] */
export async function getReceipts(
  core: Core,
  actor: Actor,
  { chatId, seq }: { chatId: string; seq: number },
  { limit = 50, cursor }: ReceiptsQuery,
): Promise<Receipts> {
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  // Of those who are in the chat alone.
  checkSeen(await findBounds(core, { ...actor, admin: false }, chatId), seq)
  if (!(await core.sharing.has(actor.id))) return { read: 0, delivered: 0, items: [] }
  const rows = await selectReceipts(core.db, { chatId, seq, after, limit: limit + 1 })
  const [first] = rows
  const page = toPage<ReceiptRow, Receipt>(
    rows.filter(({ username }) => username !== null),
    {
      limit,
      item: ({ username, has_read }) => ({
        username: username ?? '',
        state: has_read ? 'read' : 'delivered',
      }),
      key: ({ username }) => [username ?? ''],
    },
  )
  return { read: first?.read ?? 0, delivered: first?.delivered ?? 0, ...page }
}
