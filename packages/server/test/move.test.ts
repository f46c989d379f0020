import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { moveDatabase } from '../src/cli/move.ts'
import type { Database } from '../src/store/db.ts'
import { insertAudit } from '../src/store/audit.ts'
import { insertUser } from '../src/store/users.ts'
import { freshDatabase, skipOf, type TestDatabase } from './support/databases.ts'

const MOVED = ['audit', 'blocks', 'chats', 'erased', 'members', 'messages', 'sessions', 'users']

const AWKWARD = [
  `'single' "double" \`back\` \\ \\\\ \\n \\x41 \\'`,
  'two\nlines\r\nand\ttabs\b\f\v',
  '{}',
  '{"a","b",NULL}',
  '{{1,2},{3}}',
  'NULL',
  'null',
  ' spaces ',
  '',
  '(a,"b",)',
  '👩‍👩‍👧‍👦 e\u0301 名前 \u202E\uFEFF \u{10FFFF}',
  `$1 $$ %s :name ? -- /* */; DROP TABLE users`,
  ',',
  '\\N',
  '\\.',
]

const sha = (text: string) => createHash('sha256').update(text).digest()

function sink() {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { stream, text: () => text }
}

/** Every row, as the database writes it: all digits, NULL unlike ''. */
async function rowsOf(db: Database, table: string): Promise<string[]> {
  const rows = await db.query<{ row: string }>(
    `SELECT t::text AS row FROM ${table} t ORDER BY t::text COLLATE "C"`,
  )
  return rows.map(({ row }) => row)
}

async function assertSame(source: Database, target: Database, tables: string[]): Promise<void> {
  for (const table of tables) {
    const there = await rowsOf(source, table)
    assert(there.length > 0, `${table} has rows to compare`)
    assert.deepEqual(await rowsOf(target, table), there, table)
  }
}

/** Users, chats and all that belongs to them. Not one timestamp has whole milliseconds. */
async function fill(db: Database): Promise<void> {
  const at = `'2025-03-04 05:06:07.123457+00'::timestamptz`
  await db.query(`UPDATE users SET username = 'was-system' WHERE username = 'system'`)
  await db.query(`INSERT INTO users (username, display_name) VALUES ('system', 'Our site')`)
  for (const [index, text] of AWKWARD.entries())
    await db.query(
      `INSERT INTO users (username, password, display_name, picture, role, active, created_at,
         tokens_valid_after, claims_at)
       VALUES ($1, $2, $3, $4, $5, $6, ${at} + $7 * interval '1 microsecond', $8, 'infinity')`,
      [
        `${index}${text}`,
        index % 2 ? null : text,
        text,
        index % 3 ? text : null,
        index % 4 ? 'user' : 'admin',
        index % 5 > 0,
        index,
        index % 2 ? null : '0044-03-15 12:00:00.000001+00 BC',
      ],
    )
  await db.query('UPDATE users SET username = NULL WHERE id = 5')
  await db.query('INSERT INTO erased VALUES ($1), ($2)', [sha('a'), Buffer.from([0, 92, 39, 255])])
  await db.query('INSERT INTO blocks SELECT 3, id FROM users WHERE id > 6')
  const chats = AWKWARD.map(() => randomUUID())
  for (const [index, id] of chats.entries()) await fillChat(db, id, index)
  for (const text of AWKWARD) {
    await insertAudit(db, { actor: text, action: 'x', target: text || undefined })
    await db.query(`INSERT INTO sessions VALUES ($1, $2, 3, ${at}, ${at}, ${at}, $3, $4)`, [
      randomUUID(),
      sha(text),
      text,
      text || null,
    ])
  }
  await db.query('DELETE FROM audit WHERE id = 2')
}

async function fillChat(db: Database, id: string, index: number): Promise<void> {
  const text = AWKWARD[index]
  const isDirect = index % 2 === 0
  await db.query(
    `INSERT INTO chats (id, kind, low_id, high_id, title, last_seq, rev, active_day)
     VALUES ($1, $2, $3, $4, $5, $6, $7, '2025-02-28')`,
    [
      id,
      isDirect ? 'direct' : 'group',
      isDirect ? 2 : null,
      isDirect ? index + 3 : null,
      isDirect ? null : text,
      AWKWARD.length,
      index,
    ],
  )
  await db.query(
    `INSERT INTO members (chat_id, user_id, muted_until, active_day)
     SELECT $1, id, 'infinity', NULL FROM users WHERE id < 6`,
    [id],
  )
  for (const [seq, body] of AWKWARD.entries())
    await db.query(`INSERT INTO messages VALUES ($1, $2, 3, $3, $4, clock_timestamp())`, [
      id,
      seq + 1,
      randomUUID(),
      body,
    ])
}

describe('move', { skip: skipOf('postgres') }, () => {
  let source: TestDatabase
  let target: TestDatabase
  beforeEach(async () => {
    source = await freshDatabase('embedded')
    target = await freshDatabase('postgres')
  })
  afterEach(async () => {
    await source.drop()
    await target.drop()
  })

  const move = (err: NodeJS.WritableStream = sink().stream) =>
    moveDatabase(source.db, target.db, { err })

  /** As migrate() has left it. */
  async function assertUntouched() {
    for (const table of MOVED.filter((name) => name !== 'users'))
      assert.deepEqual(await rowsOf(target.db, table), [], table)
    const users = await target.db.query('SELECT id, username FROM users')
    assert.deepEqual(users, [{ id: 1, username: 'system' }])
  }

  test('every row of every table arrives as it was, and ids go on from there', async () => {
    await fill(source.db)
    const err = sink()
    await move(err.stream)
    await assertSame(source.db, target.db, MOVED)
    const [system] = await target.db.query(`SELECT id FROM users WHERE username = 'system'`)
    assert.deepEqual(system, { id: 2 })
    const last = AWKWARD.length
    assert.equal((await insertUser(target.db, { username: 'next' }))?.id, last + 3)
    await insertAudit(target.db, { actor: 'next', action: 'x' })
    const [audit] = await target.db.query<{ id: number }>('SELECT max(id) AS id FROM audit')
    assert.equal(audit?.id, last + 1)
    assert.match(err.text(), /^audit: 14 rows\nblocks: /)
    assert.match(err.text(), /Not moved: nodes .*, idempotency /)
  })

  test('what is read before it was moved is read after: the driver sees the same values', async () => {
    await fill(source.db)
    await move()
    for (const table of MOVED) {
      const [key, then] = table === 'messages' ? ['chat_id', ', seq'] : ['1', ', 2']
      const read = (db: Database) => db.query(`SELECT * FROM ${table} ORDER BY ${key}${then}`)
      assert.deepEqual(await read(target.db), await read(source.db), table)
    }
  })

  test('more rows than a page, and a page that is full of bytes before it is full of rows', async () => {
    const chats = [randomUUID(), randomUUID(), randomUUID()].sort()
    const insert = (chat: string | undefined, rows: number, body: string) =>
      source.db.query(
        `INSERT INTO messages SELECT $1, n, 1, gen_random_uuid(), ${body}, clock_timestamp()
         FROM generate_series(1, ${rows}) n`,
        [chat],
      )
    await insert(chats[0], 10_001, `'message ' || n`)
    await insert(chats[1], 600, `repeat(chr(128512 + n % 50), 8000)`)
    await insert(chats[2], 5_000, `n::text`)
    await move()
    await assertSame(source.db, target.db, ['messages'])
  })

  test('an empty database moves, too', async () => {
    await source.db.query(`DELETE FROM users`)
    await move()
    assert.deepEqual(await rowsOf(target.db, 'users'), [])
    assert.equal((await insertUser(target.db, { username: 'first' }))?.id, 2)
  })

  test('tables and columns of a later migration are moved without a change here', async () => {
    for (const { db } of [source, target]) {
      await db.query(`ALTER TABLE users ADD COLUMN tags text[], DROP COLUMN picture`)
      await db.query(`CREATE TABLE "Later ""on""" (
        "a b" text, n integer GENERATED BY DEFAULT AS IDENTITY, data jsonb, amount numeric(10,3),
        share double precision, took interval, twice integer GENERATED ALWAYS AS (n * 2) STORED,
        PRIMARY KEY (n, "a b"))`)
    }
    for (const text of AWKWARD) {
      const [tags, data] = [[text, null, text], JSON.stringify({ [text]: [text, null, 1e300] })]
      await source.db.query('INSERT INTO users (username, tags) VALUES ($1, $2)', [
        `t${text}`,
        tags,
      ])
      await source.db.query(
        `INSERT INTO "Later ""on""" ("a b", data, amount, share, took)
         VALUES ($1, $2, 1234567.891, 0.1::float8 + 0.2, '1 mon -3 days 00:00:00.000001')`,
        [text, data],
      )
    }
    await move()
    await assertSame(source.db, target.db, ['users', '"Later ""on"""'])
    const rows = await target.db.query(
      `INSERT INTO "Later ""on""" ("a b") VALUES ('next') RETURNING n`,
    )
    assert.deepEqual(rows, [{ n: AWKWARD.length + 1 }])
  })

  test('a target that is not empty is refused and stays as it is', async () => {
    await insertUser(target.db, { username: 'ann' })
    await assert.rejects(move(), /not empty: there are rows in users\. Move into a new database/)
    await target.db.query(`DELETE FROM users WHERE username = 'ann'`)
    await fillChat(target.db, randomUUID(), 0)
    await assert.rejects(move(), /not empty: there are rows in chats, members, messages\./)
    await target.db.query('TRUNCATE chats, members, messages')
    await move()
  })

  test('databases of different releases are refused', async () => {
    await source.db.query('ALTER TABLE users ADD COLUMN later text')
    await assert.rejects(move(), /different tables\. Run `microchatter migrate`/)
    await assertUntouched()
  })

  for (const [name, body, problem] of [
    ['a row that is lost', 'RETURN NULL', /messages: 224 of 225 rows arrived\. Nothing was moved/],
    [
      'a value that is changed',
      `NEW.created_at := NEW.created_at + interval '1 microsecond'; RETURN NEW`,
      /messages: not all values are as they were\. Nothing was moved/,
    ],
  ] as const)
    test(`nothing is committed where there is ${name}`, async () => {
      await fill(source.db)
      const before = await rowsOf(source.db, 'messages')
      await target.db.query(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.body = 'NULL' AND NEW.chat_id = (SELECT max(id::text)::uuid FROM chats) THEN ${body}; END IF;
        RETURN NEW; END $$`)
      await target.db.query(
        'CREATE TRIGGER spoil BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION spoil()',
      )
      await assert.rejects(move(), problem)
      await assertUntouched()
      assert.deepEqual(await rowsOf(source.db, 'messages'), before)
      await target.db.query('DROP TRIGGER spoil ON messages')
      await move()
      await assertSame(source.db, target.db, MOVED)
    })

  test('a server that runs on the target cannot write into the middle of it', async () => {
    await fill(source.db)
    let tried = false
    const query: Database['query'] = async (text, ...rest) => {
      if (text.includes('"users"') && !tried) {
        tried = true
        const intruder = insertUser(target.db, { username: 'intruder' })
        await assert.rejects(intruder, { code: '55P03' })
      }
      return source.db.query(text, ...rest)
    }
    const { engine, schema } = source.db
    const watched = { engine, schema, query } as Database
    await moveDatabase(watched, target.db, { err: sink().stream })
    assert(tried)
    await assertSame(source.db, target.db, MOVED)
  })
})
