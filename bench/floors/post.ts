/**
 * What a message by REST is compared with: a POST on the same HTTP stack, whose body is held against
 * the same schema, and whose answer has the same fields. Nobody is checked, nothing is stored.
 */
import type { AddressInfo } from 'node:net'
import { SendBody } from '@microchatter/protocol'
import { fastify } from 'fastify'

interface Post {
  Params: { chatId: string }
  Body: SendBody
}

const app = fastify()
let seq = 0

app.post<Post>('/chats/:chatId/messages', { schema: { body: SendBody } }, (request, reply) => {
  seq += 1
  const { body, clientId } = request.body
  const { chatId } = request.params
  const createdAt = new Date().toISOString()
  return reply.code(201).send({ chatId, seq, sender: 'user0', body, createdAt, clientId })
})

process.once('SIGTERM', () => process.exit(0))
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as AddressInfo
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
