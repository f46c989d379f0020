/**
 * Who types where [TYPE-1]. It is told, not kept: each node knows of its own sockets alone, and ends
 * what is not repeated.
 *
 *   typing: true ──▶ told, again after 2 s at the earliest ──▶ ended by: typing: false · 6 s without a
 *     repeat · the socket's end · an 11th chat  (told)       or by: a message of the typist  (not told)
 */
import type { Message } from '@microchatter/protocol'
import type { Bus, EventOf } from '../bus/bus.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { DatabaseAway } from '../store/db.ts'
import { chatNotFound, companyOf, isLarge, isMember } from './rights.ts'

const LASTS_MS = 6_000
const AGAIN_MS = 2_000
const TICK_MS = 250
/** Chats in which one socket types at the same time. */
const CHATS = 10

interface Typist {
  chatId: string
  user: Pick<Actor, 'id' | 'username'>
  toldAt: number
  /** When it ends for each of the user's sockets that type here, in ms of performance.now(). */
  sockets: Map<string, number>
}

export class Typing {
  /** By chat and user. */
  readonly #typists = new Map<string, Typist>()
  /** Of each socket, the longest unrepeated first. */
  readonly #bySocket = new Map<string, Set<Typist>>()
  readonly #onEnd: (typist: Pick<Typist, 'chatId' | 'user'>) => void
  readonly #unsubscribe: () => void
  readonly #timer: NodeJS.Timeout

  /** `onEnd`: others have to be told. */
  constructor(bus: Bus, onEnd: (typist: Pick<Typist, 'chatId' | 'user'>) => void) {
    this.#onEnd = onEnd
    this.#unsubscribe = bus.subscribe('deliver', (event) => this.#note(event))
    this.#timer = setInterval(() => this.#endOld(), TICK_MS).unref()
  }

  /** true: it is to be told. */
  begin(socket: string, chatId: string, user: Typist['user']): boolean {
    const now = performance.now()
    const key = keyOf(chatId, user.username)
    const typist = this.#typists.get(key) ?? { chatId, user, toldAt: -Infinity, sockets: new Map() }
    this.#typists.set(key, typist)
    typist.sockets.set(socket, now + LASTS_MS)
    this.#keepOf(socket, typist)
    if (now - typist.toldAt < AGAIN_MS) return false
    typist.toldAt = now
    return true
  }

  /** Told to the others, if the user's other sockets do not type there. */
  end(socket: string, chatId: string, username: string): void {
    const typist = this.#typists.get(keyOf(chatId, username))
    if (typist?.sockets.has(socket)) this.#end(socket, typist)
  }

  endAllOf(socket: string): void {
    for (const typist of this.#bySocket.get(socket) ?? []) this.#end(socket, typist)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#unsubscribe()
  }

  #keepOf(socket: string, typist: Typist): void {
    const own = this.#bySocket.get(socket) ?? new Set()
    this.#bySocket.set(socket, own)
    own.delete(typist)
    own.add(typist)
    const [oldest] = own
    if (own.size > CHATS && oldest) this.#end(socket, oldest)
  }

  #end(socket: string, typist: Typist): void {
    this.#forget(socket, typist)
    if (typist.sockets.size > 0) return
    this.#typists.delete(keyOf(typist.chatId, typist.user.username))
    this.#onEnd(typist)
  }

  #forget(socket: string, typist: Typist): void {
    typist.sockets.delete(socket)
    const own = this.#bySocket.get(socket)
    own?.delete(typist)
    if (own?.size === 0) this.#bySocket.delete(socket)
  }

  /** [TYPE-3] The message says it, whichever node has stored it. */
  #note({ name, data }: EventOf<'deliver'>): void {
    if (this.#typists.size === 0 || name !== 'message.created') return
    const { chatId, sender = '' } = data as Message
    const key = keyOf(chatId, sender)
    const typist = this.#typists.get(key)
    if (!typist) return
    for (const socket of typist.sockets.keys()) this.#forget(socket, typist)
    this.#typists.delete(key)
  }

  #endOld(): void {
    const now = performance.now()
    for (const typist of this.#typists.values())
      for (const [socket, endsAt] of typist.sockets) if (endsAt <= now) this.#end(socket, typist)
  }
}

function keyOf(chatId: string, username: string): string {
  return `${chatId} ${username}`
}

/** Someone types, or stops. */
export async function setTyping(
  core: Core,
  { id, username }: Actor,
  { chatId, typing, socket }: { chatId: string; typing: boolean; socket: string },
): Promise<void> {
  const rights = isUuid(chatId) ? await core.writer.rights(chatId.toLowerCase()) : undefined
  if (!isMember(rights, id)) throw chatNotFound()
  if (!typing) return core.typing.end(socket, rights.id, username)
  if (!rights.begun || isLarge(rights)) return
  const to = companyOf(rights, id)
  if (to.length === 0 || !core.typing.begin(socket, rights.id, { id, username })) return
  const data = { chatId: rights.id, username, typing: true }
  core.bus.publish({ kind: 'deliver', to, name: 'typing', data })
}

/** To those who are there still; not to who has been blocked meanwhile, or who blocks [CHAT-11]. */
export async function tellTypingEnd(
  core: Core,
  { chatId, user }: { chatId: string; user: { id: number; username: string } },
): Promise<void> {
  // Where the database is away, clients end it by themselves [TYPE-2].
  const rights = await core.writer.rights(chatId).catch(nothingWhileAway)
  const to = isMember(rights, user.id) ? companyOf(rights, user.id) : []
  const data = { chatId, username: user.username, typing: false }
  core.bus.publish({ kind: 'deliver', to, name: 'typing', data })
}

function nothingWhileAway(error: unknown): undefined {
  if (!(error instanceof DatabaseAway)) throw error
}
