/** Where figures come from, and of which versions of what. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, platform, release, totalmem } from 'node:os'

/** Load average of the last minute above which others are at work on the machine. */
const BUSY = 0.5

export interface Machine {
  cores: number
  cpu: string
  memoryGb: number
  os: string
}
export type Versions = Record<string, string>

export function machine(): Machine {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
  }
}

/** Of what is installed. */
export function versions(postgres: string | undefined): Versions {
  const found = {
    node: process.versions.node,
    'socket.io': packageVersion('socket.io'),
    postgres: postgres?.split(' ')[0],
    redis: /v=(\S+)/.exec(outputOf('redis-server', '--version'))?.[1],
    ejabberd: /Version: (\S+)/.exec(outputOf('dpkg', '--status', 'ejabberd'))?.[1],
  }
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

export function load(): number {
  return loadavg()[0] ?? 0
}

export function warnIfBusy(): void {
  if (load() > BUSY)
    process.stderr.write(
      `The machine is busy (load ${load().toFixed(1)}): figures are too low, and ratios uncertain.\n`,
    )
}

function packageVersion(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

function outputOf(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}
