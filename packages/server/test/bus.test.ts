/** One contract suite for every implementation of the bus. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, BusEvent } from '../src/bus/bus.ts'
import { createMemoryBus } from '../src/bus/memory.ts'
import { createRedisBus } from '../src/bus/redis.ts'
import { skipRedis, startRedis, type TestRedis } from './support/redis.ts'

let redis: TestRedis
const changes: boolean[] = []
let gaps = 0

const makers: { name: string; skip: string | false; make: () => Promise<Bus> }[] = [
  { name: 'memory', skip: false, make: async () => createMemoryBus() },
  { name: 'redis', skip: skipRedis(), make: () => redisBus() },
]

async function redisBus(channel = 'test'): Promise<Bus> {
  const bus = createRedisBus({
    url: redis.url,
    channel,
    onChange: (healthy) => changes.push(healthy),
    onGap: () => (gaps += 1),
  })
  await until(() => bus.healthy())
  return bus
}

async function until(fits: () => boolean, withinMs = 5_000): Promise<void> {
  for (const end = Date.now() + withinMs; !fits(); await sleep(10))
    assert(Date.now() < end, 'it did not come about in time')
}

const event = (chatId: string): BusEvent => ({ kind: 'rights', chatId })

before(async () => {
  if (!skipRedis()) redis = await startRedis()
})
after(async () => {
  if (!skipRedis()) await redis.kill()
})

for (const { name, skip, make } of makers)
  describe(`bus: ${name}`, { skip }, () => {
    test('own subscribers hear at once, in order, until they end it', async () => {
      const bus = await make()
      const heard: BusEvent[] = []
      const end = bus.subscribe('rights', (one) => heard.push(one))
      for (const id of ['a', 'b', 'c']) bus.publish(event(id))
      assert.deepEqual(heard, ['a', 'b', 'c'].map(event))
      end()
      bus.publish(event('d'))
      assert.equal(heard.length, 3)
      await bus.close()
    })

    test('nobody hears twice, and closing ends it', async () => {
      const bus = await make()
      let heard = 0
      bus.subscribe('rights', () => (heard += 1))
      bus.publish(event('a'))
      await sleep(100)
      assert.equal(heard, 1)
      await bus.close()
      bus.publish(event('b'))
      assert.equal(heard, 1)
    })
  })

describe('bus: redis between nodes', { skip: skipRedis() }, () => {
  test('other nodes hear all of it, in order; other schemas nothing', async () => {
    const [one, two, other] = [await redisBus(), await redisBus(), await redisBus('elsewhere')]
    const heard: string[] = []
    let wrong = 0
    two.subscribe('rights', ({ chatId }) => heard.push(chatId))
    other.subscribe('rights', () => (wrong += 1))
    const sent = Array.from({ length: 500 }, (_, n) => String(n))
    for (const id of sent) one.publish(event(id))
    await until(() => heard.length === sent.length)
    assert.deepEqual(heard, sent)
    assert.equal(wrong, 0)
    await Promise.all([one.close(), two.close(), other.close()])
  })

  test('while Redis is away nothing fails or waits; it comes back by itself and says so', async () => {
    const [one, two] = [await redisBus(), await redisBus()]
    let heard = 0
    two.subscribe('rights', () => (heard += 1))
    await redis.kill()
    await until(() => !one.healthy() && !two.healthy())
    const begin = Date.now()
    for (let n = 0; n < 1_000; n += 1) one.publish(event('lost'))
    assert(Date.now() - begin < 500)
    const before = gaps
    await redis.start()
    await until(() => one.healthy() && two.healthy(), 10_000)
    assert(gaps > before, 'those who may have missed something are told')
    assert(changes.includes(false))
    one.publish(event('back'))
    await until(() => heard === 1)
    await Promise.all([one.close(), two.close()])
  })

  test('a Redis that hangs is one that is away: seen within 4 s, and nothing waits for it', async () => {
    const [one, two] = [await redisBus(), await redisBus()]
    let heard = 0
    two.subscribe('rights', () => (heard += 1))
    // Longer than any silence that would be taken for a fault.
    await sleep(3_500)
    assert(one.healthy() && two.healthy())
    redis.freeze()
    await until(() => !one.healthy() && !two.healthy(), 4_000)
    for (let n = 0; n < 1_000; n += 1) one.publish(event('lost'))
    redis.thaw()
    await until(() => one.healthy() && two.healthy(), 6_000)
    heard = 0
    one.publish(event('back'))
    await until(() => heard === 1)
    await Promise.all([one.close(), two.close()])
  })
})
