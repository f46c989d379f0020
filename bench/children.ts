/** The processes of a bench: started here, known by their id, gone at the end. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Plan, Report } from './generator.ts'
import type { Figures } from './meter.ts'

const START_MS = 90_000
const STOP_MS = 15_000
const SET_UP_MS = 180_000
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const MAIN = here('../packages/server/dist/main.js')
/** Settings of this shell are not for the servers of a bench. */
const SETTINGS = /^(MICROCHATTER_.*|PORT|HOST|DATABASE_URL|REDIS_URL|NODE_ENV)$/

const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export interface Running {
  url: string
  stop: () => Promise<void>
}

export interface Command {
  /** undefined: the relay. */
  settings: Record<string, string> | undefined
  /** Where Node writes CPU profiles at the end, one a thread; undefined: it writes none. */
  profileDir: string | undefined
}

export function assertBuilt(): void {
  if (!existsSync(MAIN)) throw new Error('The server is not built: npm run build, and then again')
}

export async function startServer({ settings, profileDir }: Command): Promise<Running> {
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const script = settings ? [MAIN, 'start'] : ['--import', 'tsx', here('relay.ts')]
  const child = spawn(process.execPath, [...profile, ...script], {
    env: { ...ownEnvironment(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  keep(child)
  try {
    return { url: await addressOf(child), stop: () => stopChild(child) }
  } catch (error) {
    await stopChild(child)
    throw error
  }
}

function ownEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name)))
}

function keep(child: ChildProcess): void {
  children.add(child)
  child.once('exit', () => children.delete(child))
}

/** A server says on its standard output where it listens. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (text: string) => reject(new Error(`${text}:\n${output}`))
    const timer = setTimeout(() => fail('A server did not start'), START_MS)
    child.once('exit', () => fail('A server ended while starting'))
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream as NonNullable<typeof stream> }).on('line', (line) => {
        output = `${output}${line}\n`.slice(-4_000)
        const url = /"url":"(http[^"]+)"/.exec(line)?.[1]
        if (url === undefined) return
        clearTimeout(timer)
        resolve(url)
      })
  })
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exited.finally(() => clearTimeout(timer))
}

/** Runs the generator; `onSecond` is called about once a second while messages flow. */
export function generate(plan: Plan, onSecond: () => void): Promise<Map<number, Figures>> {
  const child = fork(here('generator.ts'), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  keep(child)
  const results = new Map<number, Figures>()
  const limitMs = SET_UP_MS + plan.windows.length * (2 * (plan.warmUpMs + plan.measureMs) + 20_000)
  return new Promise((resolve, reject) => {
    let complaint = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4_000)
    })
    child.on('message', (message: Report) => {
      if (message.kind === 'second') onSecond()
      if (message.kind === 'figures') results.set(message.window, message.figures)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 && results.size === plan.windows.length) resolve(results)
      else reject(new Error(complaint.trim() || `The generator ended, ${signal ?? code}`))
    })
    child.send(plan)
  })
}
