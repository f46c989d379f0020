/** Not a comparison but a soak: does anything grow that should not? */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Bench, Round, Running, Sample } from '../bench.ts'
import { runLoop } from '../closed-loop.ts'
import { Inspector, inspectable } from '../inspector.ts'
import { rssKb, slope } from '../rss.ts'
import { type Reading, toMemorySvg } from '../memory-plot.ts'

const MINUTES = 60
const SMALL_SECONDS = 20
const SOCKETS = 200
const WINDOW = 32
const EACH_SECONDS = { full: 10, small: 2 }
/** Caches fill, code is compiled. */
const WARM_UP_SHARE = 0.2
/** A slope an hour out of less than this says nothing. */
const LEAST_MINUTES = 9
const SERVER = 'Microchatter, PostgreSQL'
const SLOPE = 'heap after GC, MB/hour'
const GROWTH = 'RSS, last / first'
const RESULTS = new URL('../results/', import.meta.url)

export const memory: Bench = {
  name: 'memory',
  title: 'Memory of the server under load: growth of the heap after garbage collection, MB an hour',
  plot: SLOPE,
  goals: [
    {
      name: 'growth of the heap, MB an hour',
      better: 'lower',
      bound: 5,
      unit: '',
      of: (samples) => longEnough(samples, SLOPE),
    },
    {
      name: 'RSS at the end, of that after the warm-up',
      better: 'lower',
      bound: 1.1,
      unit: '×',
      of: (samples) => longEnough(samples, GROWTH),
    },
  ],
  ticks: () => 1,
  async measure(round) {
    if (!round.postgres) return []
    const { port, settings } = await inspectable()
    const running = await round.start({ kind: 'microchatter', database: 'postgres', settings })
    const inspector = await Inspector.open(port)
    round.defer(() => inspector.close())
    const readings = await soak(round, running, inspector)
    await running.stop()
    if (round.scale === 'full') await write(readings)
    return [toSample(readings)]
  },
}

async function soak(round: Round, running: Running, inspector: Inspector): Promise<Reading[]> {
  const readings: Reading[] = []
  const seconds = secondsOf(round)
  const each = EACH_SECONDS[round.scale]
  let second = 0
  let failure: Error | undefined
  const read = async () => {
    // Before the collection, which gives memory back.
    const rssMb = rssKb(running.pid) / 1_024
    const heapMb = await inspector.heapUsedMb()
    readings.push({ minute: second / 60, rssMb, heapMb })
    round.say(`minute ${Math.floor(second / 60)} of ${Math.ceil(seconds / 60)}`)
  }
  const onSecond = () => {
    second += 1
    if (second % each === 0) read().catch((error: Error) => (failure ??= error))
  }
  const loop = { name: 'users and chats', sockets: SOCKETS, window: WINDOW, seconds, onSecond }
  await runLoop(round, { running: [running], ...loop })
  if (failure) throw failure
  return readings
}

function secondsOf({ scale }: Round): number {
  const minutes = Number(process.env.BENCH_MINUTES || Number.NaN)
  if (minutes > 0) return minutes * 60
  return scale === 'small' ? SMALL_SECONDS : MINUTES * 60
}

function toSample(readings: readonly Reading[]): Sample {
  const warm = readings.slice(Math.floor(readings.length * WARM_UP_SHARE))
  const [first, last] = [warm.at(0), warm.at(-1)]
  if (!first || !last) throw new Error('The memory was not read')
  const values = {
    [SLOPE]: slope(warm.map(({ minute, heapMb }) => ({ x: minute / 60, y: heapMb }))),
    [GROWTH]: last.rssMb / first.rssMb,
    'RSS, MB/hour': slope(warm.map(({ minute, rssMb }) => ({ x: minute / 60, y: rssMb }))),
    'heap at first, MB': first.heapMb,
    'heap at last, MB': last.heapMb,
    'RSS at first, MB': first.rssMb,
    'RSS at last, MB': last.rssMb,
    minutes: last.minute,
  }
  return { server: SERVER, load: `${WINDOW} in flight`, values }
}

function longEnough(samples: readonly Sample[], name: string): number | undefined {
  const { minutes = 0, ...values } = samples[0]?.values ?? {}
  return minutes < LEAST_MINUTES ? undefined : values[name]
}

async function write(readings: readonly Reading[]): Promise<void> {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(new URL('memory.svg', RESULTS), await toMemorySvg(readings))
}
