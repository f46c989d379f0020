/** One world and the faults that strike it: people at work, a fault, quiet, and then the checker. */
import { setTimeout as sleep } from 'node:timers/promises'
import { check } from './checker.ts'
import type { Violation } from './evidence.ts'
import type { Fault } from './kinds.ts'
import type { Stage } from './plan.ts'
import { Random } from './random.ts'
import { scheduleSome, work } from './workload.ts'
import { World } from './world.ts'

export interface Struck {
  fault: string
  name: string
  setting: string
  stage: number
  /** Messages that were sent, acknowledged for good, refused for good, and found stored. */
  sent: number
  acknowledged: number
  refused: number
  stored: number
  /** Attempts that were repeated. */
  repeated: number
  /** From the end of the fault until the server was ready again, ms; undefined: it was not. */
  readyMs: number | undefined
  /** From then until every client equalled a fresh fetch. */
  settledMs: number
  /** Growth of the server's memory since its start, MB. */
  grownMb: number
  violations: Violation[]
}

export interface StageOptions {
  dist: string
  messages: number
  users: number
  devices: number
  historyFile?: (stage: Stage, firstFault: number) => string
  sql?: string
  /** Told after each fault; false: that is enough. */
  onStruck: (struck: Struck) => boolean
  say: (what: string) => void
}

/** Before it, people are at work for so long. */
const BEFORE_MS: readonly [number, number] = [100, 600]
const LIMIT_MB = 200
/** A fault that does not end fails the run. */
const FAULT_MS = 120_000

/** One after the other; what a failure leaves of a stage goes on in a world of its own. */
export async function runStages(stages: readonly Stage[], options: StageOptions): Promise<void> {
  let isEnough = false
  const onStruck = (struck: Struck) => {
    isEnough = !options.onStruck(struck)
    return !isEnough && struck.violations.length === 0
  }
  for (const stage of stages)
    for (let first = 0; first < stage.faults.length && !isEnough; )
      first += await runStage(stage, first, { ...options, onStruck })
}

/** Until a fault shows something, or to the end. @returns how many struck */
async function runStage(stage: Stage, first: number, options: StageOptions): Promise<number> {
  const random = new Random(stage.seed + first)
  const { dist, users, devices, historyFile, sql } = options
  const world = await World.open({
    setting: stage.setting,
    dist,
    users,
    devices,
    random: random.fork(),
    ...(historyFile === undefined ? {} : { historyFile: historyFile(stage, first) }),
    ...(sql === undefined ? {} : { sql }),
  })
  let done = 0
  try {
    for (const fault of stage.faults.slice(first)) {
      options.say(`${fault.id}, ${fault.name} (${stage.setting})`)
      done += 1
      if (!options.onStruck(await strike(world, { fault, stage, random: random.fork(), options })))
        break
    }
  } finally {
    await world.close()
  }
  return done
}

interface Strike {
  fault: Fault
  stage: Stage
  random: Random
  options: StageOptions
}

async function strike(world: World, { fault, stage, random, options }: Strike): Promise<Struck> {
  const { history } = world
  const from = history.calls.length
  history.mark(`${fault.id} ${fault.name}`)
  const load = { messages: options.messages, ...fault.load }
  const working = Promise.all([
    work(world, random.fork(), load),
    scheduleSome(world, random.fork()),
  ])
  await sleep(random.between(...BEFORE_MS))
  world.isHampered = fault.isHampering
  const at = { from: Date.now(), to: Number.POSITIVE_INFINITY }
  world.faults.push(at)
  await within(FAULT_MS, fault.strike(world, random.fork()))
  history.mark('over')
  const readyMs = await world.recover()
  at.to = Date.now()
  await within(FAULT_MS, working)
  world.isHampered = false
  const { ms: settledMs, differences } = await world.settle()
  const evidence = await world.evidence(differences)
  const grownMb = world.grownMb()
  const violations = check(evidence)
  if (readyMs === undefined)
    violations.push({ rule: 'I18', text: 'it did not get ready again', calls: [] })
  if (grownMb > LIMIT_MB)
    violations.push({ rule: 'I17', text: `the memory grew by ${grownMb} MB`, calls: [] })
  const sends = history.calls.slice(from).filter(({ kind }) => kind === 'send')
  const stored = new Set(evidence.messages.map(({ body }) => body))
  const { id, name } = fault
  return {
    fault: id,
    name,
    setting: stage.setting,
    stage: stage.index,
    sent: sends.length,
    acknowledged: sends.filter(({ outcome }) => outcome === 'ok').length,
    refused: sends.filter(({ outcome }) => outcome === 'refused').length,
    stored: sends.filter(({ body = '' }) => stored.has(body)).length,
    repeated: sends.reduce((sum, { attempts }) => sum + attempts.length - 1, 0),
    readyMs,
    settledMs,
    grownMb,
    violations,
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`A fault took more than ${ms} ms`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
