import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mock, type TestContext, test } from 'node:test'
import { ChatError } from '../src/domain/errors.ts'
import { createJwtVerifier, type JwtOptions, signJwt } from '../src/domain/jwt.ts'

const secret = 'current-secret-of-the-site-0123456789'
const older = 'previous-secret-of-the-site-012345678'
const plain: JwtOptions = {
  leewaySeconds: 60,
  maxAgeHours: 24,
  allowNoExpiry: false,
  usernameClaim: '',
  nameClaim: 'name',
  pictureClaim: 'picture',
  roleClaim: 'role',
}
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')

type Json = Record<string, unknown>

function now() {
  return Math.floor(Date.now() / 1_000)
}

function pem(key: KeyObject) {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

function part(value: Json | string) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(text).toString('base64url')
}

/** Built by hand, since a library would refuse to make most of these. */
function token(header: Json, payload: Json | string, signature: (input: Buffer) => Buffer) {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${signature(Buffer.from(input)).toString('base64url')}`
}

function hmac(key: string) {
  return (input: Buffer) => createHmac('sha256', key).update(input).digest()
}

function hs256(payload: Json | string, header: Json = {}, key = secret) {
  return token({ alg: 'HS256', ...header }, payload, hmac(key))
}

function rs256(payload: Json, header: Json = {}, key = rsa.privateKey) {
  return token({ alg: 'RS256', ...header }, payload, (input) => sign('sha256', input, key))
}

function es256(payload: Json, header: Json = {}) {
  const key = { key: ec.privateKey, dsaEncoding: 'ieee-p1363' } as const
  return token({ alg: 'ES256', ...header }, payload, (input) => sign('sha256', input, key))
}

function eddsa(payload: Json, header: Json = {}) {
  return token({ alg: 'EdDSA', ...header }, payload, (input) => sign(null, input, ed.privateKey))
}

function bob(more: Json = {}): Json {
  return { sub: 'bob', iat: now(), exp: now() + 600, ...more }
}

function verify(text: string, options: Partial<JwtOptions> = { secret }) {
  return createJwtVerifier({ ...plain, ...options }).verify(text)
}

async function refuses(work: Promise<unknown>, code = 'bad_credentials', detail = /./) {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ChatError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, detail)
    return true
  })
}

async function serve(t: TestContext, answer: RequestListener) {
  const site = { url: '', hits: 0, answer }
  const server = createServer((request, response) => {
    site.hits++
    site.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  site.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  return site
}

function jwks(...keys: [kid: string, key: KeyObject][]): RequestListener {
  const set = { keys: keys.map(([kid, key]) => ({ ...key.export({ format: 'jwk' }), kid })) }
  return (_, response) => response.end(JSON.stringify(set))
}

const away: RequestListener = (_, response) => response.writeHead(500).end()

/** Moves only the clock; everything else is real. */
function clock(t: TestContext) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.after(() => mock.timers.reset())
  return (seconds: number) => mock.timers.tick(seconds * 1_000)
}

test('what signJwt makes, the verifier reads', async () => {
  const claims = { username: 'bob', role: 'admin', displayName: 'Bob B.' }
  const site = { issuer: 'https://site.example', audience: 'chat' }
  const made = await signJwt(secret, claims, { expiresInSeconds: 600, ...site })
  const read = await verify(made, { secret, ...site })
  assert.equal(read.username, 'bob')
  assert.equal(read.role, 'admin')
  assert.equal(read.displayName, 'Bob B.')
  assert.equal((read.expiresAt ?? 0) - (read.issuedAt ?? 0), 600)
  assert.notEqual(made, await signJwt(secret, claims, { expiresInSeconds: 600, ...site }))
})

test('RS256, ES256 and EdDSA verify with their own key and with no other', async () => {
  const kinds = [
    { made: rs256(bob()), publicKey: pem(rsa.publicKey) },
    { made: es256(bob()), publicKey: pem(ec.publicKey) },
    { made: eddsa(bob()), publicKey: pem(ed.publicKey) },
  ]
  for (const [i, { made }] of kinds.entries())
    for (const [j, { publicKey }] of kinds.entries())
      if (i === j) assert.equal((await verify(made, { publicKey })).username, 'bob')
      else await refuses(verify(made, { publicKey }), 'bad_credentials', /alg/)
})

test('a secret beside a public key: each algorithm meets its own kind only', async () => {
  const publicKey = pem(rsa.publicKey)
  const both = { secret, publicKey }
  assert.equal((await verify(hs256(bob()), both)).username, 'bob')
  assert.equal((await verify(rs256(bob()), both)).username, 'bob')
  for (const key of [publicKey, `\n${publicKey}`, ` ${publicKey}`, publicKey.trim()]) {
    await refuses(verify(hs256(bob(), {}, key), both))
    await refuses(verify(hs256(bob(), {}, key), { publicKey }))
    await refuses(verify(hs256(bob(), {}, key), { publicKey: `\n ${publicKey}` }))
  }
})

test('alg none in any spelling, and other HMACs, are refused', async () => {
  const empty = () => Buffer.alloc(0)
  for (const alg of [
    'none',
    'nOnE',
    'NONE',
    '',
    'HS512',
    'hs256',
    'toString',
    256,
    null,
    ['HS256'],
  ])
    for (const signature of [empty, hmac(secret)])
      await refuses(verify(token({ alg }, bob(), signature)))
  await refuses(verify(token({}, bob(), hmac(secret))))
  await refuses(verify(`${part({ alg: 'HS256' })}.${part(bob())}.`))
})

test('a changed or malformed token is refused', async () => {
  const [header, , signature] = hs256(bob()).split('.')
  await refuses(verify(`${header}.${part(bob({ sub: 'alice' }))}.${signature}`))
  for (const text of ['', '.', '..', '...', 'a.b.c', 'bob', '\0', `${hs256(bob())}.x`])
    await refuses(verify(text))
  for (const payload of ['', 'null', '[]', '"bob"', '{', '\xff'])
    await refuses(verify(hs256(payload)))
})

test('a token over 8,192 characters is refused, whatever it says', async () => {
  await refuses(verify(hs256(bob({ pad: 'x'.repeat(8_000) }))), 'bad_credentials', /8192/)
  await refuses(verify('x'.repeat(10_000_000)), 'bad_credentials', /8192/)
  assert.equal((await verify(hs256(bob({ pad: 'x'.repeat(5_000) })))).username, 'bob')
})

test('keys and addresses in the header are never used', async (t) => {
  const canary = await serve(t, jwks(['k', rsa.publicKey]))
  const own = await serve(t, jwks(['k', ec.publicKey]))
  const jwk = rsa.publicKey.export({ format: 'jwk' })
  const publicKey = pem(generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey)
  const headers = [{ jwk }, { jku: canary.url }, { x5u: canary.url }, { x5c: ['AAAA'] }]
  for (const header of headers)
    for (const options of [{ secret }, { publicKey }, { jwksUrl: own.url }])
      await refuses(verify(rs256(bob(), { kid: 'k', ...header }), options))
  assert.equal(canary.hits, 0)
})

test('kid is only compared', async (t) => {
  const site = await serve(t, jwks(['k', rsa.publicKey]))
  const kids = [
    '../../etc/passwd',
    "' OR 1=1--",
    '__proto__',
    'constructor',
    '',
    'k\0',
    7,
    ['k'],
    {},
  ]
  const verifier = createJwtVerifier({ ...plain, jwksUrl: site.url })
  for (const kid of kids) await refuses(verifier.verify(rs256(bob(), { kid })))
  await refuses(verifier.verify(rs256(bob())), 'bad_credentials', /kid/)
  assert.equal((await verifier.verify(rs256(bob(), { kid: 'k' }))).username, 'bob')
  assert.equal((await verify(hs256(bob(), { kid: '../../etc/passwd' }))).username, 'bob')
})

test('an unknown crit, and an unencoded payload, are refused', async () => {
  await refuses(verify(hs256(bob(), { crit: ['mine'], mine: true })))
  await refuses(verify(hs256(bob(), { crit: [] })))
  await refuses(verify(hs256(bob(), { crit: ['b64'], b64: false })))
})

test('an ES256 signature of zeros is refused', async () => {
  for (const bytes of [0, 64])
    await refuses(
      verify(
        token({ alg: 'ES256' }, bob(), () => Buffer.alloc(bytes)),
        { publicKey: pem(ec.publicKey) },
      ),
    )
})

test('exp and nbf have 60 s of leeway', async (t) => {
  clock(t)
  assert.equal((await verify(hs256(bob({ exp: now() - 59 })))).username, 'bob')
  await refuses(verify(hs256(bob({ exp: now() - 61 }))), 'token_expired')
  assert.equal((await verify(hs256(bob({ nbf: now() + 59 })))).username, 'bob')
  await refuses(verify(hs256(bob({ nbf: now() + 61 }))), 'bad_credentials', /"nbf"/)
})

test('exp is required unless the site allows to leave it out', async () => {
  const forever = hs256({ sub: 'bob' })
  await refuses(verify(forever), 'bad_credentials', /"exp"/)
  assert.deepEqual(await verify(forever, { secret, allowNoExpiry: true }), { username: 'bob' })
  for (const exp of ['tomorrow', null, true, {}])
    await refuses(verify(hs256(bob({ exp }))), 'bad_credentials', /"exp"/)
})

test('a lifetime over the limit is refused, with iat or without', async () => {
  const year = 365 * 86_400
  await refuses(verify(hs256(bob({ exp: now() + 10 * year }))), 'bad_credentials', /24 hours/)
  await refuses(verify(hs256({ sub: 'bob', exp: now() + 10 * year })), 'bad_credentials', /24 h/)
  await refuses(verify(hs256(bob({ iat: now() - 86_400, exp: now() + 1 }))))
  await refuses(verify(hs256(bob({ iat: now() + 61 }))), 'bad_credentials', /"iat"/)
  await refuses(verify(hs256('{"sub":"bob","exp":1e999}')))
  await refuses(verify(hs256(`{"sub":"bob","iat":-1e300}`), { secret, allowNoExpiry: true }))
  assert.equal((await verify(hs256(bob({ exp: now() + 86_400 })))).username, 'bob')
  assert.equal((await verify(hs256({ sub: 'bob', exp: now() + 86_400 }))).username, 'bob')
})

test('iss and aud must be the ones that are set', async () => {
  const site = { secret, issuer: 'https://site.example', audience: 'chat' }
  const right = { iss: 'https://site.example', aud: 'chat' }
  assert.equal((await verify(hs256(bob(right)), site)).username, 'bob')
  assert.equal((await verify(hs256(bob({ ...right, aud: ['x', 'chat'] })), site)).username, 'bob')
  for (const iss of ['https://evil.example', 'https://site.example/', ['https://site.example'], 7])
    await refuses(verify(hs256(bob({ ...right, iss })), site), 'bad_credentials', /"iss"/)
  for (const aud of ['other', ['other'], '', [], {}])
    await refuses(verify(hs256(bob({ ...right, aud })), site), 'bad_credentials', /"aud"/)
  await refuses(verify(hs256(bob({ aud: 'chat' })), site), 'bad_credentials', /"iss"/)
  await refuses(verify(hs256(bob({ iss: right.iss })), site), 'bad_credentials', /"aud"/)
})

test('the username is text of 1 to 128 characters, or an integer', async () => {
  const long = '😀'.repeat(128)
  assert.equal((await verify(hs256(bob({ sub: 42 })))).username, '42')
  assert.equal((await verify(hs256(bob({ sub: long })))).username, long)
  const bad = ['', `${long}x`, 'x'.repeat(5_000), ['bob'], {}, null, true, 1.5, 2 ** 53]
  for (const sub of [...bad, '__proto__', 'bo\0b', 'bo\nb', 'bob\ud800'])
    await refuses(verify(hs256(bob({ sub }))), 'bad_credentials', /"sub"/)
  await refuses(verify(hs256(`{"sub":"${'x'.repeat(10_240)}","exp":${now() + 60}}`)))
})

test('the site chooses the claim of the username', async () => {
  const claims = bob({ sub: undefined, username: 'carol', 'https://site.example/id': 7 })
  assert.equal((await verify(hs256(claims))).username, 'carol')
  const chosen = { secret, usernameClaim: 'https://site.example/id' }
  assert.equal((await verify(hs256(claims), chosen)).username, '7')
  for (const usernameClaim of ['email', 'constructor', '__proto__'])
    await refuses(
      verify(hs256(bob()), { secret, usernameClaim }),
      'bad_credentials',
      /must be text/,
    )
})

test('names, pictures and roles are taken where they fit and left out elsewhere', async () => {
  const read = async (more: Json, options = {}) => {
    const { issuedAt, expiresAt, ...rest } = await verify(hs256(bob(more)), { secret, ...options })
    assert.equal(typeof issuedAt, 'number')
    assert.equal(typeof expiresAt, 'number')
    return rest
  }
  const username = 'bob'
  assert.deepEqual(await read({}), { username })
  assert.deepEqual(await read({ name: ' Bo\0b\ud800 ' }), { username, displayName: 'Bob' })
  const cut = await read({ name: '😀'.repeat(201) })
  assert.deepEqual(cut, { username, displayName: '😀'.repeat(200) })
  for (const name of ['  ', 7, null, ['Bob']]) assert.deepEqual(await read({ name }), { username })
  const picture = 'https://site.example/bob.png'
  assert.deepEqual(await read({ picture }), { username, picture })
  const long = `https://site.example/${'x'.repeat(2_048)}`
  for (const bad of ['javascript:alert(1)', 'data:image/png,', '/bob.png', '', 7, null, long])
    assert.deepEqual(await read({ picture: bad }), { username })
  for (const role of ['admin', ['editor', 'admin']])
    assert.deepEqual(await read({ role }), { username, role: 'admin' })
  for (const role of [
    'Admin',
    'administrator',
    '',
    null,
    true,
    ['x'],
    { admin: true },
    [['admin']],
  ])
    assert.deepEqual(await read({ role }), { username, role: 'user' })
  const off = { nameClaim: '', pictureClaim: '', roleClaim: '' }
  const full = { name: 'Bob', picture, role: 'admin' }
  assert.deepEqual(await read(full, off), { username })
})

test('a refusal never repeats what the token says', async () => {
  const canary = 'canary-5b1f'
  const texts = [
    hs256(bob({ sub: [canary] })),
    hs256(bob({ aud: canary })),
    hs256(bob(), { crit: [canary], [canary]: 1 }),
    token({ alg: canary }, bob(), hmac(secret)),
    hs256(canary),
  ]
  for (const text of texts)
    await refuses(verify(text, { secret, audience: 'chat' }), 'bad_credentials', /^(?!.*canary)/)
})

test('the previous secret is accepted until it is removed', async () => {
  const old = hs256(bob(), {}, older)
  assert.equal((await verify(old, { secret, previousSecret: older })).username, 'bob')
  assert.equal((await verify(hs256(bob()), { secret, previousSecret: older })).username, 'bob')
  await refuses(verify(old))
  const late = hs256(bob({ exp: now() - 100 }), {}, older)
  await refuses(verify(late, { secret, previousSecret: older }), 'token_expired')
})

test('a verified token is kept for at most 60 s and never past exp', async (t) => {
  const tick = clock(t)
  const verifier = createJwtVerifier({ ...plain, secret })
  const made = hs256(bob({ exp: now() + 30 }))
  const first = await verifier.verify(made)
  assert.equal(await verifier.verify(made), first)
  tick(31)
  assert.notEqual(await verifier.verify(made), first)
  tick(60)
  await refuses(verifier.verify(made), 'token_expired')
})

test('10,000 tokens with random kids cost at most two fetches', async (t) => {
  const site = await serve(t, jwks(['k', ec.publicKey]))
  const verifier = createJwtVerifier({ ...plain, jwksUrl: site.url })
  const [, payload, signature] = es256(bob()).split('.')
  const results = await Promise.allSettled(
    Array.from({ length: 10_000 }, (_, i) =>
      verifier.verify(`${part({ alg: 'ES256', kid: `${i}` })}.${payload}.${signature}`),
    ),
  )
  assert.ok(results.every(({ status }) => status === 'rejected'))
  assert.ok(site.hits >= 1 && site.hits <= 2, `${site.hits} fetches`)
  assert.equal((await verifier.verify(es256(bob(), { kid: 'k' }))).username, 'bob')
  site.answer = away
  const hits = site.hits
  for (let i = 0; i < 100; i++) await refuses(verifier.verify(es256(bob(), { kid: `x${i}` })))
  assert.ok(site.hits - hits <= 1)
})

test('a new key of the JWKS works after the cooldown; a removed one ends with the cache', async (t) => {
  const tick = clock(t)
  const site = await serve(t, jwks(['old', rsa.publicKey]))
  const verifier = createJwtVerifier({ ...plain, jwksUrl: site.url })
  const old = () => rs256(bob({ jti: Math.random() }), { kid: 'old' })
  const fresh = () => es256(bob({ jti: Math.random() }), { kid: 'new' })
  await verifier.verify(old())
  site.answer = jwks(['new', ec.publicKey])
  await refuses(verifier.verify(fresh()))
  tick(31)
  assert.equal((await verifier.verify(fresh())).username, 'bob')
  await refuses(verifier.verify(old()))
  site.answer = jwks(['old', rsa.publicKey])
  await verifier.verify(fresh())
  tick(601)
  await refuses(verifier.verify(fresh()))
  assert.equal(site.hits, 3)
})

test('known keys work for an hour while the JWKS is away', async (t) => {
  const tick = clock(t)
  const site = await serve(t, jwks(['k', ed.publicKey]))
  const verifier = createJwtVerifier({ ...plain, jwksUrl: site.url })
  const made = () => eddsa(bob({ jti: Math.random() }), { kid: 'k' })
  await verifier.verify(made())
  site.answer = away
  tick(3_590)
  assert.equal((await verifier.verify(made())).username, 'bob')
  assert.equal((await verifier.verify(made())).username, 'bob')
  await refuses(verifier.verify(eddsa(bob(), { kid: 'other' })))
  assert.equal(site.hits, 2)
  tick(40)
  await refuses(verifier.verify(made()), 'unavailable')
  site.answer = jwks(['k', ed.publicKey])
  tick(31)
  assert.equal((await verifier.verify(made())).username, 'bob')
})

test('a JWKS that cannot be had is unavailable, and is asked again soon', async (t) => {
  const tick = clock(t)
  const site = await serve(t, away)
  const elsewhere = await serve(t, jwks(['k', rsa.publicKey]))
  const verifier = createJwtVerifier({ ...plain, jwksUrl: site.url })
  const made = rs256(bob(), { kid: 'k' })
  const answers: RequestListener[] = [
    away,
    (_, response) => response.end('no JSON'),
    (_, response) => response.end('{"keys":7}'),
    (_, response) => response.writeHead(302, { location: elsewhere.url }).end(),
    (_, response) => response.end(JSON.stringify({ keys: [], pad: 'x'.repeat(65_536) })),
    (request) => request.socket.destroy(),
  ]
  for (const answer of answers) {
    site.answer = answer
    await refuses(verifier.verify(made), 'unavailable')
    await refuses(verifier.verify(made), 'unavailable')
    tick(2)
  }
  assert.equal(site.hits, answers.length)
  assert.equal(elsewhere.hits, 0)
  site.answer = jwks(['k', rsa.publicKey])
  assert.equal((await verifier.verify(made)).username, 'bob')
})

test('a JWKS that hangs is given up after 3 s', async (t) => {
  const site = await serve(t, (_, response) => response.write('{"keys":['))
  const start = performance.now()
  await refuses(verify(rs256(bob(), { kid: 'k' }), { jwksUrl: site.url }), 'unavailable')
  const spent = performance.now() - start
  assert.ok(spent > 2_500 && spent < 6_000, `${spent} ms`)
})

test('a secret, a JWKS and a PEM side by side', async (t) => {
  const site = await serve(t, jwks(['k', rsa.publicKey]))
  const other = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const verifier = createJwtVerifier({
    ...plain,
    secret,
    publicKey: pem(other.publicKey),
    jwksUrl: site.url,
  })
  for (const made of [hs256(bob()), rs256(bob(), {}, other.privateKey), rs256(bob(), { kid: 'k' })])
    assert.equal((await verifier.verify(made)).username, 'bob')
})

test('keys that protect nothing are refused at the start', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
  const secretPem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const bad: [Partial<JwtOptions>, RegExp][] = [
    [{}, /needs a key/],
    [{ secret: 'x'.repeat(31) }, /32/],
    [{ secret, previousSecret: 'short' }, /32/],
    [{ publicKey: pem(short.publicKey) }, /2048/],
    [{ publicKey: pem(curve.publicKey) }, /P-256/],
    [{ publicKey: secretPem }, /BEGIN PUBLIC KEY/],
    [{ jwksUrl: 'http://site.example/keys' }, /https/],
    [{ jwksUrl: 'http://127.0.0.1.evil.example/keys' }, /https/],
    [{ jwksUrl: 'file:///etc/keys' }, /https/],
  ]
  for (const [options, message] of bad)
    assert.throws(() => createJwtVerifier({ ...plain, ...options }), message)
})
