/**
 * The one place where the parts are joined; also what a host application embeds.
 * It knows no signals and no exit codes: those are main.ts's.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { Server as TlsServer } from 'node:https'
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import type { Bus } from './bus/bus.ts'
import { createMemoryBus } from './bus/memory.ts'
import { createRedisBus } from './bus/redis.ts'
import { type Config, type Loaded, refusals, warnings } from './config.ts'
import { ensureAdmin } from './domain/admin.ts'
import type { Actor, Core } from './domain/core.ts'
import { Identity } from './domain/identity.ts'
import { createJwtVerifier, type JwtVerifier, signJwt } from './domain/jwt.ts'
import { createLimits } from './domain/limits.ts'
import { publishTouched, publishWritten } from './domain/messages.ts'
import { findOtherNodes, startHeartbeat } from './domain/nodes.ts'
import { createPasswords } from './domain/passwords.ts'
import { startUpkeep } from './domain/upkeep.ts'
import { Writer } from './domain/writer.ts'
import { createHttp } from './http/app.ts'
import { readOrMakeSecret } from './secret.ts'
import { createSockets } from './socket/server.ts'
import { type Database, openDatabase } from './store/db.ts'
import { hasOtherClock, ping, selectRisks } from './store/health.ts'
import { migrate } from './store/migrate.ts'

export { type Config, ConfigError, type Loaded, loadConfig } from './config.ts'

/** What is unsafe in production stops the start; each problem says how to mend it. */
export class StartRefused extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(`Microchatter does not start:\n${problems.map((problem) => `- ${problem}`).join('\n')}`)
    this.name = 'StartRefused'
    this.problems = problems
  }
}

export interface Microchatter {
  /** Where it listens, e.g. http://127.0.0.1:3000. */
  readonly url: string
  /** The new password of the user `admin`, where one was made just now: to be shown once. */
  readonly adminPassword: string | undefined
  /** Open sockets on this node. */
  readonly sockets: number
  /** Lets what is at work finish, tells clients to come back, and closes everything. */
  close(): Promise<void>
}

export interface CreateOptions {
  log?: Logger
  version?: string
}

/**
 * Opens the database, brings its schema up to date, and listens.
 * @throws StartRefused, ConfigError, FolderInUse, SchemaTooNew, DatabaseAway
 */
export async function createMicrochatter(
  loaded: Loaded,
  { log = pino({ level: 'silent' }), version = '0' }: CreateOptions = {},
): Promise<Microchatter> {
  const { config, production } = loaded
  refuse(refusals(loaded))
  for (const warning of warnings(loaded)) log.warn(warning)
  const closers: (() => Promise<void> | void)[] = []
  const close = once(async () => {
    for (const step of closers.splice(0).reverse()) await step()
  })
  try {
    const db = await openDatabase({ ...config.database, ...databaseOf(config) })
    closers.push(() => db.close())
    const applied = await migrate(db)
    if (applied.length > 0) log.info({ applied }, 'migrated the database')
    await checkDatabase(db, production, log)
    await joinNodes(db, { config, production, log, closers })
    const joined = await join(loaded, { db, log, version, closers })
    return {
      url: joined.url,
      adminPassword: joined.adminPassword,
      get sockets() {
        return joined.sockets.count
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function databaseOf(config: Config) {
  return { url: config.databaseUrl, dataDir: config.dataDir, schema: config.schema }
}

function refuse(problems: string[]): void {
  if (problems.length > 0) throw new StartRefused(problems)
}

async function checkDatabase(db: Database, production: boolean, log: Logger): Promise<void> {
  if (await hasOtherClock(db))
    log.warn('the clocks of this host and of the database differ by more than 5 s; run NTP on both')
  if (db.engine === 'postgres' && production) refuse(await selectRisks(db))
}

interface Parts {
  log: Logger
  closers: (() => Promise<void> | void)[]
}

/** Two nodes without a bus would not hear of each other's messages. */
async function joinNodes(
  db: Database,
  { config, production, log, closers }: Parts & { config: Config; production: boolean },
): Promise<void> {
  if (db.engine === 'embedded') return
  const nodeId = randomUUID()
  const hasBus = config.redisUrl !== ''
  const deaf = (await findOtherNodes(db, nodeId)).filter((node) => !node.has_bus || !hasBus)
  if (deaf.length > 0) {
    const problem =
      'Another node works on this database, and the two have no bus between them; set REDIS_URL on both, or stop the other one'
    if (production) refuse([problem])
    log.warn(problem)
  }
  closers.push(await startHeartbeat(db, { nodeId, hasBus }))
}

async function join(
  loaded: Loaded,
  { db, log, version, closers }: Parts & { db: Database; version: string },
) {
  const { config, production } = loaded
  const secret = production ? config.jwt.secret : await readOrMakeSecret(config)
  const bus = createBus(config, log, () => forgetAll())
  closers.push(() => bus.close())
  const limits = createLimits(config.rates, config.limits === 'on')
  const identity = new Identity({
    db,
    bus,
    settings: config,
    limits,
    passwords: createPasswords(),
    jwt: verifierOf(config, secret),
    production,
  })
  const writer = new Writer(db, (written) => {
    publishWritten(core, written)
    void publishTouched(core, written).catch((error: unknown) =>
      log.warn({ err: error }, 'a new chat was not announced; it is found by the next sync'),
    )
  })
  const core: Core = { db, bus, settings: config, limits, identity, writer }
  const forgetAll = () => {
    identity.dropAll()
    writer.dropRights()
  }
  keepCachesTrue(core)
  const adminPassword = await ensureAdmin(core, {
    password: config.admin.password,
    generate: !production,
  })
  let stopping = false
  const app = await createHttp({
    core,
    sign: (actor, seconds) => signToken(config, secret, actor, seconds),
    production,
    insecureHttp: config.insecure.http,
    publicUrl: config.publicUrl,
    origins: config.origins,
    trustProxy: config.trustProxy,
    ...(config.tls.keyFile === '' ? {} : { tls: readTls(config) }),
    ready: createReadiness(db, () => stopping),
    log,
    version,
  })
  closers.push(() => app.close())
  const sockets = createSockets({
    core,
    server: app.server,
    origins: config.origins,
    trustProxy: config.trustProxy,
    production,
    insecureHttp: config.insecure.http,
    onDefect: (error, call) => log.error({ err: error, call }, 'a call failed'),
  })
  closers.push(() => sockets.stop())
  const upkeep = startUpkeep(db, {
    idleDays: config.login.idleDays,
    onProblem: (error) => log.warn({ err: error }, 'upkeep failed; it is tried again in a minute'),
  })
  closers.push(() => upkeep.stop())
  if (config.tls.keyFile !== '') closers.push(reloadTls(config, app, log))
  const url = await app.listen({ host: config.host, port: config.port })
  closers.push(() => {
    stopping = true
  })
  return { url, adminPassword, sockets }
}

function createBus(config: Config, log: Logger, onGap: () => void): Bus {
  if (config.redisUrl === '') return createMemoryBus()
  return createRedisBus({
    url: config.redisUrl,
    channel: `microchatter:${config.schema}`,
    onChange: (healthy, detail) =>
      healthy
        ? log.info('the bus is there')
        : log.warn({ detail }, 'the bus is away: other nodes hear of messages later'),
    onGap,
  })
}

function verifierOf({ jwt }: Config, secret: string): JwtVerifier | undefined {
  const or = (text: string) => (text === '' ? undefined : text)
  const keys = {
    secret: or(secret),
    previousSecret: or(jwt.previousSecret),
    publicKey: or(jwt.publicKey),
    jwksUrl: or(jwt.jwksUrl),
  }
  if (Object.values(keys).every((key) => key === undefined)) return undefined
  return createJwtVerifier({ ...jwt, ...keys, issuer: or(jwt.issuer), audience: or(jwt.audience) })
}

function signToken({ jwt }: Config, secret: string, actor: Actor, expiresInSeconds: number) {
  return signJwt(
    secret,
    { username: actor.username, fromLogin: true, ...(actor.admin ? { role: 'admin' } : {}) },
    {
      expiresInSeconds,
      ...(jwt.issuer === '' ? {} : { issuer: jwt.issuer }),
      ...(jwt.audience === '' ? {} : { audience: jwt.audience }),
    },
  )
}

/** [SOCK-3] What is cached is dropped when the bus says so, on every node. */
function keepCachesTrue({ bus, identity, writer }: Core): void {
  bus.subscribe((event) => {
    if (event.kind === 'rights') writer.dropRights(event.chatId)
    if (event.kind === 'user') identity.dropUser(event.userId)
    if (event.kind === 'revoked') {
      identity.dropUser(event.userId)
      identity.dropSessions(event.userId)
    }
  })
}

/** Anyone may ask, as often as they like: the database is asked once a second at most. */
function createReadiness(db: Database, isStopping: () => boolean) {
  let asked: ReturnType<typeof pingDatabase> | undefined
  let askedAt = 0
  return async () => {
    if (isStopping()) return { ok: false, detail: 'The server is stopping' }
    if (asked === undefined || Date.now() - askedAt > 1_000) {
      asked = pingDatabase(db)
      askedAt = Date.now()
    }
    return asked
  }
}

async function pingDatabase(db: Database): Promise<{ ok: boolean; detail?: string }> {
  const answered = await Promise.race([
    ping(db).then(
      () => true,
      () => false,
    ),
    new Promise<false>((resolve) => setTimeout(() => resolve(false), 1_500).unref()),
  ])
  return answered ? { ok: true } : { ok: false, detail: 'The database does not answer' }
}

function readTls({ tls }: Config) {
  return { key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) }
}

/** A renewed certificate is taken up without a restart. Returns the way to end it. */
function reloadTls(config: Config, app: FastifyInstance, log: Logger): () => void {
  const { keyFile, certFile } = config.tls
  const reload = () => {
    try {
      ;(app.server as unknown as TlsServer).setSecureContext(readTls(config))
      log.info('took up the new certificate')
    } catch (error) {
      // Key and certificate are written one after the other: between the two they do not fit.
      log.warn({ err: error }, 'the new certificate cannot be used; the old one stays in use')
    }
  }
  for (const file of [keyFile, certFile]) watchFile(file, { interval: 2_000 }, reload)
  return () => {
    for (const file of [keyFile, certFile]) unwatchFile(file, reload)
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
