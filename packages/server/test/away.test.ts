/** What the store says of a database that is away, frozen, restarting, full, or just slow. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  type Database,
  DatabaseAway,
  type DatabaseOptions,
  type Db,
  openDatabase,
} from '../src/store/db.ts'
import { Cluster, type LossyProxy, skipCluster, startLossyProxy } from './support/cluster.ts'

const WRITE = 'UPDATE one SET n = n + 1'
/** It holds the row's lock until something ends it. */
const SLOW_WRITE = 'UPDATE one SET n = n + 1 RETURNING pg_sleep(20)'

/** A promise, and what fulfils it. */
function gate(): [Promise<void>, () => void] {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return [opened, open]
}

describe('a database that is away', { skip: skipCluster() }, () => {
  let cluster: Cluster
  let proxy: LossyProxy
  const opened: Database[] = []
  before(async () => {
    cluster = await Cluster.start()
    proxy = await startLossyProxy(cluster.url)
    const db = await open()
    await db.query('CREATE TABLE one (n int NOT NULL)')
    await db.query('INSERT INTO one VALUES (0)')
    await db.query('CREATE ROLE plain LOGIN')
    await db.query('GRANT ALL ON one TO plain')
  })
  after(async () => {
    await proxy.close()
    for (const db of opened) await db.close().catch(() => undefined)
    await cluster.stop()
  })

  async function open(options: Partial<DatabaseOptions> = {}) {
    const db = await openDatabase({
      url: cluster.url,
      dataDir: '',
      schema: 'public',
      poolSize: 5,
      connectTimeoutMs: 2_000,
      queryTimeoutMs: 5_000,
      ...options,
    })
    opened.push(db)
    return db
  }
  async function count(db: Db): Promise<number> {
    const [row] = await db.query<{ n: number }>('SELECT n FROM one')
    assert(row)
    return row.n
  }
  /** The error that it fails with, within `ms`. */
  async function failure(work: Promise<unknown>, withinMs: number): Promise<DatabaseAway> {
    const begin = performance.now()
    const error = await work.then(
      () => assert.fail('it did not fail'),
      (reason: unknown) => reason,
    )
    const took = performance.now() - begin
    assert(error instanceof DatabaseAway, String(error))
    assert(took < withinMs, `it took ${Math.round(took)} ms`)
    return error
  }
  async function terminate(query: string): Promise<void> {
    const other = new pg.Client({ connectionString: cluster.url })
    await other.connect()
    for (let ended = 0; ended === 0; await sleep(5)) {
      const { rowCount } = await other.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1 AND state = 'active'`,
        [query],
      )
      ended = rowCount ?? 0
    }
    await other.end()
  }
  async function untilBack(db: Database, withinMs: number): Promise<number> {
    const begin = performance.now()
    for (;;) {
      const took = performance.now() - begin
      const isBack = await db.query('SELECT 1').then(
        () => true,
        () => false,
      )
      if (isBack) return took
      assert(took < withinMs, 'it did not come back')
      await sleep(10)
    }
  }
  const tcpSockets = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

  test('[ERR-3] a connection that an administrator ends: open for a write, a no for the rest', async () => {
    const db = await open()
    const cases: [() => Promise<unknown>, string, boolean][] = [
      [() => db.query(SLOW_WRITE), SLOW_WRITE, true],
      [() => db.query('SELECT pg_sleep(20)'), 'SELECT pg_sleep(20)', false],
      [() => db.transaction((tx) => tx.query(SLOW_WRITE)), SLOW_WRITE, false],
    ]
    for (const [run, query, sent] of cases) {
      const [error] = await Promise.all([failure(run(), 2_000), terminate(query)])
      assert.equal(error.sent, sent, query)
    }
    assert(performance.now() - db.troubledAt < 1_000)
    assert.equal((await db.query('SELECT 1')).length, 1)
  })

  test('[ERR-3] a statement past its time is a no, from PostgreSQL itself', async () => {
    const db = await open({ queryTimeoutMs: 300 })
    const before = await count(db)
    const error = await failure(db.query(SLOW_WRITE), 1_000)
    assert.deepEqual([error.sent, (error.cause as pg.DatabaseError).code], [false, '57014'])
    assert.equal(await count(db), before)
  })

  test('[ERR-3] the lost answer of a COMMIT and of a write leaves it open; of the rest it is a no', async () => {
    const db = await open({ url: proxy.url })
    const cases: [string, () => Promise<unknown>, { sent: boolean; done: number }][] = [
      ['COMMIT', () => db.transaction((tx) => tx.query(WRITE)), { sent: true, done: 1 }],
      [WRITE, () => db.query(WRITE), { sent: true, done: 1 }],
      [WRITE, () => db.transaction((tx) => tx.query(WRITE)), { sent: false, done: 0 }],
      ['BEGIN', () => db.transaction((tx) => tx.query(WRITE)), { sent: false, done: 0 }],
      ['SELECT n FROM one', () => count(db), { sent: false, done: 0 }],
    ]
    for (const [lost, run, { sent, done }] of cases) {
      const before = await count(db)
      proxy.loseAnswerTo(lost)
      const error = await failure(run(), 1_000)
      assert.equal(error.sent, sent, lost)
      assert.equal((await count(db)) - before, done, lost)
    }
  })

  test('frozen: all that waits fails within 1.4 s, what comes then at once, and it comes back', async () => {
    const db = await open({ poolSize: 3 })
    const sockets = tcpSockets()
    const [goOn, next] = gate()
    const between = db.transaction(async (tx) => {
      await tx.query(WRITE)
      await goOn
      await tx.query(WRITE)
    })
    await db.query('SELECT 1')
    cluster.freeze()
    const [write, read, waiting] = await Promise.all([
      failure(db.query('INSERT INTO one SELECT 5 WHERE false'), 1_400),
      failure(db.query('SELECT 1'), 1_400),
      failure(db.query('  SELECT 2'), 1_400),
    ])
    assert.deepEqual([write.sent, read.sent, waiting.sent], [true, false, false])
    next()
    assert.equal((await failure(between, 50)).sent, false)
    const late = await failure(db.query(WRITE), 50)
    assert.equal(late.sent, false)
    for (let n = 0; n < 30; n += 1) {
      await failure(db.query('SELECT 1'), 50)
      assert(tcpSockets() <= sockets + 2, `${tcpSockets() - sockets} sockets more`)
      await sleep(100)
    }
    cluster.thaw()
    assert((await untilBack(db, 2_000)) < 2_000)
  })

  test('whoever waits too long for a connection is refused, and the next one gets it', async () => {
    const db = await open({ poolSize: 1, connectTimeoutMs: 200 })
    const slow = db.query('SELECT pg_sleep(0.5)')
    const refused = await Promise.all([1, 2].map(() => failure(db.query(WRITE), 400)))
    assert.deepEqual(
      refused.map(({ sent, message }) => [sent, message]),
      refused.map(() => [false, 'No connection within 200 ms']),
    )
    await slow
    assert.equal((await db.query('SELECT 1')).length, 1)
  })

  test('frozen while nobody asks: closing does not hang', async () => {
    const db = await open()
    await db.query('SELECT 1')
    cluster.freeze()
    const begin = performance.now()
    await db.close()
    assert(performance.now() - begin < 500)
    cluster.thaw()
  })

  test('a statement that waits for a lock is not taken for a frozen database, alone or not', async () => {
    const db = await open()
    for (const others of [false, true]) {
      const before = db.troubledAt
      const [locked, hasLock] = gate()
      const holder = db.transaction(async (tx) => {
        await tx.query(WRITE)
        hasLock()
        await sleep(1_500)
      })
      await locked
      const waiting = db.query(WRITE)
      for (let n = 0; others && n < 100; n += 1) await db.query('SELECT 1')
      await Promise.all([holder, waiting])
      assert.equal(db.troubledAt, before)
    }
  })

  test('killed at work and started again', async () => {
    const db = await open()
    const [error] = await Promise.all([
      failure(db.query(SLOW_WRITE), 2_000),
      sleep(200).then(() => cluster.kill9()),
    ])
    assert.equal(error.sent, true)
    assert.equal((await failure(db.query(WRITE), 200)).sent, false)
    await cluster.start()
    assert((await untilBack(db, 2_000)) < 2_000)
  })

  test('without a connection to be had it is away for those who need one, until there is', async () => {
    const url = new URL(cluster.url)
    url.username = 'plain'
    const db = await open({ url: url.href })
    // One of its own is open already, and serves on.
    await db.query('SELECT 1')
    const others: pg.Client[] = []
    for (let full = false; !full; ) {
      const client = new pg.Client({ connectionString: url.href })
      client.on('error', () => undefined)
      full = await client.connect().then(
        () => false,
        () => true,
      )
      if (!full) others.push(client)
    }
    await db.query('SELECT 1')
    const slow = db.query('SELECT pg_sleep(1)')
    const error = await failure(db.query('SELECT 1'), 500)
    assert.deepEqual([error.sent, (error.cause as pg.DatabaseError).code], [false, '53300'])
    await slow
    await Promise.all(others.map((client) => client.end()))
    await Promise.all([db.query('SELECT pg_sleep(0.1)'), db.query('SELECT 1')])
  })
})
