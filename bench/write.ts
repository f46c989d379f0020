/** bench/results/: one JSON file and one plot for each bench, and a page of all of them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Bench, Sample } from './bench.ts'
import type { Postgres } from './databases.ts'
import { machine, versions } from './machine.ts'
import type { Options } from './options.ts'
import { toSvg } from './plot.ts'
import { goalTable, isComparison, sampleTable, toPage, toText } from './report.ts'
import { goalResults, medians, type Result } from './results.ts'

export const RESULTS = new URL('results/', import.meta.url)

export function show(bench: Bench, rounds: readonly Sample[][]): void {
  const { name, plot } = bench
  const goals = goalResults(bench, rounds).map((goal) => ({ bench: name, plot, ...goal }))
  process.stdout.write(`\n${bench.title}\n${toText(sampleTable(medians(rounds)))}\n`)
  if (goals.length > 0) process.stdout.write(`${toText(goalTable(goals))}\n`)
}

interface Circumstances {
  options: Options
  postgres: Postgres | undefined
  loadBefore: number
}

export async function write(
  bench: Bench,
  rounds: Sample[][],
  { options, postgres, loadBefore }: Circumstances,
): Promise<void> {
  const { name, title, plot } = bench
  const result: Result = {
    bench: name,
    title,
    plot,
    date: new Date().toISOString(),
    machine: machine(),
    versions: versions(postgres?.version),
    postgres: postgres?.settings ?? 'none',
    options: { rounds: rounds.length, seconds: options.seconds },
    loadBefore,
    goals: goalResults(bench, rounds),
    medians: medians(rounds),
    rounds,
  }
  mkdirSync(RESULTS, { recursive: true })
  put(`${name}.json`, `${JSON.stringify(result, undefined, 2)}\n`)
  if (isComparison(result)) put(`${name}.svg`, await toSvg(result))
  put('README.md', toPage(readResults()))
}

function readResults(): Result[] {
  const names = readdirSync(RESULTS).filter((file) => file.endsWith('.json'))
  const all = names.map(
    (file) => JSON.parse(readFileSync(new URL(file, RESULTS), 'utf8')) as Result,
  )
  // small.json is none.
  return all.filter(({ medians }) => Array.isArray(medians))
}

function put(file: string, content: string): void {
  writeFileSync(new URL(file, RESULTS), content)
}
