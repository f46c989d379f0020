/**
 * Engine.IO's WebSocket transport, written our way: what goes to one socket within one turn of the
 * event loop leaves in one write, and an event for many sockets is encoded once. A write is a system
 * call, which costs more than all else that a message takes here (measured: 60 % of a bare relay).
 */
import type { IncomingMessage } from 'node:http'
import type { Socket as TcpSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Server, type Socket, type Transport, transports } from 'engine.io'

type Request = ConstructorParameters<typeof transports.websocket>[0]
type Packet = Parameters<Transport['send']>[0][number]
type ErrorCallback = Parameters<Server['verify']>[2]
type TransportName = 'polling' | 'websocket' | 'webtransport'

/** For Socket.IO's `bind`. */
export class FrameServer extends Server {
  readonly #unsent = new Unsent()

  /** The answer to an upgrade that is granted leaves with the first frames. */
  protected override verify(request: Request, upgrade: boolean, done: ErrorCallback): void {
    super.verify(request, upgrade, (refusal, context) => {
      if (upgrade && refusal === undefined) this.#unsent.cork(request.socket)
      done(refusal, context)
    })
  }

  protected override createTransport(name: TransportName, request: IncomingMessage): Transport {
    if (name !== 'websocket') return super.createTransport(name, request)
    return new FrameTransport(request as Request, this.#unsent)
  }
}

/** What leaves at the end of this turn of the event loop. */
class Unsent {
  #transports: FrameTransport[] = []
  #corked: Duplex[] = []

  add(transport: FrameTransport): void {
    this.#schedule()
    this.#transports.push(transport)
  }

  /** Holds what is written to the stream, until the frames of its transport are with it. */
  cork(stream: Duplex): void {
    stream.cork()
    this.#schedule()
    this.#corked.push(stream)
  }

  #schedule(): void {
    if (this.#transports.length + this.#corked.length === 0) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const [transports, corked] = [this.#transports, this.#corked]
    this.#transports = []
    this.#corked = []
    for (const transport of transports) transport.flush()
    for (const stream of corked) stream.uncork()
  }
}

const OPEN = 1

/** Closures that the transport makes for its own `send`: each socket would keep them. */
const UNUSED = { _doSend: null, _doSendLast: null, _onSent: null, _onSentLast: null }

class FrameTransport extends transports.websocket {
  readonly #unsent: Unsent
  readonly #tcp: TcpSocket
  readonly #webSocket: NonNullable<Request['websocket']>
  #frames: (string | Buffer)[] = []
  #frameBytes = 0

  constructor(request: Request, unsent: Unsent) {
    super(request)
    const { socket, websocket } = request
    if (!websocket) throw new Error('A WebSocket transport without its WebSocket')
    this.#unsent = unsent
    this.#tcp = socket
    this.#webSocket = websocket
    Object.assign(this, UNUSED)
  }

  /** Bytes that the kernel has not taken yet. */
  get waitingBytes(): number {
    return this.#frameBytes + this.#tcp.writableLength
  }

  /** Takes everything: `writable` stays true, and what waits is bounded by `waitingBytes`. */
  override send(packets: Packet[]): void {
    for (const packet of packets) this.push(this.#encode(packet))
    this.emit('drain')
  }

  push(frame: string | Buffer): void {
    if (this.#frames.length === 0) this.#unsent.add(this)
    this.#frames.push(frame)
    this.#frameBytes += frame.length
  }

  setReading(reading: boolean): void {
    if (this.#webSocket.readyState !== OPEN) return
    if (reading) this.#webSocket.resume()
    else this.#webSocket.pause()
  }

  override doClose(done?: () => void): void {
    this.flush()
    super.doClose(done)
  }

  flush(): void {
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    this.#frameBytes = 0
    if (this.#webSocket.readyState === OPEN) this.#tcp.write(toBytes(frames))
  }

  #encode(packet: Packet): string {
    if (packet.type === 'message') return `4${packet.data}`
    let text = ''
    this.parser.encodePacket(packet, false, (encoded: string) => {
      text = encoded
    })
    return text
  }
}

/** A packet for many sockets: its frame is made once. */
export function encodeOnce(packet: string): { write(conn: Socket): void } {
  const frame = toBytes([`4${packet}`])
  return { write: (conn) => write(conn, packet, frame) }
}

/** A packet of Socket.IO for one socket. */
export function writePacket(conn: Socket, packet: string): void {
  write(conn, packet, `4${packet}`)
}

/**
 * Past engine.io's own queue, where that is empty: it is as long as the transport takes everything. What
 * it would do for each packet, seven events among it, took a tenth of a message's time (measured).
 */
function write(conn: Socket, packet: string, frame: string | Buffer): void {
  const { transport, readyState } = conn
  if (transport instanceof FrameTransport && readyState === 'open') transport.push(frame)
  else conn.write(packet)
}

/** What waits to be sent: bytes of a WebSocket, or of the packets for the next poll. */
export function waitingBytes(conn: Socket): number {
  const { transport } = conn
  if (transport instanceof FrameTransport) return transport.waitingBytes
  let bytes = 0
  for (const { data } of (conn as unknown as Waiting).writeBuffer)
    if (typeof data === 'string') bytes += data.length
  return bytes
}

/** engine.io keeps what waits in a field that its types do not show. */
interface Waiting {
  writeBuffer: readonly { data?: unknown }[]
}

/** false: what the client sends stays with the client, until it is true again. */
export function setReading({ transport }: Socket, reading: boolean): void {
  if (transport instanceof FrameTransport) transport.setReading(reading)
}

/** Texts as unmasked text frames of RFC 6455 (5.2), one after the other; frames as they are. */
function toBytes(frames: readonly (string | Buffer)[]): Buffer {
  const [only] = frames
  if (frames.length === 1 && typeof only === 'object') return only
  const lengths = frames.map((frame) => Buffer.byteLength(frame))
  const total = frames.reduce((sum, frame, index) => {
    const length = lengths[index] ?? 0
    return sum + length + (typeof frame === 'string' ? headBytes(length) : 0)
  }, 0)
  const bytes = Buffer.allocUnsafe(total)
  let at = 0
  for (const [index, frame] of frames.entries()) {
    if (typeof frame === 'string') {
      at = writeHead(bytes, at, lengths[index] ?? 0)
      at += bytes.write(frame, at, 'utf8')
    } else at += frame.copy(bytes, at)
  }
  return bytes
}

function headBytes(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

function writeHead(bytes: Buffer, at: number, length: number): number {
  const FINAL_TEXT = 0x81
  bytes[at] = FINAL_TEXT
  if (length < 126) {
    bytes[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    bytes[at + 1] = 126
    return bytes.writeUInt16BE(length, at + 2)
  }
  bytes[at + 1] = 127
  return bytes.writeBigUInt64BE(BigInt(length), at + 2)
}
