/** Asks a Node process what only it knows, by its inspector; it costs nothing until it is asked. */
import { WebSocket } from 'ws'
import { freePort } from './port.ts'

const ANSWER_MS = 60_000

interface Message {
  id?: number
  result?: unknown
  error?: { message: string }
}

/** The settings of a process that can be asked at this port. */
export async function inspectable(): Promise<{ port: number; settings: { NODE_OPTIONS: string } }> {
  const port = await freePort()
  return { port, settings: { NODE_OPTIONS: `--inspect=127.0.0.1:${port}` } }
}

export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (message: Message) => void>()
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as Message
      if (message.id === undefined) return
      this.#waiting.get(message.id)?.(message)
      this.#waiting.delete(message.id)
    })
    socket.on('error', () => undefined)
  }

  static async open(port: number): Promise<Inspector> {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`)
    const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[]
    if (!target) throw new Error('There is nothing to inspect')
    const socket = new WebSocket(target.webSocketDebuggerUrl, { maxPayload: 2 ** 30 })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return new Inspector(socket)
  }

  ask<T>(method: string, params: object = {}): Promise<T> {
    this.#last += 1
    const id = this.#last
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), ANSWER_MS)
      this.#waiting.set(id, ({ result, error }) => {
        clearTimeout(timer)
        if (error) reject(new Error(`${method}: ${error.message}`))
        else resolve(result as T)
      })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  /** After a full collection of garbage. */
  async heapUsedMb(): Promise<number> {
    await this.ask('HeapProfiler.enable')
    await this.ask('HeapProfiler.collectGarbage')
    await this.ask('HeapProfiler.disable')
    const { usedSize } = await this.ask<{ usedSize: number }>('Runtime.getHeapUsage')
    return usedSize / 2 ** 20
  }

  close(): void {
    this.#socket.terminate()
  }
}
