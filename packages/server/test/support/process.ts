/** The built command as a process of its own, as people run it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface Ended {
  code: number | null
  out: string
  err: string
}

export interface Running {
  child: ChildProcess
  url: string
  /** What it printed so far. */
  out(): string
  /** Sends the signal, and waits for its end. */
  end(signal?: NodeJS.Signals): Promise<Ended>
}

function launch(args: string[], env: Record<string, string>, cwd?: string) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
  return { child, ended, out: () => out, err: () => err }
}

/** Runs a command to its end; one that does not end within `withinMs` is killed. */
export async function run(
  args: string[],
  env: Record<string, string>,
  { cwd, input, withinMs = 30_000 }: { cwd?: string; input?: string; withinMs?: number } = {},
): Promise<Ended> {
  const { child, ended } = launch(args, env, cwd)
  child.stdin?.end(input)
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs)
  const result = await ended
  clearTimeout(timer)
  return result
}

/** Starts the server, and waits until it is ready. */
export async function startProcess(env: Record<string, string>, cwd?: string): Promise<Running> {
  const { child, ended, out, err } = launch(['start'], { PORT: '0', ...env }, cwd)
  const ready = (async () => {
    for (;;) {
      const url = /"url":"([^"]+)"/.exec(out())?.[1]
      if (url !== undefined) return url
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  const url = await Promise.race([
    ready,
    ended.then(({ code }) => {
      throw new Error(`The server ended with ${code}: ${err()}${out()}`)
    }),
  ])
  return {
    child,
    url,
    out,
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}
