/** The site's end of a webhook: it takes what is signed with the secret, and answers. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

const LATE_SECONDS = 300

export interface Receiver {
  url: string
  answer: string
  /** What came, and was signed as it should be. */
  calls: { type: string; data: Record<string, unknown> }[]
  close(): void
}

/** `secret`: whsec_ and base64. Whoever presses a button is told `answer`. */
export async function startReceiver(secret: string, answer: string): Promise<Receiver> {
  const calls: Receiver['calls'] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (!isSigned(request.headers, body, secret)) return response.writeHead(401).end()
      calls.push(JSON.parse(body))
      response.setHeader('content-type', 'application/json')
      return response.end(JSON.stringify({ text: answer }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, answer, calls, close: () => server.close() }
}

/** As Standard Webhooks say. An old time may be someone who repeats what was overheard. */
function isSigned(headers: IncomingHttpHeaders, body: string, secret: string): boolean {
  const [id, time, given] = ['id', 'timestamp', 'signature'].map((name) =>
    String(headers[`webhook-${name}`]),
  )
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')
  const [right, claimed] = [Buffer.from(`v1,${signature}`), Buffer.from(given ?? '')]
  const isInTime = Math.abs(Date.now() / 1_000 - Number(time)) < LATE_SECONDS
  return isInTime && right.length === claimed.length && timingSafeEqual(right, claimed)
}
