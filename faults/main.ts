/** The command: faults by a seed, the checker after each, broken builds, a report. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgress } from '../bench/progress.ts'
import { type Broken, BROKEN, buildBroken } from './broken.ts'
import type { Violation } from './evidence.ts'
import { listFaults, type Options, readOptions, USAGE } from './options.ts'
import { planOf, type Stage } from './plan.ts'
import { type Caught, toTable, writeReport } from './report.ts'
import { runStages, type Struck } from './stage.ts'

const DIST = fileURLToPath(new URL('../packages/server/dist', import.meta.url))
const HISTORIES = fileURLToPath(new URL('histories/', import.meta.url))
/** Of each fault that failed. */
const SHOWN = 5
const SHOWN_CALLS = 20
const SHOWN_TEXT = 60
/** A broken build that stays green for so many faults is one. */
const BROKEN_FAULTS = 6
const BROKEN_MESSAGES = 250

const score = { passed: 0, failed: 0 }

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function count(isGood: boolean): void {
  score[isGood ? 'passed' : 'failed'] += 1
}

async function runFaults(options: Options): Promise<Struck[]> {
  const { seed, faults, only, messages, users, devices } = options
  const stages = planOf(seed, faults, only).filter(
    ({ index }) => options.stage === undefined || index === options.stage,
  )
  const progress = startProgress(stages.reduce((sum, stage) => sum + stage.faults.length, 0))
  const all: Struck[] = []
  const historyFile = ({ index }: Stage, first: number) =>
    join(HISTORIES, `${seed}-${index}-${first}.jsonl`)
  try {
    await runStages(stages, {
      dist: DIST,
      messages,
      users,
      devices,
      historyFile,
      say: progress.say,
      onStruck(struck) {
        progress.tick()
        all.push(struck)
        count(struck.violations.length === 0)
        if (struck.violations.length > 0) explain(struck, seed)
        return true
      },
    })
  } finally {
    progress.stop()
  }
  return all
}

function explain({ fault, name, setting, stage, violations }: Struck, seed: number): void {
  say(`failed  ${fault}, ${name} (${setting}): ${violations.length} against the rules`)
  for (const violation of violations.slice(0, SHOWN)) say(describe(violation))
  say(`  again: npm run test:faults -- --seed ${seed} --stage ${stage} --broken none`)
  say(`  history: ${HISTORIES}${seed}-${stage}-*.jsonl`)
}

function describe({ rule, text, calls }: Violation): string {
  const lines = calls
    .slice(0, SHOWN_CALLS)
    .map((call) => `      ${JSON.stringify({ ...call, body: call.body?.slice(0, SHOWN_TEXT) })}`)
  return [`  ${rule}  ${text}`, ...lines].join('\n')
}

/** @returns what gave it away. */
async function catchBroken(broken: Broken, { seed, users, devices }: Options) {
  const { dist, remove } = await buildBroken(broken)
  const caught: Violation[] = []
  let faults = 0
  const stages = planOf(seed, BROKEN_FAULTS, broken.faults, ['postgres'])
  try {
    await runStages(stages, {
      dist,
      users,
      devices,
      messages: BROKEN_MESSAGES,
      say: () => undefined,
      ...(broken.sql === undefined ? {} : { sql: broken.sql }),
      onStruck({ violations }) {
        faults += 1
        caught.push(...violations.filter(({ rule }) => rule === broken.rule))
        return caught.length === 0
      },
    })
  } finally {
    remove()
  }
  return { caught, faults }
}

async function runBroken(options: Options): Promise<Caught[]> {
  const all: Caught[] = []
  for (const broken of BROKEN) {
    if (options.broken !== 'all' && options.broken !== broken.name) continue
    const { caught, faults } = await catchBroken(broken, options)
    const [first] = caught
    count(first !== undefined)
    say(
      first
        ? `ok      a server that ${broken.title} is caught: ${first.rule}, ${first.text}`
        : `failed  a server that ${broken.title} was not caught in ${faults} faults`,
    )
    all.push({ name: broken.name, title: broken.title, by: first?.rule ?? '', faults })
  }
  return all
}

async function main(): Promise<void> {
  const options = readOptions()
  if (options === 'help') return say(USAGE)
  if (options === 'list') return say(listFaults())
  say(`seed ${options.seed}`)
  mkdirSync(HISTORIES, { recursive: true })
  const startedAt = Date.now()
  const struck = await runFaults(options)
  if (struck.length > 0) say(toTable(struck))
  const caught = options.broken === 'none' ? [] : await runBroken(options)
  if (options.isWriting) {
    const minutes = (Date.now() - startedAt) / 60_000
    await writeReport({ options, struck, caught, minutes })
  }
  say(`${score.passed} passed, ${score.failed} failed`)
  process.exitCode = score.failed > 0 ? 1 : 0
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
