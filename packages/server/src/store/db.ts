/**
 * The one file that knows the driver. Both engines speak through it: a PostgreSQL by a pool, the
 * embedded one by a pool of one (it is a single session).
 */
import pg from 'pg'
import { type Embedded, openEmbedded } from './embedded.ts'

export type Row = Record<string, unknown>

/** A row of the answer to several keys: the how-many-eth of them it belongs to, counted from 1. */
export interface Nth extends Row {
  nth: number
}

/** What every store function takes first: a pool, or a transaction of it. */
export interface Db {
  /** `name` makes it a prepared statement, for those that run often. */
  query<R extends Row>(text: string, values?: readonly unknown[], name?: string): Promise<R[]>
}

export interface Database extends Db {
  readonly engine: 'postgres' | 'embedded'
  readonly schema: string
  /** When it last threw DatabaseAway, by performance.now(); -Infinity: never. */
  readonly troubledAt: number
  /**
   * All of `work` or nothing of it; it is run again (3 times) where two transactions got in each
   * other's way. [SYNC-3] One that lasts longer than `maxMs` (20 s unless told) is undone.
   */
  transaction<T>(work: (tx: Db) => Promise<T>, options?: { maxMs?: number }): Promise<T>
  close(): Promise<void>
}

/**
 * The database did not answer, or not in time. `sent`: the statement had left, so it is not known
 * whether it took effect.
 */
export class DatabaseAway extends Error {
  readonly sent: boolean
  constructor(sent: boolean, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'DatabaseAway'
    this.sent = sent
  }
}

export interface DatabaseOptions {
  /** `postgres://…`, or '' for the embedded engine in `dataDir`. */
  url: string
  dataDir: string
  schema: string
  poolSize: number
  connectTimeoutMs: number
  queryTimeoutMs: number
}

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const embedded = options.url === '' ? await openEmbedded(options.dataDir) : undefined
  return new PoolDatabase(options, embedded)
}

/** PostgreSQL's code of an error, e.g. '23505'; undefined for what is not an answer of the database. */
function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === '23505' && error.constraint === constraint
  )
}

const parseTime = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ)
let lastTime = { text: '', time: new Date(0) }

/** The rows of a batch have the same time: it is read once. */
function readTime(text: string): Date {
  if (text !== lastTime.text) lastTime = { text, time: parseTime(text) as Date }
  return lastTime.time
}

// int8 fits a JavaScript number here: user ids and counts stay far below 2^53.
const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === pg.types.builtins.INT8) return Number
    if (oid === pg.types.builtins.TIMESTAMPTZ) return readTime
    return pg.types.getTypeParser(oid, format as 'text')
  },
}

const TRANSACTION_MS = 20_000
/** The longest that a timer of node's can be set to. */
const LONGEST_MS = 2 ** 31 - 1

class PoolDatabase implements Database {
  readonly engine: 'postgres' | 'embedded'
  readonly schema: string
  troubledAt = -Infinity
  #pool: pg.Pool
  #embedded: Embedded | undefined
  #prepared = new WeakSet<pg.PoolClient>()
  #settings: string

  constructor(options: DatabaseOptions, embedded: Embedded | undefined) {
    this.engine = embedded ? 'embedded' : 'postgres'
    this.schema = options.schema
    this.#embedded = embedded
    this.#settings = sessionSettings(options)
    this.#pool = new pg.Pool({
      ...(embedded ? { ...EMBEDDED, stream: () => embedded.stream() } : addressOf(options.url)),
      max: embedded ? 1 : options.poolSize,
      connectionTimeoutMillis: options.connectTimeoutMs,
      query_timeout: options.queryTimeoutMs,
      idleTimeoutMillis: embedded ? 0 : 60_000,
      application_name: 'microchatter',
      types,
    })
    // A connection that dies while idle is replaced at the next query, which reports what is wrong.
    this.#pool.on('error', () => undefined)
    // One that dies between two statements of a transaction tells nobody else, and would end the process.
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  async query<R extends Row>(text: string, values?: readonly unknown[], name?: string) {
    try {
      const client = await this.#connect()
      return await release(client, () => run<R>(client, text, values, name))
    } catch (error) {
      if (error instanceof DatabaseAway) this.troubledAt = performance.now()
      throw error
    }
  }

  async transaction<T>(work: (tx: Db) => Promise<T>, { maxMs = TRANSACTION_MS } = {}): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(work, maxMs)
      } catch (error) {
        if (error instanceof DatabaseAway) this.troubledAt = performance.now()
        if (attempt === 3 || !isRace(error)) throw error
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
    await this.#embedded?.close()
  }

  async #attempt<T>(work: (tx: Db) => Promise<T>, maxMs: number): Promise<T> {
    const client = await this.#connect()
    const until = performance.now() + maxMs
    const checkTime = () => {
      if (performance.now() > until) throw new Error(`A transaction took more than ${maxMs} ms`)
    }
    // One that may last longer than any statement is waited for as long.
    const waitMs = maxMs > TRANSACTION_MS ? Math.min(maxMs, LONGEST_MS) : undefined
    return release(client, async () => {
      await run(client, 'BEGIN')
      try {
        const result = await work({
          query: <R extends Row>(text: string, values?: readonly unknown[], name?: string) => {
            checkTime()
            return run<R>(client, text, values, name, waitMs)
          },
        })
        checkTime()
        await run(client, 'COMMIT')
        return result
      } catch (error) {
        if (!(error instanceof DatabaseAway)) await run(client, 'ROLLBACK')
        throw error
      }
    })
  }

  async #connect(): Promise<pg.PoolClient> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw new DatabaseAway(false, error)
    })
    if (this.#prepared.has(client)) return client
    try {
      await client.query(this.#settings)
      this.#prepared.add(client)
      return client
    } catch (error) {
      client.release(true)
      throw new DatabaseAway(false, error)
    }
  }
}

/** What PG… variables of the environment would say otherwise. */
const EMBEDDED = { user: 'postgres', database: 'postgres', password: '', ssl: false } as const

function addressOf(url: string): pg.PoolConfig {
  return { connectionString: url, keepAlive: true }
}

/**
 * No statement, lock or forgotten transaction lasts: SYNC-3's overlap of 30 s is longer than all of
 * them. Plans: every statement finds its rows by index, one after the other, and is planned once, for
 * any values. By its own estimates PostgreSQL plans a new table for the few rows that it has, keeps
 * that plan while the table grows, and plans statements with arrays anew each time (measured: a send
 * cost 560 µs of the database's time instead of 225).
 */
function sessionSettings({ schema, queryTimeoutMs }: DatabaseOptions): string {
  return [
    `SET search_path TO "${schema}"`,
    `SET statement_timeout TO ${queryTimeoutMs}`,
    'SET lock_timeout TO 2000',
    'SET idle_in_transaction_session_timeout TO 10000',
    "SET timezone TO 'UTC'",
    'SET plan_cache_mode TO force_generic_plan',
    'SET enable_seqscan TO off',
    'SET enable_hashjoin TO off',
    'SET enable_mergejoin TO off',
    'SET jit TO off',
  ].join('; ')
}

async function release<T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work()
    client.release()
    return result
  } catch (error) {
    client.release(error instanceof DatabaseAway)
    throw error
  }
}

async function run<R extends Row>(
  client: pg.PoolClient,
  text: string,
  values?: readonly unknown[],
  name?: string,
  waitMs?: number,
): Promise<R[]> {
  try {
    const query = {
      text,
      values: values as unknown[],
      ...(name === undefined ? {} : { name }),
      ...(waitMs === undefined ? {} : { query_timeout: waitMs }),
    }
    const result = await client.query<R>(query)
    return result.rows
  } catch (error) {
    throw isAway(error) ? new DatabaseAway(true, error) : error
  }
}

// 08 connection, 53 out of resources (connections, disk), 57P0x shutting down, 25006 read-only standby,
// 57014 a statement past its time.
const AWAY = /^(08|53|57P0|25006|57014|58)/

function isAway(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined || AWAY.test(state)
}

/** 40001 serialisation, 40P01 deadlock, 55P03 lock not available in time. */
export function isRace(error: unknown): boolean {
  return ['40001', '40P01', '55P03'].includes(sqlState(error) ?? '')
}
