/** Figures of several rounds, as one table and one file. */
import { cpus, platform, release, totalmem } from 'node:os'
import type { Figures } from './meter.ts'

export interface Row {
  server: string
  window: number
  /** Medians of the rounds. */
  perSecond: number
  /** Of the relay in the same round; undefined where it did not run. */
  ratio: number | undefined
  ackMs: { p50: number; p99: number }
  arrivalMs: { p50: number; p99: number }
  rounds: Figures[]
}

/** Server → window → one entry a round. */
export type Results = Map<string, Map<number, Figures[]>>

export function toRows(results: Results, relay: string): Row[] {
  const windows = [...new Set([...results.values()].flatMap((byWindow) => [...byWindow.keys()]))]
  return windows.flatMap((window) =>
    [...results].map(([server, byWindow]) => {
      const rounds = byWindow.get(window) ?? []
      const base = results.get(relay)?.get(window)
      return toRow({ server, window, rounds, base })
    }),
  )
}

interface Measured {
  server: string
  window: number
  rounds: Figures[]
  base: Figures[] | undefined
}

function toRow({ server, window, rounds, base }: Measured): Row {
  const of = (pick: (figures: Figures) => number) => median(rounds.map(pick))
  const ratios = rounds.flatMap(({ perSecond }, round) => {
    const other = base?.[round]
    return other ? [perSecond / other.perSecond] : []
  })
  return {
    server,
    window,
    perSecond: of(({ perSecond }) => perSecond),
    ratio: ratios.length === 0 ? undefined : median(ratios),
    ackMs: { p50: of(({ ackMs }) => ackMs.p50), p99: of(({ ackMs }) => ackMs.p99) },
    arrivalMs: {
      p50: of(({ arrivalMs }) => arrivalMs.p50),
      p99: of(({ arrivalMs }) => arrivalMs.p99),
    },
    rounds,
  }
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? 0
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? 0) + upper) / 2 : upper
}

const HEAD = ['in flight', '', 'messages/s', 'of relay', 'ack p50', 'p99', 'arrival p50', 'p99']

export function toTable(rows: Row[]): string {
  const lines = rows.map(({ server, window, perSecond, ratio, ackMs, arrivalMs }) => [
    String(window),
    server,
    Math.round(perSecond).toLocaleString('en'),
    ratio === undefined ? '' : `${Math.round(ratio * 100)} %`,
    ...[ackMs.p50, ackMs.p99, arrivalMs.p50, arrivalMs.p99].map((ms) => `${ms.toFixed(2)} ms`),
  ])
  const all = [HEAD, ...lines]
  const widths = HEAD.map((_, column) =>
    Math.max(...all.map((line) => (line[column] ?? '').length)),
  )
  const pad = (text: string, column: number) => {
    const width = widths[column] ?? 0
    return column === 1 ? text.padEnd(width) : text.padStart(width)
  }
  return all.map((line) => line.map(pad).join('  ')).join('\n')
}

export function machine() {
  return {
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
    node: process.versions.node,
  }
}
