/** The server's clock, by libfaketime: the time of day jumps, timers do not. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Clock {
  env: Record<string, string>
  /** Hours from the real time; 0 is back to it. */
  jump(hours: number): void
}

const LIBRARY = 'faketime/libfaketimeMT.so.1'

function findLibrary(): string | undefined {
  if (!existsSync('/usr/lib')) return undefined
  return ['/usr/lib', ...readdirSync('/usr/lib').map((name) => join('/usr/lib', name))]
    .map((folder) => join(folder, LIBRARY))
    .find((file) => existsSync(file))
}

export function openClock(folder: string): Clock {
  const library = findLibrary()
  if (library === undefined) throw new Error('libfaketime is missing: apt-get install faketime')
  const file = join(folder, 'clock')
  const jump = (hours: number) => writeFileSync(file, `${hours < 0 ? '-' : '+'}${Math.abs(hours)}h`)
  jump(0)
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    jump,
  }
}
