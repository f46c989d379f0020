/** Clients beside a fresh fetch: after a fault they are the same [SYNC-1]. */
import { isDeepStrictEqual } from 'node:util'
import type { Chat, Message } from '@microchatter/protocol'
import type { Device } from './device.ts'

const PAGE = 100
/** From when a message has disappeared until all are told of it, at most. */
const GOING_MS = 5_000

/** Up to where a chat was found right. */
export interface Verified {
  seq: number
  change: number
}

/** What a user sees who has just come, and of each chat the messages after some seq. */
interface Fresh {
  chats: Map<string, Chat>
  messages: Map<string, { after: number; messages: Message[]; changed: Message[] }>
}

interface People {
  devicesOf(user: string): readonly Device[]
}

/** All devices of these users; where nothing differs, what was looked at is verified. */
export async function compare(
  people: People,
  users: readonly string[],
  verified: Map<string, Verified>,
): Promise<string[]> {
  const found: string[] = []
  const heads = new Map<string, Verified>()
  for (const user of users) {
    const devices = people.devicesOf(user)
    const fresh = devices[0] && (await fetchFresh(devices[0], verified))
    if (!fresh) return [`${user} could not fetch`]
    for (const [id, { lastSeq, changes = 0 }] of fresh.chats) {
      const { seq, change } = heads.get(id) ?? { seq: lastSeq, change: changes }
      heads.set(id, { seq: Math.min(lastSeq, seq), change: Math.min(changes, change) })
    }
    for (const device of devices)
      for (const text of differencesOf(device, fresh))
        found.push(`device ${device.index} of ${user}: ${text}`)
  }
  if (found.length === 0) for (const [id, head] of heads) verified.set(id, head)
  return found
}

/** All pages, straight from the server. */
async function fetchFresh(
  device: Device,
  verified: ReadonlyMap<string, Verified>,
): Promise<Fresh | undefined> {
  const chats = new Map<string, Chat>()
  for (const archived of ['false', 'true']) {
    let cursor: string | undefined
    do {
      const query = `archived=${archived}&limit=${PAGE}${cursor ? `&cursor=${cursor}` : ''}`
      const { result, body } = await device.get(`/chats?${query}`)
      if (result !== 'ok') return undefined
      for (const chat of body.items) chats.set(chat.id, chat)
      cursor = body.nextCursor
    } while (cursor)
  }
  const messages: Fresh['messages'] = new Map()
  for (const chat of chats.values()) {
    const { seq = 0, change = 0 } = verified.get(chat.id) ?? {}
    const after = Math.max(seq, chat.clearedSeq ?? 0)
    const items = chat.lastSeq > after ? await fetchMessages(device, chat.id, after) : []
    const isChanged = after > 0 && (chat.changes ?? 0) > change
    const changed = isChanged ? await fetchChanges(device, chat.id, change) : []
    if (!items || !changed) return undefined
    const older = changed.filter((message) => message.seq <= after)
    messages.set(chat.id, { after, messages: items, changed: older })
  }
  return { chats, messages }
}

async function fetchMessages(device: Device, chatId: string, after: number) {
  const items: Message[] = []
  for (let hasAfter = true; hasAfter; ) {
    const from = items.at(-1)?.seq ?? after
    const { result, body } = await device.get(
      `/chats/${chatId}/messages?after=${from}&limit=${PAGE}`,
    )
    if (result !== 'ok') return undefined
    items.push(...body.items)
    hasAfter = body.hasAfter && body.items.length > 0
  }
  return items
}

async function fetchChanges(device: Device, chatId: string, after: number) {
  const items: Message[] = []
  for (let from = after, hasAfter = true; hasAfter; ) {
    const { result, body } = await device.get(
      `/chats/${chatId}/changes?after=${from}&limit=${PAGE}`,
    )
    if (result !== 'ok') return undefined
    items.push(...body.items)
    from = body.changes
    hasAfter = body.hasAfter
  }
  return items
}

/** What this device has otherwise than a fresh fetch has it [SYNC-1]; empty where it has converged. */
function differencesOf(device: Device, fresh: Fresh): string[] {
  if (!device.isLive) return ['it is not connected']
  const found: string[] = []
  const kept = device.state.chats
  for (const [id, chat] of fresh.chats) {
    const own = kept.get(id)
    if (!own) found.push(`chat ${id} is missing`)
    else if (!isDeepStrictEqual(comparable(own), comparable(chat)))
      found.push(`chat ${id} is ${text(own)}, a fetch gives ${text(chat)}`)
  }
  for (const id of kept.keys()) if (!fresh.chats.has(id)) found.push(`chat ${id} is too much`)
  for (const [id, { after, changed, messages: fetched }] of fresh.messages) {
    const messages = fetched.map(lasting)
    const all = device.state.open.get(id) ?? []
    const own = all.filter(({ seq }) => seq > after).map(lasting)
    if (!isDeepStrictEqual(own, messages))
      found.push(
        `chat ${id} has ${firstOf(own, messages)}, a fetch gives ${firstOf(messages, own)}`,
      )
    for (const message of changed) {
      const known = all.find(({ seq }) => seq === message.seq)
      // What I have deleted for me shows nothing of its changes, and what is mine is in no change.
      if (!known || known.my?.deleted) continue
      const { my: _, ...shared } = known
      if (!isDeepStrictEqual(shared, message))
        found.push(
          `chat ${id} has ${JSON.stringify(shared)}, changed to ${JSON.stringify(message)}`,
        )
    }
  }
  return found
}

/** Where two lists differ first, as the first one has it. */
function firstOf(own: readonly Partial<Message>[], other: readonly Partial<Message>[]): string {
  const index = own.findIndex((message, at) => !isDeepStrictEqual(message, other[at]))
  const first = index < 0 ? 'no more' : JSON.stringify(own[index])
  return `messages ${seqs(own)}, and ${first}`
}

/** Who changes a chat for himself alone moves its rev, and tells nobody else. */
function comparable(view: Chat) {
  const { rev: _, members, lastMessage, ...chat } = view
  const byName = [...members].sort((a, b) => (`${a.username}` < `${b.username}` ? -1 : 1))
  return { ...chat, members: byName, lastMessage: lastMessage && lasting(lastMessage) }
}

/** [TIME-2] One whose time has come is gone for who fetches, and told of a moment later. */
function lasting(message: Message): Partial<Message> {
  const { chatId, seq, deletedAt, deletedBy, expiresAt } = message
  const end = expiresAt ?? (deletedBy === undefined ? deletedAt : undefined)
  const ms = end === undefined ? Number.NaN : Date.now() - Date.parse(end)
  return ms > 0 && ms < GOING_MS ? { chatId, seq } : message
}

function text(chat: Chat): string {
  const { lastMessage: _, id: __, ...rest } = chat
  return JSON.stringify(rest)
}

function seqs(messages: readonly Partial<Message>[]): string {
  const [first, last] = [messages[0]?.seq, messages.at(-1)?.seq]
  return messages.length === 0 ? 'none' : `${first} to ${last} (${messages.length})`
}
