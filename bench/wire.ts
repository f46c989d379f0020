/**
 * WebSocket, Engine.IO and Socket.IO by hand on a TCP socket: the generator shares the machine with
 * what it measures. All that a bench sends is ASCII, and all that it is sent comes unfragmented.
 */
import { connect, type Socket } from 'node:net'

const OPEN_MS = 20_000
const READ_BYTES = 65_536
const CONTINUED = 0
const TEXT = 1
const CLOSE = 8
const HEAD_END = '\r\n\r\n'
/** Frames of a client are masked, and a mask of zeros leaves them as they are. */
const NO_MASK = '\0\0\0\0'
const CODE_0 = 48
const CODE_2 = 50
const CODE_3 = 51
const CODE_4 = 52

/** Node reads into it and hands it over in the same turn, so one is enough for all sockets. */
const shared = Buffer.alloc(READ_BYTES)

/** The bytes are valid in this call only. */
export type OnBytes = (bytes: Buffer, from: number, to: number) => void

export interface WireOptions {
  auth: object
  /** A Socket.IO event or acknowledgement, without Engine.IO's `4`. */
  onPacket: OnBytes
}

export class Wire {
  /** Once the namespace is joined: whatever ends it, but for `close`. */
  onEnd: ((reason: string) => void) | undefined
  readonly #socket: Socket
  readonly #auth: object
  readonly #onPacket: OnBytes
  #onJoined: () => void
  #rest: Buffer | undefined
  #state: 'upgrading' | 'joining' | 'open' | 'closed' = 'upgrading'

  constructor(url: string, options: WireOptions & { onJoined: () => void }) {
    this.#auth = options.auth
    this.#onPacket = options.onPacket
    this.#onJoined = options.onJoined
    const { hostname, port, host } = new URL(url)
    const callback = (count: number, buffer: Uint8Array) => {
      this.#onData(buffer as Buffer, count)
      return true
    }
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: shared, callback },
    })
    this.#socket.on('error', (error) => this.#end(error.message))
    this.#socket.on('close', () => this.#end('its connection ended'))
    this.#socket.write(upgradeOf(host))
  }

  /** A Socket.IO packet. */
  send(packet: string): void {
    this.#socket.write(frameOf(`4${packet}`), 'latin1')
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#socket.end('\x88\x80\0\0\0\0', 'latin1')
  }

  #onData(read: Buffer, count: number): void {
    if (this.#state === 'closed') return
    const bytes = this.#rest ? Buffer.concat([this.#rest, read.subarray(0, count)]) : read
    const end = this.#rest ? bytes.length : count
    const from = this.#state === 'upgrading' ? this.#upgraded(bytes, end) : 0
    const to = this.#frames(bytes, from, end)
    this.#rest = to < end ? Buffer.from(bytes.subarray(to, end)) : undefined
  }

  /** Returns where the frames begin. */
  #upgraded(bytes: Buffer, end: number): number {
    const head = bytes.toString('latin1', 0, end)
    const headEnd = head.indexOf(HEAD_END)
    if (headEnd < 0) return 0
    if (!head.startsWith('HTTP/1.1 101')) this.#end(`it was refused: ${head.slice(0, 200)}`)
    else this.#state = 'joining'
    return headEnd + HEAD_END.length
  }

  /** Returns where the first incomplete frame begins. */
  #frames(bytes: Buffer, from: number, end: number): number {
    let at = from
    while (this.#state === 'joining' || this.#state === 'open') {
      if (end - at < 2) break
      const short = (bytes[at + 1] as number) & 0x7f
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (end - at < head) break
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : bytes.readUInt32BE(at + 6)
      const frameEnd = at + head + length
      if (frameEnd > end) break
      this.#onFrame(bytes, { first: bytes[at] as number, from: at + head, to: frameEnd })
      at = frameEnd
    }
    return at
  }

  #onFrame(bytes: Buffer, { first, from, to }: { first: number; from: number; to: number }): void {
    const code = first & 0x0f
    if (code === TEXT && first & 0x80) this.#onText(bytes, from, to)
    else if (code === CLOSE) this.#end(`the server closed it, code ${bytes.readUInt16BE(from)}`)
    else if (code === TEXT || code === CONTINUED) this.#end('a frame came in parts')
  }

  #onText(bytes: Buffer, from: number, to: number): void {
    const engine = bytes[from]
    if (engine === CODE_2) return void this.#socket.write(frameOf('3'), 'latin1')
    if (engine === CODE_0) return this.send(`0${JSON.stringify(this.#auth)}`)
    if (engine !== CODE_4) return undefined
    const packet = bytes[from + 1]
    if (packet === CODE_2 || packet === CODE_3) return this.#onPacket(bytes, from + 1, to)
    if (packet === CODE_4) return this.#end(`refused: ${bytes.toString('latin1', from, to)}`)
    if (packet !== CODE_0 || this.#state === 'open') return undefined
    this.#state = 'open'
    return this.#onJoined()
  }

  #end(reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#socket.destroy()
    this.onEnd?.(reason)
  }
}

/** Resolves once the namespace is joined. */
export function openWire(url: string, options: WireOptions): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const onJoined = () => {
      clearTimeout(timer)
      wire.onEnd = undefined
      resolve(wire)
    }
    const wire = new Wire(url, { ...options, onJoined })
    const timer = setTimeout(() => {
      wire.close()
      reject(new Error('a socket did not connect'))
    }, OPEN_MS)
    wire.onEnd = (reason) => {
      clearTimeout(timer)
      reject(new Error(`a socket did not connect: ${reason}`))
    }
  })
}

/** For those who want their packets as text. */
export function openSocket(
  url: string,
  { auth, onFrame }: { auth: object; onFrame: (packet: string) => void },
): Promise<Wire> {
  return openWire(url, {
    auth,
    onPacket: (bytes, from, to) => onFrame(bytes.toString('latin1', from, to)),
  })
}

function frameOf(text: string): string {
  const { length } = text
  if (length < 126) return `\x81${String.fromCharCode(0x80 | length)}${NO_MASK}${text}`
  return `\x81\xfe${String.fromCharCode(length >> 8, length & 0xff)}${NO_MASK}${text}`
}

function upgradeOf(host: string): string {
  return [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: bWljcm9jaGF0dGVyYmVuYw==',
    '',
    '',
  ].join('\r\n')
}
