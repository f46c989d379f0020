import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ConfigError, loadConfig, printConfig, refusals, warnings } from '../src/config.ts'
import { type Setting, SETTINGS } from '../src/config/schema.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PACKAGE = fileURLToPath(new URL('../', import.meta.url))
const parent = mkdtempSync(join(tmpdir(), 'microchatter-config-'))
after(() => rmSync(parent, { recursive: true }))

type Env = Record<string, string | undefined>

const secret = randomBytes(32).toString('hex')
const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`
/** A production that nothing is wrong with. */
const sound: Env = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://role:pass-of-db@127.0.0.1:5432/site',
  MICROCHATTER_JWT_SECRET: secret,
  MICROCHATTER_ADMIN_PASSWORD: 'vM3-heron-lantern',
  MICROCHATTER_PUBLIC_URL: 'https://chat.example.org',
  MICROCHATTER_ORIGINS: 'https://example.org',
  MICROCHATTER_TRUST_PROXY: '127.0.0.1',
}
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const privatePem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** A folder with these files: name → content as text, or as what becomes JSON. */
function folder(files: Record<string, unknown> = {}): string {
  const cwd = mkdtempSync(join(parent, 'cwd-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return cwd
}

function load(env: Env, cwd = parent) {
  return loadConfig({ env, cwd })
}

function problems(env: Env, cwd = parent): string[] {
  try {
    load(env, cwd)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(error.message, error.problems.join('\n'))
    return error.problems
  }
  return []
}

function onlyProblem(env: Env, cwd = parent): string {
  const [first = '', ...more] = problems(env, cwd)
  assert.deepEqual(more, [])
  return first
}

function words(...lines: string[]): string[] {
  return lines.flatMap((line) => line.split(' '))
}

function valueAt(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((inner: unknown, key) => (inner as Record<string, unknown>)[key], config)
}

const SAMPLES: Partial<Record<string, string>> = {
  host: '0.0.0.0',
  publicUrl: 'https://chat.example.org',
  origin: 'https://example.org,http://localhost:5173',
  proxy: '10.0.0.5, fd00::/8',
  databaseUrl: 'postgres://role:word@db.example.org/site',
  redisUrl: 'rediss://:word@redis.example.org:6379',
  jwksUrl: 'https://example.org/jwks.json',
  webhookUrl: 'https://example.org/chat-events',
  webhookSecret,
  bucketUrl: 'https://s3.example.org/chat-files',
  mediaType: 'image/*, application/pdf',
  schema: 'chat',
  secret,
  password: 'vM3-heron-lantern',
  publicKey: pem.replaceAll('\n', '\\n'),
}

/** A text that passes and differs from the default, and what it becomes. */
function sample({ path, schema }: Setting): [text: string, value: unknown] {
  const initial = valueAt(load({}).config, path)
  if (schema.enum) {
    const value = schema.enum.find((choice) => choice !== initial) ?? ''
    return [value, value]
  }
  if (schema.type === 'boolean') return [String(!initial), !initial]
  if (schema.type === 'integer') {
    const value = Number(initial) + (initial === schema.maximum ? -1 : 1)
    return [String(value), value]
  }
  const text = SAMPLES[schema.items?.format ?? schema.format ?? ''] ?? 'word'
  if (schema.type === 'array') return [text, text.split(',').map((item) => item.trim())]
  return [text, path === 'jwt.publicKey' ? pem : text]
}

test('the defaults: every setting has one, and they are what the package promises', () => {
  const { config, sources, production, nodeEnv, configDir } = load({})
  assert.deepEqual(Object.keys(sources).sort(), SETTINGS.map(({ path }) => path).sort())
  assert.deepEqual(new Set(Object.values(sources)), new Set(['default']))
  assert.equal(config.host, '127.0.0.1')
  assert.equal(config.port, 3_000)
  assert.equal(config.schema, 'microchatter')
  assert.deepEqual(config.login, {
    token: 'session',
    idleDays: 14,
    absoluteDays: 90,
    jwtHours: 24,
  })
  assert.deepEqual(config.insecure, {
    http: false,
    jwks: false,
    webhook: false,
    previews: false,
    noTls: false,
  })
  assert.deepEqual([production, nodeEnv, configDir], [false, 'development', join(parent, 'config')])
})

test('the names in the environment differ, and follow the paths', () => {
  const names = SETTINGS.flatMap(({ variables }) => variables)
  assert.equal(new Set(names).size, names.length)
  const expected = {
    'admin.password': ['MICROCHATTER_ADMIN_PASSWORD'],
    'jwt.jwksUrl': ['MICROCHATTER_JWT_JWKS_URL'],
    'rates.sendsPerMinute': ['MICROCHATTER_RATES_SENDS_PER_MINUTE'],
    'insecure.noTls': ['MICROCHATTER_INSECURE_NO_TLS'],
    schema: ['MICROCHATTER_SCHEMA'],
    port: ['MICROCHATTER_PORT', 'PORT'],
    databaseUrl: ['MICROCHATTER_DATABASE_URL', 'DATABASE_URL'],
  }
  for (const [path, variables] of Object.entries(expected)) {
    assert.deepEqual(SETTINGS.find((setting) => setting.path === path)?.variables, variables)
  }
  for (const { path, schema } of SETTINGS) assert.ok(schema.description, path)
})

for (const setting of SETTINGS) {
  const together: Record<string, Env> = {
    'login.token': { MICROCHATTER_JWT_SECRET: secret },
    'webhook.url': { MICROCHATTER_WEBHOOK_SECRET: webhookSecret },
    'webhook.secret': { MICROCHATTER_WEBHOOK_URL: 'https://example.org/chat-events' },
    's3.url': { MICROCHATTER_S3_ACCESS_KEY_ID: 'word', MICROCHATTER_S3_SECRET_ACCESS_KEY: 'word' },
    'tls.keyFile': { MICROCHATTER_TLS_CERT_FILE: 'word' },
    'tls.certFile': { MICROCHATTER_TLS_KEY_FILE: 'word' },
  }
  for (const variable of setting.variables) {
    test(`${variable} sets ${setting.path}; empty, it does not`, () => {
      const [text, value] = sample(setting)
      const cwd = folder({ word: pem })
      const env = { ...together[setting.path], [variable]: text }
      const { config, sources } = load(env, cwd)
      assert.deepEqual(valueAt(config, setting.path), value)
      assert.notDeepEqual(value, valueAt(load({}).config, setting.path))
      assert.equal(sources[setting.path], variable)
      const empty = load({ [variable]: '' }, cwd)
      assert.deepEqual(
        valueAt(empty.config, setting.path),
        valueAt(load({}, cwd).config, setting.path),
      )
      assert.equal(empty.sources[setting.path], 'default')
    })
  }
}

test('every setting is bounded: text of the wrong type and numbers out of bounds are refused', () => {
  for (const { path, variables, schema } of SETTINGS) {
    if (schema.type === 'integer') {
      const bounds = `a whole number from ${schema.minimum} to ${schema.maximum}`
      for (const bad of [Number(schema.minimum) - 1, Number(schema.maximum) + 1, 1.5, 'abc']) {
        const expected = typeof bad === 'number' && Number.isInteger(bad) && bad >= 0
        assert.equal(
          onlyProblem({ [variables[0]]: String(bad) }),
          `${variables[0]} is ${expected ? bad : `"${bad}"`}; it must be ${bounds}`,
        )
      }
    } else if (schema.type === 'boolean') {
      assert.equal(
        onlyProblem({ [variables[0]]: 'yes' }),
        `${variables[0]} is "yes"; it must be true or false`,
      )
    } else if (schema.enum) {
      assert.match(onlyProblem({ [variables[0]]: 'nosuch' }), /is "nosuch"; it must be one of /)
    } else if (!schema.format && !schema.items) {
      assert.match(onlyProblem({ [variables[0]]: 'x'.repeat(5_000) }), /must be text of/, path)
    }
  }
  assert.equal(load({ PORT: '0' }).config.port, 0)
})

test('later layers win: package, default.json, <NODE_ENV>.json, platform, MICROCHATTER_…', () => {
  const cwd = folder({
    'config/default.json': { port: 1, host: '10.0.0.1', login: { idleDays: 1, jwtHours: 1 } },
    'config/staging.json': { port: 2, login: { idleDays: 2 } },
    'config/production.json': { port: 9 },
  })
  const files = load({ NODE_ENV: 'staging' }, cwd)
  assert.deepEqual(
    [files.config.port, files.config.host, files.config.login],
    [2, '10.0.0.1', { token: 'session', idleDays: 2, absoluteDays: 90, jwtHours: 1 }],
  )
  assert.equal(files.sources.port, join(cwd, 'config/staging.json'))
  assert.equal(files.sources['login.jwtHours'], join(cwd, 'config/default.json'))
  assert.equal(files.sources['login.absoluteDays'], 'default')
  const platform = load({ NODE_ENV: 'staging', PORT: '3' }, cwd)
  assert.deepEqual([platform.config.port, platform.sources.port], [3, 'PORT'])
  const own = load({ NODE_ENV: 'staging', PORT: '3', MICROCHATTER_PORT: '4' }, cwd)
  assert.deepEqual([own.config.port, own.sources.port], [4, 'MICROCHATTER_PORT'])
  const emptied = load({ NODE_ENV: 'staging', PORT: '3', MICROCHATTER_PORT: ' ' }, cwd)
  assert.equal(emptied.config.port, 3)
})

test('MICROCHATTER_CONFIG_DIR names the folder, from the working folder on; one without files is an error', () => {
  const cwd = folder({ 'etc/default.json': { port: 5 }, 'config/default.json': { port: 6 } })
  const { config, configDir } = load({ MICROCHATTER_CONFIG_DIR: 'etc' }, cwd)
  assert.deepEqual([config.port, configDir], [5, join(cwd, 'etc')])
  assert.match(
    onlyProblem({ MICROCHATTER_CONFIG_DIR: 'etcc' }, cwd),
    /^MICROCHATTER_CONFIG_DIR is .*etcc, which has neither default\.json nor development\.json/,
  )
})

test('in the folder of the package, its default.json is read once', () => {
  const { sources, configDir } = load({}, PACKAGE)
  assert.equal(configDir, join(PACKAGE, 'config'))
  assert.equal(sources.port, 'default')
})

test('NODE_ENV cannot lead out of the folder', () => {
  const cwd = folder({ 'x.json': { port: 7 } })
  assert.match(onlyProblem({ NODE_ENV: '../x' }, cwd), /^NODE_ENV must be one word/)
})

test('unknown names are errors that name the nearest', () => {
  const rows: [Env, unknown, RegExp][] = [
    [
      { MICROCHATTER_JWT_SECRT: 'x' },
      {},
      /^MICROCHATTER_JWT_SECRT .*mean MICROCHATTER_JWT_SECRET\?/,
    ],
    [{ MICROCHATTER_ORIGIN: 'x' }, {}, /mean MICROCHATTER_ORIGINS\?/],
    [{ MICROCHATTER_JWTJWKSURL: '' }, {}, /mean MICROCHATTER_JWT_JWKS_URL\?/],
    [{ MICROCHATTER_CONFIGDIR: 'x' }, {}, /mean MICROCHATTER_CONFIG_DIR\?/],
    [{ MICROCHATTER_ZZZZZZZZ: 'x' }, {}, /^MICROCHATTER_ZZZZZZZZ is no setting; remove it/],
    [{}, { jwt: { secrett: 'x' } }, /^jwt\.secrett in .*default\.json .*mean jwt\.secret\?/],
    [{}, { jwtSecret: 'x' }, /^jwtSecret in .*mean jwt\.secret\?/],
    [{}, { databse: { poolSize: 1 } }, /^databse in .*mean database\?/],
    [{}, { constructor: 1 }, /^constructor in .* is no setting/],
    [{}, '{"__proto__": {"port": 1}}', /^__proto__ in .* is no setting/],
    [{}, { jwt: 'x' }, /^jwt in .* must be an object of settings/],
    [{}, [], /^The content in .* must be an object of settings/],
  ]
  for (const [env, content, expected] of rows) {
    assert.match(onlyProblem(env, folder({ 'config/default.json': content })), expected)
  }
})

test('what Kubernetes sets for a service named microchatter is no setting', () => {
  const env = {
    MICROCHATTER_SERVICE_HOST: '10.0.0.1',
    MICROCHATTER_SERVICE_PORT_HTTP: '80',
    MICROCHATTER_PORT: 'tcp://10.0.0.1:80',
    MICROCHATTER_PORT_80_TCP_ADDR: '10.0.0.1',
    MICROCHATTER_REDIS_PORT: 'tcp://10.0.0.2:6379',
    MICROCHATTER_REDIS_SERVICE_HOST: '10.0.0.2',
    PORT: '3001',
  }
  assert.equal(load(env).config.port, 3_001)
})

test('all problems are told at once, each as it was written', () => {
  const cwd = folder({ 'config/default.json': { log: { level: 'loud' }, nosuch: 1 } })
  const found = problems({ PORT: 'abc', MICROCHATTER_BASIC: 'yes', MICROCHATTER_LOGIN: 'x' }, cwd)
  const file = join(cwd, 'config/default.json')
  assert.equal(found.length, 5)
  assert.ok(found.includes('PORT is "abc"; it must be a whole number from 0 to 65535'))
  assert.ok(found.includes('MICROCHATTER_BASIC is "yes"; it must be one of on, off'))
  assert.ok(found.some((line) => line.startsWith(`log.level in ${file} is "loud"; it must be one`)))
  assert.ok(found.some((line) => line.startsWith(`nosuch in ${file} is no setting`)))
  assert.ok(found.some((line) => line.startsWith('MICROCHATTER_LOGIN is no setting')))
})

test('values of the formats: what passes, what does not', () => {
  const rows: [variable: string, good: string[], bad: string[]][] = [
    [
      'MICROCHATTER_HOST',
      ['::', 'localhost', 'chat.example.org'],
      ['a_b', 'http://a', 'a b', '-a'],
    ],
    [
      'MICROCHATTER_ORIGINS',
      ['https://example.org', 'http://localhost:5173', 'http://[::1]:3000'],
      words(
        '* https://* https://*.example.org example.org https://example.org/ null ftp://a',
        'https://example.org:443 https://Example.org https://a.example/x https://u:p@a.example',
      ),
    ],
    [
      'MICROCHATTER_PUBLIC_URL',
      ['https://chat.example.org', 'http://127.0.0.1:3000'],
      ['chat.example.org', 'https://chat.example.org/', 'https://u:p@chat.example.org'],
    ],
    [
      'MICROCHATTER_TRUST_PROXY',
      ['127.0.0.1', '10.0.0.0/8, ::1', 'fd00::/8'],
      words(
        'true 1 loopback 0.0.0.0/0 ::/0 10.0.0.0/33 10.0.0.0/8/8 10.0.0.0/255.0.0.0',
        'proxy.example.org 10.0.0.0/',
      ),
    ],
    [
      'DATABASE_URL',
      [
        'postgres://role:word@host/site',
        'postgresql://role@%2Fvar%2Frun%2Fpostgresql/site',
        'postgres:///site?host=/var/run/postgresql',
      ],
      ['mysql://host/site', 'host/site', 'postgres:///site', 'postgres://r:1/2@host/site'],
    ],
    [
      'REDIS_URL',
      ['redis://localhost', 'rediss://:word@host:6380/1'],
      ['http://host', 'localhost:6379', 'redis://:1#2@host', 'redis://'],
    ],
    [
      'MICROCHATTER_JWT_JWKS_URL',
      ['https://example.org/jwks.json', 'http://127.0.0.1:4000/jwks'],
      ['http://example.org/jwks', 'https://u:p@example.org/jwks', 'file:///jwks.json'],
    ],
    [
      'MICROCHATTER_WEBHOOK_SECRET',
      [],
      [secret, 'whsec_', `whsec_${'A'.repeat(28)}`, `whsec_${'A'.repeat(92)}`, `${webhookSecret}!`],
    ],
    [
      'MICROCHATTER_WEBHOOK_URL',
      [],
      ['example.org', 'ftp://example.org', 'https://u:p@example.org/x', 'https://u@example.org'],
    ],
    [
      'MICROCHATTER_S3_URL',
      [],
      ['s3.example.org/files', 'https://s3.example.org/files/', 'https://u:p@s3.example.org/files'],
    ],
    [
      'MICROCHATTER_FILES_TYPES',
      ['*/*', 'image/png,video/*', 'application/vnd.ms-excel'],
      ['image', 'png', 'image/*;q=1', '.png'],
    ],
    [
      'MICROCHATTER_SCHEMA',
      ['chat_2', '_a', 'a'.repeat(63)],
      ['Chat', '2chat', 'a-b', 'pg_chat', 'a"b', 'a'.repeat(64)],
    ],
    ['MICROCHATTER_JWT_SECRET', ['x'.repeat(32), 'é'.repeat(16)], ['x'.repeat(31)]],
    ['MICROCHATTER_JWT_PREVIOUS_SECRET', ['x'.repeat(32)], ['x'.repeat(31)]],
    ['MICROCHATTER_JWT_PUBLIC_KEY', [pem], ['word', privatePem]],
    ['MICROCHATTER_ADMIN_PASSWORD', ['a b'], ['x'.repeat(1_025)]],
  ]
  for (const [variable, good, bad] of rows) {
    for (const text of good) assert.deepEqual(problems({ [variable]: text }), [], text)
    for (const text of bad) {
      assert.match(onlyProblem({ [variable]: text }), new RegExp(`^${variable} .*must be `), text)
    }
  }
})

test('trustProxy says why it is never true, in a file as in the environment', () => {
  for (const content of [true, 1, 'true', [true], ['true'], [1]]) {
    const cwd = folder({ 'config/default.json': { trustProxy: content } })
    assert.match(onlyProblem({}, cwd), /^trustProxy in .* every visitor could choose the address/)
  }
})

test('a secret keeps its spaces; other values lose them', () => {
  const { config } = load({ MICROCHATTER_JWT_SECRET: ` ${secret}\r`, HOST: ' ::1\r' })
  assert.deepEqual([config.jwt.secret, config.host], [` ${secret}\r`, '::1'])
})

test('settings that contradict each other are errors in development too', () => {
  const cwd = folder({
    'key.pem': 'k',
    'cert.pem': 'c',
    'public.pem': pem,
    'wrong.pem': privatePem,
  })
  const rows: [wrong: Env, mended: Env, expected: RegExp][] = [
    [
      { MICROCHATTER_TLS_KEY_FILE: 'key.pem' },
      { MICROCHATTER_TLS_KEY_FILE: 'key.pem', MICROCHATTER_TLS_CERT_FILE: 'cert.pem' },
      /^MICROCHATTER_TLS_KEY_FILE and MICROCHATTER_TLS_CERT_FILE must both be set/,
    ],
    [
      { MICROCHATTER_TLS_KEY_FILE: 'key.pem', MICROCHATTER_TLS_CERT_FILE: 'gone.pem' },
      { MICROCHATTER_TLS_KEY_FILE: 'key.pem', MICROCHATTER_TLS_CERT_FILE: 'cert.pem' },
      /^MICROCHATTER_TLS_CERT_FILE is "gone\.pem", which cannot be read \(ENOENT\)/,
    ],
    [
      { MICROCHATTER_JWT_PUBLIC_KEY: pem, MICROCHATTER_JWT_PUBLIC_KEY_FILE: 'public.pem' },
      { MICROCHATTER_JWT_PUBLIC_KEY_FILE: 'public.pem' },
      /PUBLIC_KEY and MICROCHATTER_JWT_PUBLIC_KEY_FILE are both set/,
    ],
    [
      { MICROCHATTER_JWT_PUBLIC_KEY_FILE: 'wrong.pem' },
      { MICROCHATTER_JWT_PUBLIC_KEY_FILE: 'public.pem' },
      /^MICROCHATTER_JWT_PUBLIC_KEY_FILE is "wrong\.pem"; its content must be PEM/,
    ],
    [
      { MICROCHATTER_LOGIN_TOKEN: 'jwt' },
      { MICROCHATTER_LOGIN_TOKEN: 'jwt', MICROCHATTER_JWT_SECRET: secret },
      /^MICROCHATTER_LOGIN_TOKEN is jwt, which needs MICROCHATTER_JWT_SECRET/,
    ],
    [
      {
        MICROCHATTER_LOGIN_TOKEN: 'jwt',
        MICROCHATTER_JWT_SECRET: secret,
        MICROCHATTER_LOGIN_JWT_HOURS: '25',
      },
      { MICROCHATTER_LOGIN_JWT_HOURS: '25' },
      /^MICROCHATTER_LOGIN_JWT_HOURS is 25, longer than the 24 of MICROCHATTER_JWT_MAX_AGE_HOURS/,
    ],
    [
      { MICROCHATTER_LOGIN_IDLE_DAYS: '91' },
      { MICROCHATTER_LOGIN_IDLE_DAYS: '90' },
      /^MICROCHATTER_LOGIN_IDLE_DAYS is 91, longer than the 90/,
    ],
  ]
  for (const [wrong, mended, expected] of rows) {
    assert.match(onlyProblem(wrong, cwd), expected)
    assert.deepEqual(problems(mended, cwd), [])
  }
  const { config, sources } = load({ MICROCHATTER_JWT_PUBLIC_KEY_FILE: 'public.pem' }, cwd)
  assert.deepEqual([config.jwt.publicKey, sources['jwt.publicKey']], [pem, 'jwt.publicKeyFile'])
})

test('a sound production is neither refused nor warned of', () => {
  const loaded = load(sound)
  assert.equal(loaded.production, true)
  assert.deepEqual(refusals(loaded), [])
  assert.deepEqual(warnings(loaded, '22.0.0'), [])
})

const noSecret: Env = { MICROCHATTER_JWT_SECRET: undefined }
const jwks = 'MICROCHATTER_JWT_JWKS_URL'
const hook: Env = { MICROCHATTER_WEBHOOK_SECRET: webhookSecret }
const remote = 'postgres://role:word@db.example.org/site'
/** What is wrong on top of the sound one, what the only line says, and a mend. */
const REFUSED: Record<string, [wrong: Env, expected: RegExp, mend: Env]> = {
  'a secret of well-known words': [
    { MICROCHATTER_JWT_SECRET: 'changeme-changeme-changeme-changeme' },
    /^MICROCHATTER_JWT_SECRET is an example.*openssl rand -hex 32/,
    { MICROCHATTER_JWT_SECRET: secret },
  ],
  'a secret of an example': [
    { MICROCHATTER_JWT_SECRET: 'your-256-bit-secret-your-256-bit-secret' },
    /^MICROCHATTER_JWT_SECRET is an example/,
    { MICROCHATTER_JWT_SECRET: secret },
  ],
  'a secret of few different characters': [
    { MICROCHATTER_JWT_SECRET: 'kqzkqzvwx'.repeat(5) },
    /^MICROCHATTER_JWT_SECRET is an example, or has too little chance/,
    { MICROCHATTER_JWT_SECRET: secret },
  ],
  'a previous secret of well-known words': [
    { MICROCHATTER_JWT_PREVIOUS_SECRET: 'secretsecretsecretsecretsecretsecret' },
    /^MICROCHATTER_JWT_PREVIOUS_SECRET is an example/,
    { MICROCHATTER_JWT_PREVIOUS_SECRET: randomBytes(32).toString('base64') },
  ],
  'no way to log in': [
    { ...noSecret, MICROCHATTER_BASIC: 'off' },
    /^Nobody could log in/,
    { MICROCHATTER_BASIC: 'on' },
  ],
  'a secret beside a public key': [
    { MICROCHATTER_JWT_PUBLIC_KEY: pem },
    /^MICROCHATTER_JWT_SECRET is set beside a public key/,
    noSecret,
  ],
  'a previous secret beside a key set': [
    { ...noSecret, MICROCHATTER_JWT_PREVIOUS_SECRET: secret, [jwks]: 'https://example.org/jwks' },
    /^MICROCHATTER_JWT_PREVIOUS_SECRET is set beside a public key/,
    { MICROCHATTER_JWT_PREVIOUS_SECRET: '' },
  ],
  'no password of the admin': [
    { MICROCHATTER_ADMIN_PASSWORD: '' },
    /^MICROCHATTER_ADMIN_PASSWORD is not set/,
    { MICROCHATTER_ADMIN_PASSWORD: 'kite morning 42' },
  ],
  'a short password of the admin': [
    { MICROCHATTER_ADMIN_PASSWORD: 'vM3-heron-l' },
    /^MICROCHATTER_ADMIN_PASSWORD .*under 12 characters/,
    { MICROCHATTER_ADMIN_PASSWORD: 'vM3-heron-la' },
  ],
  'an example as the password of the admin': [
    { MICROCHATTER_ADMIN_PASSWORD: 'ChangeMe-Admin-Password1' },
    /^MICROCHATTER_ADMIN_PASSWORD .*is an example/,
    { MICROCHATTER_ADMIN_PASSWORD: 'kite morning 42' },
  ],
  'a repeated character as the password of the admin': [
    { MICROCHATTER_ADMIN_PASSWORD: 'aaaaaaaaaaaaaa' },
    /^MICROCHATTER_ADMIN_PASSWORD .*easy to guess/,
    { MICROCHATTER_ADMIN_PASSWORD: 'kite morning 42' },
  ],
  'no public address': [
    { MICROCHATTER_PUBLIC_URL: '', MICROCHATTER_BASIC: 'off' },
    /^MICROCHATTER_PUBLIC_URL is not set/,
    { MICROCHATTER_PUBLIC_URL: 'https://chat.example.org' },
  ],
  'a public address with http': [
    { MICROCHATTER_PUBLIC_URL: 'http://chat.example.org', MICROCHATTER_BASIC: 'off' },
    /^MICROCHATTER_PUBLIC_URL is http/,
    { MICROCHATTER_INSECURE_HTTP: 'true' },
  ],
  'a key set on this host': [
    { ...noSecret, [jwks]: 'http://127.0.0.1:4000/jwks' },
    /^MICROCHATTER_JWT_JWKS_URL is http, or on this host/,
    { MICROCHATTER_INSECURE_JWKS: 'true' },
  ],
  'a key set in a private network': [
    { ...noSecret, [jwks]: 'https://10.1.2.3/jwks' },
    /^MICROCHATTER_JWT_JWKS_URL .*private network/,
    { [jwks]: 'https://example.org/jwks' },
  ],
  'a webhook by http': [
    { ...hook, MICROCHATTER_WEBHOOK_URL: 'http://example.org/events' },
    /^MICROCHATTER_WEBHOOK_URL is http, or on this host/,
    { MICROCHATTER_INSECURE_WEBHOOK: 'true' },
  ],
  'a webhook in a private network': [
    { ...hook, MICROCHATTER_WEBHOOK_URL: 'https://10.1.2.3/events' },
    /^MICROCHATTER_WEBHOOK_URL .*private network/,
    { MICROCHATTER_WEBHOOK_URL: 'https://example.org/events' },
  ],
  'a webhook secret of few different characters': [
    {
      MICROCHATTER_WEBHOOK_URL: 'https://example.org/events',
      MICROCHATTER_WEBHOOK_SECRET: `whsec_${'AB'.repeat(20)}`,
    },
    /^MICROCHATTER_WEBHOOK_SECRET is an example, or has too little chance/,
    hook,
  ],
  'a database elsewhere without TLS': [
    { DATABASE_URL: remote },
    /^DATABASE_URL is on another host without TLS.*sslmode=verify-full/,
    { DATABASE_URL: `${remote}?sslmode=verify-full` },
  ],
  'a database elsewhere whose certificate is not checked': [
    { DATABASE_URL: `${remote}?sslmode=no-verify` },
    /^DATABASE_URL is on another host .*certificate/,
    { MICROCHATTER_INSECURE_NO_TLS: 'true' },
  ],
  'a database elsewhere, as libpq takes it': [
    { DATABASE_URL: `${remote}?uselibpqcompat=true&sslmode=require` },
    /^DATABASE_URL is on another host/,
    { DATABASE_URL: `${remote}?uselibpqcompat=true&sslmode=verify-full` },
  ],
  'a database elsewhere, named by the query': [
    { DATABASE_URL: 'postgres://role:word@127.0.0.1/site?host=db.example.org' },
    /^DATABASE_URL is on another host/,
    { DATABASE_URL: 'postgres://role:word@db.example.org/site?host=/var/run/postgresql' },
  ],
  'the example password of the database': [
    { MICROCHATTER_DATABASE_URL: 'postgres://microchatter:PASSWORD@127.0.0.1:5432/site' },
    /^MICROCHATTER_DATABASE_URL still has the password of the example/,
    { MICROCHATTER_DATABASE_URL: '' },
  ],
  'a Redis elsewhere without a password': [
    { REDIS_URL: 'rediss://redis.example.org' },
    /^REDIS_URL is on another host without a password/,
    { REDIS_URL: 'rediss://:word@redis.example.org' },
  ],
  'the example password of the Redis': [
    { REDIS_URL: 'rediss://:PASSWORD@redis.example.org:6379' },
    /^REDIS_URL still has the password of the example/,
    { REDIS_URL: 'redis://127.0.0.1' },
  ],
  'no limits': [
    { MICROCHATTER_LIMITS: 'off' },
    /^MICROCHATTER_LIMITS is off/,
    { MICROCHATTER_LIMITS: 'on' },
  ],
  'certificates that nobody checks': [
    { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    /^NODE_TLS_REJECT_UNAUTHORIZED is 0/,
    { NODE_TLS_REJECT_UNAUTHORIZED: '1' },
  ],
}
for (const [name, [wrong, expected, mend]] of Object.entries(REFUSED)) {
  test(`production refuses ${name}, until it is mended; development does not`, () => {
    const env = { ...sound, ...wrong }
    const found = refusals(load(env))
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', expected)
    assert.deepEqual(refusals(load({ ...env, ...mend })), [])
    assert.deepEqual(refusals(load({ ...env, NODE_ENV: 'development' })), [])
  })
}

test('production refuses Basic where passwords would travel without TLS', () => {
  const env: Env = { ...sound, MICROCHATTER_PUBLIC_URL: 'http://chat.example.org' }
  const basic = (more: Env) =>
    refusals(load({ ...env, ...more }, folder({ pem: 'x' }))).filter((line) =>
      line.startsWith('MICROCHATTER_BASIC is on'),
    ).length
  assert.equal(basic({}), 1)
  assert.equal(basic({ MICROCHATTER_PUBLIC_URL: '' }), 1)
  const tls = { MICROCHATTER_TLS_KEY_FILE: 'pem', MICROCHATTER_TLS_CERT_FILE: 'pem' }
  const mends: Env[] = [
    { MICROCHATTER_BASIC: 'off' },
    { MICROCHATTER_INSECURE_HTTP: 'true' },
    { MICROCHATTER_PUBLIC_URL: 'https://chat.example.org' },
    tls,
  ]
  for (const mend of mends) assert.equal(basic(mend), 0, JSON.stringify(mend))
})

test('a refusal names the setting where it was written', () => {
  const cwd = folder({ 'config/production.json': { limits: 'off' } })
  const file = join(cwd, 'config/production.json')
  assert.deepEqual(refusals(load(sound, cwd)), [
    `limits in ${file} is off, which is for measuring only; remove it`,
  ])
})

test('random secrets are never taken for examples', () => {
  for (let count = 0; count < 2_000; count += 1) {
    const env = {
      ...sound,
      MICROCHATTER_JWT_SECRET: randomBytes(32).toString('hex'),
      MICROCHATTER_JWT_PREVIOUS_SECRET: randomBytes(32).toString('base64'),
      MICROCHATTER_ADMIN_PASSWORD: randomBytes(18).toString('base64'),
    }
    assert.deepEqual(refusals(load(env)), [])
  }
})

const files: Env = {
  MICROCHATTER_FILES_UPLOADS: 'on',
  MICROCHATTER_FILES_PUBLIC_URL: 'https://files.example.org',
}
const bucket: Env = {
  MICROCHATTER_S3_ACCESS_KEY_ID: 'word',
  MICROCHATTER_S3_SECRET_ACCESS_KEY: 'word',
}

test('warnings', () => {
  const rows: [Env, RegExp, node?: string][] = [
    [{}, /^Node 20\.20\.2 gets no security fixes/, '20.20.2'],
    [{ NODE_ENV: 'prod' }, /^NODE_ENV is prod: only production/],
    [{ DATABASE_URL: '' }, /^The embedded database is in use.*power cut/],
    [{ MICROCHATTER_ORIGINS: '' }, /^MICROCHATTER_ORIGINS is empty.*bearer token/],
    [{ MICROCHATTER_TRUST_PROXY: '' }, /^MICROCHATTER_TRUST_PROXY is empty/],
    [{ REDIS_URL: 'redis://:word@redis.example.org' }, /^REDIS_URL is on another host without TLS/],
    [{ MICROCHATTER_FILES_UPLOADS: 'on' }, /^MICROCHATTER_FILES_PUBLIC_URL is empty/],
    [
      {
        ...files,
        REDIS_URL: 'rediss://:word@redis.example.org',
      },
      /^Files are in a folder, which all nodes must share/,
    ],
    [
      { ...files, ...bucket, MICROCHATTER_S3_URL: 'http://s3.example.org/files' },
      /^MICROCHATTER_S3_URL is http/,
    ],
  ]
  for (const [env, expected, node = '24.1.0'] of rows) {
    const loaded = load({ ...sound, ...env })
    assert.deepEqual(refusals(loaded), [])
    const found = warnings(loaded, node)
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', expected)
  }
  assert.deepEqual(warnings(load({}), '24.1.0'), [])
})

const CANARY = 'cAnArY'
/** Everything that is ever shown, for these settings. */
function shown(env: Env, cwd = parent): string {
  try {
    const loaded = load(env, cwd)
    return [printConfig(loaded), ...refusals(loaded), ...warnings(loaded)].join('\n')
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return `${error.message}\n${error.stack}\n${JSON.stringify(error)}`
  }
}

test('no secret is ever shown', () => {
  const values: [variable: string, text: string][] = [
    ['ADMIN_PASSWORD', CANARY],
    ['ADMIN_PASSWORD', CANARY.repeat(2)],
    ['ADMIN_PASSWORD', CANARY.repeat(300)],
    ...['JWT_SECRET', 'JWT_PREVIOUS_SECRET'].flatMap((name): [string, string][] => [
      [name, CANARY],
      [name, CANARY.repeat(10)],
      [name, `secret${CANARY.repeat(10)}`],
    ]),
    ['JWT_PUBLIC_KEY', privatePem.replace(/\n.*\n/, `\n${CANARY}\n`)],
    ['PUBLIC_URL', `https://user:${CANARY}@chat.example.org`],
    ['ORIGINS', `https://user:${CANARY}@example.org`],
    ['WEBHOOK_SECRET', CANARY],
    ['S3_SECRET_ACCESS_KEY', CANARY],
    ['S3_URL', `https://user:${CANARY}@s3.example.org/files`],
    ['WEBHOOK_SECRET', `whsec_${CANARY}`],
    ['WEBHOOK_SECRET', `whsec_${CANARY.repeat(3)}`],
    ['WEBHOOK_URL', `https://user:${CANARY}@example.org/events`],
    ['JWT_JWKS_URL', `https://user:${CANARY}@example.org/jwks`],
    ...['postgres', 'redis', 'http'].flatMap((scheme): [string, string][] =>
      words(
        'user:KEY@127.0.0.1/a user:KEY@db.example.org/a :KEY@host user:1/KEY@host/a',
        'user:1#KEY@host/a user:1?KEY@host/a user:x@KEY@host/a user:%zzKEY@host/a',
        'host/a?password=KEY KEY@host/a user:a/KEY@host user:KEY%20@host user:KEY\t@host',
      ).flatMap((rest): [string, string][] => [
        ['DATABASE_URL', `${scheme}://${rest.replace('KEY', CANARY)}`],
        ['REDIS_URL', `${scheme}://${rest.replace('KEY', CANARY)}`],
      ]),
    ),
  ]
  for (const [variable, text] of values) {
    for (const base of [{}, sound]) {
      const output = shown({ ...base, [`MICROCHATTER_${variable}`]: text })
      assert.ok(!output.includes(CANARY), `${variable}=${text} shows in:\n${output}`)
    }
  }
  const files: unknown[] = [
    { admin: { password: [CANARY] }, jwt: { secret: { a: CANARY }, previousSecret: CANARY } },
    { admin: CANARY },
    { jwt: { secrett: CANARY } },
    { databaseUrl: { a: CANARY } },
    `{"jwt": {"secret": "${CANARY}" "x"}}`,
    `{"jwt": {"secret": ${CANARY}}}`,
    `"${CANARY}`,
  ]
  for (const content of files) {
    const output = shown({}, folder({ 'config/default.json': content }))
    assert.ok(output.includes('default.json') && !output.includes(CANARY), output)
  }
})

test('printConfig: every setting with its value and source, aligned, without secrets', () => {
  const cwd = folder({ 'config/default.json': { jwt: { issuer: 'a\nb' } } })
  const loaded = load(
    {
      ...sound,
      REDIS_URL: 'redis://user:word@127.0.0.1:6379/1',
      MICROCHATTER_ORIGINS: 'https://a.example,https://b.example',
    },
    cwd,
  )
  const lines = printConfig(loaded).split('\n')
  assert.equal(lines.length, SETTINGS.length + 1)
  const cells = new Map(lines.map((line) => [line.split(' ')[0], line.split(/ {2,}/)]))
  const row = (path: string) => cells.get(path)?.slice(1)
  assert.deepEqual(row('setting'), ['value', 'source'])
  assert.deepEqual(row('port'), ['3000', 'default'])
  assert.deepEqual(row('admin.password'), ['(set)', 'MICROCHATTER_ADMIN_PASSWORD'])
  assert.deepEqual(row('jwt.previousSecret'), ['(not set)', 'default'])
  assert.deepEqual(row('databaseUrl'), ['postgres://role:***@127.0.0.1:5432/site', 'DATABASE_URL'])
  assert.deepEqual(row('redisUrl'), ['redis://user:***@127.0.0.1:6379/1', 'REDIS_URL'])
  assert.deepEqual(row('origins'), ['https://a.example, https://b.example', 'MICROCHATTER_ORIGINS'])
  assert.deepEqual(row('jwt.issuer'), ['a\\nb', join(cwd, 'config/default.json')])
  const columns = lines.map((line) => line.search(/(?<=^\S+ +)\S/))
  assert.equal(new Set(columns).size, 1)
})

/** What deploy/compose.yaml puts into other variables, or gives to the database alone. */
const OF_COMPOSE = ['POSTGRES_PASSWORD', 'MICROCHATTER_DB_PASSWORD']

test('every name in deploy/ is known', () => {
  const known = new Set([
    ...SETTINGS.flatMap(({ variables }) => variables),
    'NODE_ENV',
    'MICROCHATTER_CONFIG_DIR',
  ])
  const rows: [file: string, name: RegExp, fewest: number][] = [
    ['deploy/.env.example', /^(?:# )?([A-Z_]+)=/gm, 7],
    ['deploy/microchatter.env.example', /^(?:# )?([A-Z_]+)=/gm, 10],
    ['deploy/compose.yaml', /^ {6}(MICROCHATTER_[A-Z_]+|DATABASE_URL):/gm, 9],
    ['deploy/microchatter.service', /^Environment=([A-Z_]+)=/gm, 2],
    ['deploy/Dockerfile', /^(?:ENV| {3}) ([A-Z_]+)=/gm, 4],
    ['docs/operations.md', /`(MICROCHATTER_[A-Z_]+)`/g, 9],
  ]
  for (const [file, name, fewest] of rows) {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const names = Array.from(text.matchAll(name), ([, found = '']) => found)
    assert.ok(names.length >= fewest, `${file}: ${names.join(' ')}`)
    const unknown = names.filter((each) => !known.has(each) && !OF_COMPOSE.includes(each))
    assert.deepEqual(unknown, [], file)
  }
})

test('the example of systemd is refused for what it leaves open, and starts once it is filled in', () => {
  const text = readFileSync(join(ROOT, 'deploy/microchatter.env.example'), 'utf8')
  const example = Object.fromEntries(
    Array.from(text.matchAll(/^([A-Z_]+)=(.*)$/gm), ([, name = '', value = '']) => [name, value]),
  )
  const names = refusals(load({ NODE_ENV: 'production', ...example })).map((line) =>
    line.replace(/ .*/, ''),
  )
  assert.deepEqual(names, ['MICROCHATTER_ADMIN_PASSWORD', 'DATABASE_URL'])
  const filled = {
    NODE_ENV: 'production',
    ...example,
    MICROCHATTER_JWT_SECRET: secret,
    MICROCHATTER_ADMIN_PASSWORD: 'vM3-heron-lantern',
    DATABASE_URL: (example.DATABASE_URL ?? '').replace('PASSWORD', 'word'),
  }
  assert.deepEqual(refusals(load(filled)), [])
  assert.deepEqual(warnings(load(filled), '24.0.0'), [])
})
