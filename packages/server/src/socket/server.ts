/**
 * Socket.IO: handshake → session → calls and events → end.
 * [SYNC-4] Its connection-state recovery stays off: what was missed comes by sync alone.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import { LIMITS, type PresenceState } from '@microchatter/protocol'
import { type Socket, Server } from 'socket.io'
import { Decoder, Encoder } from 'socket.io-parser'
import type { Core } from '../domain/core.ts'
import { ChatError } from '../domain/errors.ts'
import type { Caller } from '../domain/identity.ts'
import { startRounds } from '../domain/rounds.ts'
import { findEnded } from '../domain/sessions.ts'
import { createCallerOf, createOriginCheck, credentialsOf } from './auth.ts'
import { call } from './calls.ts'
import { Registry, startDelivery, tellSockets } from './deliver.ts'
import { type OnDefect, toCallError } from './errors.ts'
import { FrameServer, writePacket } from './frames.ts'
import { SocketSession } from './session.ts'

export interface SocketOptions {
  core: Core
  server: HttpServer
  origins: readonly string[]
  trustProxy: readonly string[]
  production: boolean
  /** Plain http counts as secure: the operator has said so. */
  insecureHttp: boolean
  onDefect: OnDefect
}

export interface Sockets {
  readonly count: number
  /** Ids of users with open sockets here. */
  users(): Iterable<number>
  /** What a user's sockets here say together. */
  stateOf(userId: number): PresenceState
  /** To these sockets alone. */
  tell(to: readonly { userId: number; socket: string }[], name: string, data: unknown): void
  /** Tells everyone to come back soon, and closes. */
  stop(): Promise<void>
}

const PATH = '/socket.io/'
const SWEEP_MS = 1_000
/** A revocation whose event was lost takes effect within this. */
const RECHECK_MS = 15_000
const RECHECK_BATCH = 1_000
const WARN_MS = 60_000
/** Beyond those at which nothing more is read come the ones that had been read already. */
const IN_FLIGHT = 4_000
/** Calls refused for their rate, in a row, before the socket is closed. */
const FLOOD = 200
const SYNC_WITHIN_MS = 10_000
const DRAIN_MS = 5_000
const RECONNECT_SPREAD_MS = 3_000

export function createSockets(options: SocketOptions): Sockets {
  const { core, server, production, insecureHttp } = options
  const callerOf = createCallerOf(options.trustProxy, !production || insecureHttp)
  const mayConnect = createOriginCheck(options.origins, production)
  const registry = new Registry()
  const perAddress = new Map<string, number>()

  const engine = new FrameServer({
    maxHttpBufferSize: LIMITS.frame,
    perMessageDeflate: false,
    httpCompression: false,
    cors: {
      origin: (origin, done) => done(null, mayConnect(origin, undefined)),
      allowedHeaders: ['authorization', 'content-type'],
    },
    allowRequest: (request, done) => {
      const refusal = refuse(request)
      done(refusal, refusal === undefined)
    },
  })
  const io = new Server({
    serveClient: false,
    connectTimeout: 5_000,
    parser: { Encoder, Decoder: BoundedDecoder },
  })

  /** Before anything is allocated for the connection. */
  function refuse(request: IncomingMessage): string | undefined {
    const { origin, host } = request.headers
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (!mayConnect(origin, host)) return 'origin not allowed'
    if (url.searchParams.has('token')) return 'token in url'
    if (url.searchParams.has('sid')) return undefined
    const { address } = callerOf(request)
    if ((perAddress.get(address) ?? 0) >= core.limits.socketsPerAddress) return 'too many sockets'
    return core.limits.connects.tryTake(address) ? undefined : 'too many connections'
  }

  io.use((socket, next) => {
    authenticate(socket).then(
      () => next(),
      (error: unknown) => next(refusalOf(error, options.onDefect)),
    )
  })

  async function authenticate(socket: Socket): Promise<void> {
    const { auth, headers } = socket.handshake
    const caller: Caller = callerOf(socket.request)
    const credentials = credentialsOf(auth, headers.authorization)
    const actor = await core.identity.authenticate(credentials, caller)
    if (registry.ofUser(actor.id).size >= core.limits.socketsPerUser)
      throw new ChatError('rate_limited', {
        detail: `You have ${core.limits.socketsPerUser} open connections; close one first`,
        retryAfterMs: 10_000,
      })
    actor.socket = socket.id
    const session = new SocketSession(socket, actor)
    if (auth.hold === true) session.hold()
    socket.data = session
    // In the live stream before the client hears of it: nothing falls between.
    registry.add(session)
    core.presence.changed(actor.id)
    countAddress(session, 1)
    // 'disconnect' comes for those alone that were connected; it may be cut before.
    session.onCut = () => onGone.call(socket)
    socket.conn.on('close', session.onCut)
    if (socket.conn.readyState !== 'open') session.onCut()
  }

  io.on('connection', (socket) => {
    const session = socket.data as SocketSession
    socket.on('disconnect', onGone)
    if (session.onCut) socket.conn.off('close', session.onCut)
    session.onCut = undefined
    Object.assign(socket, { onevent: onEvent })
    if (session.state.is === 'holding') releaseLater(session)
    forgetHandshake(socket)
  })

  /**
   * In place of Socket.IO's own way to listeners, of which there are none: each event is a call. Shared by
   * all sockets: a closure of each would be kept as long as it is open.
   */
  function onEvent(this: Socket, { data: [name, body], id }: EventPacket): void {
    const { conn } = this
    const acknowledge = (answer: object) =>
      id === undefined ? undefined : writePacket(conn, `3${id}${JSON.stringify([answer])}`)
    void onCall(this.data as SocketSession, { name, body, acknowledge })
  }

  function onGone(this: Socket): void {
    const session = this.data as SocketSession
    if (!registry.remove(session)) return
    countAddress(session, -1)
    core.typing.endAllOf(this.id)
    core.presence.unwatch(this.id)
    core.presence.changed(session.actor.id)
  }

  function countAddress({ actor: { address = '' } }: SocketSession, by: 1 | -1): void {
    const count = (perAddress.get(address) ?? 0) + by
    if (count > 0) perAddress.set(address, count)
    else perAddress.delete(address)
  }

  /** A client that asked for its events to be held, but does not sync, gets `sync.reset` instead. */
  function releaseLater(session: SocketSession): void {
    setTimeout(() => {
      if (session.state.is !== 'holding' || session.inFlight > 0) return
      session.release()
      session.socket.emit('sync.reset', {})
    }, SYNC_WITHIN_MS).unref()
  }

  async function onCall(
    session: SocketSession,
    { name, body, acknowledge }: Incoming,
  ): Promise<void> {
    if (!session.keepsUp()) return
    session.begin()
    try {
      if (stopping || session.inFlight > IN_FLIGHT) throw tooBusy(stopping)
      const { values, after } = await call(name, { core, session, body })
      session.refused = 0
      acknowledge({ ok: true, ...values })
      after?.()
    } catch (error) {
      const callError = toCallError(error, name, options.onDefect)
      acknowledge({ ok: false, error: callError })
      session.refused = callError.code === 'rate_limited' ? session.refused + 1 : 0
      if (session.refused >= FLOOD) session.close('flooding')
    } finally {
      session.end()
    }
  }

  let stopping = false
  const endDelivery = startDelivery(core.bus, registry)
  const sweep = setInterval(() => sweepExpired(registry), SWEEP_MS)
  const endRecheck = startRounds(RECHECK_MS, () => closeEnded(core, registry))
  engine.attach(server, { path: PATH })
  io.bind(engine)

  return {
    get count() {
      return registry.all.size
    },
    users: () => registry.users(),
    stateOf: (userId) => stateOf(registry.ofUser(userId)),
    tell: (to, name, data) => tellSockets(registry, to, { name, data }),
    async stop() {
      stopping = true
      clearInterval(sweep)
      void endRecheck()
      const until = Date.now() + DRAIN_MS
      while (Date.now() < until && [...registry.all].some(({ inFlight }) => inFlight > 0))
        await new Promise((resolve) => setTimeout(resolve, 20))
      for (const session of registry.all)
        session.close('server_stopping', Math.round(Math.random() * RECONNECT_SPREAD_MS))
      endDelivery()
      engine.close()
    },
  }
}

function stateOf(sessions: ReadonlySet<SocketSession>): PresenceState {
  if (sessions.size === 0) return 'offline'
  return [...sessions].every(({ away }) => away) ? 'away' : 'online'
}

/** An EVENT of Socket.IO's protocol 5, as its parser hands it over. */
interface EventPacket {
  data: [name: string, body?: unknown, ...more: unknown[]]
  /** Where an acknowledgement is wanted. */
  id?: number
}

interface Incoming {
  name: string
  body: unknown
  acknowledge: (answer: object) => void
}

const NOTHING = Object.freeze({})

/** An open socket needs nothing more of its request: headers and token would be kept as long as it is. */
function forgetHandshake({ conn, handshake, request }: Socket): void {
  Object.assign(request, { headers: NOTHING, rawHeaders: [], url: '', _query: NOTHING })
  Object.assign(conn, { request: null })
  Object.assign(handshake, { headers: NOTHING, auth: NOTHING, query: NOTHING, url: '' })
}

class BoundedDecoder extends Decoder {
  constructor() {
    super({ maxAttachments: 0 })
  }
}

function refusalOf(error: unknown, onDefect: OnDefect): Error {
  const data = toCallError(error, 'handshake', onDefect)
  return Object.assign(new Error(data.detail ?? data.code), { data })
}

function tooBusy(stopping: boolean): ChatError {
  if (stopping)
    return new ChatError('unavailable', {
      detail: 'The server is stopping; connect again',
      retryAfterMs: 1_000,
    })
  return new ChatError('busy', {
    detail: `More than ${IN_FLIGHT} calls wait for an answer; wait for some of them`,
    retryAfterMs: 1_000,
  })
}

/** [session.expiring] a minute before the end of the credentials; then the end. */
function sweepExpired(registry: Registry): void {
  const now = Date.now()
  for (const session of registry.all) {
    const { expiresAt } = session.actor
    if (expiresAt === undefined || expiresAt - now > WARN_MS) continue
    if (expiresAt <= now) session.close('session_expired')
    else if (!session.warned && session.state.is !== 'closed') {
      session.warned = true
      session.socket.emit('session.expiring', { expiresAt: new Date(expiresAt).toISOString() })
    }
  }
}

async function closeEnded(core: Core, registry: Registry): Promise<void> {
  const sessions = [...registry.all]
  for (let from = 0; from < sessions.length; from += RECHECK_BATCH) {
    const batch = sessions.slice(from, from + RECHECK_BATCH)
    const held = batch.map((session) => ({
      ...session.actor,
      userId: session.actor.id,
      passwordAt: session.actor.via === 'basic' ? session.openedAt : undefined,
      session,
    }))
    // While the database is away nothing can be said; the next round will.
    const ended = await findEnded(core, held).catch(() => [])
    for (const [{ session }, reason] of ended) session.close(reason)
  }
}
