/** The load of the send bench, as other benches use it: so many messages in flight, for so long. */
import type { Round, Running } from './bench.ts'
import { generate } from './children.ts'
import type { Figures } from './meter.ts'

const WARM_UP_MS = 3_000

export interface Loop {
  /** The nodes of one server; each has its share of the sockets. */
  running: readonly [Running, ...Running[]]
  sockets: number
  /** Messages in flight. */
  window: number
  seconds: number
  onSecond?: () => void
}

/** Ticks once, when messages begin to flow. */
export async function runLoop(round: Round, loop: Loop): Promise<Figures> {
  const { running, sockets, window, seconds, onSecond } = loop
  const [{ url, secret }, ...others] = running
  const urls = [url, ...others.map((other) => other.url)]
  const measureMs = seconds * 1_000
  let begun = false
  const each = () => {
    if (!begun) round.tick()
    begun = true
    onSecond?.()
  }
  const windows = [window]
  const plan = { url, urls, secret, sockets, windows, warmUpMs: WARM_UP_MS, measureMs }
  const figures = (await generate(plan, each)).get(window)
  if (!figures) throw new Error('The generator gave no figures')
  return figures
}
