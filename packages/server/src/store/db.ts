/**
 * The one file that knows the driver. Both engines speak through it: a PostgreSQL by a pool, the
 * embedded one by a pool of one (it is a single session).
 */
import type { Socket } from 'node:net'
import pg from 'pg'
import { addressOf, EMBEDDED, sessionSettings } from './connection.ts'
import { type Embedded, openEmbedded } from './embedded.ts'
import { Places } from './places.ts'
import { Pulse } from './pulse.ts'
import { isoOf, isUtc } from './times.ts'

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
  /** `performance.now()` of the last DatabaseAway that it threw; -Infinity: never. */
  readonly troubledAt: number
  /**
   * All of `work` or nothing of it; it is run again (3 times) where two transactions got in each
   * other's way. [SYNC-3] One that lasts longer than `maxMs` (20 s unless told) is undone.
   */
  transaction<T>(work: (tx: Db) => Promise<T>, options?: { maxMs?: number }): Promise<T>
  close(): Promise<void>
}

/**
 * The database did not answer, not in time, or that it cannot serve. `sent`: it is not known whether
 * something was done, because the lost answer is the one of a COMMIT, or of a statement that writes and
 * is a transaction by itself. Otherwise nothing was done.
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
  /** Told when it went away, with why, and when it is back. */
  onChange?: (away: boolean, cause: unknown) => void
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
  if (text !== lastTime.text)
    lastTime = { text, time: isUtc(text) ? new Date(isoOf(text)) : (parseTime(text) as Date) }
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
/** PostgreSQL ends a statement first: its word is sure, a lost answer is not. */
const LATE_MS = 1_000
/** The longest that a timer of node's can be set to. */
const LONGEST_MS = 2 ** 31 - 1

class PoolDatabase implements Database {
  readonly engine: 'postgres' | 'embedded'
  readonly schema: string
  #pool: pg.Pool
  /** The pool's own queue is never used: its waiting cannot be ended. */
  #places: Places
  #pulse: Pulse | undefined
  #embedded: Embedded | undefined
  #prepared = new WeakSet<pg.PoolClient>()
  #settings: string
  #troubledAt = Number.NEGATIVE_INFINITY

  constructor(options: DatabaseOptions, embedded: Embedded | undefined) {
    this.engine = embedded ? 'embedded' : 'postgres'
    this.schema = options.schema
    this.#embedded = embedded
    this.#settings = sessionSettings(options)
    const size = embedded ? 1 : options.poolSize
    this.#places = new Places(size, options.connectTimeoutMs)
    const pulse = embedded ? undefined : this.#startPulse(options)
    this.#pulse = pulse
    this.#pool = new pg.Pool({
      ...(embedded ? EMBEDDED : addressOf(options.url)),
      stream: () => embedded?.stream() ?? pulse?.socket(),
      max: size,
      connectionTimeoutMillis: options.connectTimeoutMs,
      query_timeout: options.queryTimeoutMs + LATE_MS,
      idleTimeoutMillis: embedded ? 0 : 60_000,
      application_name: 'microchatter',
      types,
    })
    // A connection that dies while idle is replaced at the next query, which reports what is wrong; one
    // that dies at work has its statement fail, and would end the process if nobody listened.
    this.#pool.on('error', ignore)
    this.#pool.on('connect', (client) => client.on('error', ignore))
  }

  get troubledAt(): number {
    return this.#troubledAt
  }

  async query<R extends Row>(text: string, values?: readonly unknown[], name?: string) {
    const client = await this.#connect()
    return this.#use(client, () => this.#run<R>(client, toQuery(text, values, name), true))
  }

  async transaction<T>(work: (tx: Db) => Promise<T>, { maxMs = TRANSACTION_MS } = {}): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(work, maxMs)
      } catch (error) {
        if (attempt === 3 || !isRace(error)) throw error
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
    this.#pulse?.stop()
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
    return this.#use(client, async () => {
      await this.#run(client, { text: 'BEGIN' }, false)
      try {
        const result = await work({
          query: <R extends Row>(text: string, values?: readonly unknown[], name?: string) => {
            checkTime()
            return this.#run<R>(client, toQuery(text, values, name, waitMs), false)
          },
        })
        checkTime()
        await this.#run(client, { text: 'COMMIT' }, true)
        return result
      } catch (error) {
        if (!(error instanceof DatabaseAway)) await this.#run(client, { text: 'ROLLBACK' }, false)
        throw error
      }
    })
  }

  async #connect(): Promise<pg.PoolClient> {
    const turn = this.#places.take()
    if (turn) await turn.catch((error: unknown) => this.#refuse(error))
    let client: pg.PoolClient | undefined
    try {
      if (this.#pulse?.away) throw this.#pulse.away.cause
      client = await this.#pool.connect()
      if (!this.#prepared.has(client)) {
        await client.query(this.#settings)
        this.#prepared.add(client)
      }
      return client
    } catch (error) {
      client?.release(true)
      this.#places.give()
      if (!canServe(error)) this.#pulse?.doubt()
      return this.#refuse(error)
    }
  }

  #refuse(cause: unknown): never {
    throw this.#away(false, cause)
  }

  #away(sent: boolean, cause: unknown): DatabaseAway {
    this.#troubledAt = performance.now()
    return new DatabaseAway(sent, cause)
  }

  async #use<T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
    let broken = false
    try {
      return await work()
    } catch (error) {
      broken = error instanceof DatabaseAway
      throw error
    } finally {
      client.release(broken)
      this.#places.give()
    }
  }

  /** `commits`: what it does stays, if it does something. */
  async #run<R extends Row>(
    client: pg.PoolClient,
    query: pg.QueryConfig,
    commits: boolean,
  ): Promise<R[]> {
    try {
      return (await client.query<R>(query)).rows
    } catch (error) {
      if (!isAway(error)) throw error
      throw this.#away(commits && mayBeDone(query.text, error), error)
    }
  }

  #startPulse({ url, onChange }: DatabaseOptions): Pulse {
    return new Pulse({
      isBusy: () => this.#places.areTaken,
      ask: (socket) => ask(url, socket),
      onAway: (cause) => {
        this.#places.refuseWaiting(cause)
        onChange?.(true, cause)
      },
      onBack: () => onChange?.(false, undefined),
    })
  }
}

function ignore(): void {}

function toQuery(
  text: string,
  values: readonly unknown[] | undefined,
  name: string | undefined,
  waitMs?: number,
): pg.QueryConfig & { query_timeout?: number } {
  return {
    text,
    values: values as unknown[],
    ...(name === undefined ? {} : { name }),
    ...(waitMs === undefined ? {} : { query_timeout: waitMs }),
  }
}

/** Resolves where the database answers, though it were to refuse: it lives. */
async function ask(url: string, socket: Socket): Promise<void> {
  const client = new pg.Client({
    ...addressOf(url),
    application_name: 'microchatter pulse',
    stream: () => socket,
  })
  client.on('error', ignore)
  try {
    await client.connect()
    await client.query('SELECT 1')
  } catch (error) {
    if (!canServe(error)) throw error
  }
}

// 08 connection, 53 out of resources (connections, disk), 57P0x shutting down, 25006 read-only standby,
// 57014 a statement past its time.
const AWAY = /^(08|53|57P0|25006|57014|58)/

function isAway(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined || AWAY.test(state)
}

/** It answered, and not that it is starting or stopping. */
function canServe(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && !state.startsWith('57P0')
}

/**
 * A lost answer leaves it open, and so does the end of the connection: both may have come after the
 * commit. An error of the statement itself is a no.
 */
function mayBeDone(text: string, error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined && !/^(08|57P0)/.test(state)) return false
  return !/^\s*SELECT/.test(text)
}

/** 40001 serialisation, 40P01 deadlock, 55P03 lock not available in time. */
export function isRace(error: unknown): boolean {
  return ['40001', '40P01', '55P03'].includes(sqlState(error) ?? '')
}
