/** 1:1 messages per second, send → commit → arrival, beside a bare Socket.IO relay: README.md. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import progress from 'cli-progress'
import { assertBuilt, generate, startServer } from './children.ts'
import { openPostgres, type Postgres } from './databases.ts'
import { toSvg } from './plot.ts'
import { machine, type Results, toRows, toTable } from './report.ts'

const WINDOWS = [32, 256]
const WARM_UP_SECONDS = 2
/** Load average of the last minute above which others are at work on the machine. */
const BUSY = 0.5
const RESULTS = new URL('results/', import.meta.url)
const NAMES = {
  relay: 'bare Socket.IO relay',
  postgres: 'Microchatter, PostgreSQL',
  embedded: 'Microchatter, embedded',
} as const
type Kind = keyof typeof NAMES
const KINDS = Object.keys(NAMES) as Kind[]

const USAGE = `npm run bench:send -- [options]
  --seconds <n>   measured seconds of each run, 1 to 60 (5)
  --sockets <n>   sockets, 2 to 1,000 (200)
  --rounds <n>    rounds, 1 to 9 (3)
  --only <names>  some of relay,postgres,embedded; no results are written then
  --profile       with CPU profiles of the servers; no results are written then
`

interface Options {
  seconds: number
  sockets: number
  rounds: number
  kinds: Kind[]
  profileDir: string | undefined
}

function readOptions(): Options | 'help' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    options: { seconds: text, sockets: text, rounds: text, only: text, profile: flag, help: flag },
  })
  if (values.help) return 'help'
  const unknown = values.only?.split(',').filter((name) => !KINDS.includes(name as Kind)) ?? []
  if (unknown.length > 0) throw new Error(`--only knows ${KINDS.join(', ')}; not ${unknown[0]}`)
  return {
    seconds: whole('seconds', values.seconds ?? '5', [1, 60]),
    sockets: whole('sockets', values.sockets ?? '200', [2, 1_000]),
    rounds: whole('rounds', values.rounds ?? '3', [1, 9]),
    kinds: (values.only?.split(',') as Kind[] | undefined) ?? KINDS,
    profileDir: values.profile ? mkdtempSync(join(tmpdir(), 'microchatter-profile-')) : undefined,
  }
}

function whole(name: string, value: string, [least, most]: [number, number]): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new Error(`--${name} must be a whole number from ${least} to ${most}`)
}

/** What ends with the bench, however it ends; the last that came goes first. */
const closers: (() => Promise<void> | void)[] = []

async function closeFrom(count: number): Promise<void> {
  for (const close of closers.splice(count).toReversed()) await close()
}

let ending: Promise<void> | undefined

function end(): Promise<void> {
  ending ??= closeFrom(0)
  return ending
}

async function measure(options: Options, kind: Kind, context: Context) {
  const open = closers.length
  try {
    const secret = kind === 'relay' ? undefined : randomBytes(32).toString('hex')
    const settings = secret === undefined ? undefined : await settingsOf(kind, secret, context)
    const server = await startServer({ settings, profileDir: profileOf(options, kind) })
    closers.push(server.stop)
    const { sockets, seconds } = options
    const warmUpMs = WARM_UP_SECONDS * 1_000
    const plan = { sockets, windows: WINDOWS, warmUpMs, measureMs: seconds * 1_000 }
    return await generate({ ...plan, url: server.url, secret }, context.onSecond)
  } finally {
    await closeFrom(open)
  }
}

function profileOf({ profileDir }: Options, kind: Kind): string | undefined {
  return profileDir === undefined ? undefined : join(profileDir, kind)
}

interface Context {
  postgres: Postgres | undefined
  onSecond: () => void
}

async function settingsOf(kind: Kind, secret: string, { postgres }: Context) {
  const folder = mkdtempSync(join(tmpdir(), 'microchatter-bench-'))
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const settings = {
    PORT: '0',
    MICROCHATTER_LIMITS: 'off',
    MICROCHATTER_JWT_SECRET: secret,
    MICROCHATTER_DATA_DIR: folder,
  }
  if (kind === 'embedded' || !postgres) return settings
  const database = await postgres.create()
  closers.push(database.drop)
  return { ...settings, DATABASE_URL: database.url }
}

async function runRounds(options: Options, postgres: Postgres | undefined): Promise<Results> {
  const kinds = options.kinds.filter((kind) => kind !== 'postgres' || postgres)
  const secondsOfRun = WINDOWS.length * (WARM_UP_SECONDS + options.seconds)
  const bar = new progress.SingleBar({ format: '{bar} {percentage} %  {eta_formatted}  {what}' })
  bar.start(options.rounds * kinds.length * secondsOfRun, 0, { what: '' })
  const results: Results = new Map(kinds.map((kind) => [NAMES[kind], new Map()]))
  try {
    for (let round = 1; round <= options.rounds; round += 1)
      for (const kind of kinds) {
        if (ending) throw new Error('Stopped')
        bar.update({ what: `round ${round}: ${NAMES[kind]}` })
        const onSecond = () => bar.increment()
        const measured = await measure(options, kind, { postgres, onSecond })
        const ofKind = results.get(NAMES[kind])
        for (const [window, figures] of measured)
          ofKind?.set(window, [...(ofKind.get(window) ?? []), figures])
      }
  } finally {
    bar.stop()
  }
  return results
}

function write(
  options: Options,
  results: Results,
  { postgres, load }: { postgres: Postgres | undefined; load: number },
): void {
  const rows = toRows(results, NAMES.relay)
  const { seconds, sockets, rounds } = options
  const database = postgres && { version: postgres.version, ...postgres.settings }
  const date = new Date().toISOString()
  const file = {
    bench: 'send',
    date,
    machine: { ...machine(), loadBefore: load },
    postgres: database ?? 'none',
    options: { seconds, sockets, rounds, windows: WINDOWS, bodyBytes: 100 },
    rows,
  }
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(new URL('send.json', RESULTS), `${JSON.stringify(file, undefined, 2)}\n`)
  const { cpus, node } = machine()
  const title = '1:1 messages per second, acknowledged after commit and received'
  const version = postgres?.version.split(' ')[0] ?? 'none'
  const note = `${cpus} cores for all of it, Node ${node}, PostgreSQL ${version}, median of ${rounds}, load before ${load.toFixed(1)}, ${date.slice(0, 10)}`
  writeFileSync(new URL('send.svg', RESULTS), toSvg(rows, { title, note }))
  process.stdout.write('Written: bench/results/send.json, bench/results/send.svg\n')
}

async function run(options: Options): Promise<void> {
  if (options.kinds.some((kind) => kind !== 'relay')) assertBuilt()
  const postgres = options.kinds.includes('postgres') ? await openPostgres() : undefined
  if (postgres) closers.push(postgres.stop)
  else if (options.kinds.includes('postgres'))
    process.stdout.write(
      'PostgreSQL is left out: none is installed. Install one, or name it in DATABASE_URL.\n',
    )
  const [load = 0] = loadavg()
  if (load > BUSY)
    process.stdout.write(
      `The machine is busy (load ${load.toFixed(1)}): figures are too low, and ratios uncertain.\n`,
    )
  const results = await runRounds(options, postgres)
  process.stdout.write(`\n${toTable(toRows(results, NAMES.relay))}\n\n`)
  const { profileDir, kinds } = options
  if (profileDir !== undefined) printProfiles(profileDir)
  else if (kinds.length === KINDS.length) write(options, results, { postgres, load })
}

function printProfiles(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true }).map(String).sort())
    if (name.endsWith('.cpuprofile')) process.stdout.write(`Profile: ${join(folder, name)}\n`)
}

async function main(): Promise<number> {
  try {
    const options = readOptions()
    if (options === 'help') process.stdout.write(USAGE)
    else await run(options)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    await end()
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)))
process.exit(await main())
