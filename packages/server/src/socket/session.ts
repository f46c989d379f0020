/**
 * One authenticated socket.
 *
 *   live ──sync──▶ holding ──its answer──▶ live        events of a holding session wait, bounded
 *     └──────────────┴── close(reason) ──▶ closed      nothing more is sent
 */
import type { CloseReason } from '@microchatter/protocol'
import type { Socket } from 'socket.io'
import type { Actor } from '../domain/core.ts'
import { setReading, waitingBytes } from './frames.ts'

export type HeldEvent = { name: string; data: unknown }
type State =
  | { is: 'live' }
  /** `events` undefined: too many came; the client has to start fresh. */
  | { is: 'holding'; events: HeldEvent[] | undefined }
  | { is: 'closed' }

const LIVE: State = { is: 'live' }
const CLOSED: State = { is: 'closed' }

/** Events that wait for one sync. */
const HELD_EVENTS = 1_000
/** What may wait for a reader before it counts as too slow [SOCK-1]. */
const WAITING_BYTES = 1_048_576
/** Above this, what is not kept anyway (typing) is left out. */
const BUSY_BYTES = 16_384
/** Calls at work of one socket: from the first number on nothing more is read, until the second. */
const SLOWED_CALLS = 128
const RESUMED_CALLS = 64
/** How long a closed connection may take to send what it still has. */
const LINGER_MS = 1_000

export class SocketSession {
  readonly socket: Socket
  actor: Actor
  state: State = LIVE
  readonly openedAt = Date.now()
  /** Until the socket is connected: what is to be done if it is cut before. */
  onCut: (() => void) | undefined
  /** The client was told that its credentials end. */
  warned = false
  /** Its user is not looking. */
  away = false
  /** Calls at work. */
  inFlight = 0
  /** Calls refused in a row for their rate. */
  refused = 0

  constructor(socket: Socket, actor: Actor) {
    this.socket = socket
    this.actor = actor
  }

  /** A sender who is faster than the database is slowed by TCP itself. */
  begin(): void {
    this.inFlight += 1
    if (this.inFlight === SLOWED_CALLS) setReading(this.socket.conn, false)
  }

  end(): void {
    this.inFlight -= 1
    if (this.inFlight === RESUMED_CALLS) setReading(this.socket.conn, true)
  }

  /** true: send it now. false: it waits, or there is no one to send it to. */
  admits(name: string, data: unknown): boolean {
    if (this.state.is === 'live') return !this.#leavesOut(name) && this.keepsUp()
    if (this.state.is !== 'holding' || name === 'typing') return false
    // [PRES-5] It is no part of what a sync tells.
    if (name === 'presence.updated') return this.keepsUp()
    this.#hold({ name, data })
    return false
  }

  hold(): void {
    if (this.state.is === 'live') this.state = { is: 'holding', events: [] }
  }

  /** Ends the holding; undefined where too much came. */
  release(): HeldEvent[] | undefined {
    if (this.state.is !== 'holding') return []
    const { events } = this.state
    this.state = LIVE
    return events
  }

  close(reason: CloseReason, reconnectInMs?: number): void {
    if (this.state.is === 'closed') return
    this.state = CLOSED
    const { conn } = this.socket
    this.socket.emit('session.closed', {
      reason,
      ...(reconnectInMs === undefined ? {} : { reconnectInMs }),
    })
    this.socket.disconnect(true)
    // A reader that does not read never sends what is left: its connection is cut.
    setTimeout(() => cut(conn), LINGER_MS).unref()
  }

  #hold(event: HeldEvent): void {
    if (this.state.is !== 'holding' || !this.state.events) return
    if (this.state.events.length >= HELD_EVENTS) this.state.events = undefined
    else this.state.events.push(event)
  }

  /** [SOCK-1] Asked before anything is written, answers too; a reader that is too slow is closed. */
  keepsUp(): boolean {
    if (this.state.is === 'closed') return false
    if (this.#waitingBytes() <= WAITING_BYTES) return true
    this.close('too_slow')
    return false
  }

  #leavesOut(name: string): boolean {
    return name === 'typing' && this.#waitingBytes() > BUSY_BYTES
  }

  #waitingBytes(): number {
    return waitingBytes(this.socket.conn)
  }
}

/** `ws` keeps its socket in a field that engine.io's types do not show. */
function cut(conn: Socket['conn']): void {
  const { transport } = conn as unknown as { transport: { socket?: { terminate?: () => void } } }
  transport.socket?.terminate?.()
  if (conn.readyState !== 'closed') conn.close(true)
}
