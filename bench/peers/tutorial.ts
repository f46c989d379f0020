/**
 * A chat server as tutorials write it: Socket.IO, and one INSERT for each message before it goes to
 * the room of its receiver. Nobody is checked.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { Server } from 'socket.io'

interface Draft {
  chatId: string
  body: string
  clientId: string
}
interface Row {
  id: string
  created_at: Date
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
await pool.query(`CREATE TABLE messages (
  id bigserial PRIMARY KEY,
  room text NOT NULL,
  sender text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now())`)
const INSERT = 'INSERT INTO messages (room, sender, body) VALUES ($1, $2, $3) RETURNING *'

const server = createServer()
const io = new Server(server, { serveClient: false, perMessageDeflate: false })

io.on('connection', (socket) => {
  const { room, username } = socket.handshake.auth as { room: string; username: string }
  void socket.join(room)
  socket.on('message.send', async (draft: Draft, acknowledge: (answer: object) => void) => {
    const { chatId, body, clientId } = draft
    const { rows } = await pool.query<Row>(INSERT, [chatId, username, body])
    const { id, created_at: createdAt } = rows[0] as Row
    const message = { chatId, seq: Number(id), sender: username, body, createdAt, clientId }
    io.to(chatId).emit('message.created', message)
    acknowledge({ ok: true, message })
  })
})

process.once('SIGTERM', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
