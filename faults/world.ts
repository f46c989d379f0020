/** A server, its database, the ways between, and the people who use it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../bench/port.ts'
import { Cluster } from './cluster.ts'
import { type Clock, openClock } from './clock.ts'
import type { Device, Site } from './device.ts'
import type { Evidence, Violation } from './evidence.ts'
import { compare, type Verified } from './fresh.ts'
import type { GroupOf } from './groups.ts'
import { heardOf } from './heard.ts'
import { History } from './history.ts'
import { invite, openChats, SECRET } from './people.ts'
import { ServerProcess } from './process.ts'
import { Proxy } from './proxy.ts'
import type { Random } from './random.ts'
import { type Query, runCheck, selectRows, WRITE_CHANGES_DOWN } from './rows.ts'
import { type SmallDisk, openSmallDisk } from './small-disk.ts'
import type { ChatOf, Crowd } from './workload.ts'

/** What a server runs on; a fault belongs to one of them. */
export type Setting = 'postgres' | 'embedded' | 'clock' | 'small disk'

export interface WorldOptions {
  setting: Setting
  /** The folder with the built server. */
  dist: string
  random: Random
  users: number
  devices: number
  historyFile?: string
  /** For its database, before anyone is there. */
  sql?: string
}

/** [I9] The longest that anything may stay unseen. */
const CONVERGE_MS = 16_000
const READY_MS = 20_000
/** Users of whom all messages are compared, beside what is new. */
const WHOLE = 3

export class World implements Crowd, Site {
  readonly devices: Device[] = []
  readonly chats: ChatOf[] = []
  readonly groups: GroupOf[] = []
  readonly history: History
  /** When faults were at work, in ms since 1970. */
  readonly faults: { from: number; to: number }[] = []
  /** Promises of a fault that were not kept. */
  readonly broken: Violation[] = []
  /** The network, or the machine, is at fault now: an answer may be late or missing. */
  isHampered = false
  /** Everyone comes back at the same moment. */
  isStorming = false
  /** Up to where each chat was found right in all clients. */
  readonly #verified = new Map<string, Verified>()
  #baseMb = 0

  private constructor(
    readonly options: WorldOptions,
    readonly server: ServerProcess,
    readonly link: Proxy,
    readonly parts: {
      cluster?: Cluster
      dbLink?: Proxy
      disk?: SmallDisk
      clock?: Clock
      dataDir: string
    },
  ) {
    this.history = new History(options.historyFile)
  }

  static async open(options: WorldOptions): Promise<World> {
    const dataDir = await mkdtemp(join(tmpdir(), 'microchatter-faults-'))
    const { setting, dist } = options
    const disk = setting === 'small disk' ? await openSmallDisk() : undefined
    const cluster =
      setting === 'embedded' ? undefined : await Cluster.start(disk ? { folder: disk.folder } : {})
    const dbLink = cluster && (await Proxy.open(cluster.port))
    const clock = setting === 'clock' ? openClock(dataDir) : undefined
    const port = await freePort()
    const server = new ServerProcess({
      dist,
      port,
      env: {
        MICROCHATTER_DATA_DIR: join(dataDir, 'data'),
        MICROCHATTER_JWT_SECRET: SECRET,
        MICROCHATTER_ADMIN_PASSWORD: 'only-for-the-faults',
        MICROCHATTER_LIMITS: 'off',
        ...(dbLink
          ? { DATABASE_URL: `postgres://postgres@127.0.0.1:${dbLink.port}/postgres` }
          : {}),
        ...clock?.env,
      },
    })
    await server.start()
    const link = await Proxy.open(port)
    const world = new World(options, server, link, {
      dataDir,
      ...(cluster && { cluster }),
      ...(dbLink && { dbLink }),
      ...(disk && { disk }),
      ...(clock && { clock }),
    })
    const { sql } = options
    if (cluster) await world.sql((query) => query(WRITE_CHANGES_DOWN))
    if (sql !== undefined) await world.sql((query) => query(sql))
    await world.#open()
    world.#baseMb = server.rssMb()
    return world
  }

  get url(): string {
    return `http://127.0.0.1:${this.link.port}`
  }
  get directUrl(): string {
    return this.server.url
  }
  isClean = () => !this.isHampered
  isDead = () => this.server.deaths.length > 0
  backoffMs = () => (this.isStorming ? 0 : 50 + Math.random() * 250)

  get cluster(): Cluster {
    return present(this.parts.cluster)
  }
  get dbLink(): Proxy {
    return present(this.parts.dbLink)
  }

  devicesOf(user: string): Device[] {
    return this.devices.filter((device) => device.user === user)
  }

  async #open(): Promise<void> {
    this.devices.push(...(await invite(this, this.options)))
    const { chats, groups } = await openChats(this, this.options.random)
    this.chats.push(...chats)
    this.groups.push(...groups)
    for (const device of this.devices) device.start()
    await this.#until(() => this.devices.every(({ isLive }) => isLive))
  }

  async #until(isSo: () => boolean): Promise<void> {
    const until = Date.now() + READY_MS
    while (!isSo() && Date.now() < until) await sleep(20)
  }

  /** Milliseconds until the server says that it is ready; undefined: it does not. */
  async recover(): Promise<number | undefined> {
    const started = performance.now()
    const [device] = this.devices
    while (performance.now() - started < CONVERGE_MS && !this.isDead()) {
      const { result } = await present(device).get('/health/ready')
      if (result === 'ok') return Math.round(performance.now() - started)
      await sleep(20)
    }
    return undefined
  }

  /** Waits until every client equals a fresh fetch. @returns how long it took, and what still differs */
  async settle(): Promise<{ ms: number; differences: string[] }> {
    const started = performance.now()
    const users = [...new Set(this.devices.map(({ user }) => user))]
    const some = Array.from({ length: WHOLE }, () => this.options.random.of(users))
    const { ms, differences } = await this.#equal(started, users, this.#verified)
    // What was found right before may have changed since: all of it is looked at, of a few.
    const whole = await this.#equal(started, some, new Map())
    return { ms, differences: [...differences, ...whole.differences] }
  }

  async #equal(started: number, users: readonly string[], verified: Map<string, Verified>) {
    for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 2_000)) {
      const differences = await compare(this, users, verified)
      const ms = Math.round(performance.now() - started)
      if (differences.length === 0 || ms > CONVERGE_MS || this.isDead()) return { ms, differences }
      this.history.mark(`not yet equal: ${differences[0]}`)
      await sleep(pauseMs)
    }
  }

  /** Rows as they are, and what clients and the server say. Nobody may be at work. */
  async evidence(differences: readonly string[]): Promise<Evidence> {
    const at = Date.now()
    const rows = this.parts.cluster ? await this.#rowsOfPostgres() : await this.#rowsOfEmbedded()
    return {
      calls: this.history.calls,
      ...rows,
      heardOf: heardOf(this.devices),
      differences,
      numberedTwice: this.devices.flatMap(({ heard }) => heard.numberedTwice),
      deaths: [...this.server.deaths, ...this.server.defects.filter((line) => !isPoison(line))],
      broken: this.broken,
      faults: this.faults,
      at,
    }
  }

  async #rowsOfPostgres() {
    const drifts = await this.#check()
    const rows = await this.sql(async (query) => {
      // What is done at a time goes on: all is read as of one moment.
      await query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      return selectRows(query, true)
    })
    return { ...rows, drifts }
  }

  /** The folder belongs to one process: the server stops while its rows are read. */
  async #rowsOfEmbedded() {
    const away = { from: Date.now(), to: Number.POSITIVE_INFINITY }
    this.faults.push(away)
    await this.server.stop()
    try {
      const drifts = await this.#check()
      const { openDatabase } = await import('../packages/server/src/store/db.ts')
      const db = await openDatabase({
        url: '',
        dataDir: join(this.parts.dataDir, 'data'),
        schema: 'microchatter',
        poolSize: 1,
        connectTimeoutMs: 5_000,
        queryTimeoutMs: 5_000,
      })
      const rows = await selectRows((text) => db.query(text), false)
      await db.close()
      return { ...rows, drifts }
    } finally {
      await this.server.start()
      away.to = Date.now()
    }
  }

  #check(): Promise<string[]> {
    const { dist, env } = this.server.options
    // Past the proxy, and with the real time.
    const { cluster } = this.parts
    const own = { ...env, LD_PRELOAD: '' }
    return runCheck(dist, cluster ? { ...own, DATABASE_URL: cluster.url } : own)
  }

  /** As the superuser, past the proxy. */
  async sql<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.cluster.url })
    client.on('error', () => undefined)
    await client.connect()
    try {
      await client.query('SET search_path TO microchatter')
      return await work(async (text) => (await client.query(text)).rows)
    } finally {
      await client.end()
    }
  }

  /** [I17] Growth since the beginning. */
  grownMb(): number {
    return Math.round(this.server.rssMb() - this.#baseMb)
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()))
    await this.link.close()
    await this.server.stop()
    await this.parts.dbLink?.close()
    await this.parts.cluster?.stop()
    await this.parts.disk?.close()
    await this.history.close()
    await rm(this.parts.dataDir, { recursive: true, force: true })
  }
}

/** The suite's own doing. */
function isPoison(line: string): boolean {
  return line.includes('poison')
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('This setting has no such part')
  return value
}
