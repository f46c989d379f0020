/** The bytes that leave for a WebSocket: socket/frames.ts, by a client that knows nothing of it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import type { Socket } from 'engine.io'
import { io } from 'socket.io-client'
import { Server } from 'socket.io'
import { WebSocket } from 'ws'
import { encodeOnce, FrameServer, setReading, waitingBytes } from '../src/socket/frames.ts'

let server: ReturnType<typeof createServer>
let engine: FrameServer
let port: number

beforeEach(async () => {
  server = createServer()
  engine = new FrameServer({ perMessageDeflate: false, pingInterval: 300, pingTimeout: 300 })
  engine.attach(server, { path: '/socket.io/' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  engine.close()
  server.close()
})

async function connect(): Promise<{ client: WebSocket; conn: Socket; texts: string[] }> {
  const connected = once(engine, 'connection')
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
  const texts: string[] = []
  client.on('message', (data: Buffer) => texts.push(data.toString()))
  const [[conn]] = await Promise.all([connected, once(client, 'open')])
  while (texts.length === 0) await once(client, 'message')
  return { client, conn: conn as Socket, texts }
}

async function arrived(client: WebSocket, texts: string[], count: number): Promise<string[]> {
  while (texts.length < count) await once(client, 'message')
  return texts.slice(1)
}

const SIZES = [0, 1, 124, 125, 126, 127, 65_533, 65_534, 65_535, 65_536, 200_000]

test('frames of every length arrive as they were sent', async () => {
  const { client, conn, texts } = await connect()
  const sent = SIZES.map((size) => `ü${'x'.repeat(size)}`)
  for (const text of sent) conn.write(text)
  assert.deepEqual(
    await arrived(client, texts, sent.length + 1),
    sent.map((text) => `4${text}`),
  )
  client.close()
})

test('what is written in one turn of the event loop leaves in one write, in order', async () => {
  const { client, conn, texts } = await connect()
  const tcp = conn.request.socket
  const writes: number[] = []
  const { write } = tcp
  tcp.write = ((bytes: Buffer, ...rest: []) => {
    writes.push(bytes.length)
    return write.call(tcp, bytes, ...rest)
  }) as typeof write
  const shared = encodeOnce('2["shared"]')
  conn.write('2["first"]')
  shared.write(conn)
  conn.write('2["third"]')
  assert(waitingBytes(conn) > 30)
  assert.deepEqual(await arrived(client, texts, 4), ['42["first"]', '42["shared"]', '42["third"]'])
  assert.equal(writes.length, 1)
  assert.equal(waitingBytes(conn), 0)
  client.close()
})

test('what was written before a close arrives before it', async () => {
  const { client, conn, texts } = await connect()
  conn.write('2["last"]')
  conn.close()
  await once(client, 'close')
  assert.deepEqual(texts.slice(1), ['42["last"]'])
})

test('pings go both ways, and a client that does not answer is closed', async () => {
  const { client, conn, texts } = await connect()
  assert.deepEqual(await arrived(client, texts, 2), ['2'])
  const [reason] = await once(conn, 'close')
  assert.equal(reason, 'ping timeout')
  client.close()
})

test('what is not read stays with the client, and comes when it is read again', async () => {
  const { client, conn } = await connect()
  const heard: string[] = []
  conn.on('data', (data: string) => heard.push(data))
  setReading(conn, false)
  client.send('4hello')
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(heard, [])
  setReading(conn, true)
  while (heard.length === 0) await once(conn, 'data')
  assert.deepEqual(heard, ['hello'])
  client.close()
})

test('a client that begins by polling hears the same, before and after its upgrade', async () => {
  const sockets = new Server()
  sockets.bind(engine)
  sockets.on('connection', (socket) => {
    encodeOnce('2["hello","polling"]').write(socket.conn as unknown as Socket)
    socket.conn.once('upgrade', () =>
      encodeOnce('2["hello","websocket"]').write(socket.conn as unknown as Socket),
    )
  })
  const client = io(`http://127.0.0.1:${port}`, { transports: ['polling', 'websocket'] })
  const heard: string[] = []
  client.on('hello', (by: string) => heard.push(by))
  while (heard.length < 2) await new Promise((resolve) => client.once('hello', resolve))
  assert.deepEqual(heard, ['polling', 'websocket'])
  client.disconnect()
  await sockets.close()
})
