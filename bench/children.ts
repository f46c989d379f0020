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
const OUTPUT_KEPT = 4_000
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const MAIN = here('../packages/server/dist/main.js')
/** Settings of this shell are not for the servers of a bench. */
const SETTINGS = /^(MICROCHATTER_.*|PORT|HOST|DATABASE_URL|REDIS_URL|NODE_ENV|NODE_OPTIONS)$/

const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export interface Process {
  url: string
  pid: number
  stop(): Promise<void>
}

export interface Start {
  /** undefined: Microchatter as built. */
  script: string | undefined
  settings: Record<string, string>
  /** It ended although nobody stopped it. */
  onDeath: (error: Error) => void
}

export async function startServer({ script, settings, onDeath }: Start): Promise<Process> {
  if (script === undefined && !existsSync(MAIN))
    throw new Error('The server is not built: npm run build, and then again')
  const command = script === undefined ? [MAIN, 'start'] : ['--import', 'tsx', here(script)]
  const child = spawn(process.execPath, command, {
    env: { ...ownEnvironment(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  keep(child)
  const name = script ?? 'Microchatter'
  let isStopping = false
  const output = lastOf(child)
  const stop = () => {
    isStopping = true
    return stopChild(child)
  }
  try {
    const { url, pid } = await listening(child, { name, output })
    child.once('exit', (code, signal) => {
      if (isStopping) return
      onDeath(new Error(`${name} ended while at work, ${signal ?? `code ${code}`}:\n${output()}`))
    })
    return { url, pid: pid ?? (child.pid as number), stop }
  } catch (error) {
    await stop()
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

/** The end of what a process has said. */
function lastOf(child: ChildProcess): () => string {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_KEPT)
    })
  return () => output.trim()
}

interface Announced {
  name: string
  output: () => string
}

/** A server says on its standard output where it listens, and its id if that is not the child's. */
function listening(child: ChildProcess, { name, output }: Announced) {
  return new Promise<{ url: string; pid?: number }>((resolve, reject) => {
    const fail = (text: string) => {
      clearTimeout(timer)
      reject(new Error(`${name} ${text}:\n${output()}`))
    }
    const timer = setTimeout(() => fail('did not start'), START_MS)
    child.once('exit', () => fail('ended while starting'))
    createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }).on(
      'line',
      (line) => {
        const url = /"url":"(\w+:[^"]+)"/.exec(line)?.[1]
        if (url === undefined) return
        clearTimeout(timer)
        const pid = /"serverPid":(\d+)/.exec(line)?.[1]
        resolve(pid === undefined ? { url } : { url, pid: Number(pid) })
      },
    )
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
    const complaint = lastOf(child)
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    child.on('message', (message: Report) => {
      if (message.kind === 'second') onSecond()
      else results.set(message.window, message.figures)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 && results.size === plan.windows.length) resolve(results)
      else reject(new Error(complaint() || `The generator ended, ${signal ?? code}`))
    })
    child.send(plan)
  })
}
