/**
 * What `npm start` and `npm test` need first: a Node that is new enough, the packages of
 * package-lock.json, and a build that is newer than the source. It runs before the install, so it
 * imports nothing but Node's own modules.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFresh } from './fresh.mjs'
import { Failure, npm, root } from './run.mjs'

const SERVER = join(root, 'packages/server')
const BUILT = ['main.js', 'server.js', 'server.d.ts', 'embedded-worker.js', 'widget.js']

export function requireNode() {
  const least = readJson('package.json').engines.node.replace('>=', '')
  const [major, minor] = least.split('.').map(Number)
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number)
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return
  throw new Failure(
    `Microchatter needs Node ${least} or newer, and this is ${process.versions.node}. Install a newer one (nodejs.org has it; with nvm: nvm install 24) and try again.`,
  )
}

export async function install() {
  if (isInstalled()) return
  // No dependency needs its install script: esbuild, the only one that has one, comes as a binary
  // of its platform too.
  await step('Installing the packages (npm ci)', () =>
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund']),
  )
}

export async function build({ always = false } = {}) {
  if (!always && isBuilt()) return
  await step('Building', () => npm(['run', '--silent', 'build', '-w', 'microchatter']))
}

async function step(label, work) {
  const start = performance.now()
  process.stderr.write(`${label} … `)
  const { code, output } = await work()
  const seconds = ((performance.now() - start) / 1_000).toFixed(1)
  process.stderr.write(`${code === 0 ? 'done' : 'failed'} in ${seconds} s\n`)
  if (code !== 0) throw new Failure(`${output.trim()}\n\n${label} failed: the reason is above.`)
}

/** Content, not dates: a checkout sets new dates, and `npm ci --omit=dev` leaves the tools out. */
function isInstalled() {
  const hidden = 'node_modules/.package-lock.json'
  if (!existsSync(join(root, hidden))) return false
  const found = readJson(hidden).packages
  return Object.entries(readJson('package-lock.json').packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/')) return true
    const has = found[path]
    if (!has) return wanted.optional === true
    return has.version === wanted.version && has.integrity === wanted.integrity
  })
}

/** The widget and the client go into what is built, too. */
function isBuilt() {
  const outputs = BUILT.map((name) => join(SERVER, 'dist', name))
  const sources = readdirSync(join(root, 'packages')).map((name) =>
    join(root, 'packages', name, 'src'),
  )
  const own = ['migrations', 'config', 'tsdown.config.ts', 'package.json']
  return isFresh(outputs, [...sources, ...own.map((name) => join(SERVER, name))])
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
