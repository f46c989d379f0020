/** One chat on the screen: its messages from some point to the end, and what waits to be sent. */
import type { Message } from './protocol.ts'
import type { Pending } from './storage.ts'
import type { Value } from './value.ts'

export interface ConversationView {
  /** Without gap, the oldest first. */
  messages: readonly Message[]
  /** Behind them: on their way, or refused. */
  pending: readonly Pending[]
  /** There are older ones: `loadOlder`. */
  hasOlder: boolean
  /** The first page has not come yet. */
  isLoading: boolean
}

export interface Conversation {
  readonly view: Value<ConversationView>
  /** One page more. */
  loadOlder(): Promise<void>
  /** Nobody looks at it any more: its messages are not kept up to date from here on. */
  close(): void
}

export const EMPTY: ConversationView = {
  messages: [],
  pending: [],
  hasOlder: false,
  isLoading: true,
}
