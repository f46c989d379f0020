/** The package as it is published: what it weighs, whether others can use it, and that it knows the wire. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const FOLDER = fileURLToPath(new URL('../', import.meta.url))
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** With Socket.IO's client, minified and packed. */
const BYTES = 25_000

/** @returns what it printed; fails the test where it ends with an error */
async function run(file: string, args: string[], cwd = ROOT): Promise<string> {
  const command = promisify(execFile)(file, args, { cwd, timeout: 120_000, maxBuffer: 16_777_216 })
  const { stdout } = await command.catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`)
  })
  return stdout
}

describe('@microchatter/client, packed', () => {
  before(async () => {
    // Where it is older than its source: others may be using it meanwhile.
    await run('node', ['scripts/widget.mjs'])
  })

  test('it weighs no more than its budget', async (t) => {
    const { outputFiles } = await build({
      entryPoints: [`${FOLDER}dist/index.js`],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
    })
    const bytes = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
    t.diagnostic(`${bytes} bytes of ${BYTES}`)
    assert(bytes > 10_000 && bytes <= BYTES, `${bytes} bytes, the budget is ${BYTES}`)
  })

  test('its types are for strict users, without the protocol or a library behind them', async () => {
    const { readFile } = await import('node:fs/promises')
    const types = await readFile(`${FOLDER}dist/index.d.ts`, 'utf8')
    assert.deepEqual(
      [...types.matchAll(/from ['"]([^'"]+)['"]/g)].map(([, name]) => name),
      [],
    )
    assert.match(types, /interface Message \{/)
  })

  test('what it knows of the wire is what the server has', async () => {
    await run('npm', ['run', '--silent', 'client:api:check'])
  })
})

for (const name of ['client', 'react', 'widget'])
  test(`publint and arethetypeswrong find nothing: @microchatter/${name}`, async () => {
    const folder = `${ROOT}packages/${name}`
    if (!existsSync(`${folder}/dist`))
      await run('npm', ['run', '--silent', 'build', '-w', `@microchatter/${name}`])
    assert.match(await run('npx', ['publint', '--strict', folder]), /All good/)
    await run('npx', ['attw', '--pack', folder, '--profile', 'esm-only', '--no-color'])
  })
