/** Engine.IO and Socket.IO by hand on a raw WebSocket, so that the generator costs little. */
import { WebSocket } from 'ws'

const OPEN_MS = 20_000

/** Resolves once the namespace is joined; `onFrame` gets each Socket.IO packet without its `4`. */
export function openSocket(
  url: string,
  { auth, onFrame }: { auth: object; onFrame: (packet: string) => void },
): Promise<WebSocket> {
  const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`
  const socket = new WebSocket(address, { perMessageDeflate: false })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a socket did not connect')), OPEN_MS)
    const fail = (error: Error) => {
      clearTimeout(timer)
      socket.terminate()
      reject(error)
    }
    socket.on('error', fail)
    socket.once('close', (code) => fail(new Error(`a socket was closed, code ${code}`)))
    socket.on('message', (data: Buffer) => {
      // All that the bench sends is ASCII.
      const frame = data.toString('latin1')
      if (frame.startsWith('42') || frame.startsWith('43')) return onFrame(frame.slice(1))
      if (frame === '2') return socket.send('3')
      if (frame.startsWith('0')) return socket.send(`40${JSON.stringify(auth)}`)
      if (frame.startsWith('44')) return fail(new Error(`refused: ${frame}`))
      if (!frame.startsWith('40')) return undefined
      clearTimeout(timer)
      return resolve(socket)
    })
  })
}
