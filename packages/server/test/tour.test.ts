/** examples/tour, as a stranger runs it: every feature through a server as it is built. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, hasPostgres } from './support/postgres.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const TOUR_MS = 180_000
const OUTPUT_CHARACTERS = 3_000

async function tour(databaseUrl: string | undefined, ...args: string[]) {
  const { DATABASE_URL: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/tour/tour.ts', ...args], {
    cwd: ROOT,
    env: databaseUrl === undefined ? env : { ...env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TOUR_MS,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, output: output.slice(-OUTPUT_CHARACTERS) }
}

function assertGood({ code, output }: Awaited<ReturnType<typeof tour>>): void {
  assert.equal(code, 0, output)
  assert.match(output, /\n\d{3} checks, all as expected\n$/)
}

describe('the tour', () => {
  test('on the embedded database', async () => {
    assertGood(await tour(undefined))
  })

  test('on PostgreSQL', { skip: hasPostgres() ? false : 'needs PostgreSQL' }, async () => {
    const database = await createDatabase()
    try {
      assertGood(await tour(database.url))
    } finally {
      await database.drop()
    }
  })

  test('says where it failed, and ends with 1', async () => {
    const nowhere = ['--url', 'http://127.0.0.1:1', '--admin', 'a:b', '--secret', 's'.repeat(32)]
    const { code, output } = await tour(undefined, ...nowhere)
    assert.equal(code, 1, output)
    assert.match(output, /✗ step 1, .*fetch failed/)
  })
})
