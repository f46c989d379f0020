/** Where the tour takes place: a server of its own, started here and gone at the end, or a given one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Options } from './options.ts'
import { startReceiver, type Receiver } from './webhook.ts'

const MAIN = fileURLToPath(new URL('../../packages/server/dist/main.js', import.meta.url))
const START_MS = 60_000
const STOP_MS = 15_000
/** Settings of this shell are not for the server of the tour. */
const SETTINGS = /^(MICROCHATTER_.*|PORT|HOST|DATABASE_URL|REDIS_URL|NODE_ENV)$/

export interface Place {
  url: string
  secret: string
  admin: [username: string, password: string]
  /** Started by the tour: nobody else is on it, and its limits are off. */
  own: boolean
  /** Behind names of users, so that those of a given server are left alone. */
  suffix: string
  /** undefined: no SQL from here. */
  sql: Sql | undefined
  /** The folder of the embedded database; undefined: there is none, or it is not ours. */
  dataDir: string | undefined
  /** What the site is asked; undefined: the server asks another one. */
  webhook: Receiver | undefined
  /** Ends the server; on a given one nothing. */
  stop(): Promise<void>
  /** Deletes what the server kept. */
  remove(): Promise<void>
}

export interface Sql {
  schema: string
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
}

export function givenPlace({ given, databaseUrl, schema = '' }: Options): Place {
  if (!given) throw new Error('no server was given')
  return {
    ...given,
    own: false,
    suffix: `-${randomBytes(3).toString('hex')}`,
    sql: databaseUrl === undefined ? undefined : sqlOn(databaseUrl, schema),
    dataDir: undefined,
    webhook: undefined,
    stop: async () => {},
    remove: async () => {},
  }
}

/** `csv`: users to import before the start, as `microchatter users import` takes them. */
export async function startPlace({ databaseUrl }: Options, csv: string): Promise<Place> {
  if (!existsSync(MAIN))
    throw new Error('The server is not built: run npm start or npm run build once, then again')
  const folder = mkdtempSync(join(tmpdir(), 'microchatter-tour-'))
  const schema = `tour_${randomBytes(4).toString('hex')}`
  const sql = databaseUrl === undefined ? undefined : sqlOn(databaseUrl, schema)
  const hookSecret = `whsec_${randomBytes(32).toString('base64')}`
  const webhook = await startReceiver(hookSecret, 'Paid, thank you')
  const remove = async () => {
    webhook.close()
    await sql?.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    rmSync(folder, { recursive: true, force: true })
  }
  endWithSignal(remove)
  const secret = randomBytes(32).toString('hex')
  const password = randomBytes(12).toString('hex')
  const dataDir = join(folder, 'data')
  const env = {
    PORT: '0',
    MICROCHATTER_DATA_DIR: dataDir,
    MICROCHATTER_JWT_SECRET: secret,
    MICROCHATTER_ADMIN_PASSWORD: password,
    MICROCHATTER_LIMITS: 'off',
    MICROCHATTER_FILES_UPLOADS: 'on',
    MICROCHATTER_WEBHOOK_URL: webhook.url,
    MICROCHATTER_WEBHOOK_SECRET: hookSecret,
    ...(databaseUrl === undefined
      ? {}
      : { DATABASE_URL: databaseUrl, MICROCHATTER_SCHEMA: schema }),
  }
  try {
    if (csv !== '') await importUsers(csv, folder, env)
    const url = await addressOf(launch(['start'], folder, env))
    const place = { url, secret, admin: ['admin', password] as [string, string], sql }
    const ours = { own: true, suffix: '', dataDir: sql ? undefined : dataDir, webhook }
    return { ...place, ...ours, stop: stopAll, remove }
  } catch (error) {
    await stopAll()
    await remove()
    throw error
  }
}

const children = new Set<ChildProcess>()

/** An interrupted tour takes along what it has started. */
function endWithSignal(remove: () => Promise<void>): void {
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL')
  })
  const end = () =>
    stopAll()
      .then(remove)
      .finally(() => process.exit(1))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end())
}

/** The command of the product, in a folder without settings. */
function launch(args: string[], cwd: string, settings: Record<string, string>): ChildProcess {
  const kept = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name))
  const env = { ...Object.fromEntries(kept), ...settings }
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

async function importUsers(csv: string, folder: string, settings: Record<string, string>) {
  const file = join(folder, 'users.csv')
  writeFileSync(file, csv)
  const child = launch(['users', 'import', file], folder, settings)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`microchatter users import failed:\n${output}`)
}

/** The server says on its standard output where it listens. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => reject(new Error(`no start:\n${output}`)), START_MS)
    server.once('exit', () => reject(new Error(`The server ended while starting:\n${output}`)))
    for (const stream of [server.stdout, server.stderr])
      createInterface({ input: stream as NonNullable<typeof stream> }).on('line', (line) => {
        output = `${output}${line}\n`.slice(-4_000)
        const url = /"url":"(http[^"]+)".*ready/.exec(line)?.[1]
        if (url === undefined) return
        clearTimeout(timer)
        resolve(url)
      })
  })
}

async function stopAll(): Promise<void> {
  for (const child of children) {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await exited.finally(() => clearTimeout(timer))
  }
}

/** A connection a statement: the tour makes few. */
function sqlOn(connectionString: string, schema: string): Sql {
  return {
    schema,
    async query<Row extends object>(text: string, values: unknown[] = []) {
      const client = new pg.Client({ connectionString })
      await client.connect()
      try {
        return (await client.query<Row>(text, values)).rows
      } finally {
        await client.end()
      }
    },
  }
}
