import { randomUUID } from 'node:crypto'
import { Redis, type RedisOptions } from 'ioredis'
import type { Bus, BusEvent } from './bus.ts'
import { createMemoryBus } from './memory.ts'

export interface RedisBusOptions {
  url: string
  /** One per schema: two sites may share a Redis. */
  channel: string
  /** Told once per outage, and at its end. */
  onChange(healthy: boolean, detail: string): void
  /** Other nodes' events may have been missed: what they keep current must be read again. */
  onGap(): void
}

// While Redis is away nothing is queued: what is not published now is found by the next sync.
const OPTIONS: RedisOptions = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
  // One that hangs is cut off when it has left an answer out for so long; pings see to it that one is due.
  socketTimeout: 2_000,
  retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
}
const PING_MS = 1_000
/** Bytes that may wait for a Redis that does not read. */
const BACKLOG_BYTES = 16 * 1_048_576

/** Several nodes over Redis' publish and subscribe. It starts without waiting for Redis. */
export function createRedisBus({ url, channel, onChange, onGap }: RedisBusOptions): Bus {
  const node = randomUUID()
  const local = createMemoryBus()
  const sender = new Redis(url, OPTIONS)
  const receiver = new Redis(url, { ...OPTIONS, autoResubscribe: false })
  let healthy = false

  function turn(now: boolean, detail: string): void {
    if (healthy === now) return
    healthy = now
    onChange(now, detail)
  }

  function receive(message: string): void {
    const event = decode(message, node)
    if (event) local.publish(event)
  }

  receiver.on('ready', () => {
    receiver.subscribe(channel).then(
      () => {
        turn(true, 'subscribed')
        onGap()
      },
      () => receiver.disconnect(true),
    )
  })
  receiver.on('message', (_channel, message) => receive(message))
  receiver.on('close', () => turn(false, 'the connection was closed'))
  // Without a listener an error would end the process; 'close' follows each.
  receiver.on('error', (error) => turn(false, error.message))
  sender.on('error', () => undefined)
  const pings = setInterval(() => {
    for (const redis of [sender, receiver])
      if (redis.status === 'ready') redis.ping().catch(() => undefined)
  }, PING_MS).unref()

  return {
    publish(event) {
      local.publish(event)
      if (sender.status !== 'ready' || sender.stream.writableLength > BACKLOG_BYTES) return
      sender.publish(channel, JSON.stringify({ node, event })).catch(() => undefined)
    },
    subscribe: local.subscribe,
    healthy: () => healthy && sender.status === 'ready',
    async close() {
      clearInterval(pings)
      sender.disconnect()
      receiver.disconnect()
      await local.close()
    },
  }
}

/** undefined for what came from this node itself, and for what is not ours. */
function decode(message: string, node: string): BusEvent | undefined {
  try {
    const { node: from, event } = JSON.parse(message) as { node: string; event: BusEvent }
    return from === node || typeof event?.kind !== 'string' ? undefined : event
  } catch {
    return undefined
  }
}
