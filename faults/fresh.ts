/** Clients beside a fresh fetch: after a fault they are the same [SYNC-1]. */
import { isDeepStrictEqual } from 'node:util'
import type { Chat, Message } from '@microchatter/protocol'
import type { Device } from './device.ts'

const PAGE = 100

/** What a user sees who has just come, and of each chat the messages after some seq. */
export interface Fresh {
  chats: Map<string, Chat>
  messages: Map<string, { after: number; messages: Message[] }>
}

/** All pages, straight from the server. */
export async function fetchFresh(
  device: Device,
  verified: ReadonlyMap<string, number>,
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
    const after = Math.max(verified.get(chat.id) ?? 0, chat.clearedSeq ?? 0)
    const items: Message[] = []
    for (let hasAfter = chat.lastSeq > after; hasAfter; ) {
      const from = items.at(-1)?.seq ?? after
      const path = `/chats/${chat.id}/messages?after=${from}&limit=${PAGE}`
      const { result, body } = await device.get(path)
      if (result !== 'ok') return undefined
      items.push(...body.items)
      hasAfter = body.hasAfter && body.items.length > 0
    }
    messages.set(chat.id, { after, messages: items })
  }
  return { chats, messages }
}

/** What this device has otherwise than a fresh fetch has it [SYNC-1]; empty where it has converged. */
export function differencesOf(device: Device, fresh: Fresh): string[] {
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
  for (const [id, { after, messages }] of fresh.messages) {
    const own = (device.state.open.get(id) ?? []).filter(({ seq }) => seq > after)
    if (!isDeepStrictEqual(own, messages))
      found.push(`chat ${id} has messages ${seqs(own)}, a fetch gives ${seqs(messages)}`)
  }
  return found
}

/** Who changes a chat for himself alone moves its rev, and tells nobody else. */
function comparable(view: Chat) {
  const { rev: _, members, ...chat } = view
  const byName = [...members].sort((a, b) => (`${a.username}` < `${b.username}` ? -1 : 1))
  return { ...chat, members: byName }
}

function text(chat: Chat): string {
  const { lastMessage: _, id: __, ...rest } = chat
  return JSON.stringify(rest)
}

function seqs(messages: Message[]): string {
  const [first, last] = [messages[0]?.seq, messages.at(-1)?.seq]
  return messages.length === 0 ? 'none' : `${first} to ${last} (${messages.length})`
}
