/** The command: benches in rounds, medians, goals, tables, files. README.md says what is measured. */
import type { Bench, Sample } from './bench.ts'
import { BENCHES } from './benches.ts'
import { openPostgres, type Postgres } from './databases.ts'
import { guard } from './guard.ts'
import { load, warnIfBusy } from './machine.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { startProgress } from './progress.ts'
import { openRound, type OpenRound } from './round.ts'
import { show, write } from './write.ts'

/** Of one round; those that fill tables of ten million rows are the longest. */
const ROUND_MS = 30 * 60_000
const APART_MS = 2 * 60 * 60_000

/** What ends with the command, however it ends. */
const open = new Set<OpenRound>()
let opening: Promise<Postgres | undefined> | undefined
let postgres: Postgres | undefined
let ending: Promise<void> | undefined

function end(): Promise<void> {
  ending ??= (async () => {
    for (const round of open) await round.close()
    await (await opening)?.stop()
  })()
  return ending
}

async function runRounds(bench: Bench, options: Options): Promise<Sample[][]> {
  const rounds = bench.apart ? 1 : options.rounds
  const progress = startProgress(rounds * bench.ticks(options.scale))
  const results: Sample[][] = []
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const say = (what: string) => progress.say(`${bench.name}, round ${round}: ${what}`)
      results.push(await runRound(bench, options, { say, tick: progress.tick }))
    }
  } finally {
    progress.stop()
  }
  return results
}

async function runRound(
  bench: Bench,
  { scale, seconds, only }: Options,
  progress: { say(what: string): void; tick(): void },
): Promise<Sample[]> {
  if (ending) throw new Error('Stopped')
  const opened = openRound({ scale, seconds, only, postgres, ...progress })
  open.add(opened)
  const limit = timeLimit(bench.apart ? APART_MS : ROUND_MS)
  try {
    return await Promise.race([bench.measure(opened.round), opened.death, limit.late])
  } finally {
    limit.clear()
    await opened.close()
    open.delete(opened)
  }
}

function timeLimit(ms: number) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took more than ${ms / 60_000} minutes`)), ms)
  })
  return { late, clear: () => clearTimeout(timer) }
}

/** Returns how many failed: the others run all the same. */
async function runAll(benches: readonly Bench[], options: Options): Promise<number> {
  let failures = 0
  for (const bench of benches) {
    try {
      const loadBefore = load()
      const rounds = await runRounds(bench, options)
      show(bench, rounds)
      if (options.only === undefined) await write(bench, rounds, { options, postgres, loadBefore })
    } catch (error) {
      if (ending) throw error
      failures += 1
      process.stderr.write(`${bench.name} failed: ${messageOf(error)}\n`)
    }
  }
  return failures
}

function wanted({ names, scale }: Options): Bench[] {
  const unknown = names.find((name) => !BENCHES.some((bench) => bench.name === name))
  if (unknown !== undefined)
    throw new Error(`There is no bench ${unknown}; there are ${BENCHES.map(nameOf).join(', ')}`)
  if (names.length > 0) return BENCHES.filter(({ name }) => names.includes(name))
  const some = BENCHES.filter(({ apart }) => !apart)
  return scale === 'full' ? some : some.filter(({ goals }) => goals.some((goal) => goal.guarded))
}

async function run(options: Options): Promise<number> {
  const benches = wanted(options)
  warnIfBusy()
  opening = openPostgres()
  postgres = await opening
  if (!postgres) missingPostgres()
  const failures =
    options.scale === 'small'
      ? await guard(benches, options, runRounds)
      : await runAll(benches, options)
  return failures === 0 ? 0 : 1
}

function missingPostgres(): void {
  const text = 'No PostgreSQL is installed here, and none is named in DATABASE_URL'
  if (process.env.CI) throw new Error(text)
  process.stderr.write(`${text}: what needs one is left out.\n`)
}

async function main(): Promise<number> {
  try {
    const options = readOptions()
    if (options === 'help') process.stdout.write(USAGE)
    else if (options === 'list')
      for (const { name, title } of BENCHES) process.stdout.write(`${name.padEnd(10)}${title}\n`)
    else return await run(options)
    return 0
  } catch (error) {
    process.stderr.write(`${ending ? 'Stopped' : messageOf(error)}\n`)
    return 1
  } finally {
    await end()
  }
}

function nameOf({ name }: Bench): string {
  return name
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

// Not `once`: npm and a terminal both pass a signal on, and the second one would end us halfway.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void end().finally(() => process.exit(1)))
process.exit(await main())
