/**
 * The one place where the parts are joined. It is loaded while the database opens, because loading it
 * takes as long.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { Server as TlsServer } from 'node:https'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Blobs } from './blobs/blobs.ts'
import { openDisk } from './blobs/disk.ts'
import { openS3 } from './blobs/s3.ts'
import type { Bus } from './bus/bus.ts'
import { createMemoryBus } from './bus/memory.ts'
import { areFilesOn, type Config, isDemoOn, type Loaded } from './config.ts'
import { ensureAdmin } from './domain/admin.ts'
import { Clock } from './domain/clock.ts'
import type { Actor, Core } from './domain/core.ts'
import { Delivered, publishDelivered } from './domain/delivered.ts'
import { Demo } from './domain/demo.ts'
import { Heads } from './domain/heads.ts'
import { Identity } from './domain/identity.ts'
import { Images } from './domain/images.ts'
import { Indexer } from './domain/indexer.ts'
import { createJwtVerifier, type JwtVerifier, signJwt } from './domain/jwt.ts'
import { startLeftovers } from './domain/leftovers.ts'
import { createLimits } from './domain/limits.ts'
import { createPasswords } from './domain/passwords.ts'
import { publishTouched, publishWritten } from './domain/publish.ts'
import type { Written } from './domain/batch.ts'
import { Presence } from './domain/presence.ts'
import { Previews } from './domain/previews.ts'
import { createReads } from './domain/reads.ts'
import { askFirst } from './domain/requests.ts'
import { Sharing } from './domain/receipts.ts'
import { SYNC_LIMITS } from './domain/sync.ts'
import { tellTypingEnd, Typing } from './domain/typing.ts'
import { startUpkeep } from './domain/upkeep.ts'
import { createWebhook } from './domain/webhook.ts'
import { Writer, type WriterListener } from './domain/writer.ts'
import { createHttp } from './http/app.ts'
import { readOrMakeSecret } from './secret.ts'
import { createSockets } from './socket/server.ts'
import type { Database } from './store/db.ts'
import { shareKey } from './store/keys.ts'
import { ping } from './store/health.ts'

/** From src/ and from dist/ alike. */
const WIDGET = new URL('../dist/widget.js', import.meta.url)

export interface Joining {
  db: Database
  log: Logger
  version: string
  /** What is to be ended, in the order in which it began. */
  closers: (() => Promise<void> | void)[]
}

/** Everything from the bus to the open port. */
export async function join(loaded: Loaded, { db, log, version, closers }: Joining) {
  const { config, production } = loaded
  const secret = production ? config.jwt.secret : await readOrMakeSecret(config)
  // The bus may come before all is joined: then it is made up for.
  let isMissed = false
  let forgetAll = () => {
    isMissed = true
  }
  const bus = await createBus(config, log, () => forgetAll())
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
  const onWritten = (written: Written[]) => {
    publishWritten(core, written)
    core.previews?.lookAtWritten(written)
    void publishTouched(core, written).catch((error: unknown) => {
      log.warn(
        { err: error },
        'a new chat was not announced; it is, with the next comparison of heads',
      )
      for (const { rights } of written) heads.doubt(rights.id)
    })
  }
  const onDoubt = (chatIds: readonly string[]) => {
    for (const chatId of chatIds) heads.doubt(chatId)
  }
  const onAsk: WriterListener['onAsk'] = (chatId, senders) => askFirst(core, chatId, senders)
  const writer = new Writer(db, { onWritten, onDoubt, onAsk }, config.privacy.writeFrom)
  const reads = createReads(db, SYNC_LIMITS)
  const heads = new Heads(bus, {
    online: () => sockets.users(),
    hasBus: config.redisUrl !== '',
    onProblem: (error) => log.warn({ err: error }, 'heads were not compared; it is tried again'),
  })
  closers.push(() => heads.stop())
  const presence = new Presence({
    db,
    bus,
    writer,
    settings: config,
    stateHere: (userId) => sockets.stateOf(userId),
    tell: (watchers, shown) => sockets.tell(watchers, 'presence.updated', shown),
    onProblem: (error) => log.warn({ err: error }, 'who is there was not written or told'),
  })
  closers.push(() => presence.stop())
  const typing = new Typing(bus, (typist) => {
    void tellTypingEnd(core, typist).catch((error: unknown) =>
      log.error({ err: error }, 'the end of typing was not told'),
    )
  })
  closers.push(() => typing.stop())
  const sharing = new Sharing(db)
  const delivered = new Delivered(db, {
    onMoved: (rows) => publishDelivered(core, rows),
    onDoubt,
    onProblem: (error) => log.warn({ err: error }, 'what was delivered was not written down'),
  })
  closers.push(() => delivered.stop())
  const indexer = new Indexer(db, bus, {
    language: config.search.language,
    onProblem: (error) =>
      log.warn({ err: error }, 'new messages are not in the index yet; it is tried again'),
  })
  closers.push(() => indexer.stop())
  const clock = new Clock(bus, {
    onProblem: (error) => log.warn({ err: error }, 'what was due was not done; it is tried again'),
  })
  closers.push(() => clock.stop())
  const core: Core = {
    db,
    bus,
    settings: config,
    limits,
    identity,
    writer,
    reads,
    heads,
    presence,
    typing,
    sharing,
    delivered,
    clock,
    webhook: createWebhook(config.webhook),
    files: await createFiles(loaded, db),
    previews: createPreviews(config, log),
  }
  forgetAll = () => {
    identity.dropAll()
    writer.dropRights()
    sharing.drop()
    heads.doubtAll()
    presence.askAll()
  }
  keepCachesTrue(core)
  if (isMissed) forgetAll()
  // After the calls that use it have ended.
  closers.push(() => core.files?.images.stop())
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
    demo: isDemoOn(loaded) ? new Demo(core) : undefined,
    widget: existsSync(WIDGET) ? readFileSync(WIDGET) : undefined,
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
  core.previews?.start(core)
  closers.push(() => core.previews?.stop())
  if (core.files) {
    const { blobs, stopping } = core.files
    const leftovers = startLeftovers(db, blobs, (error) =>
      log.warn(
        { err: error },
        'files that nobody has any more were not deleted; it is tried again',
      ),
    )
    closers.push(
      () => leftovers.stop(),
      () => stopping.abort(),
    )
  }
  const upkeep = startUpkeep(db, {
    idleDays: config.login.idleDays,
    onProblem: (error) => log.warn({ err: error }, 'upkeep failed; it is tried again in a minute'),
  })
  closers.push(() => upkeep.stop())
  if (config.tls.keyFile !== '') closers.push(reloadTls(config, app, log))
  heads.start(core)
  clock.start(core)
  indexer.start()
  const url = await app.listen({ host: config.host, port: config.port })
  closers.push(() => {
    stopping = true
  })
  return { url, adminPassword, sockets }
}

async function createBus(config: Config, log: Logger, onGap: () => void): Promise<Bus> {
  if (config.redisUrl === '') return createMemoryBus()
  const { createRedisBus } = await import('./bus/redis.ts')
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

async function createFiles(loaded: Loaded, db: Database): Promise<Core['files']> {
  if (!areFilesOn(loaded)) return undefined
  const { config } = loaded
  const { s3 } = config
  return {
    blobs: s3.url === '' ? await openFolder(config) : openS3(s3),
    images: new Images(),
    key: await shareKey(db, 'files', randomBytes(32)),
    receiving: new Map(),
    looking: new Map(),
    stopping: new AbortController(),
  }
}

async function openFolder({ files, dataDir }: Config): Promise<Blobs> {
  const dir = files.dir === '' ? path.join(dataDir, 'files') : files.dir
  try {
    return await openDisk(dir)
  } catch (error) {
    throw new Error(
      `The folder for files, ${dir}, cannot be written to (${String(error instanceof Error && error.message)}); mend its rights, or set MICROCHATTER_FILES_DIR`,
      { cause: error },
    )
  }
}

function createPreviews(config: Config, log: Logger): Core['previews'] {
  if (config.linkPreviews === 'off') return undefined
  return new Previews({ allowPrivate: config.insecure.previews }, (error) =>
    log.warn({ err: error }, 'a preview of a link was not made'),
  )
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
    { expiresInSeconds, issuer: jwt.issuer, audience: jwt.audience },
  )
}

/** [SOCK-3] What is cached is dropped when the bus says so, on every node. */
function keepCachesTrue({ bus, identity, writer, sharing }: Core): void {
  bus.subscribe('rights', ({ chatId }) => writer.dropRights(chatId))
  bus.subscribe('user', ({ userId }) => {
    identity.dropUser(userId)
    sharing.drop(userId)
  })
  bus.subscribe('revoked', ({ userId }) => {
    identity.dropUser(userId)
    identity.dropSessions(userId)
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

/** A frozen database is told sooner, by its pulse; this bounds the wait for a busy one. */
const PING_MS = 1_500

async function pingDatabase(db: Database): Promise<{ ok: boolean; detail?: string }> {
  const answered = await Promise.race([
    ping(db).then(
      () => true,
      () => false,
    ),
    new Promise<false>((resolve) => setTimeout(() => resolve(false), PING_MS).unref()),
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
