import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../../../bench/port.ts'

const SERVER = process.env.MICROCHATTER_TEST_REDIS_SERVER ?? ''

/** Why tests that need a Redis cannot run here; false: they can. */
export function skipRedis(): string | false {
  return SERVER === '' ? 'needs redis-server' : false
}

export interface TestRedis {
  url: string
  pid: number
  start(): Promise<void>
  /** It hangs, until `thaw`. */
  freeze(): void
  thaw(): void
  /** Kills it; `start` brings it back, empty, at the same address. */
  kill(): Promise<void>
}

export async function startRedis(): Promise<TestRedis> {
  const port = await freePort()
  let child: ReturnType<typeof spawn> | undefined
  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? 0
    },
    async start() {
      const options = [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        'no',
      ]
      child = spawn(SERVER, options, { stdio: 'ignore' })
      await answering(redis.url)
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async kill() {
      const ended = child && child.exitCode === null ? once(child, 'exit') : undefined
      child?.kill('SIGKILL')
      await ended
    },
  }
  await redis.start()
  return redis
}

async function answering(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: (n) => (n < 100 ? 50 : null) })
  client.on('error', () => undefined)
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const pong = await client.ping().catch(() => undefined)
    if (pong) break
    await sleep(50)
  }
  client.disconnect()
}
