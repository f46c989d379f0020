/** Socket.IO and nothing else, for sockets that only connect. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'

const server = createServer()
const io = new Server(server, {
  serveClient: false,
  perMessageDeflate: false,
  httpCompression: false,
})
io.on('connection', () => {})

process.once('SIGTERM', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
