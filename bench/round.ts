/** Servers in processes of their own, and an end for all that a round has opened. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Round, Running, ServerCommand } from './bench.ts'

const START_MS = 90_000
const STOP_MS = 15_000
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const MAIN = here('../packages/server/dist/main.js')

type Outside = Omit<Round, 'start' | 'defer'>

export function openRound(outside: Outside) {
  const closers: (() => Promise<void> | void)[] = []
  const defer = (close: () => Promise<void> | void) => void closers.push(close)
  const start = async (command: ServerCommand): Promise<Running> => {
    const settings = await settingsOf(command, { ...outside, defer })
    const args =
      command.kind === 'script' ? ['--import', 'tsx', here(command.script)] : [MAIN, 'start']
    const { PATH, HOME } = process.env
    const child = spawn(process.execPath, args, {
      env: { PATH, HOME, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stop = stopper(child)
    defer(stop)
    return {
      url: await addressOf(child),
      pid: child.pid ?? 0,
      secret: settings.MICROCHATTER_JWT_SECRET ?? '',
      databaseUrl: settings.DATABASE_URL,
      stop,
    }
  }
  const close = async () => {
    for (let next = closers.pop(); next; next = closers.pop()) await next()
  }
  return { round: { ...outside, start, defer } satisfies Round, close }
}

async function settingsOf(
  command: ServerCommand,
  { postgres, defer }: Pick<Round, 'postgres' | 'defer'>,
): Promise<Record<string, string>> {
  if (command.kind === 'script') return command.settings ?? {}
  const folder = mkdtempSync(join(tmpdir(), 'microchatter-bench-'))
  defer(() => rmSync(folder, { recursive: true, force: true }))
  const settings = {
    PORT: '0',
    MICROCHATTER_LIMITS: 'off',
    MICROCHATTER_JWT_SECRET: randomBytes(32).toString('hex'),
    MICROCHATTER_DATA_DIR: folder,
    ...command.settings,
  }
  if (command.database === 'embedded' || 'DATABASE_URL' in settings || !postgres) return settings
  const database = await postgres.create()
  defer(database.drop)
  return { ...settings, DATABASE_URL: database.url }
}

function stopper(child: ChildProcess): () => Promise<void> {
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void exited.then(() => process.off('exit', kill))
  return async () => {
    const timer = setTimeout(kill, STOP_MS)
    child.kill('SIGTERM')
    await exited.finally(() => clearTimeout(timer))
  }
}

/** A server says where it listens. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (text: string) => reject(new Error(`${text}:\n${output}`))
    const timer = setTimeout(() => fail('A server did not start'), START_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      fail('A server ended while starting')
    })
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
