/** Two nodes on one database, with a bus. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, type TestRedis } from './redis.ts'
import { startServer, type TestServer } from './server.ts'

export interface TestNodes {
  redis: TestRedis
  one: TestServer
  two: TestServer
  close(): Promise<void>
}

export async function startNodes(): Promise<TestNodes> {
  const redis = await startRedis()
  const one = await startServer('postgres', { REDIS_URL: redis.url })
  const two = await startServer('postgres', { ...one.env, PORT: '0' })
  // Until each has subscribed.
  await sleep(200)
  return {
    redis,
    one,
    two,
    async close() {
      await two.close()
      await one.close()
      await redis.kill()
    },
  }
}
