/** The load of the send bench, as other benches use it: so many messages in flight, for so long. */
import type { Round, Running } from './bench.ts'
import { generate } from './children.ts'
import type { Figures } from './meter.ts'
import { WARM_UP_MS } from './servers.ts'

export interface Loop {
  /** For the progress line. */
  name: string
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
  const { name, running, sockets, window, seconds, onSecond } = loop
  round.say(name)
  const [{ url, secret, databaseUrl }, ...others] = running
  const urls = [url, ...others.map((other) => other.url)]
  const measureMs = seconds * 1_000
  let begun = false
  const each = () => {
    if (!begun) round.tick()
    begun = true
    onSecond?.()
  }
  const windows = [window]
  const warmUpMs = WARM_UP_MS[round.scale]
  const plan = { url, urls, secret, databaseUrl, sockets, windows, warmUpMs, measureMs }
  const figures = (await generate(plan, each)).get(window)
  if (!figures) throw new Error('The generator gave no figures')
  return figures
}

/** One, the other, the other, one: what slowly changes on the machine meets both alike. */
export async function runInTurns(
  round: Round,
  one: Loop,
  other: Loop,
): Promise<[Figures[], Figures[]]> {
  const first = await runLoop(round, one)
  const second = [await runLoop(round, other), await runLoop(round, other)]
  return [[first, await runLoop(round, one)], second]
}

export function meanOf(turns: readonly Figures[], of: (figures: Figures) => number): number {
  return turns.reduce((sum, figures) => sum + of(figures), 0) / turns.length
}
