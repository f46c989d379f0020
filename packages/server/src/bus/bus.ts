import type { CloseReason, PresenceState } from '@microchatter/protocol'

/**
 * Fan-out between nodes. The promise: what a node publishes reaches its own subscribers at once, and
 * those of every other node soon, in the order in which that node published it, or not at all. It is
 * never waited for, never in a transaction [SEND-6]; what is lost costs delay only, because every
 * receiver can read the same from the database. Implementations: memory.ts (one node), redis.ts.
 */
export type BusEvent =
  /** To all sockets of these users. */
  | {
      kind: 'deliver'
      to: number[]
      name: string
      data: unknown
      /** The socket that caused it: it has its answer already. */
      except?: string | undefined
    }
  /** Who may send in this chat has changed; `between`: by a block of one of the two, or its end. */
  | { kind: 'rights'; chatId: string; between?: [number, number] | undefined }
  /** Something is due then, in milliseconds since 1970. */
  | { kind: 'due'; at: number }
  /** What is cached of this user is out of date: its profile, its settings. */
  | { kind: 'user'; userId: number }
  /**
   * Sessions that ended: `sessionId` alone, or all of the user's but `keep`. JWTs issued up to
   * `until` (milliseconds) end with them; without it, all do.
   */
  | {
      kind: 'revoked'
      userId: number
      reason: CloseReason
      sessionId?: string | undefined
      keep?: string | undefined
      until?: number | undefined
    }
  | PresenceEvent

/** Who is there on a node; domain/states.ts tells how the nodes talk. */
export type PresenceEvent = { kind: 'presence'; node: string } & (
  | {
      says: 'states'
      round: number
      /** `at`: when it went, in milliseconds since 1970. */
      states: [userId: number, state: PresenceState, at?: number][]
    }
  | { says: 'beat'; round: number; sum: number }
  /** Of one node, or of all. */
  | { says: 'ask'; of?: string | undefined }
  | { says: 'bye' }
)

export type EventOf<K extends BusEvent['kind']> = Extract<BusEvent, { kind: K }>

export interface Bus {
  publish(event: BusEvent): void
  /** To what is of this kind. Returns the way to end it. */
  subscribe<K extends BusEvent['kind']>(kind: K, listen: (event: EventOf<K>) => void): () => void
  /** false: what is published reaches this node only, for now. */
  healthy(): boolean
  close(): Promise<void>
}
