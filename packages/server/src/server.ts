/**
 * From settings to a running server and back; also what a host application embeds. The parts are
 * joined in join.ts. It knows no signals and no exit codes: those are main.ts's.
 */
import { randomUUID } from 'node:crypto'
import { type Logger, pino } from 'pino'
import { type Config, databaseOptions, type Loaded, refusals, warnings } from './config.ts'
import type { Joining } from './join.ts'
import { findOtherNodes, startHeartbeat } from './domain/nodes.ts'
import { type Database, openDatabase } from './store/db.ts'
import { hasOtherClock, selectRisks } from './store/health.ts'
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
    const joining = import('./join.ts')
    const db = await openDatabase({
      ...databaseOptions(config),
      onChange: (away, cause) =>
        away
          ? log.warn({ err: cause }, 'the database is away: calls are refused until it answers')
          : log.info('the database is back'),
    })
    closers.push(() => db.close())
    const applied = await migrate(db)
    if (applied.length > 0) log.info({ applied }, 'migrated the database')
    await checkDatabase(db, production, log)
    await joinNodes(db, { config, production, log, closers })
    const { join } = await joining
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

function refuse(problems: string[]): void {
  if (problems.length > 0) throw new StartRefused(problems)
}

async function checkDatabase(db: Database, production: boolean, log: Logger): Promise<void> {
  if (await hasOtherClock(db))
    log.warn('the clocks of this host and of the database differ by more than 5 s; run NTP on both')
  if (db.engine === 'postgres' && production) refuse(await selectRisks(db))
}

type Parts = Pick<Joining, 'log' | 'closers'>

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

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
