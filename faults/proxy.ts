/** A TCP proxy that can be told to do what networks do. What passes is not understood, only bytes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of the bytes of a connection; undefined: they are not forwarded. */
type Pass = (bytes: Buffer, link: Link) => Promise<Buffer | undefined> | Buffer | undefined

/** What is done to connections: to the bytes towards the server (`up`) and back (`down`). */
export interface Toxic {
  /** Which connections; without it, all. */
  on?: (link: Link) => boolean
  up?: Pass
  down?: Pass
}

/** One connection through the proxy. */
export class Link {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  /** A toxic's own notes. */
  swallowing = false

  constructor(
    readonly client: Socket,
    readonly server: Socket,
  ) {
    this.ended = new Promise((resolve) => {
      client.once('close', () => resolve())
    })
  }

  /** Ends it as a crash or a firewall does: the client sees ECONNRESET. */
  reset(): void {
    if (!this.client.destroyed) this.client.resetAndDestroy()
    this.server.destroy()
  }

  write(to: 'client' | 'server', bytes: Buffer): Promise<void> {
    const socket = this[to]
    if (socket.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        socket.off('close', done)
        resolve()
      }
      socket.once('close', done)
      socket.write(bytes, done)
    })
  }
}

export class Proxy {
  toxic: Toxic | undefined
  readonly links = new Set<Link>()
  #port = 0
  readonly #server: Server

  private constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true }, (client) => this.#open(client, targetPort))
  }

  /** On loopback, before a port of loopback. */
  static async open(targetPort: number): Promise<Proxy> {
    const proxy = new Proxy(targetPort)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    proxy.#port = (proxy.#server.address() as AddressInfo).port
    return proxy
  }

  /** Stays what it was when it is closed: who comes late is refused. */
  get port(): number {
    return this.#port
  }

  resetAll(): void {
    for (const link of this.links) link.reset()
  }

  async close(): Promise<void> {
    this.toxic = undefined
    this.resetAll()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #open(client: Socket, port: number): void {
    const server = connect({ host: '127.0.0.1', port, noDelay: true })
    const link = new Link(client, server)
    this.links.add(link)
    client.on('close', () => {
      this.links.delete(link)
      server.destroy()
    })
    // Whoever ends it: the other side is told the same way.
    server.on('close', () => {
      if (client.destroyed) return
      if (server.errored) client.resetAndDestroy()
      else client.end()
    })
    for (const socket of [client, server]) socket.on('error', () => undefined)
    this.#pump(link, 'up')
    this.#pump(link, 'down')
  }

  /** One chunk after the other, so their order stays, and a side that is slow slows the other. */
  #pump(link: Link, way: 'up' | 'down'): void {
    const from = way === 'up' ? link.client : link.server
    from.on('data', (bytes: Buffer) => {
      from.pause()
      void this.#pass(link, way, bytes).finally(() => from.resume())
    })
  }

  async #pass(link: Link, way: 'up' | 'down', bytes: Buffer): Promise<void> {
    const { toxic } = this
    const pass = toxic && (toxic.on?.(link) ?? true) ? toxic[way] : undefined
    const forwarded = pass ? await pass(bytes, link) : bytes
    if (forwarded) await link.write(way === 'up' ? 'server' : 'client', forwarded)
  }
}

/** Nothing comes through, and nobody is told, until it is released. */
export function halfOpen(on: (link: Link) => boolean): { toxic: Toxic; release: () => void } {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const pass: Pass = (bytes, link) =>
    Promise.race([released.then(() => bytes), link.ended.then(() => undefined)])
  return { toxic: { on, up: pass, down: pass }, release }
}

/** So many bytes a second towards the client. */
export function drip(bytesPerSecond: number): Pick<Toxic, 'down'> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 20))
  return {
    async down(bytes, link) {
      for (let from = 0; from < bytes.length && !link.client.destroyed; from += step) {
        await link.write('client', bytes.subarray(from, from + step))
        await sleep(50)
      }
      return undefined
    },
  }
}

/** Half of what is on its way arrives, and then the end. */
export function cutInTheMiddle(happens: () => boolean): Pick<Toxic, 'down'> {
  return {
    async down(bytes, link) {
      if (!happens()) return bytes
      await link.write('client', bytes.subarray(0, Math.ceil(bytes.length / 2)))
      link.reset()
      return undefined
    },
  }
}

/** What TCP makes of a lost packet: the bytes come, a retransmission later. */
export function late(waitMs: () => number): Pick<Toxic, 'up' | 'down'> {
  const pass: Pass = async (bytes) => {
    const ms = waitMs()
    if (ms > 0) await sleep(ms)
    return bytes
  }
  return { up: pass, down: pass }
}

/** What was asked is done, and the answer is lost: the connection ends instead. */
export function loseAnswers(of: (bytes: Buffer) => boolean): Pick<Toxic, 'up' | 'down'> {
  return {
    up(bytes, link) {
      if (of(bytes)) link.swallowing = true
      return bytes
    },
    down(bytes, link) {
      if (!link.swallowing) return bytes
      link.reset()
      return undefined
    },
  }
}
