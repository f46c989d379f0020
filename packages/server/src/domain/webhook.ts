/**
 * The site's own address, called as Standard Webhooks say: a POST whose id, time and body are signed
 * with a secret that both have.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { readCapped } from './capped.ts'
import { ChatError } from './errors.ts'

export interface WebhookSettings {
  url: string
  /** whsec_ and base64. */
  secret: string
}

/** What is told, e.g. `card.pressed`, and of what. */
export interface WebhookCall {
  type: string
  data: unknown
}

export interface Webhook {
  /** The JSON that the site answers; undefined: nothing. @throws unavailable, busy */
  call(call: WebhookCall): Promise<unknown>
}

const TIMEOUT_MS = 5_000
const BYTES = 65_536
const AT_ONCE = 32
const RETRY_MS = 5_000

/** undefined: the site has none. */
export function createWebhook({ url, secret }: WebhookSettings): Webhook | undefined {
  if (url === '') return undefined
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  let atWork = 0
  return {
    async call({ type, data }) {
      if (atWork >= AT_ONCE)
        throw new ChatError('busy', {
          detail: "The site's webhook has too much to do; try again in a second",
          retryAfterMs: 1_000,
        })
      atWork += 1
      try {
        return await post(url, key, JSON.stringify({ type, timestamp: new Date(), data }))
      } finally {
        atWork -= 1
      }
    },
  }
}

async function post(url: string, key: Buffer, body: string): Promise<unknown> {
  const { status, bytes } = await exchange(url, headersOf(key, body), body)
  if (status < 200 || status > 299)
    throw unavailable(`The site's webhook answered with the status ${status}`)
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw unavailable("The site's webhook answered with something that is not JSON")
  }
}

function headersOf(key: Buffer, body: string): Record<string, string> {
  const id = `msg_${randomUUID()}`
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}

/** A redirect is an answer like another one: it is not followed. */
async function exchange(url: string, headers: Record<string, string>, body: string) {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' })
    return { status: response.status, bytes: await readCapped(response.body, BYTES) }
  } catch {
    // What the network says of an address is not for users.
    throw unavailable(
      signal.aborted
        ? `The site's webhook did not answer within ${TIMEOUT_MS / 1_000} s`
        : "The site's webhook cannot be reached, or its answer is broken or too long",
    )
  }
}

function unavailable(detail: string): ChatError {
  return new ChatError('unavailable', { detail, retryAfterMs: RETRY_MS })
}
