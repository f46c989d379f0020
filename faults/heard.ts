/** What a device was ever told of: it must not hear of others' chats, nor of two changes as one. */
import type { Chat } from '@microchatter/protocol'

export class Heard {
  /** Chats, each with the last seq that it heard of. */
  readonly chats = new Map<string, number>()
  /** Changes of which two things were told, in words. */
  readonly numberedTwice: string[] = []
  readonly #seqOfChange = new Map<string, number>()

  event(name: string, data: any): void {
    const isView = name === 'chat.created' || name === 'chat.updated'
    const chatId = isView ? data.id : data.chatId
    if (typeof chatId !== 'string') return
    this.#chat(chatId, name === 'message.created' ? data.seq : data.lastSeq)
    if (typeof data.change === 'number') this.#change(data)
  }

  views(chats: readonly Chat[]): void {
    for (const { id, lastSeq } of chats) this.#chat(id, lastSeq)
  }

  #chat(chatId: string, seq = 0): void {
    this.chats.set(chatId, Math.max(seq, this.chats.get(chatId) ?? 0))
  }

  /** [CHANGE-1] A number is one change, whoever tells of it. */
  #change({ chatId, seq, change }: { chatId: string; seq: number; change: number }): void {
    const known = this.#seqOfChange.get(`${chatId} ${change}`) ?? seq
    this.#seqOfChange.set(`${chatId} ${change}`, seq)
    if (known !== seq)
      this.numberedTwice.push(`change ${change} of chat ${chatId} is of ${known} and of ${seq}`)
  }
}

/** Chats with the last seq, by user, of all devices. */
export function heardOf(
  devices: readonly { user: string; heard: Heard }[],
): Map<string, Map<string, number>> {
  const all = new Map<string, Map<string, number>>()
  for (const { user, heard } of devices) {
    const known = all.get(user) ?? new Map<string, number>()
    for (const [chatId, seq] of heard.chats)
      known.set(chatId, Math.max(seq, known.get(chatId) ?? 0))
    all.set(user, known)
  }
  return all
}
