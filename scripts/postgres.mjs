/**
 * A private PostgreSQL for one run of the tests: its data in a fresh temporary folder, reachable by
 * loopback and a socket in that folder, gone at the end.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure, run } from './run.mjs'

const NOBODY = 65_534
const READY = 'ready to accept connections'
const START_MS = 60_000
const STOP_MS = 10_000

/**
 * @param {string} programs the folder with `initdb` and `postgres`
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startPostgres(programs) {
  const folder = mkdtempSync(join(tmpdir(), 'microchatter-postgres-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const settings = await createCluster(programs, folder)
    const port = await freePort()
    const server = launch(programs, folder, port, settings)
    await ready(server)
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`
    return { url, stop: () => stop(server).finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

/** PostgreSQL refuses to run as root. */
function unprivileged() {
  const id = (flag) =>
    Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return { uid: NOBODY, gid: NOBODY }
  }
}

/** With letters beyond ASCII, as servers in production have it; macOS has no C.UTF-8. */
function locale() {
  return process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'
}

/**
 * Empty, in <folder>/data.
 * @param {string} programs
 * @param {string} folder
 * @returns what its `postgres` is to be spawned with: the folder, who it runs as, the environment
 */
export async function createCluster(programs, folder) {
  const owner = process.getuid?.() === 0 ? unprivileged() : {}
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid)
  const settings = { cwd: folder, ...owner, env: { ...process.env, LC_ALL: locale() } }
  const args = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8']
  const { code, output } = await run(join(programs, 'initdb'), args, settings)
  if (code !== 0) throw new Failure(`${output.trim()}\n\ninitdb failed: the reason is above.`)
  return settings
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

function launch(programs, folder, port, settings) {
  const options = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    'logging_collector=off',
    'lc_messages=C',
  ].flatMap((option) => ['-c', option])
  // Its own process group: Ctrl-C ends the tests first, and their database after them.
  return spawn(
    join(programs, 'postgres'),
    ['-D', join(folder, 'data'), '-p', String(port), ...options],
    { ...settings, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  )
}

async function ready(server) {
  let log = ''
  const timer = setTimeout(() => server.kill('SIGQUIT'), START_MS)
  await new Promise((resolve, reject) => {
    server.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-4_000)
      if (log.includes(READY)) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Failure(`${log}\nPostgreSQL did not start, see above.`)))
  }).finally(() => clearTimeout(timer))
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. */
async function stop(server) {
  if (server.exitCode !== null || server.signalCode !== null) return
  const timer = setTimeout(() => server.kill('SIGQUIT'), STOP_MS)
  const exited = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGINT')
  await exited.finally(() => clearTimeout(timer))
}
