/** Processes of the suite: known by their id, and gone with it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { join } from 'node:path'
import { rssKb } from '../bench/rss.ts'

const START_MS = 60_000
const STOP_MS = 20_000
/** The end of what a server has said is kept. */
const OUTPUT_KEPT = 8_000
/** How the server logs what it answers with `internal`. */
const DEFECT = '"msg":"a call failed"'

const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(1))

export function launch(command: string, args: string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, options)
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

export interface ServerOptions {
  /** The folder with the built server. */
  dist: string
  /** It keeps the port when it is started again. */
  port: number
  env: Record<string, string>
}

/** The product, as an operator runs it. */
export class ServerProcess {
  /** Ends that nobody asked for. */
  readonly deaths: string[] = []
  /** What it logged as its own defects. */
  readonly defects: string[] = []
  /** Of the next start. */
  nodeFlags: string[] = []
  #child: ChildProcess | undefined
  #expected = false
  #output = ''

  constructor(readonly options: ServerOptions) {}

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('The server is not running')
    return pid
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { dist, port, env } = this.options
    const command = [...this.nodeFlags, join(dist, 'main.js'), 'start']
    const child = launch(process.execPath, command, {
      env: { PATH: process.env.PATH, ...env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#expected = false
    this.#output = ''
    let isListening = false
    const onText = (text: string) => {
      this.#output = (this.#output + text).slice(-OUTPUT_KEPT)
      if (text.includes('"url":"')) isListening = true
      this.#findDefects(text)
    }
    child.stdout?.setEncoding('utf8').on('data', onText)
    child.stderr?.setEncoding('utf8').on('data', onText)
    child.once('exit', (code, signal) => {
      if (!this.#expected) this.deaths.push(`ended with ${signal ?? code}: ${this.#output.trim()}`)
    })
    const until = Date.now() + START_MS
    while (!isListening) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > until)
        throw new Error(`The server did not start:\n${this.#output.trim()}`)
      await sleep(10)
    }
  }

  /** As the kernel does it when memory is short. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  rssMb(): number {
    return rssKb(this.pid) / 1_024
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    this.#expected = true
    const exited = new Promise((resolve) => child.once('exit', resolve))
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.kill(signal)
    await exited
    clearTimeout(timer)
  }

  #findDefects(text: string): void {
    for (const line of text.split('\n')) {
      const isDefect = line.includes(DEFECT) || /unhandled|uncaught/i.test(line)
      if (isDefect && this.defects.length < 100) this.defects.push(line.slice(0, 600))
    }
  }
}
