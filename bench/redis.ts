/** A private Redis that keeps nothing. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Round } from './bench.ts'
import { freePort } from './port.ts'

const START_MS = 20_000
const READY = /ready to accept connections/i

interface Parts {
  findRedis: () => string | undefined
}

/** Its address; undefined where none is installed. It is gone at the end of the round. */
export async function startRedis(round: Round): Promise<string | undefined> {
  const parts = new URL('../scripts/parts.mjs', import.meta.url).href
  const program = ((await import(parts)) as Parts).findRedis()
  if (program === undefined) return undefined
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'microchatter-redis-'))
  round.defer(() => rmSync(folder, { recursive: true, force: true }))
  const options = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', folder]
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'ignore'] })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  round.defer(kill)
  await new Promise<void>((resolve, reject) => {
    const fail = () => reject(new Error('Redis did not start'))
    const timer = setTimeout(fail, START_MS)
    child.once('error', fail).once('exit', fail)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!READY.test(text)) return
      clearTimeout(timer)
      resolve()
    })
  })
  return `redis://127.0.0.1:${port}`
}
