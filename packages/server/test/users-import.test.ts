import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { readCsv } from '../src/cli/import-csv.ts'
import { type Line, MAX_LINE, readLines } from '../src/cli/import-lines.ts'
import type { Row } from '../src/cli/import-row.ts'
import { showProgress } from '../src/cli/progress.ts'
import { importUsersFile } from '../src/cli/users-import.ts'
import { insertDirectChat } from '../src/store/chats.ts'
import { eraseUser, selectErasedAt, selectUser } from '../src/store/users.ts'
import { engines, freshDatabase, skipOf, type TestDatabase } from './support/databases.ts'

const MD5 = createHash('md5').update('secret').digest('hex')
const BCRYPT = '$2y$10$abcdefghijklmnopqrstuuJ8Zb0bXq4zQ9C0y1nH1s6lWkX2o3p4q'
const ARGON2 =
  '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0$RdescudvJCsgt3ub+b4dZ2RUSx7gpqYpXSYMnVkOx2Q'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'microchatter-import-'))
})
after(() => rm(folder, { recursive: true, force: true }))

function sink() {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { stream, text: () => text }
}

async function importText(
  one: TestDatabase,
  text: string | Buffer,
  { ending = 'csv', ...options }: { ending?: string; format?: 'csv' | 'ndjson'; dryRun?: boolean },
) {
  const file = join(folder, `${randomUUID()}.${ending}`)
  await writeFile(file, text)
  const [out, err] = [sink(), sink()]
  const streams = { out: out.stream, err: err.stream }
  const result = await importUsersFile(one.db, { file, dryRun: false, ...streams, ...options })
  await new Promise((resolve) => setImmediate(resolve))
  return { result, out: out.text(), problems: err.text().split('\n').filter(Boolean) }
}

async function profile(one: TestDatabase, username: string) {
  const row = await selectUser(one.db, username)
  return row && [row.password, row.display_name, row.picture, row.role]
}

for (const engine of engines)
  describe(`users import on ${engine}`, { skip: skipOf(engine) }, () => {
    let one: TestDatabase
    before(async () => {
      one = await freshDatabase(engine)
    })
    after(() => one.drop())

    async function countUsers(prefix: string): Promise<number> {
      const [row] = await one.db.query<{ n: number }>(
        'SELECT count(*) AS n FROM users WHERE starts_with(username, $1)',
        [prefix],
      )
      return row?.n ?? 0
    }

    test('CSV: columns in any order, snake case, mark at the start, CRLF, quotes', async () => {
      const csv = [
        '\uFEFFrole,display_name,username,picture,password',
        `admin,"Ann ""the first"", Lee",c-ann,https://example.org/a.png,${MD5}`,
        `,"two\r\nlines",c-bob,,${BCRYPT}`,
        '',
        `user,名前 🙂,c-名,,"${ARGON2}"`,
        ',,c-none,,',
      ].join('\r\n')
      const { result, out, problems } = await importText(one, csv, {})
      assert.deepEqual(problems, [])
      assert.deepEqual(result, { lines: 4, added: 4, updated: 0, unchanged: 0, bad: 0 })
      assert.equal(out, 'Of 4 rows: 4 added, 0 updated, 0 unchanged, 0 bad.\n')
      const ann = [MD5, 'Ann "the first", Lee', 'https://example.org/a.png', 'admin']
      assert.deepEqual(await profile(one, 'c-ann'), ann)
      assert.deepEqual(await profile(one, 'c-bob'), [BCRYPT, 'twolines', null, 'user'])
      assert.deepEqual(await profile(one, 'c-名'), [ARGON2, '名前 🙂', null, 'user'])
      assert.deepEqual(await profile(one, 'c-none'), [null, null, null, 'user'])
    })

    test('NDJSON: one object a line, null is empty', async () => {
      const lines = [
        { username: 'j-ann', password: MD5, displayName: 'Ann\u202E', role: 'admin' },
        { username: 'j-bob', display_name: 'Bob', picture: null },
      ].map((user) => JSON.stringify(user))
      const { result, problems } = await importText(one, `\uFEFF${lines.join('\r\n')}\n\n`, {
        ending: 'jsonl',
      })
      assert.deepEqual(problems, [])
      assert.equal(result.added, 2)
      assert.deepEqual(await profile(one, 'j-ann'), [MD5, 'Ann', null, 'admin'])
      assert.deepEqual(await profile(one, 'j-bob'), [null, 'Bob', null, 'user'])
    })

    test('the same file twice changes nothing, and a password is not put back', async () => {
      const csv = `username,password,displayName\n${Array.from({ length: 12_000 }, (_, i) => `s-${i},${MD5},Name ${i}`).join('\n')}\n`
      assert.equal((await importText(one, csv, {})).result.added, 12_000)
      await one.db.query(`UPDATE users SET password = $1 WHERE username = 's-7'`, [ARGON2])
      const { result } = await importText(one, csv, {})
      assert.deepEqual(result, { lines: 12_000, added: 0, updated: 0, unchanged: 12_000, bad: 0 })
      assert.deepEqual(await profile(one, 's-7'), [ARGON2, 'Name 7', null, 'user'])
    })

    test('a dry run counts the same and writes nothing', async () => {
      await importText(one, 'username,displayName\nd-old,Old\nd-same,Same\n', {})
      const csv = 'username,displayName\nd-old,New\nd-same,Same\nd-new,\n,\n'
      const expected = { lines: 4, added: 1, updated: 1, unchanged: 1, bad: 1 }
      const { result, out } = await importText(one, csv, { dryRun: true })
      assert.deepEqual(result, expected)
      assert.match(out, /^Nothing was written/)
      assert.equal(await countUsers('d-new'), 0)
      assert.deepEqual(await profile(one, 'd-old'), [null, 'Old', null, 'user'])
      assert.deepEqual((await importText(one, csv, {})).result, expected)
      assert.deepEqual(await profile(one, 'd-old'), [null, 'New', null, 'user'])
    })

    test('bad rows are named and the others go in', async () => {
      const secret = 'hunter2-plain'
      const rows = [
        `b-plain,${secret},,,`,
        'me,,,,',
        'system,,,,',
        ',,,,',
        ' b-space,,,,',
        `${'x'.repeat(129)},,,,`,
        'b-role,,,,root',
        'b-pic,,,javascript:alert(1),',
        `b-long,,,https://example.org/${'x'.repeat(2_048)},`,
        'b-few,,',
        'b-quote,,"a"b,,',
        'b-twice,,,,',
        'b-twice,,,,',
        `b-good,,,,`,
      ]
      const csv = `username,password,displayName,picture,role\n${rows.join('\n')}`
      const { result, problems } = await importText(one, csv, {})
      const at = (line: number) => problems.find((text) => text.startsWith(`Line ${line}: `)) ?? ''
      assert.match(at(2), /password is no hash.*hash it, or leave it empty/)
      assert.match(at(3), /"me" is a reserved name/)
      assert.match(at(4), /built-in/)
      assert.match(at(5), /username is empty/)
      assert.match(at(6), /no space at its ends/)
      assert.match(at(7), /more than 128/)
      assert.match(at(8), /role must be user or admin/)
      assert.match(at(9), /picture must be an address/)
      assert.match(at(10), /picture has more than 2048/)
      assert.match(at(11), /3 values for 5 columns/)
      assert.match(at(12), /a quote/)
      assert.match(at(14), /"b-twice" also on line 13/)
      assert.deepEqual(result, { lines: 14, added: 2, updated: 0, unchanged: 0, bad: 12 })
      assert.equal(problems.length, 12)
      assert(!problems.join().includes(secret))
      assert.equal(await countUsers('b-'), 2)
    })

    test('bad NDJSON rows are named and the others go in', async () => {
      const rows = [
        '{"username": "n-1"',
        '["n-2"]',
        '{"username": "n-3", "email": "a@example.org"}',
        '{"username": 4}',
        '{"username": "n-\\ud800"}',
        '{"username": "n-nul", "picture": "https://example.org/\\u0000"}',
        '{"username": "n-two", "displayName": "A", "display_name": "B"}',
        '{"username": "n-good", "__proto__": null}',
        '{"username": "n-good"}',
      ]
      const { result, problems } = await importText(one, rows.join('\n'), { ending: 'ndjson' })
      const reasons = [/no JSON;/, /no JSON object/, /unknown field "email"; known: username/]
      reasons.push(/username must be text/, /invisible/, /picture/, /twice/, /"__proto__"/)
      for (const [index, reason] of reasons.entries()) assert.match(problems[index] ?? '', reason)
      assert.deepEqual(result, { lines: 9, added: 1, updated: 0, unchanged: 0, bad: 8 })
    })

    test('the first 1,000 bad lines are named, the others counted', async () => {
      const csv = `username,password\n${'x,plain\n'.repeat(1_500)}`
      const { result, problems } = await importText(one, csv, {})
      assert.equal(result.bad, 1_500)
      assert.equal(problems.length, 1_001)
      assert.equal(problems.at(-1), 'and 500 more bad lines')
    })

    test('known users: a password only where there is none, admins stay admins', async () => {
      const csv = (role: string, name: string) =>
        `username,password,displayName,role\nk-one,${MD5},${name},${role}\n`
      await importText(one, 'username,displayName,picture\nk-one,One,https://example.org/1\n', {})
      assert.equal((await importText(one, csv('admin', ''), {})).result.updated, 1)
      assert.equal((await importText(one, csv('user', 'Uno'), {})).result.updated, 1)
      const expected = [MD5, 'Uno', 'https://example.org/1', 'admin']
      assert.deepEqual(await profile(one, 'k-one'), expected)
      await one.db.query(`UPDATE users SET password = $1 WHERE username = 'k-one'`, [BCRYPT])
      assert.equal((await importText(one, csv('user', 'Eins'), {})).result.updated, 1)
      assert.deepEqual((await profile(one, 'k-one'))?.slice(0, 2), [BCRYPT, 'Eins'])
    })

    test('a username again in a later batch is one of a known user', async () => {
      const names = Array.from({ length: 5_000 }, (_, i) => `r-${i}`)
      const csv = `username,displayName\n${names.join(',\n')},\nr-0,\nr-1,New\nr-1,Newer\n`
      const { result, problems } = await importText(one, csv, {})
      assert.deepEqual(result, { lines: 5_003, added: 5_000, updated: 1, unchanged: 1, bad: 1 })
      assert.deepEqual(problems, ['Line 5004: username "r-1" also on line 5003'])
    })

    test('who was deleted and comes back is not logged in by a token from before', async () => {
      await importText(one, 'username\ne-ann\n', {})
      const ann = await selectUser(one.db, 'e-ann')
      assert(ann)
      await eraseUser(one.db, ann.id)
      await importText(one, 'username\ne-ann\n', {})
      const again = await selectUser(one.db, 'e-ann')
      assert.notEqual(again?.id, ann.id)
      assert(again?.tokens_valid_after)
      assert.deepEqual(again.tokens_valid_after, await selectErasedAt(one.db, 'e-ann'))
    })

    test('a new name reaches those who share a chat', async () => {
      await importText(one, 'username\nt-ann\nt-bob\n', {})
      const [ann, bob] = [await selectUser(one.db, 't-ann'), await selectUser(one.db, 't-bob')]
      assert(ann && bob)
      const id = randomUUID()
      await insertDirectChat(one.db, { id, userId: ann.id, otherId: bob.id })
      const rev = async () =>
        (await one.db.query<{ rev: number }>('SELECT rev FROM chats WHERE id = $1', [id]))[0]?.rev
      const was = (await rev()) ?? 0
      await importText(one, 'username,displayName\nt-ann,Ann\n', {})
      assert.equal(await rev(), was + 1)
      await importText(one, 'username,displayName\nt-ann,Ann\n', {})
      assert.equal(await rev(), was + 1)
    })

    test('an error in the middle says what is in, and the same again does the rest', async () => {
      await one.db.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.username = 'm-7000' THEN RAISE 'refused'; END IF; RETURN NEW; END $$`)
      await one.db.query(
        'CREATE TRIGGER refuse BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse()',
      )
      const csv = `username\n${Array.from({ length: 12_000 }, (_, i) => `m-${i}`).join('\n')}`
      await assert.rejects(importText(one, csv, {}), {
        message: 'refused (5,000 users are in and stay; run the same again for the rest)',
      })
      assert.equal(await countUsers('m-'), 5_000)
      await one.db.query('DROP TRIGGER refuse ON users')
      const { result } = await importText(one, csv, {})
      assert.deepEqual([result.added, result.unchanged], [7_000, 5_000])
    })

    test('what is no such file, or has no known columns, is refused with the cure', async () => {
      const known = /username, password, displayName \(or display_name\), picture, role/
      await assert.rejects(importText(one, 'username,email\nx,y\n', {}), known)
      await assert.rejects(importText(one, 'username,email\nx,y\n', {}), /"email"/)
      await assert.rejects(importText(one, 'password,role\n', {}), /no column username/)
      await assert.rejects(importText(one, 'displayName,username,display_name\n', {}), /twice/)
      await assert.rejects(importText(one, '\n\n', {}), /empty/)
      await assert.rejects(importText(one, Buffer.from('username\n', 'utf16le'), {}), /column/)
      await assert.rejects(importText(one, '', { ending: 'txt' }), /--format csv/)
      const { result } = await importText(one, 'username\nf-ann', { ending: 'txt', format: 'csv' })
      assert.equal(result.added, 1)
      const nowhere = { file: join(folder, 'nowhere.csv'), dryRun: false }
      const streams = { out: sink().stream, err: sink().stream }
      await assert.rejects(importUsersFile(one.db, { ...nowhere, ...streams }), /no such file/)
    })
  })

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function linesIn(bytes: Buffer, size: number): Promise<Line[]> {
  const lines: Line[] = []
  for await (const chunk of readLines(inChunks(bytes, size))) lines.push(...chunk)
  return lines
}

test('lines are the same however the bytes arrive', async () => {
  const longest = 'y'.repeat(MAX_LINE)
  const parts = [
    '\uFEFFone',
    'twö 🙂\r',
    '',
    longest,
    `${longest}z`,
    `${'ü'.repeat(MAX_LINE)}`,
    'end',
  ]
  const bytes = Buffer.concat([Buffer.from(parts.join('\n')), Buffer.from([10, 0xff, 65, 10, 66])])
  const all = await linesIn(bytes, bytes.length)
  const expected = ['one', 'twö 🙂', '', longest, '', '', 'end', '', 'B']
  assert.deepEqual(
    all.map(({ text }) => text),
    expected,
  )
  assert.deepEqual(
    all.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  const problems = all.map(({ problem }) => problem?.slice(0, 9))
  assert.deepEqual(problems, [
    ...Array(4),
    'longer th',
    'longer th',
    undefined,
    'not UTF-8',
    undefined,
  ])
  for (const size of [1_000, 4_096, 65_535, 65_536, 65_537, 200_000])
    assert.deepEqual(await linesIn(bytes, size), all, `chunks of ${size}`)
})

test('a line of 2 GB is one bad line, and its bytes are not kept', async () => {
  const chunk = Buffer.alloc(1_048_576, 'x')
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from('a\n')
    for (let count = 0; count < 2_048; count += 1) yield chunk
    yield Buffer.from('\nb')
  }
  const lines: Line[] = []
  let mostBytes = 0
  for await (const part of readLines(endless())) {
    lines.push(...part)
    mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers)
  }
  assert.deepEqual(
    lines.map(({ number, text }) => [number, text]),
    [
      [1, 'a'],
      [2, ''],
      [3, 'b'],
    ],
  )
  assert.match(lines[1]?.problem ?? '', /longer than 65536 bytes/)
  assert(mostBytes < 200_000_000, `${mostBytes} bytes were held`)
})

async function csvRows(text: string, size: number): Promise<Row[]> {
  const rows: Row[] = []
  for await (const chunk of readCsv(readLines(inChunks(Buffer.from(text), size))))
    rows.push(...chunk)
  return rows
}

test('a stray quote costs its own line, not those after it', async () => {
  const many = Array.from({ length: 3_000 }, (_, index) => `user-${index},"Name ${index}"`)
  const lines = [
    'ann,"Ann',
    'bob,"Bob"',
    'cat,"two',
    'lines"',
    'dan,5" pipe',
    'eve,Eve',
    'fay,"a"b',
    'gus,"never closed',
    ...many,
    'hal,"',
    'ian,Ian',
  ]
  const text = `username,displayName\n${lines.join('\n')}`
  const rows = await csvRows(text, text.length)
  const bad = rows.filter(({ problem }) => problem).map(({ line }) => line)
  assert.deepEqual(bad, [2, 6, 8, 9, 3_010])
  const good = rows.filter(({ problem }) => !problem).map(({ fields }) => fields.username)
  const names = many.map((_, index) => `user-${index}`)
  assert.deepEqual(good, ['bob', 'cat', 'eve', ...names, 'ian'])
  assert.equal(
    rows.find(({ fields }) => fields.username === 'cat')?.fields.displayName,
    'two\nlines',
  )
  for (const size of [97, 1_000, 65_536]) assert.deepEqual(await csvRows(text, size), rows)
})

test('a quote that is never closed does not hold up what comes after it', async () => {
  let sent = 0
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from('username\n"never\n')
    for (; sent < 100; sent += 1) yield Buffer.from(`user-${sent}\n`.repeat(500))
  }
  let sentAtFirst: number | undefined
  let count = 0
  for await (const rows of readCsv(readLines(endless()))) {
    count += rows.length
    if (rows.length > 0) sentAtFirst ??= sent
  }
  assert.equal(count, 50_001)
  assert(sentAtFirst !== undefined && sentAtFirst < 30, `nothing came before chunk ${sentAtFirst}`)
})

test('progress: drawn on a terminal under what is said, silent elsewhere', async () => {
  const screen = sink()
  const terminal = Object.assign(screen.stream, { isTTY: true, columns: 200 })
  const progress = showProgress(terminal, { label: 'Users', unit: 'bytes', total: 4_194_304 })
  progress.add(1_048_576)
  progress.say('Line 7: bad')
  await new Promise((resolve) => setTimeout(resolve, 300))
  progress.say('last words')
  progress.stop()
  assert.match(screen.text(), /Users {2}█{6}░{18} 25% {2}1\.0 MiB of 4\.0 MiB {2}\d+\.\d MiB\/s/)
  assert.match(screen.text(), /Line 7: bad\n/)
  assert.match(screen.text(), /last words\n/)

  const file = sink()
  const silent = showProgress(file.stream, { label: 'Users', unit: 'bytes', total: 10 })
  silent.add(5)
  silent.say('Line 7: bad')
  silent.stop()
  assert.equal(file.text(), 'Line 7: bad\n')
})

test('progress: without a total there is a rate alone', () => {
  const screen = sink()
  const terminal = Object.assign(screen.stream, { isTTY: true })
  const progress = showProgress(terminal, { label: 'Users', unit: 'rows', total: undefined })
  progress.add(1_234)
  progress.stop()
  assert.match(screen.text(), /Users {2}1,234 rows {2}[\d,]+ rows\/s/)
})
