/** A server, its database, the ways between, and the people who use it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { nowSeconds, signJwt } from '../bench/jwt.ts'
import { freePort } from '../bench/port.ts'
import { Cluster } from './cluster.ts'
import type { Evidence, Violation } from './checker.ts'
import { type Clock, openClock } from './clock.ts'
import { Device, type Site } from './device.ts'
import { differencesOf, fetchFresh } from './fresh.ts'
import { History } from './history.ts'
import { ServerProcess } from './process.ts'
import { Proxy } from './proxy.ts'
import type { Random } from './random.ts'
import { type Query, runCheck, selectRows } from './rows.ts'
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

const SECRET = 'a secret of the fault suite, long enough for HS256'
/** The server's clock may be behind by this. */
const CLOCK_SECONDS = 3 * 3_600
const CHATS_OF_EACH = 5
/** [I9] The longest that anything may stay unseen. */
const CONVERGE_MS = 16_000
const READY_MS = 20_000

export class World implements Crowd, Site {
  readonly devices: Device[] = []
  readonly chats: ChatOf[] = []
  readonly history: History
  /** Promises of a fault that were not kept. */
  readonly broken: Violation[] = []
  /** The network, or the machine, is at fault now: an answer may be late or missing. */
  isHampered = false
  /** Everyone comes back at the same moment. */
  isStorming = false
  /** Up to where each chat was found right in all clients. */
  readonly #verified = new Map<string, number>()
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
    if (sql !== undefined) await world.sql((query) => query(sql))
    await world.#invite()
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

  async #invite(): Promise<void> {
    const { users, devices, random } = this.options
    const names = Array.from({ length: users }, (_, index) => `u${index}`)
    for (let index = 0; index < Math.max(users, devices); index += 1) {
      const name = names[index % users] as string
      this.devices.push(
        new Device(this, name, index, signJwt(SECRET, name, nowSeconds() - CLOCK_SECONDS)),
      )
    }
    // The first valid token of a name makes the user [AUTH-1].
    for (const device of this.devices.slice(0, users)) await device.rest('GET', '/users/me')
    const pairs = new Set<string>()
    for (const user of names)
      while ([...pairs].filter((pair) => pair.split(' ').includes(user)).length < CHATS_OF_EACH) {
        const other = random.of(names.filter((name) => name !== user))
        pairs.add([user, other].toSorted().join(' '))
      }
    for (const pair of pairs) {
      const [one, other] = pair.split(' ') as [string, string]
      const [device] = this.devicesOf(one)
      const { body } = await present(device).rest('POST', '/chats', { username: other })
      this.chats.push({ id: body.id, users: [one, other] })
    }
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
    for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 2_000)) {
      const differences = await this.#compare()
      const ms = Math.round(performance.now() - started)
      if (differences.length === 0 || ms > CONVERGE_MS || this.isDead()) return { ms, differences }
      await sleep(pauseMs)
    }
  }

  async #compare(): Promise<string[]> {
    const found: string[] = []
    const heads = new Map<string, number>()
    for (const user of new Set(this.devices.map((device) => device.user))) {
      const devices = this.devicesOf(user)
      const fresh = await fetchFresh(present(devices[0]), this.#verified)
      if (!fresh) return [`${user} could not fetch`]
      for (const [id, { lastSeq }] of fresh.chats)
        heads.set(id, Math.min(lastSeq, heads.get(id) ?? lastSeq))
      for (const device of devices)
        for (const text of differencesOf(device, fresh))
          found.push(`device ${device.index} of ${user}: ${text}`)
    }
    if (found.length === 0) for (const [id, seq] of heads) this.#verified.set(id, seq)
    return found
  }

  /** Rows as they are, and what clients and the server say. Nobody may be at work. */
  async evidence(differences: readonly string[]): Promise<Evidence> {
    const rows = this.parts.cluster ? await this.#rowsOfPostgres() : await this.#rowsOfEmbedded()
    const heardOf = new Map<string, Set<string>>()
    for (const { user, heardOf: chatIds } of this.devices)
      heardOf.set(user, new Set([...(heardOf.get(user) ?? []), ...chatIds]))
    return {
      calls: this.history.calls,
      ...rows,
      heardOf,
      differences,
      deaths: [...this.server.deaths, ...this.server.defects.filter((line) => !isPoison(line))],
      broken: this.broken,
    }
  }

  async #rowsOfPostgres() {
    const drifts = await this.#check()
    return { ...(await this.sql(selectRows)), drifts }
  }

  /** The folder belongs to one process: the server stops while its rows are read. */
  async #rowsOfEmbedded() {
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
      const rows = await selectRows((text) => db.query(text))
      await db.close()
      return { ...rows, drifts }
    } finally {
      await this.server.start()
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
