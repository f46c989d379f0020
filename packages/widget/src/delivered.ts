/** Tells senders that what they wrote is here [RECEIPT-1]: of each chat once a second, and only the last seq. */
import type { Chat, Client } from '@microchatter/client'

const SOON_MS = 1_000
/** After some time away: the newest chats; of the others it is said when they are opened. */
const AT_ONCE = 20

/** @returns the way to end it */
export function tellDelivered(client: Client): () => void {
  const told = new Map<string, number>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const tell = () => {
    timer = undefined
    const me = client.me.getSnapshot()?.username
    if (client.status.getSnapshot() !== 'online') return
    for (const chat of client.chats.getSnapshot().slice(0, AT_ONCE)) {
      const { id: chatId, lastSeq: seq } = chat
      if (!isNew(chat, me) || (told.get(chatId) ?? 0) >= seq) continue
      told.set(chatId, seq)
      client.api.markDelivered({ chatId, seq }).catch(() => told.delete(chatId))
    }
  }
  const end = client.chats.subscribe(() => {
    timer ??= setTimeout(tell, SOON_MS)
  })
  return () => {
    clearTimeout(timer)
    end()
  }
}

function isNew(
  { lastMessage, lastSeq, readSeq, members, memberCount = 2 }: Chat,
  me: string | undefined,
) {
  // In a large group nobody is told [RECEIPT-3].
  if (memberCount > 50 || !lastMessage || lastMessage.sender === me || readSeq >= lastSeq)
    return false
  const mine = members.find(({ username }) => username === me)
  return (mine?.deliveredSeq ?? 0) < lastSeq
}
