/**
 * Fetches what strangers link to [PREVIEW-2]. Names are resolved once, the addresses are judged, and it is one
 * of these that is connected to; each redirect is judged like the first address.
 */
import type { LookupFunction } from 'node:net'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { readCapped } from './capped.ts'
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent'

export interface Fetched {
  /** After the redirects. */
  url: URL
  /** E.g. `text/html; charset=utf-8`. */
  type: string
  bytes: Buffer
}

export interface FetchOptions {
  maxBytes: number
  /** What is longer is cut off there, where it would be an error. */
  cut?: boolean
  accept: string
  /** Also this host and private networks, on any port. */
  allowPrivate: boolean
  /** Of names, instead of the system's. */
  lookup?: LookupFunction
  /** Ends it early. */
  signal?: AbortSignal
}

const TIMEOUT_MS = 5_000
const REDIRECTS = 3
const HEADER_BYTES = 16_384
const AGENT = 'Microchatter (link preview)'

/** @throws Error, which says why; nothing of it is for people. */
export async function fetchOutside(address: string, options: FetchOptions): Promise<Fetched> {
  const late = AbortSignal.timeout(TIMEOUT_MS)
  const signal = options.signal ? AbortSignal.any([late, options.signal]) : late
  let url = new URL(address)
  for (let left = REDIRECTS; ; left -= 1) {
    checkAddress(url, options)
    const answer = await ask(url, options, signal)
    const { statusCode = 0, headers } = answer
    const isElsewhere = statusCode >= 300 && statusCode < 400 && headers.location !== undefined
    if (!isElsewhere) {
      try {
        return { url, type: headers['content-type'] ?? '', bytes: await read(answer, options) }
      } finally {
        answer.destroy()
      }
    }
    answer.destroy()
    if (left === 0) throw new Error('Too many redirects')
    url = new URL(headers.location ?? '', url)
  }
}

function checkAddress({ protocol, port, username, password }: URL, { allowPrivate }: FetchOptions) {
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`Not ${protocol}`)
  if (username + password !== '') throw new Error('With a user in it')
  // The usual ones are left out of an address.
  if (!allowPrivate && !['', '80', '443'].includes(port)) throw new Error(`Not port ${port}`)
}

function ask(url: URL, options: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { accept, allowPrivate: allowed, lookup } = options
  const isTls = url.protocol === 'https:'
  const filter = { allowPrivateIPAddress: allowed, allowMetaIPAddress: allowed, keepAlive: false }
  const agent = isTls
    ? new RequestFilteringHttpsAgent(filter)
    : new RequestFilteringHttpAgent(filter)
  return new Promise((resolve, reject) => {
    const asking = (isTls ? requestHttps : requestHttp)(
      url,
      {
        agent,
        signal,
        maxHeaderSize: HEADER_BYTES,
        headers: { accept, 'accept-encoding': 'identity', 'user-agent': AGENT },
        ...(lookup ? { lookup } : {}),
      },
      resolve,
    )
    asking.on('error', reject).end()
  })
}

async function read(answer: IncomingMessage, { maxBytes, cut }: FetchOptions): Promise<Buffer> {
  if (answer.statusCode !== 200) throw new Error(`Status ${answer.statusCode}`)
  const coding = answer.headers['content-encoding'] ?? 'identity'
  // What is packed may be a thousand times as large.
  if (coding !== 'identity') throw new Error(`Packed by ${coding}`)
  return readCapped(answer as AsyncIterable<Buffer>, maxBytes, { cut: cut === true })
}
