/** Messages that disappear [TIME-1]: gone at their time for who reads, and erased soon after. */
import type { Message } from '@microchatter/protocol'
import { type ChatRights, lockChat, touchChats } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import {
  deleteExpiring,
  eraseBeside,
  eraseMessages,
  selectExpired,
  settleDeleted,
  takeExpired,
} from '../store/expiring.ts'
import { selectMessagesAt } from '../store/messages.ts'
import type { Unseen } from './audience.ts'
import { currentRights, unseenOf } from './changes.ts'
import { change, tell } from './changing.ts'
import type { Core } from './core.ts'
import { toMessage } from './message-view.ts'
import { deliverMessage } from './publish.ts'

/** Messages looked for at once; those of one chat are one transaction. */
const BATCH = 500
/** Of one transaction: it holds the chat's lock. */
const OF_CHAT = 100
const TOGETHER = 4
const NOBODY = { id: 0, socket: undefined }

/** [TIME-2] true: there may be more. */
export async function expireMessages(core: Core): Promise<boolean> {
  const due = await selectExpired(core.db, BATCH)
  const parts = partsOf(due)
  for (let from = 0; from < parts.length; from += TOGETHER) {
    const some = parts.slice(from, from + TOGETHER)
    const done = await Promise.allSettled(some.map((part) => expireIn(core, part)))
    for (const result of done) if (result.status === 'rejected') throw result.reason
  }
  return due.length === BATCH
}

interface Part {
  chatId: string
  seqs: number[]
}

function partsOf(due: readonly { chat_id: string; seq: number }[]): Part[] {
  const parts: Part[] = []
  const open = new Map<string, Part>()
  for (const { chat_id: chatId, seq } of due) {
    const known = open.get(chatId)
    if (known && known.seqs.length < OF_CHAT) {
      known.seqs.push(seq)
      continue
    }
    const part = { chatId, seqs: [seq] }
    open.set(chatId, part)
    parts.push(part)
  }
  return parts
}

async function expireIn(core: Core, { chatId, seqs }: Part): Promise<void> {
  const known = await core.writer.rights(chatId)
  if (!known) return deleteExpiring(core.db, chatId)
  const { rights, told, rev } = await change(core, chatId, (tx) => erase(tx, known, seqs))
  await tell(core, chatId, async () => {
    for (const { message, unseen } of told) {
      const event = { name: 'message.deleted' as const, data: { ...message, rev } }
      deliverMessage(core, rights, event, { ...NOBODY, unseen })
    }
  })
}

interface Erased {
  rights: ChatRights
  told: { message: Message; unseen: Unseen }[]
  rev: number
}

/** Another node may have been first: then there is nothing to do, and nothing is counted. */
async function erase(tx: Db, known: ChatRights, seqs: number[]): Promise<Erased> {
  const chatId = known.id
  const rights = await currentRights(tx, known, await lockChat(tx, chatId))
  const taken = await takeExpired(tx, chatId, seqs)
  if (taken.length > 0) await eraseBeside(tx, chatId, taken)
  const left = taken.length > 0 ? await settleDeleted(tx, chatId, taken) : []
  if (left.length === 0) return { rights, told: [], rev: 0 }
  const touched = (await touchChats(tx, [chatId], left.length)).get(chatId)
  if (!touched) throw new Error('A chat that is locked is gone')
  await eraseMessages(tx, { chatId, seqs: left, changes: touched.changes - left.length })
  const rows = await selectMessagesAt(
    tx,
    left.map((seq) => ({ chat_id: chatId, seq })),
  )
  rows.sort((a, b) => a.change - b.change)
  const told: Erased['told'] = []
  for (const row of rows)
    told.push({ message: toMessage(row), unseen: await unseenOf(tx, rights, row) })
  return { rights, told, rev: touched.rev }
}
