/** The command, built, as a process: what it prints, refuses, survives and leaves behind. */
import assert from 'node:assert/strict'
import { execSync, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { connect as tlsConnect } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { signJwt } from '../src/domain/jwt.ts'
import { skipOf } from './support/databases.ts'
import { createDatabase, type TestDatabase } from './support/postgres.ts'
import { run, type Running, startProcess } from './support/process.ts'
import { Device, Person } from './support/server.ts'

const SECRET = randomBytes(32).toString('hex')
/** The printed lines are for people who have these two. */
const skipShell = ['bash', 'curl'].some((name) => spawnSync(name, ['--version']).error)
  ? 'needs bash and curl'
  : false
const running: Running[] = []
const folders: string[] = []

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'microchatter-process-'))
  folders.push(made)
  return made
}
async function start(env: Record<string, string>, cwd?: string): Promise<Running> {
  const one = await startProcess(env, cwd)
  running.push(one)
  return one
}
async function personAt(url: string, username: string, secret = SECRET): Promise<Person> {
  const token = await signJwt(secret, { username }, { expiresInSeconds: 600 })
  return new Person({ url }, username, `Bearer ${token}`)
}
async function userOf(person: Person): Promise<Person> {
  await person.ask('GET', '/users/me')
  return person
}

after(async () => {
  for (const one of running) if (one.child.exitCode === null) await one.end('SIGKILL')
  for (const path of folders) await rm(path, { recursive: true, force: true })
})

describe('microchatter start', () => {
  let dataDir: string
  let first: Running
  before(async () => {
    dataDir = join(await folder(), 'data')
    first = await start({ MICROCHATTER_DATA_DIR: dataDir })
  })

  test('prints the address, where the data lie, the password, and three curl lines that work', {
    skip: skipShell,
  }, async () => {
    const out = first.out()
    assert(out.includes(first.url))
    assert(out.includes(`${first.url}/demo `))
    assert(out.includes(dataDir))
    assert.match(out, /admin \/ \S{16} /)
    const lines = out.split('\n').filter((line) => /^(TOKEN=|curl )/.test(line))
    assert.equal(lines.length, 3)
    const printed = execSync(lines.join('\necho\n'), { shell: '/bin/bash' }).toString()
    assert.match(printed, /"body":"Hello!"/)
    assert.match(printed, /"lastMessage":\{/)
  })

  test('a second process on the same folder is refused, by name', async () => {
    const { code, err } = await run(['start'], { PORT: '0', MICROCHATTER_DATA_DIR: dataDir })
    assert.equal(code, 1)
    assert.match(err, new RegExp(`in use by process ${first.child.pid}`))
    assert.match(err, /MICROCHATTER_DATA_DIR/)
  })

  test('`token` signs for the server beside it', async () => {
    const { out } = await run(['token', 'zoe', '--name', 'Zoe Z.'], {
      MICROCHATTER_DATA_DIR: dataDir,
    })
    const me = await new Person(first, 'zoe', `Bearer ${out.trim()}`).ask('GET', '/users/me')
    assert.deepEqual([me.username, me.displayName], ['zoe', 'Zoe Z.'])
  })

  test('SIGTERM: clients are told to come back, the end is clean, nothing is lost', async () => {
    const { out } = await run(['token', 'admin'], { MICROCHATTER_DATA_DIR: dataDir })
    const device = new Device(first.url, { token: out.trim() })
    await device.connected()
    const ending = first.end('SIGTERM')
    const told = await device.receives('session.closed')
    assert.equal(told.reason, 'server_stopping')
    assert(told.reconnectInMs >= 0)
    assert.equal((await ending).code, 0)
    const again = await start({ MICROCHATTER_DATA_DIR: dataDir })
    assert(!again.out().includes('made now'), 'the password is shown once')
    if (skipShell) return void (await again.end())
    const lines = again
      .out()
      .split('\n')
      .filter((line) => /^(TOKEN=|curl )/.test(line))
    const printed = execSync(lines.join('\necho\n'), { shell: '/bin/bash' }).toString()
    assert.match(printed, /"seq":2/)
    await again.end()
  })

  test('SIGTERM right behind a first message, while a new chat is still being told: a clean end', async () => {
    const server = await start({ MICROCHATTER_DATA_DIR: join(await folder(), 'data') })
    const adminPassword = /admin \/ (\S{16}) /.exec(server.out())?.[1]
    const basic = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`
    const admin = new Person(server, 'admin', basic)
    await admin.ask('POST', '/chats/users/admin/messages', { body: 'first' })
    assert.equal((await server.end('SIGTERM')).code, 0)
  })
})

describe('a server that is killed', () => {
  const engines = ['embedded', 'postgres'] as const
  for (const engine of engines)
    test(`[SEND-1] keeps every message that it acknowledged, on ${engine}`, {
      skip: skipOf(engine),
    }, async () => {
      const database: TestDatabase | undefined =
        engine === 'postgres' ? await createDatabase() : undefined
      const env = {
        MICROCHATTER_DATA_DIR: join(await folder(), 'data'),
        MICROCHATTER_JWT_SECRET: SECRET,
        MICROCHATTER_LIMITS: 'off',
        ...(database ? { DATABASE_URL: database.url } : {}),
      }
      const acknowledged = new Map<string, number>()
      let chatId = ''
      for (let round = 0; round < 3; round += 1) {
        const server = await start(env)
        const [ann, bob] = [
          await userOf(await personAt(server.url, 'ann')),
          await userOf(await personAt(server.url, 'bob')),
        ]
        chatId = (await ann.sendTo(bob, `round ${round}`)).chatId
        const device = await ann.connect()
        const sends = Array.from({ length: 2_000 }, async (_, n) => {
          const clientId = randomUUID()
          const answer = await device
            .call('message.send', { chatId, body: `${round}/${n}`, clientId })
            .catch(() => undefined)
          if (answer?.ok) acknowledged.set(clientId, answer.message.seq)
        })
        await sleep(40 + round * 60)
        await server.end('SIGKILL')
        device.close()
        // What was acknowledged has arrived by now; the others would wait for their time-out.
        await Promise.race([Promise.allSettled(sends), sleep(300)])
      }
      const server = await start(env)
      const stored = await (await personAt(server.url, 'bob')).history(chatId)
      assert.deepEqual(
        stored.map(({ seq }) => seq),
        stored.map((_, index) => index + 1),
      )
      const byClientId = new Map(stored.map(({ clientId, seq }) => [clientId, seq]))
      for (const [clientId, seq] of acknowledged) assert.equal(byClientId.get(clientId), seq)
      assert(acknowledged.size > 0)
      await server.end()
      await database?.drop()
    })
})

describe('settings', () => {
  test('a wrong or unknown one stops the start with its name, the fault and the cure', async () => {
    const { code, err } = await run(['start'], { PORT: 'abc', MICROCHATTER_DATADIR: '/x' })
    assert.equal(code, 78)
    assert.match(err, /PORT/)
    assert.match(err, /MICROCHATTER_DATADIR.*MICROCHATTER_DATA_DIR/)
  })

  test('what is unsafe in production stops the start, and no secret is printed', async () => {
    const { code, err, out } = await run(['start'], {
      NODE_ENV: 'production',
      MICROCHATTER_JWT_SECRET: 'changeme-changeme-changeme-changeme',
      MICROCHATTER_LIMITS: 'off',
    })
    assert.equal(code, 78)
    assert.match(err, /MICROCHATTER_JWT_SECRET/)
    assert.match(err, /MICROCHATTER_LIMITS/)
    assert(!(err + out).includes('changeme'))
  })

  test('`config check` prints what is in force, starts nothing, and hides secrets', async () => {
    const { code, out } = await run(['config', 'check'], {
      MICROCHATTER_JWT_SECRET: SECRET,
      PORT: '4567',
    })
    assert.equal(code, 0)
    assert.match(out, /port\s+4567\s+PORT/)
    assert(!out.includes(SECRET))
  })

  test('--help names the commands', async () => {
    const { out } = await run(['--help'], {})
    for (const command of ['start', 'migrate', 'check', 'users', 'token', 'move', 'config'])
      assert.match(out, new RegExp(`^  ${command}`, 'm'))
  })
})

describe('HTTPS', () => {
  test('by key and certificate files, which are taken up anew when they change', async () => {
    const dir = await folder()
    const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url))
    await copyFile(join(fixtures, 'one.key'), join(dir, 'key.pem'))
    await copyFile(join(fixtures, 'one.crt'), join(dir, 'cert.pem'))
    const server = await start({
      MICROCHATTER_DATA_DIR: join(dir, 'data'),
      MICROCHATTER_TLS_KEY_FILE: join(dir, 'key.pem'),
      MICROCHATTER_TLS_CERT_FILE: join(dir, 'cert.pem'),
    })
    assert.match(server.url, /^https:/)
    const port = Number(new URL(server.url).port)
    const name = () =>
      new Promise<string>((resolve, reject) => {
        const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN))
          socket.destroy()
        })
        socket.once('error', reject)
      })
    assert.equal(await name(), 'one')
    const later = new Date(Date.now() + 5_000)
    for (const [from, to] of [
      ['two.key', 'key.pem'],
      ['two.crt', 'cert.pem'],
    ] as const) {
      await writeFile(join(dir, to), await readFile(join(fixtures, from)))
      await utimes(join(dir, to), later, later)
    }
    for (let n = 0; n < 100 && (await name()) !== 'two'; n += 1) await sleep(100)
    assert.equal(await name(), 'two')
    await server.end()
  })
})

describe('after a kill', { skip: skipOf('postgres') || process.platform !== 'linux' }, () => {
  test('the next one does not wait for the heart of the dead one', async () => {
    const database = await createDatabase()
    const env = { DATABASE_URL: database.url, MICROCHATTER_JWT_SECRET: SECRET }
    const cwd = await folder()
    await (await startProcess(env, cwd)).end('SIGKILL')
    const begin = performance.now()
    const next = await startProcess(env, cwd)
    assert(performance.now() - begin < 4_000, 'it waited')
    assert.doesNotMatch(next.out(), /Another node/)
    await next.end()
    await database.drop()
  })

  test('beside one that was killed elsewhere, neither is taken for alive', async () => {
    const database = await createDatabase()
    const env = { DATABASE_URL: database.url, MICROCHATTER_JWT_SECRET: SECRET }
    const cwd = await folder()
    await (await startProcess(env, cwd)).end('SIGKILL')
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query(
      'INSERT INTO microchatter.nodes (id, has_bus) VALUES (gen_random_uuid(), false)',
    )
    await client.end()
    const next = await startProcess(env, cwd)
    assert.doesNotMatch(next.out(), /Another node/)
    await next.end()
    await database.drop()
  })
})

describe('two nodes that start at once', { skip: skipOf('postgres') }, () => {
  test('migrate once', async () => {
    const database = await createDatabase()
    const env = { DATABASE_URL: database.url, MICROCHATTER_JWT_SECRET: SECRET }
    const cwd = await folder()
    const results = await Promise.all([1, 2, 3].map(() => run(['migrate'], env, { cwd })))
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0, 0],
    )
    const applied = results.filter(({ out }) => out.includes('0001_start.sql'))
    assert.equal(applied.length, 1)
    await database.drop()
  })
})
