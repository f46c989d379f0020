/** Child processes of the workspace's commands: their output is shown only where they fail. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** A failure that is explained by its message alone. */
export class Failure extends Error {}

export class Interrupted extends Error {
  constructor(signal) {
    super(`Stopped by ${signal}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const posix = process.platform !== 'win32'
const children = new Set()
let interrupted = ''

/** From here to unwatchSignals() a signal ends the children, and `run` throws Interrupted. */
export function watchSignals() {
  for (const signal of SIGNALS) process.on(signal, onSignal)
}

export function unwatchSignals() {
  for (const signal of SIGNALS) process.off(signal, onSignal)
}

function onSignal(signal) {
  interrupted = signal
  for (const child of children) kill(child, signal)
}

/** A child leads a process group, so that what it has started ends with it. */
function kill(child, signal) {
  try {
    if (posix) process.kill(-child.pid, signal)
    else child.kill(signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** @returns {Promise<{ code: number, output: string }>} `output` is '' with `stdio: 'inherit'`. */
export async function run(command, args, { stdio = 'pipe', ...options } = {}) {
  if (interrupted) throw new Interrupted(interrupted)
  const child = spawn(command, args, {
    cwd: root,
    ...options,
    stdio: ['ignore', stdio, stdio],
    detached: posix,
  })
  children.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve(exitCode ?? 1))
  }).finally(() => children.delete(child))
  if (interrupted) throw new Interrupted(interrupted)
  return { code, output }
}

/** npm as it was called, so that no other version of it comes into play. */
export function npm(args, options) {
  const script = process.env.npm_execpath ?? ''
  if (basename(script) === 'npm-cli.js') return run(process.execPath, [script, ...args], options)
  return run('npm', args, { shell: !posix, ...options })
}

/** The last step of a command: what went wrong in one line, and the exit code. */
export function endWith(error) {
  const known = error instanceof Failure || error instanceof Interrupted
  process.stderr.write(`${known ? error.message : error.stack}\n`)
  process.exitCode = error.exitCode ?? 1
}
