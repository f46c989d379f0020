/**
 * Where a bench's server spends its time and its memory: the bench runs once, with the server under
 * V8's profilers while the load lasts. The figures of such a run are too low, and are not written.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Round, Scale } from './bench.ts'
import { BENCHES } from './benches.ts'
import { openPostgres, type Postgres } from './databases.ts'
import { toFlamePage } from './flame.ts'
import { profiled, type Profiles, type Wanted } from './profiled.ts'
import { type Frame, heapTree, heaviest, timeTree } from './profiles.ts'
import { openRound } from './round.ts'
import { OURS } from './servers.ts'

const USAGE = `npm run bench:profile -- <bench> [options]

  --server postgres|embedded   whose server is profiled (postgres)
  --seconds <n>                of each load (10)
  --scale full|small           (full)
  --kept                       of the heap, only what is still there at the end

Writes bench/profiles/<bench>.cpuprofile and .heapprofile, for Chrome's DevTools and VS Code, and a
flame graph of each beside them, for any browser.

`
const PROFILES = new URL('./profiles/', import.meta.url)
const FUNCTIONS = 25
const NOTE =
  'Samples are of wall time: while other processes have the core, the time is seen at what the server did then, often a system call. Only the main thread is seen.'

interface Options extends Wanted {
  name: string
  seconds: number
  scale: Scale
}

function readOptions(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      server: { type: 'string', default: 'postgres' },
      seconds: { type: 'string', default: '10' },
      scale: { type: 'string', default: 'full' },
      kept: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [name] = positionals
  if (values.help || name === undefined) return undefined
  const { server: database, scale, kept } = values
  const seconds = Number(values.seconds)
  if (database !== 'postgres' && database !== 'embedded')
    throw new Error(`--server is postgres or embedded, not ${database}`)
  if (scale !== 'full' && scale !== 'small')
    throw new Error(`--scale is full or small, not ${scale}`)
  if (!(seconds > 0)) throw new Error(`--seconds is a number, not ${values.seconds}`)
  return { name, seconds, scale, database, kept }
}

async function run(options: Options): Promise<void> {
  const bench = BENCHES.find(({ name }) => name === options.name)
  const names = BENCHES.map(({ name }) => name).join(', ')
  if (!bench) throw new Error(`There is no bench ${options.name}; there are: ${names}`)
  const { database, scale, seconds } = options
  const postgres = database === 'postgres' ? await keep(openPostgres()) : undefined
  const only = OURS[database]
  const opened = openRound({ scale, seconds, only, postgres, say: sayer(), tick: () => {} })
  closers.push(opened.close)
  const profiles = await measure(opened.round, bench.measure, options)
  write(options, profiles)
}

/** What has not just been said. */
function sayer(): (what: string) => void {
  let last = ''
  return (what) => {
    if (what !== last) process.stderr.write(`${what}\n`)
    last = what
  }
}

async function measure(
  plain: Round,
  bench: (round: Round) => Promise<unknown>,
  wanted: Wanted,
): Promise<Profiles> {
  const { round, finish } = profiled(plain, wanted)
  await bench(round)
  const profiles = await finish()
  if (profiles) return profiles
  throw new Error(`This bench has no load for Microchatter on ${wanted.database}`)
}

function write({ name, kept }: Options, { cpu, heap }: Profiles): void {
  mkdirSync(PROFILES, { recursive: true })
  const put = (ending: string, content: string) =>
    writeFileSync(new URL(`${name}.${ending}`, PROFILES), content)
  put('cpuprofile', JSON.stringify(cpu))
  put('heapprofile', JSON.stringify(heap))
  const what = kept ? 'still allocated at the end' : 'allocated'
  const views = [
    { file: 'time.html', tree: timeTree(cpu), unit: 'ms', title: `${name}: time`, note: NOTE },
    { file: 'heap.html', tree: heapTree(heap), unit: 'kB', title: `${name}: ${what}`, note: '' },
  ]
  for (const { file, ...page } of views) {
    put(file, toFlamePage(page))
    process.stdout.write(`\n${toList(page.tree, page)}\n`)
  }
  process.stdout.write(`\n${NOTE}\nWritten: ${fileURLToPath(PROFILES)}${name}.*\n`)
}

function toList(tree: Frame, { title, unit }: { title: string; unit: string }): string {
  const lines = heaviest(tree, FUNCTIONS).map(({ name, self }) => {
    const share = ((100 * self) / tree.value).toFixed(1).padStart(5)
    return `${Math.round(self).toLocaleString('en').padStart(9)} ${unit} ${share} %  ${name}`
  })
  const total = `${Math.round(tree.value).toLocaleString('en')} ${unit}`
  return [`${title}, ${total}, the most by functions themselves`, ...lines].join('\n')
}

const closers: (() => Promise<void> | void)[] = []
let ending: Promise<void> | undefined

async function keep(opening: Promise<Postgres | undefined>): Promise<Postgres> {
  const postgres = await opening
  if (!postgres) throw new Error('There is no PostgreSQL on this machine: --server embedded')
  closers.push(postgres.stop)
  return postgres
}

function end(): Promise<void> {
  ending ??= (async () => {
    for (const close of closers.toReversed()) await close()
  })()
  return ending
}

async function main(): Promise<number> {
  try {
    const options = readOptions()
    if (options) await run(options)
    else process.stdout.write(USAGE)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    await end()
  }
}

// Not `once`: npm and a terminal both pass a signal on, and the second one would end us halfway.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void end().finally(() => process.exit(1)))
process.exit(await main())
