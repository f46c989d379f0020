/**
 * `npm test`: install, build, checks, tests, and one closing line `N passed, N failed`.
 * `npm test -- <file> …` runs these test files alone, without the checks.
 * With CI set, a missing part (PostgreSQL, Redis, a browser) is a failure; without, the tests that
 * need it are skipped. With CI set, small runs of the faults and of the benches come last: they take
 * minutes, and on a machine at work the benches' ratios are too uncertain to fail anyone.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findChromium, findPostgres, findRedis } from './parts.mjs'
import { startPostgres } from './postgres.mjs'
import { build, install, requireNode } from './prepare.mjs'
import { endWith, Failure, npm, root, run, watchSignals } from './run.mjs'

const CHECKS = ['format:check', 'lint', 'types', 'deadcode']
const DATABASE = 'MICROCHATTER_TEST_DATABASE_URL'
const PARTS = [
  { name: 'PostgreSQL', variable: DATABASE, find: findPostgres },
  { name: 'redis-server', variable: 'MICROCHATTER_TEST_REDIS_SERVER', find: findRedis },
  { name: 'chromium', variable: 'MICROCHATTER_TEST_CHROMIUM', find: findChromium },
]
// A test that hangs fails after this long, where it would hold up a run for ever.
const TEST_TIMEOUT_MS = 600_000

const strict = Boolean(process.env.CI)
const score = { passed: 0, failed: 0 }

function say(text) {
  process.stdout.write(`${text}\n`)
}

/** One line; more of it only where it failed. */
function count(name, failure) {
  score[failure === undefined ? 'passed' : 'failed'] += 1
  say(failure === undefined ? `ok      ${name}` : `failed  ${name}\n${failure.trim()}\n`)
}

/** @returns what `work` gave, or undefined where it failed, which is counted. */
async function attempt(name, work) {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    count(name, error.message)
    return undefined
  }
}

async function runChecks() {
  for (const name of CHECKS) {
    const { code, output } = await npm(['run', '--silent', name])
    count(name, code === 0 ? undefined : output)
  }
}

/** @returns {{ name: string, variable: string, value: string | undefined }[]} */
function findParts() {
  return PARTS.map(({ name, variable, find }) => {
    const given = process.env[variable]
    const value = given || find()
    const text = given ? `as ${variable} says` : (value ?? 'not found')
    if (strict && !value) count(name, `${name} is not installed, and CI requires it.`)
    else say(`${value ? 'found   ' : 'missing '}${name}: ${text}`)
    return { name, variable, value }
  })
}

/** Sets what the tests read; starts a PostgreSQL where none is given. */
async function openParts(parts) {
  const env = { ...process.env }
  for (const { variable, value } of parts) {
    if (value) env[variable] = value
    else delete env[variable]
  }
  const programs = env[DATABASE]
  if (!programs || process.env[DATABASE]) return { env, close: () => undefined }
  const database = await attempt('PostgreSQL', () => startPostgres(programs))
  if (database) env[DATABASE] = database.url
  else delete env[DATABASE]
  return { env, close: () => database?.stop() }
}

function listTests() {
  return readdirSync(join(root, 'packages'))
    .map((name) => join('packages', name, 'test'))
    .concat('faults')
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
    )
    .filter((path) => path.endsWith('.test.ts'))
    .sort()
}

async function runTests(files, env) {
  const folder = mkdtempSync(join(tmpdir(), 'microchatter-test-'))
  const tallyFile = join(folder, 'tally.json')
  const flags = [
    ['--import', 'tsx', '--test', '--test-concurrency=2', `--test-timeout=${TEST_TIMEOUT_MS}`],
    ['--test-reporter=spec', '--test-reporter-destination=stdout'],
    [`--test-reporter=${pathToFileURL(join(root, 'scripts/tally.mjs')).href}`],
    [`--test-reporter-destination=${tallyFile}`],
  ].flat()
  try {
    const { code } = await run(process.execPath, [...flags, ...files], { stdio: 'inherit', env })
    // Where the runner itself died, there is no tally, and its exit code is what counts.
    const tally = existsSync(tallyFile) && readFileSync(tallyFile, 'utf8')
    return { code, totals: {}, skipped: [], ...JSON.parse(tally || '{}') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Long commands that CI runs small: what they say is shown as it comes. */
async function runSuite(name, env, failure) {
  const { code } = await npm(['run', '--silent', name], { stdio: 'inherit', env })
  count(name, code === 0 ? undefined : failure)
}

async function runSuites(env) {
  await runSuite('test:faults', env, 'What is against the rules, and its seed, stand above.')
  await runSuite('bench:small', env, 'What became slower, or failed, stands above.')
}

function countTests({ code, totals }) {
  const { pass = 0, fail = 0, cancelled = 0 } = totals
  const failed = fail + cancelled
  score.passed += pass
  // A file that ends badly after its tests have passed fails as well.
  score.failed += failed === 0 && code !== 0 ? 1 : failed
}

function reportSkipped(skipped, parts) {
  if (skipped.length === 0) return
  const missing = parts.filter(({ value }) => !value).map(({ name }) => name)
  const cause = missing.length > 0 ? `, missing here: ${missing.join(', ')}` : ''
  say(`Skipped ${skipped.length}${cause}`)
  for (const { name, reason } of skipped) say(`  ${name}${reason && `: ${reason}`}`)
}

async function testAll(chosen) {
  if (chosen.length === 0) await runChecks()
  const parts = findParts()
  const { env, close } = await openParts(parts)
  try {
    const result = await runTests(chosen.length > 0 ? chosen : listTests(), env)
    countTests(result)
    reportSkipped(result.skipped, parts)
    if (strict && chosen.length === 0) await runSuites(env)
  } finally {
    await close()
  }
}

async function main(chosen) {
  requireNode()
  watchSignals()
  const installed = await attempt('install', async () => {
    await install()
    return true
  })
  if (installed) {
    await attempt('build', async () => {
      await build()
      count('build')
    })
    await testAll(chosen)
  }
  say(`${score.passed} passed, ${score.failed} failed`)
  process.exitCode = score.failed > 0 ? 1 : 0
}

await main(process.argv.slice(2)).catch(endWith)
