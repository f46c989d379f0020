/** A real server under load while its PostgreSQL freezes, or is killed: what everyone is answered. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS, type My } from '@microchatter/protocol'
import { signJwt } from '../src/domain/jwt.ts'
import { Cluster, type LossyProxy, skipCluster, startLossyProxy } from './support/cluster.ts'
import { newGroup } from './support/groups.ts'
import { type Running, startProcess } from './support/process.ts'
import { type Device, Person } from './support/server.ts'

const SECRET = randomBytes(32).toString('hex')
const ADMIN_PASSWORD = 'only-for-these-tests'
const PAIRS = 8
const ANSWERED_MS = 2_000
const BACK_MS = 3_000

describe('while the database is away', { skip: skipCluster(), timeout: 120_000 }, () => {
  let cluster: Cluster
  let proxy: LossyProxy
  let server: Running
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'microchatter-outage-'))
    cluster = await Cluster.start()
    proxy = await startLossyProxy(cluster.url)
    server = await startProcess(envOf(cluster.url))
  })
  after(async () => {
    await server.end()
    await proxy.close()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function envOf(url: string) {
    return {
      DATABASE_URL: url,
      MICROCHATTER_DATA_DIR: folder,
      MICROCHATTER_JWT_SECRET: SECRET,
      MICROCHATTER_ADMIN_PASSWORD: ADMIN_PASSWORD,
      MICROCHATTER_LIMITS: 'off',
    }
  }

  test('[ERR-3] frozen for 6 s: everyone is answered within 2 s, and nothing is lost or twice', async (t) => {
    const load = await startLoad(server)
    await sleep(1_000)
    cluster.freeze()
    const awayAt = performance.now()
    await sleep(6_000)
    cluster.thaw()
    await load.check(t, { awayAt, backAt: performance.now() })
  })

  test('[ERR-3] killed, and started again after 2 s: the same', async (t) => {
    const load = await startLoad(server)
    await sleep(1_000)
    await cluster.kill9()
    const awayAt = performance.now()
    await sleep(2_000)
    await cluster.start()
    await load.check(t, { awayAt, backAt: performance.now() })
  })

  test('[ERR-4] where the word of the commit is lost, the same key gives the first answer', async () => {
    const one = await startProcess(envOf(proxy.url))
    try {
      const admin = adminAt(one.url)
      const ann = await personAt(one.url, `ann-${randomUUID()}`)
      // Whoever is asked for is known by now: what is lost below is the call's own.
      const bob = await personAt(one.url, `bob-${randomUUID()}`)
      const register = { username: `new-${randomUUID()}` }
      const open = { username: bob.username }
      for (const [caller, path, body] of [
        [admin, '/users/register', register],
        [ann, '/chats', open],
      ] as const) {
        const call = keyed(caller, path, body)
        proxy.loseAnswerTo('COMMIT')
        const lost = await call()
        assert.deepEqual([lost.status, lost.body.code], [503, 'outcome_unknown'])
        const again = await call()
        assert.equal(again.status, 201, JSON.stringify(again.body))
        assert.deepEqual(await call(), again)
      }
      assert.equal((await ann.chats()).length, 1)
      const before = keyed(admin, '/users/register', { username: `new-${randomUUID()}` })
      proxy.loseAnswerTo('INSERT INTO audit')
      const failed = await before()
      assert.deepEqual([failed.status, failed.body.code], [503, 'unavailable'])
      assert.equal((await before()).status, 201)
    } finally {
      await one.end()
    }
  })

  test('[SEND-6] where the word of the commit is lost, my devices hear of what is mine alone', async () => {
    const one = await startProcess(envOf(proxy.url))
    const ann = await personAt(one.url, `ann-${randomUUID()}`)
    try {
      const { chatId } = await ann.sendTo(await personAt(one.url, `bob-${randomUUID()}`), 'first')
      const device = await ann.connect()
      const thumb = `/chats/${chatId}/messages/1/reactions/${encodeURIComponent('👍')}`
      for (const path of [`/chats/${chatId}/messages/1/star`, thumb]) {
        proxy.loseAnswerTo('COMMIT')
        const { status, body } = await ann.fetch<{ code: string }>('PUT', path)
        assert.deepEqual([status, body.code], [503, 'outcome_unknown'])
        const isIt = ({ my }: { my: My }) => path !== thumb || my.reactions !== undefined
        const { my } = await device.receives('my.updated', isIt, 5_000)
        assert.deepEqual((await ann.history(chatId))[0]?.my, my)
      }
    } finally {
      ann.close()
      await one.end()
    }
  })

  for (const others of [1, LIMITS.shownMembers])
    test(`[READ-4] where the word of the commit is lost in a chat with ${others} others, my devices hear of it`, async () => {
      const one = await startProcess(envOf(proxy.url))
      const ann = await personAt(one.url, `ann-${randomUUID()}`)
      const bob = await personAt(one.url, `bob-${randomUUID()}`)
      try {
        const more = Array.from({ length: others - 1 }, () => personAt(one.url, randomUUID()))
        const { id } = await newGroup([bob, ann, ...(await Promise.all(more))])
        const device = await ann.connect()
        const other = await bob.connect()
        proxy.loseAnswerTo('COMMIT')
        const pinned = await ann.fetch('PATCH', `/chats/${id}`, { pinned: true })
        assert.equal(pinned.status, 503)
        await device.receives('chat.updated', (chat) => chat.id === id && chat.pinned, 5_000)
        proxy.loseAnswerTo('COMMIT')
        const { status, body } = await ann.fetch<{ code: string }>('DELETE', `/chats/${id}`)
        assert.deepEqual([status, body.code], [503, 'outcome_unknown'])
        await device.receives('chat.removed', ({ chatId }) => chatId === id, 5_000)
        assert.deepEqual(await ann.chats(), [])
        // For the other nothing is deleted, and it is told so.
        const name = others === 1 ? 'chat.updated' : 'group.updated'
        await other.receives(name, (data) => [data.id, data.chatId].includes(id), 5_000)
        assert.equal((await bob.chats()).length, 1)
      } finally {
        ann.close()
        bob.close()
        await one.end()
      }
    })
})

function adminAt(url: string): Person {
  const basic = Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')
  return new Person({ url }, 'admin', `Basic ${basic}`)
}

async function personAt(url: string, username: string): Promise<Person> {
  const token = await signJwt(SECRET, { username }, { expiresInSeconds: 600 })
  const person = new Person({ url }, username, `Bearer ${token}`)
  await person.ask('GET', '/users/me')
  return person
}

/** The same call each time, with the same key. */
function keyed(person: Person, path: string, body: unknown) {
  const headers = {
    authorization: person.authorization,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  }
  return async () => {
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(person.server.url + path, init)
    return { status: response.status, body: (await response.json()) as any }
  }
}

interface Outage {
  awayAt: number
  backAt: number
}
interface Asked {
  what: string
  at: number
  ms: number
  /** A code of the catalogue; undefined: done. */
  code: string | undefined
  /** How long it is told to wait. */
  retryAfter: boolean
}
interface Sent {
  chatId: string
  clientId: string
  seq: number
}

/** People who send, read and look, each one call after the other, by REST and by socket. */
async function startLoad(server: Running) {
  const asked: Asked[] = []
  const sent: Sent[] = []
  const names: string[] = []
  const memory: number[] = []
  let stopped = false
  const admin = adminAt(server.url)
  const pairs = await Promise.all(
    Array.from({ length: PAIRS }, async () => {
      const [ann, bob] = await Promise.all(
        ['ann', 'bob'].map((name) => personAt(server.url, `${name}-${randomUUID()}`)),
      )
      assert(ann && bob)
      const { chatId } = await ann.sendTo(bob, 'first')
      return { ann, bob, chatId, device: await bob.connect() }
    }),
  )

  async function ask(what: string, call: () => Promise<{ code?: string; retryAfter?: boolean }>) {
    const at = performance.now()
    const { code, retryAfter = false } = await call()
    asked.push({ what, at, ms: performance.now() - at, code, retryAfter })
    return code
  }
  async function fetchAs(person: Person, method: string, path: string, body?: unknown) {
    const answer = await person.fetch(method, path, body)
    const code = answer.status < 300 ? undefined : String(answer.body?.code ?? answer.status)
    return { answer, code, retryAfter: answer.headers.has('retry-after') }
  }
  async function callBy(device: Device, name: string, body: unknown) {
    const answer = await device.call(name, body)
    return { answer, code: answer.error?.code, retryAfter: answer.error !== undefined }
  }
  async function repeat(work: () => Promise<unknown>) {
    while (!stopped) {
      await work()
      await sleep(10)
    }
  }
  /** Until it is done, as a client does it. */
  async function untilDone(once: () => Promise<string | undefined>) {
    while ((await once()) !== undefined) await sleep(100)
  }

  async function sendByRest({ ann, bob, chatId }: (typeof pairs)[number]) {
    const clientId = randomUUID()
    const path = `/chats/users/${bob.username}/messages`
    await untilDone(() =>
      ask('send by REST', async () => {
        const result = await fetchAs(ann, 'POST', path, { body: 'hello', clientId })
        if (!result.code) sent.push({ chatId, clientId, seq: result.answer.body.seq })
        return result
      }),
    )
  }
  async function sendBySocket({ device, chatId }: (typeof pairs)[number]) {
    const clientId = randomUUID()
    await untilDone(() =>
      ask('send by socket', async () => {
        const result = await callBy(device, 'message.send', { chatId, body: 'hello', clientId })
        if (!result.code) sent.push({ chatId, clientId, seq: result.answer.message.seq })
        return result
      }),
    )
  }
  async function register() {
    const username = `new-${randomUUID()}`
    const call = keyed(admin, '/users/register', { username })
    await untilDone(() =>
      ask('register', async () => {
        const { status, body } = await call()
        if (status === 201) names.push(username)
        return status === 201 ? {} : { code: body.code, retryAfter: body.retryAfterMs > 0 }
      }),
    )
  }
  const readers = ['/chats', '/unread', '/users/me', '/users/me/sessions']
  const look = ({ ann, chatId }: (typeof pairs)[number], n: number) => {
    const path = [...readers, `/chats/${chatId}/messages`][n % 5] ?? ''
    return ask(`GET ${path.split('/')[1]}`, () => fetchAs(ann, 'GET', path))
  }
  const anyone = new Person(server, '', '')
  const health = (name: string) => ask(name, () => fetchAs(anyone, 'GET', `/health/${name}`))

  const works = [
    ...pairs.flatMap((pair, n) => [
      repeat(() => sendByRest(pair)),
      repeat(() => sendBySocket(pair)),
      repeat(() => ask('sync', () => callBy(pair.device, 'sync', {}))),
      repeat(() => look(pair, n)),
    ]),
    repeat(register),
    repeat(() => health('live')),
    repeat(() => health('ready')),
    repeat(async () => void memory.push(rssOf(server))),
  ]

  return {
    async check(t: TestContext, { awayAt, backAt }: Outage) {
      await sleep(BACK_MS + 500)
      stopped = true
      await Promise.all(works)
      const during = asked.filter(({ at, ms }) => at + ms > awayAt && at < backAt)
      checkAnswers(asked)
      checkHealth(asked, { awayAt, backAt })
      await checkStored(sent, pairs)
      for (const username of names)
        assert.equal((await admin.fetch('GET', `/users/${username}`)).status, 200)
      const tooMany = Math.max(...memory) - (memory[0] ?? 0)
      assert(tooMany < 150, `${tooMany} MB more than before`)
      for (const { ann, device } of pairs) {
        device.close()
        ann.close()
      }
      const longest = Math.round(Math.max(...during.map(({ ms }) => ms)))
      t.diagnostic(
        `${asked.length} calls, ${during.length} of them meanwhile, the longest ${longest} ms; ` +
          `${sent.length} messages; ${tooMany} MB more at most; ${tally(during)}`,
      )
    },
  }
}

function tally(asked: readonly Asked[]): string {
  const counts = new Map<string, number>()
  for (const { code = 'done' } of asked) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts].map(([code, n]) => `${code} ${n}`).join(', ')
}

function checkAnswers(asked: readonly Asked[]): void {
  const honest = ['unavailable', 'busy', 'outcome_unknown', 'in_progress']
  for (const { what, ms, code, retryAfter } of asked) {
    assert(ms <= ANSWERED_MS, `${what} took ${Math.round(ms)} ms`)
    assert(code === undefined || honest.includes(code), `${what} answered ${code}`)
    assert(code === undefined || retryAfter, `${what} says not when to come again`)
  }
}

function checkHealth(asked: readonly Asked[], { awayAt, backAt }: Outage): void {
  const of = (name: string) => asked.filter(({ what }) => what === name)
  assert(of('live').every(({ code }) => code === undefined))
  const down = of('ready').find(({ at, code }) => at > awayAt && code !== undefined)
  assert(down && down.at + down.ms - awayAt < BACK_MS, 'readiness did not go down')
  for (const what of ['ready', 'send by REST', 'send by socket', 'register', 'sync']) {
    const up = of(what).find(({ at, code }) => at > backAt && code === undefined)
    assert(up && up.at + up.ms - backAt < BACK_MS, `${what} did not come back`)
  }
}

/** Each message that was acknowledged is there, once, under its seq, and there is no other. */
async function checkStored(sent: readonly Sent[], pairs: { ann: Person; chatId: string }[]) {
  for (const { ann, chatId } of pairs) {
    const stored = await ann.history(chatId)
    const [, ...rest] = stored.map(({ seq, clientId }) => `${seq} ${clientId}`)
    const due = sent
      .filter((one) => one.chatId === chatId)
      .sort((a, b) => a.seq - b.seq)
      .map(({ seq, clientId }) => `${seq} ${clientId}`)
    assert.deepEqual(rest, due)
  }
}

/** In MB. */
function rssOf({ child }: Running): number {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kb) / 1_024)
}
