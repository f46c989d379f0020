/**
 * What a group is compared with: the room broadcast of Socket.IO. A message goes to all others in the
 * room and is acknowledged, with the same bytes on the wire as Microchatter's; nothing is stored.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'

interface Draft {
  chatId: string
  body: string
  clientId: string
}

const server = createServer()
const io = new Server(server, {
  serveClient: false,
  perMessageDeflate: false,
  httpCompression: false,
})
let seq = 0

io.on('connection', (socket) => {
  const { room, username } = socket.handshake.auth as { room: string; username: string }
  void socket.join(room)
  socket.on('message.send', (draft: Draft, acknowledge: (answer: object) => void) => {
    seq += 1
    const { chatId, body, clientId } = draft
    const createdAt = new Date().toISOString()
    const message = { chatId, seq, sender: username, body, createdAt, clientId }
    socket.to(chatId).emit('message.created', message)
    acknowledge({ ok: true, message })
  })
})

process.once('SIGTERM', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
