/**
 * A PostgreSQL of the suite's own, to be killed, frozen and filled. Its data are in a fresh folder; it
 * keeps its port. SIGKILL keeps what the kernel has in its cache: this shows safety from crashes, not
 * from a power cut, for which fsync and its like are on, as in production.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ChildProcess, execFileSync, type SpawnOptions } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../bench/port.ts'
import { launch } from './process.ts'

const SCRIPTS = new URL('../scripts/', import.meta.url)
const START_MS = 60_000
const GONE_MS = 10_000
const MAX_CONNECTIONS = 60
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  `max_connections=${MAX_CONNECTIONS}`,
  'logging_collector=off',
  'lc_messages=C',
].flatMap((setting) => ['-c', setting])

interface Scripts {
  findPostgres(): string | undefined
  createCluster(programs: string, folder: string): Promise<SpawnOptions>
}

/** They are plain JavaScript, without types. */
async function load(file: string): Promise<unknown> {
  return import(new URL(file, SCRIPTS).href)
}

async function findPrograms(): Promise<string> {
  const { findPostgres } = (await load('parts.mjs')) as Pick<Scripts, 'findPostgres'>
  const programs = findPostgres()
  if (programs === undefined) throw new Error('PostgreSQL is missing: apt-get install postgresql')
  return programs
}

/** '15.18' */
export async function postgresVersion(): Promise<string> {
  const program = join(await findPrograms(), 'postgres')
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return /\d+(\.\d+)*/.exec(text)?.[0] ?? 'of unknown version'
}

export class Cluster {
  #child: ChildProcess | undefined
  #log = ''

  private constructor(
    readonly folder: string,
    readonly port: number,
    /** `isOwn`: the folder goes with it. */
    readonly how: { programs: string; settings: SpawnOptions; isOwn: boolean },
  ) {}

  /** `folder`: where its data go, an empty one; a temporary one unless told. */
  static async start({ folder }: { folder?: string } = {}): Promise<Cluster> {
    const { createCluster } = (await load('postgres.mjs')) as Pick<Scripts, 'createCluster'>
    const programs = await findPrograms()
    const parent = folder ?? (await mkdtemp(join(tmpdir(), 'microchatter-cluster-')))
    const settings = await createCluster(programs, parent)
    const isOwn = folder === undefined
    const cluster = new Cluster(parent, await freePort(), { programs, settings, isOwn })
    await cluster.start()
    return cluster
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && !this.#child.signalCode
  }

  get #data(): string {
    return join(this.folder, 'data')
  }

  /** Resolves when it takes connections; after a crash it repairs itself first. */
  async start(): Promise<void> {
    const args = ['-D', this.#data, '-p', String(this.port), '-k', this.folder, ...SETTINGS]
    const child = launch(join(this.how.programs, 'postgres'), args, {
      ...this.how.settings,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    this.#child = child
    this.#log = ''
    let isReady = false
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-4_000)
      if (this.#log.includes('ready to accept connections')) isReady = true
    })
    const until = Date.now() + START_MS
    while (!isReady) {
      if (!this.isRunning || Date.now() > until)
        throw new Error(`PostgreSQL did not start:\n${this.#log}`)
      await sleep(10)
    }
  }

  /** As a crash of the machine would, but for what the kernel still writes. */
  async kill9(): Promise<void> {
    this.freeze()
    const pids = this.#pids()
    for (const pid of pids) signal(pid, 'SIGKILL')
    const until = Date.now() + GONE_MS
    while ((this.isRunning || pids.some(isAlive)) && Date.now() < until) await sleep(10)
  }

  freeze(): void {
    const [postmaster = 0] = this.#pids()
    // First the one that forks: who it forks meanwhile would be missed.
    if (postmaster > 0) signal(postmaster, 'SIGSTOP')
    for (const pid of this.#pids()) signal(pid, 'SIGSTOP')
  }

  thaw(): void {
    for (const pid of this.#pids()) signal(pid, 'SIGCONT')
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child && this.isRunning) {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      // Its immediate shutdown: all of this is thrown away.
      child.kill('SIGQUIT')
      await exited
    }
    rmSync(this.how.isOwn ? this.folder : this.#data, { recursive: true, force: true })
  }

  /** The postmaster and its children, which lead groups of their own. */
  #pids(): number[] {
    const parent = this.#child?.pid
    if (parent === undefined) return []
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => parentOf(pid) === parent)
    return [parent, ...children]
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  const status = parentOf(pid)
  return status !== undefined && status !== 0
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
