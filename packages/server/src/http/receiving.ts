/**
 * Requests that may take long, since they bring a file. Node ends every request that is not there after
 * 15 s; these go on as long as bytes come.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

const sockets = new WeakSet<Socket>()
const WATCH_MS = 15_000
/** In that time. */
const LEAST_BYTES = 16_384

/** @returns the way to end it */
export function receiving(request: IncomingMessage): () => void {
  const { socket } = request
  sockets.add(socket)
  let last = socket.bytesRead
  const timer = setInterval(() => {
    const came = socket.bytesRead - last
    last = socket.bytesRead
    // Where something waits to be read, it is we who are slow.
    if (came < LEAST_BYTES && request.readableLength === 0 && !request.complete) socket.destroy()
  }, WATCH_MS)
  return () => {
    clearInterval(timer)
    sockets.delete(socket)
  }
}

export function isReceiving(socket: Socket): boolean {
  return sockets.has(socket)
}
