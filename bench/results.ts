/** Samples of several rounds → medians, and goals that are met or not. */
import type { Bench, Goal, Pair, Sample } from './bench.ts'
import type { Machine, Versions } from './machine.ts'

export interface GoalResult extends Pick<Goal, 'name' | 'better' | 'bound' | 'unit'> {
  /** Median of the rounds; a ratio is taken within each round first. */
  value: number
  met: boolean
  rounds: number[]
  /** Of a ratio: the medians of its two parts. */
  parts?: Pair
}

/** What bench/results/<bench>.json holds. */
export interface Result {
  bench: string
  title: string
  plot: string
  date: string
  machine: Machine
  versions: Versions
  /** What decides how durable a commit is. */
  postgres: Record<string, string> | 'none'
  options: { rounds: number; seconds: number }
  /** Load average of the minute before. */
  loadBefore: number
  goals: GoalResult[]
  medians: Sample[]
  rounds: Sample[][]
}

export function goalResults(bench: Bench, rounds: readonly Sample[][]): GoalResult[] {
  return bench.goals.flatMap(({ of, name, better, bound, unit }) => {
    const found = rounds.flatMap((samples) => {
      const one = of(samples)
      return one === undefined ? [] : [one]
    })
    if (found.length === 0) return []
    const values = found.map(valueOf)
    const value = median(values)
    const met = better === 'higher' ? value >= bound : value <= bound
    const pairs = found.filter((one) => typeof one !== 'number')
    const parts = [median(pairs.map(([ours]) => ours)), median(pairs.map(([, to]) => to))] as const
    return [
      {
        name,
        better,
        bound,
        unit,
        value,
        met,
        rounds: values,
        ...(pairs.length === 0 ? {} : { parts }),
      },
    ]
  })
}

export function valueOf(one: number | Pair): number {
  return typeof one === 'number' ? one : one[0] / one[1]
}

export function medians(rounds: readonly Sample[][]): Sample[] {
  const all = rounds.flat()
  const isLike = (one: Sample, other: Sample) =>
    one.server === other.server && one.load === other.load
  const firsts = all.filter((one, at) => all.findIndex((other) => isLike(one, other)) === at)
  return firsts.map((first) => {
    const samples = all.filter((sample) => isLike(sample, first))
    const names = [...new Set(samples.flatMap(({ values }) => Object.keys(values)))]
    const values = names.map((name) => {
      const all = samples.flatMap((sample) => sample.values[name] ?? [])
      return [name, median(all)] as const
    })
    return { server: first.server, load: first.load, values: Object.fromEntries(values) }
  })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? upper) + upper) / 2 : upper
}
