import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as argon2 from '@node-rs/argon2'
import * as bcrypt from 'bcryptjs'
import { matchesBcrypt } from '../src/domain/bcrypt.ts'
import { ChatError } from '../src/domain/errors.ts'
import { createPasswords, isKnownHash, isRawMd5 } from '../src/domain/passwords.ts'

const passwords = createPasswords()
const weak = { memoryCost: 1_024, timeCost: 1, parallelism: 1 }
const ours = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/

function md5(text: string, charset: BufferEncoding = 'utf8') {
  return createHash('md5').update(Buffer.from(text, charset)).digest('hex')
}

/** The three versions differ in nothing but their name. */
function bcryptHash(text: string, version: '2a' | '2b' | '2y' = '2b', cost = 4) {
  return bcrypt.hashSync(text, cost).replace('$2b$', `$${version}$`)
}

/** Logs in twice: by the old form, then by the form that replaced it. */
async function upgrades(password: string, stored: string) {
  const first = await passwords.verify(password, stored)
  assert.equal(first.ok, true)
  assert.match(first.upgraded ?? '', ours)
  assert.deepEqual(await passwords.verify(password, first.upgraded), { ok: true })
  assert.deepEqual(await passwords.verify(`${password}x`, stored), { ok: false })
}

async function millis(work: () => Promise<unknown>) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

test('a new hash is argon2id with our parameters, salted, and verifies without an upgrade', async () => {
  const stored = await passwords.hash('correct horse')
  assert.match(stored, ours)
  assert.notEqual(await passwords.hash('correct horse'), stored)
  assert.deepEqual(await passwords.verify('correct horse', stored), { ok: true })
  assert.deepEqual(await passwords.verify('Correct horse', stored), { ok: false })
})

test('every old form logs in once and is replaced', async () => {
  await upgrades('secret-1', md5('secret-1'))
  await upgrades('secret-1', md5('secret-1').toUpperCase())
  await upgrades('secret-1', await passwords.wrapMd5(md5('secret-1').toUpperCase()))
  for (const version of ['2a', '2b', '2y'] as const)
    await upgrades('secret-1', bcryptHash('secret-1', version))
  for (const algorithm of [0, 1, 2])
    await upgrades('secret-1', await argon2.hash('secret-1', { ...weak, algorithm }))
  await upgrades('secret-1', await argon2.hash('secret-1', { ...weak, memoryCost: 19_456 }))
})

test('stronger parameters than ours are left alone', async () => {
  const stored = await argon2.hash('secret-1', { memoryCost: 47_104, timeCost: 1, parallelism: 1 })
  assert.deepEqual(await passwords.verify('secret-1', stored), { ok: true })
})

// The test vectors of crypt_blowfish.
test('bcrypt hashes of other makers verify', async () => {
  const known = [
    ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['U*U*', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
    ['U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  ] as const
  for (const [password, stored] of known) await upgrades(password, stored)
})

test('of a password in bcrypt the first 72 bytes count, and NUL never logs in', async () => {
  const longest = 'ä'.repeat(36)
  for (const version of ['2a', '2b', '2y'] as const) {
    const stored = bcryptHash(`${longest}tail`, version)
    for (const password of [longest, `${longest}tail`, `${longest}other`])
      assert.equal((await passwords.verify(password, stored)).ok, true)
    assert.deepEqual(await passwords.verify('ä'.repeat(35), stored), { ok: false })
  }
  assert.deepEqual(await passwords.verify('\0', bcryptHash('')), { ok: false })
  assert.deepEqual(await passwords.verify('a\0a', bcryptHash('a')), { ok: false })
})

test('bcrypt does not hold up the event loop', async (t) => {
  const stored = bcryptHash('secret-1', '2b', 12)
  assert.equal(await matchesBcrypt('a', bcryptHash('a')), true)
  const tries = []
  for (let i = 0; i < 3; i++) {
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    await sleep(20)
    delay.reset()
    const spentMs = await millis(() => passwords.verify('wrong', stored))
    await sleep(20)
    delay.disable()
    tries.push({ heldMs: delay.max / 1e6, spentMs })
  }
  t.diagnostic(JSON.stringify(tries))
  // On this thread it would be held for 90 ms at the least. Other work of the machine may hold up
  // the loop too, but hardly three times.
  const fits = ({ heldMs, spentMs }: { heldMs: number; spentMs: number }) =>
    spentMs > 100 && heldMs < Math.min(80, Math.max(40, spentMs / 10))
  assert.ok(tries.some(fits), JSON.stringify(tries))
})

test('a bcrypt thread that fails fails what waits for it, and the next call has another', async () => {
  const stored = bcryptHash('secret-1')
  // No text at all, which the library throws on.
  const results = await Promise.allSettled([
    matchesBcrypt(7 as unknown as string, stored),
    matchesBcrypt('secret-1', stored),
  ])
  for (const result of results) {
    assert.ok(result.status === 'rejected' && result.reason instanceof Error)
    assert.match(String(result.reason.cause), /Illegal arguments/)
  }
  const next = await Promise.all(
    ['secret-1', 'wrong'].map((password) => matchesBcrypt(password, stored)),
  )
  assert.deepEqual(next, [true, false])
})

test('a process waits for an answer of bcrypt, and then ends by itself', async () => {
  const code = `
    import { matchesBcrypt } from ${JSON.stringify(new URL('../src/domain/bcrypt.ts', import.meta.url))}
    console.log(await matchesBcrypt('a', ${JSON.stringify(bcryptHash('a', '2b', 8))}))`
  const node = ['--import', 'tsx', '--input-type=module', '-e', code]
  const cwd = new URL('..', import.meta.url)
  const { stdout } = await promisify(execFile)(process.execPath, node, { cwd, timeout: 30_000 })
  assert.equal(stdout, 'true\n')
})

test('MD5 of old sites is tried in UTF-8, then in Latin-1', async () => {
  for (const charset of ['utf8', 'latin1'] as const) {
    const digest = md5('pässwörd', charset)
    await upgrades('pässwörd', digest)
    await upgrades('pässwörd', await passwords.wrapMd5(digest))
  }
  assert.deepEqual(await passwords.verify('пароль', md5('пароль', 'latin1')), { ok: false })
})

test('both spellings of an accent log in', async () => {
  const composed = 'p\u00e4ssword'
  const decomposed = 'pa\u0308ssword'
  for (const one of [composed, decomposed]) {
    const stored = await passwords.hash(one)
    for (const other of [composed, decomposed])
      assert.deepEqual(await passwords.verify(other, stored), { ok: true })
  }
  for (const stored of [await argon2.hash(decomposed), md5(decomposed)]) {
    const { ok, upgraded } = await passwords.verify(decomposed, stored)
    assert.equal(ok, true)
    assert.deepEqual(await passwords.verify(composed, upgraded), { ok: true })
  }
})

test('the MD5 hex is no password', async () => {
  const digest = md5('secret-1')
  assert.deepEqual(await passwords.verify(digest, digest), { ok: false })
  assert.deepEqual(await passwords.verify(digest, await passwords.wrapMd5(digest)), { ok: false })
})

test('an empty password never logs in, in whatever form it is stored', async () => {
  const stored = [md5(''), md5('').toUpperCase(), await passwords.wrapMd5(md5(''))]
  stored.push(bcryptHash(''), await argon2.hash(''))
  for (const one of stored) assert.deepEqual(await passwords.verify('', one), { ok: false })
  await assert.rejects(passwords.hash(''), { code: 'invalid' })
})

test('what is no hash refuses and does not throw', async () => {
  const good = await passwords.hash('secret-1')
  const malformed = [
    '',
    'secret-1',
    '$argon2id$zz',
    '$argon2id$v=19$m=19456,t=2,p=1$AAAA$BBBB',
    '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA',
    '$argon2id$v=19$m=4294967295,t=4294967295,p=1$c29tZXNhbHRzb21lc2FsdA$aGVsbG9oZWxsbw',
    '$argon2id$v=19$m=1,t=1,p=200$c29tZXNhbHRzb21lc2FsdA$aGVsbG9oZWxsbw',
    `argon2id+md5${md5('secret-1')}`,
    `argon2id+md5argon2id+md5${good}`,
    'argon2id+md5',
    '$2a$zz',
    `$2b$31$${'a'.repeat(53)}`,
    `$2b$04$${'!'.repeat(53)}`,
    `${md5('secret-1')}0`,
    `{MD5}${md5('secret-1')}`,
    `${good} `,
    '\0',
  ]
  for (const stored of malformed)
    assert.deepEqual(await passwords.verify('secret-1', stored), { ok: false }, stored)
  for (const stored of [null, undefined])
    assert.deepEqual(await passwords.verify('secret-1', stored), { ok: false })
})

test('a failure costs about one argon2 run, whatever is stored', async () => {
  const rows = [null, '', md5('secret-1'), await passwords.wrapMd5(md5('secret-1')), md5('')]
  await passwords.verify('wrong', null)
  const stored = await passwords.hash('secret-1')
  const one = await millis(() => passwords.verify('wrong', stored))
  for (const row of rows) {
    const spent = await millis(() => passwords.verify('wrong', row))
    assert.ok(spent > one / 4, `${row}: ${spent} ms against ${one} ms`)
  }
})

test('over 1,024 bytes is refused before any hashing', async () => {
  const stored = await passwords.hash('secret-1')
  for (const long of ['x'.repeat(1_025), 'ä'.repeat(513), 'x'.repeat(1_000_000)]) {
    const spent = await millis(async () =>
      assert.deepEqual(await passwords.verify(long, stored), { ok: false }),
    )
    assert.ok(spent < 20, `${spent} ms`)
    await assert.rejects(
      passwords.hash(long),
      (error) =>
        error instanceof ChatError && error.code === 'invalid' && error.info.field === '/password',
    )
  }
  const longest = 'ä'.repeat(512)
  assert.deepEqual(await passwords.verify(longest, await passwords.hash(longest)), { ok: true })
})

test('the gate refuses what its queue cannot hold, and serves on afterwards', async () => {
  const narrow = createPasswords({ concurrency: 1, queue: 2 })
  const stored = await narrow.hash('secret-1')
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, () => narrow.verify('secret-1', stored)),
  )
  const refused = results.filter((result) => result.status === 'rejected')
  assert.equal(refused.length, 3)
  for (const { reason } of refused) {
    assert.ok(reason instanceof ChatError)
    assert.equal(reason.code, 'busy')
    assert.equal(reason.info.retryAfterMs, 1_000)
  }
  const three = await Promise.all([1, 2, 3].map(() => narrow.verify('secret-1', stored)))
  assert.deepEqual(three, [{ ok: true }, { ok: true }, { ok: true }])
})

test('a place handed to the next in line is not given away twice', async () => {
  const narrow = createPasswords({ concurrency: 1, queue: 2 })
  const stored = await narrow.hash('secret-1')
  const [first, ...others] = [1, 2, 3].map(() => narrow.verify('secret-1', stored))
  await first
  // One runs and one waits, so one more fits.
  const more = await Promise.allSettled([1, 2, 3].map(() => narrow.verify('secret-1', stored)))
  assert.deepEqual(
    more.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  await Promise.all(others)
})

test('the importer can tell a hash from other text', async () => {
  const known = [
    md5('a'),
    md5('a').toUpperCase(),
    await passwords.hash('a'),
    await argon2.hash('a', { ...weak, algorithm: 0 }),
    await argon2.hash('a', { ...weak, algorithm: 1 }),
    await passwords.wrapMd5(md5('a')),
    bcryptHash('a', '2y'),
  ]
  for (const stored of known) assert.equal(isKnownHash(stored), true, stored)
  for (const stored of ['', 'secret', '$1$abc$def', `$2b$31$${'a'.repeat(53)}`, md5('a').slice(1)])
    assert.equal(isKnownHash(stored), false, stored)
  assert.equal(isRawMd5(md5('a')), true)
  assert.equal(isRawMd5(`argon2id+md5${md5('a')}`), false)
  await assert.rejects(passwords.wrapMd5('no md5'), { code: 'invalid' })
})
