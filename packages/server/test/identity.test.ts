import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import bcrypt from 'bcryptjs'
import pg from 'pg'
import { createMicrochatter, loadConfig } from '../src/server.ts'
import { skipOf } from './support/databases.ts'
import { ADMIN_PASSWORD, productionDatabase } from './support/production.ts'
import {
  admin,
  jwtFor,
  newName,
  newPerson,
  Person,
  startServer,
  type TestServer,
} from './support/server.ts'

describe('who you are', { skip: skipOf('postgres') }, () => {
  let server: TestServer
  let sql: pg.Client
  before(async () => {
    server = await startServer('postgres')
    sql = new pg.Client({ connectionString: server.env.DATABASE_URL })
    await sql.connect()
    await sql.query('SET search_path TO microchatter')
  })
  after(async () => {
    await sql.end()
    await server.close()
  })

  const md5 = (text: string | Buffer) => createHash('md5').update(text).digest('hex')
  const basic = (username: string, password: string) =>
    new Person(
      server,
      username,
      `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    )

  async function passwordOf(username: string): Promise<string> {
    const { rows } = await sql.query('SELECT password FROM users WHERE username = $1', [username])
    return rows[0].password
  }
  async function insert(password: string): Promise<string> {
    const username = newName('sql')
    await sql.query('INSERT INTO users (username, password) VALUES ($1, $2)', [username, password])
    return username
  }

  test('rows put in by plain SQL with MD5, bcrypt or wrapped MD5 log in, and are upgraded', async () => {
    for (const hash of [md5('right-password'), bcrypt.hashSync('right-password', 5)]) {
      const username = await insert(hash)
      const wrong = await basic(username, 'wrong-password').fetch('POST', '/users/login')
      assert.equal(wrong.body.code, 'bad_credentials')
      const asHash = await basic(username, hash).fetch('POST', '/users/login')
      assert.equal(asHash.status, 401)
      const { token, user } = await basic(username, 'right-password').ask('POST', '/users/login')
      assert.equal(user.username, username)
      assert.match(token, /^mcs_/)
      assert.match(await passwordOf(username), /^\$argon2id\$/)
      await basic(username, 'right-password').ask('GET', '/users/me')
    }
  })

  test('MD5s that wait for their first log-in are wrapped in the background, and still log in', async () => {
    const username = await insert(md5('waiting-password'))
    const other = await startServer('postgres', { ...server.env, PORT: '0' })
    for (let n = 0; n < 100 && !(await passwordOf(username)).startsWith('argon2id+md5'); n += 1)
      await sleep(50)
    assert.match(await passwordOf(username), /^argon2id\+md5\$argon2id\$/)
    const { rows } = await sql.query(`SELECT 1 FROM users WHERE password ~ '^[0-9a-f]{32}$'`)
    assert.equal(rows.length, 0)
    await other.close()
    await basic(username, 'waiting-password').ask('POST', '/users/login')
    assert.match(await passwordOf(username), /^\$argon2id\$/)
  })

  test('Basic is verified once a minute, not hashed per call, and forgotten with the password', async () => {
    const person = await newPerson(server)
    await admin(server).ask('PATCH', `/users/${person.username}`, { password: 'first-password' })
    const one = basic(person.username, 'first-password')
    await one.ask('GET', '/users/me')
    const begin = performance.now()
    for (let n = 0; n < 50; n += 1) await one.ask('GET', '/unread')
    const perCall = (performance.now() - begin) / 50
    assert(perCall < 8, `${perCall} ms a call; one hash takes more`)
    await admin(server).ask('PATCH', `/users/${person.username}`, { password: 'second-password' })
    assert.equal((await one.fetch('GET', '/users/me')).status, 401)
    await basic(person.username, 'second-password').ask('GET', '/users/me')
  })

  test('the first valid JWT creates the user; name, picture and role follow the newest', async () => {
    const username = newName('jwt')
    const first = new Person(
      server,
      username,
      `Bearer ${await jwtFor(username, { displayName: 'One' })}`,
    )
    assert.equal((await first.ask('GET', '/users/me')).displayName, 'One')
    await sleep(1_100)
    const second = new Person(
      server,
      username,
      `Bearer ${await jwtFor(username, { displayName: 'Two', role: 'admin' })}`,
    )
    assert.deepEqual(
      await second.ask('GET', '/users/me').then(({ displayName, role }) => [displayName, role]),
      ['Two', 'admin'],
    )
    // The older token is still good, and changes nothing back.
    assert.equal((await first.ask('GET', '/users/me')).displayName, 'Two')
    await second.ask('GET', '/users')
  })

  test('a token from before the deletion does not bring the account back', async () => {
    const person = await newPerson(server)
    await admin(server).ask('DELETE', `/users/${person.username}`)
    assert.equal((await person.fetch('GET', '/users/me')).status, 401)
    await sleep(1_100)
    const anew = new Person(server, person.username, `Bearer ${await jwtFor(person.username)}`)
    assert.equal((await anew.ask('GET', '/users/me')).username, person.username)
    assert.equal((await person.fetch('GET', '/users/me')).status, 401)
    assert.deepEqual(await anew.chats(), [])
  })

  test('of a database dump, nothing can be used to log in', async () => {
    const person = await newPerson(server)
    const { token } = await person.ask('POST', '/users/login')
    await new Person(server, person.username, `Bearer ${token}`).ask('GET', '/users/me')
    const { rows } = await sql.query(
      `SELECT id::text, encode(token_hash, 'hex') AS hex, encode(token_hash, 'base64') AS base64
       FROM sessions`,
    )
    for (const value of rows.flatMap((row) => Object.values(row) as string[]))
      for (const attempt of [value, `mcs_${value}`]) {
        const answer = await new Person(server, '', `Bearer ${attempt}`).fetch('GET', '/users/me')
        assert.equal(answer.status, 401)
      }
  })

  test('a session cannot be used after its idle or its absolute end', async () => {
    const person = await newPerson(server)
    for (const change of [
      `last_used_at = now() - interval '15 days'`,
      `expires_at = now() - interval '1 second'`,
    ]) {
      const { token } = await person.ask('POST', '/users/login')
      await sql.query(
        `UPDATE sessions SET ${change} WHERE user_id = (SELECT id FROM users WHERE username = $1)`,
        [person.username],
      )
      const answer = await new Person(server, '', `Bearer ${token}`).fetch('GET', '/users/me')
      assert.deepEqual([answer.status, answer.body.code], [401, 'token_expired'])
    }
  })

  test('a new password ends the other sessions, and not the one that asks', async () => {
    const person = await newPerson(server)
    await admin(server).ask('PATCH', `/users/${person.username}`, { password: 'first-password' })
    const login = async () => {
      const { token } = await person.ask('POST', '/users/login')
      return new Person(server, person.username, `Bearer ${token}`)
    }
    const [mine, other] = [await login(), await login()]
    const refused = await mine.fetch('PATCH', '/users/me', { password: 'second-password' })
    assert.deepEqual([refused.status, refused.body.field], [403, '/currentPassword'])
    await mine.ask('PATCH', '/users/me', {
      password: 'second-password',
      currentPassword: 'first-password',
    })
    await mine.ask('GET', '/users/me')
    assert.equal((await other.fetch('GET', '/users/me')).status, 401)
    assert.equal(
      (await basic(person.username, 'first-password').fetch('GET', '/users/me')).status,
      401,
    )
  })

  test('two log-ins and a change of password at once: the changed one stays', async () => {
    for (let round = 0; round < 5; round += 1) {
      const username = await insert(md5('old-password'))
      await Promise.all([
        basic(username, 'old-password').fetch('POST', '/users/login'),
        admin(server).ask('PATCH', `/users/${username}`, { password: 'changed-password' }),
        basic(username, 'old-password').fetch('POST', '/users/login'),
      ])
      await basic(username, 'changed-password').ask('POST', '/users/login')
    }
  })

  test('[LIMIT-2] failed log-ins are slowed down, but not from where one has logged in', async () => {
    const limited = await startServer('postgres', {
      ...server.env,
      PORT: '0',
      MICROCHATTER_LIMITS: 'on',
      MICROCHATTER_TRUST_PROXY: '127.0.0.1',
    })
    const username = await insert(md5('right-password'))
    const from = (address: string, password: string) =>
      fetch(`${limited.url}/users/login`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
          'x-forwarded-for': address,
        },
      })
    assert.equal((await from('10.0.0.1', 'right-password')).status, 200)
    // What was verified within the last minute would not be looked at again.
    await admin(limited).ask('PATCH', `/users/${username}`, { password: 'newer-password' })
    const statuses: number[] = []
    for (let n = 0; n < 12; n += 1)
      statuses.push((await from(`10.0.1.${n}`, 'wrong-password')).status)
    assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429])
    const slowed = await from('10.0.2.1', 'newer-password')
    assert.equal(slowed.status, 429)
    assert(Number(slowed.headers.get('retry-after')) > 0)
    assert.equal((await from('10.0.0.1', 'newer-password')).status, 200)
    await limited.close()
  })

  test('Basic in production is taken over HTTPS only', async () => {
    const { env, drop } = await productionDatabase()
    const strict = await createMicrochatter(loadConfig({ env, cwd: '/' }))
    const call = (headers: Record<string, string>) =>
      fetch(`${strict.url}/users/me`, {
        headers: {
          authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`,
          ...headers,
        },
      })
    const plain = await call({})
    assert.deepEqual(
      [plain.status, ((await plain.json()) as { code: string }).code],
      [403, 'insecure'],
    )
    assert.equal((await call({ 'x-forwarded-proto': 'https' })).status, 200)
    await strict.close()
    await drop()
  })
})

describe('log-in by a JWT of ours', { skip: skipOf('postgres') }, () => {
  test('the token works, cannot log in again, and ends with the password', async () => {
    const server = await startServer('postgres', { MICROCHATTER_LOGIN_TOKEN: 'jwt' })
    const person = await newPerson(server)
    await admin(server).ask('PATCH', `/users/${person.username}`, { password: 'first-password' })
    await sleep(1_100)
    const basic = Buffer.from(`${person.username}:first-password`).toString('base64')
    const { token } = await new Person(server, '', `Basic ${basic}`).ask('POST', '/users/login')
    assert.equal(token.split('.').length, 3)
    const mine = new Person(server, person.username, `Bearer ${token}`)
    assert.equal((await mine.ask('GET', '/users/me')).username, person.username)
    assert.equal((await mine.fetch('POST', '/users/login')).body.code, 'forbidden')
    const device = await mine.connect()
    await admin(server).ask('PATCH', `/users/${person.username}`, { password: 'other-password' })
    assert.deepEqual(await device.receives('session.closed'), { reason: 'session_revoked' })
    assert.equal((await mine.fetch('GET', '/users/me')).status, 401)
    await server.close()
  })
})
