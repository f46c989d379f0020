/**
 * The small run of CI: ratios against the committed ones of results/small.json. Machines are noisy,
 * so what fails is measured again, and the best ratio counts.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Bench, Goal, Sample } from './bench.ts'
import { machine } from './machine.ts'
import type { Options } from './options.ts'
import { figure, toText } from './report.ts'
import { median, valueOf } from './results.ts'
import { RESULTS } from './write.ts'

const FILE = new URL('small.json', RESULTS)
const ATTEMPTS = 3
const WRITTEN_ROUNDS = 3
/** Of the committed ratio: a quarter less is worse, or a third more where less is better. */
const LEAST = 3 / 4
const MOST = 4 / 3

/** Bench → goal → ratio. */
type Ratios = Record<string, Record<string, number>>
type Run = (bench: Bench, options: Options) => Promise<Sample[][]>

interface Verdict {
  bench: string
  goal: Goal
  committed: number | undefined
  values: number[]
}

/** Returns how many failed. */
export async function guard(benches: readonly Bench[], options: Options, run: Run) {
  if (options.isWriting) return writeRatios(benches, options, run)
  const committed = readRatios()
  const verdicts: Verdict[] = []
  let failures = 0
  for (const bench of benches) {
    try {
      verdicts.push(
        ...(await judge(bench, { committed: committed[bench.name] ?? {}, options, run })),
      )
    } catch (error) {
      failures += 1
      process.stderr.write(`${bench.name} failed: ${(error as Error).message}\n`)
    }
  }
  process.stdout.write(`\n${toText(tableOf(verdicts))}\n`)
  return failures + verdicts.filter((verdict) => !isGood(verdict)).length
}

interface Case {
  committed: Record<string, number>
  options: Options
  run: Run
}

async function judge(bench: Bench, { committed, options, run }: Case): Promise<Verdict[]> {
  const verdicts = guarded(bench).map(
    (goal): Verdict => ({ bench: bench.name, goal, committed: committed[goal.name], values: [] }),
  )
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const [samples = []] = await run(bench, { ...options, rounds: 1 })
    for (const { goal, values } of verdicts) {
      const one = goal.of(samples)
      if (one !== undefined) values.push(valueOf(one))
    }
    if (verdicts.every(isGood)) break
  }
  return verdicts
}

async function writeRatios(benches: readonly Bench[], options: Options, run: Run): Promise<number> {
  const ratios = readRatios()
  for (const bench of benches) {
    const goals = guarded(bench)
    if (goals.length === 0) continue
    const rounds = await run(bench, { ...options, rounds: WRITTEN_ROUNDS })
    const of = goals.map(({ name, of }) => [name, median(rounds.flatMap((one) => of(one) ?? []))])
    ratios[bench.name] = Object.fromEntries(of) as Record<string, number>
  }
  mkdirSync(RESULTS, { recursive: true })
  const content = { date: new Date().toISOString(), machine: machine(), ratios }
  writeFileSync(FILE, `${JSON.stringify(content, undefined, 2)}\n`)
  process.stdout.write('Written: bench/results/small.json\n')
  return 0
}

function readRatios(): Ratios {
  if (!existsSync(FILE)) return {}
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { ratios: Ratios }).ratios
}

function guarded({ goals }: Bench): Goal[] {
  return goals.filter((goal) => goal.guarded)
}

/** What could not be measured, or was never committed, is not judged. */
function isGood({ goal, committed, values }: Verdict): boolean {
  if (committed === undefined || values.length === 0) return true
  const best = bestOf(goal, values)
  return goal.better === 'higher' ? best >= committed * LEAST : best <= committed * MOST
}

function bestOf({ better }: Goal, values: readonly number[]): number {
  return better === 'higher' ? Math.max(...values) : Math.min(...values)
}

function tableOf(verdicts: readonly Verdict[]): string[][] {
  const rows = verdicts.map((verdict) => {
    const { bench, goal, committed, values } = verdict
    return [bench, goal.name, figure(committed), values.map(figure).join(', '), wordOf(verdict)]
  })
  return [['bench', 'ratio', 'committed', 'measured', ''], ...rows]
}

function wordOf(verdict: Verdict): string {
  if (verdict.values.length === 0) return 'left out'
  if (verdict.committed === undefined) return 'not committed'
  return isGood(verdict) ? 'ok' : 'WORSE'
}
