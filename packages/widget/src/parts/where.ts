/** What a message needs to know of the log that it is drawn in. */
import type { Chat, Message } from '@microchatter/client'
import type { Ui } from '../ui.ts'

export interface Where {
  ui: Ui
  chat: Chat | undefined
  me: string
  /** It is drawn in the thread of this one. */
  thread?: number | undefined
  onReply(message: Message): void
  onEdit(message: Message): void
  onJump(seq: number): void
  /** After something of mine was changed. */
  onDone(seq: number): void
  /** Draws once more, as things are. */
  onDraw(): void
}

export function reactTo(
  { ui, onDone }: Where,
  { chatId, seq }: Message,
  emoji: string,
  on: boolean,
): void {
  ui.run(ui.client.react(chatId, seq, emoji, on).then(() => onDone(seq)))
}
