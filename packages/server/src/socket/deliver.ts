/** The one place from which events go to sockets; the only one here that knows the bus. */
import type { Bus, EventOf } from '../bus/bus.ts'
import { isTooOld } from '../domain/sessions.ts'
import { encodeOnce } from './frames.ts'
import type { SocketSession } from './session.ts'

export class Registry {
  readonly #byUser = new Map<number, Set<SocketSession>>()
  readonly all = new Set<SocketSession>()

  add(session: SocketSession): void {
    this.all.add(session)
    const { id } = session.actor
    const known = this.#byUser.get(id)
    if (known) known.add(session)
    else this.#byUser.set(id, new Set([session]))
  }

  /** false: it was not there. */
  remove(session: SocketSession): boolean {
    const { id } = session.actor
    const known = this.#byUser.get(id)
    known?.delete(session)
    if (known?.size === 0) this.#byUser.delete(id)
    return this.all.delete(session)
  }

  users(): Iterable<number> {
    return this.#byUser.keys()
  }

  ofUser(userId: number): ReadonlySet<SocketSession> {
    return this.#byUser.get(userId) ?? NOBODY
  }
}

/** Of sockets. */
interface Addressee {
  userId: number
  socket: string
}

/** To these sockets alone. */
export function tellSockets(
  registry: Registry,
  to: readonly Addressee[],
  { name, data }: { name: string; data: unknown },
): void {
  let packet: ReturnType<typeof encodeOnce> | undefined
  for (const { userId, socket } of to)
    for (const session of registry.ofUser(userId)) {
      if (session.socket.id !== socket || !session.admits(name, data)) continue
      packet ??= encodeOnce(toPacket(name, data))
      packet.write(session.socket.conn)
    }
}

const NOBODY: ReadonlySet<SocketSession> = new Set()

/** Returns the way to end it. */
export function startDelivery(bus: Bus, registry: Registry): () => void {
  const ends = [
    bus.subscribe('deliver', (event) => deliver(registry, event)),
    bus.subscribe('revoked', (event) => endSessions(registry, event)),
  ]
  return () => {
    for (const end of ends) end()
  }
}

function deliver(registry: Registry, { to, name, data, except }: EventOf<'deliver'>): void {
  let packet: ReturnType<typeof encodeOnce> | undefined
  for (const userId of to)
    for (const session of registry.ofUser(userId)) {
      if (session.socket.id === except || !session.admits(name, data)) continue
      packet ??= encodeOnce(toPacket(name, data))
      packet.write(session.socket.conn)
    }
}

/** An EVENT of Socket.IO's protocol 5. */
function toPacket(name: string, data: unknown): string {
  return `2${JSON.stringify([name, data])}`
}

/** [SOCK-3] */
function endSessions(registry: Registry, event: EventOf<'revoked'>): void {
  for (const session of registry.ofUser(event.userId))
    if (isEnded(session, event)) session.close(event.reason)
}

function isEnded(
  { actor }: SocketSession,
  { sessionId, keep, until }: EventOf<'revoked'>,
): boolean {
  if (sessionId !== undefined) return actor.sessionId === sessionId
  if (actor.via === 'session') return actor.sessionId !== keep
  if (actor.via === 'jwt') return until === undefined || isTooOld(actor, until)
  return true
}
