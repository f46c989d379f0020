/**
 * Requests that may take long, since they bring a file. Node ends every request that is not there after
 * 15 s; these go on as long as bytes come.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'

const sockets = new WeakSet<Socket>()
const WATCH_MS = 15_000
/** In that time. */
const LEAST_BYTES = 16_384
const DRAINED_BYTES = 1_048_576

export interface Receiving {
  bytes: ReadableStream<Uint8Array>
  /** What was not read is thrown away, so that another request can come; where it is much, none can. */
  end(reply: FastifyReply): void
}

/** `stopping`: no more bytes are taken, and what has come is kept. */
export function receiving(request: IncomingMessage, stopping: AbortSignal): Receiving {
  const { socket } = request
  sockets.add(socket)
  let last = socket.bytesRead
  const timer = setInterval(() => {
    const came = socket.bytesRead - last
    last = socket.bytesRead
    // Where something waits to be read, it is we who are slow.
    if (came < LEAST_BYTES && request.readableLength === 0 && !request.complete) socket.destroy()
  }, WATCH_MS)
  // By hand, since a stream that node converts takes its source with it when it is given up.
  const chunks = request.iterator({ destroyOnReturn: false })
  let stop = () => undefined as void
  const bytes = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stop = () => controller.error(new Error('The server stops'))
        if (stopping.aborted) stop()
        else stopping.addEventListener('abort', stop, { once: true })
      },
      async pull(controller) {
        const { value, done } = await chunks.next()
        if (stopping.aborted) return
        if (done === true) controller.close()
        else controller.enqueue(value as Uint8Array)
      },
    },
    { highWaterMark: 0 },
  )
  return {
    bytes,
    end(reply) {
      clearInterval(timer)
      stopping.removeEventListener('abort', stop)
      sockets.delete(socket)
      if (request.complete) return
      void chunks.return?.()
      request.resume()
      const rest = Number(request.headers['content-length'] ?? Infinity)
      if (rest > DRAINED_BYTES) reply.header('Connection', 'close')
    },
  }
}

export function isReceiving(socket: Socket): boolean {
  return sockets.has(socket)
}
