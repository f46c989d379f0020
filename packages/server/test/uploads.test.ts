/** Large uploads on bad connections, by the clients of tus that sites use, and what a crash leaves. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { File } from '@microchatter/protocol'
import * as tus from 'tus-js-client'
import { signJwt } from '../src/domain/jwt.ts'
import {
  announce,
  download,
  linkOf,
  offsetOf,
  patch,
  photo,
  sendFiles,
  tryUpload,
  TUS,
  upload,
} from './support/files.ts'
import { openSmallDisk } from '../../../faults/small-disk.ts'
import { type Running, startProcess } from './support/process.ts'
import { newPerson, Person, SECRET, startServer } from './support/server.ts'

const MB = 1_048_576
const SIZE = 1_024 * MB
const CUTS = 10

let folder: string
let server: Running
let env: Record<string, string>

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'microchatter-uploads-'))
  env = {
    MICROCHATTER_DATA_DIR: join(folder, 'data'),
    MICROCHATTER_JWT_SECRET: SECRET,
    MICROCHATTER_FILES_UPLOADS: 'on',
    MICROCHATTER_FILES_MAX_MEGABYTES: '2000',
    MICROCHATTER_FILES_MEGABYTES_PER_USER: '4000',
  }
  server = await startProcess(env)
})
after(async () => {
  await server.end()
  await rm(folder, { recursive: true, force: true })
})

async function personOf(username: string): Promise<Person> {
  const token = await signJwt(SECRET, { username }, { expiresInSeconds: 3_600 })
  const person = new Person(server, username, `Bearer ${token}`)
  await person.ask('GET', '/users/me')
  return person
}

describe('uploads', () => {
  test('[FILE-2] a gigabyte through a proxy that cuts it ten times, and the server stays small', async (t) => {
    const [ann, bob] = [await personOf('ann'), await personOf('bob')]
    const path = join(folder, 'large.bin')
    const due = await writeLarge(path)
    const proxy = await startCutting(server.url)
    const memory = watchMemory(server.child.pid ?? 0)
    const began = performance.now()
    try {
      const file = await sendByTus(ann, proxy.url, path)
      assert.equal(proxy.cuts(), CUTS)
      assert.equal(file.size, SIZE)
      const { chatId } = await ann.sendTo(bob, 'large')
      const message = await sendFiles(ann, chatId, [file])
      const link = await linkOf(bob, message, file)
      const response = await fetch(new URL(link?.url ?? '', server.url))
      const hash = createHash('sha256')
      for await (const chunk of response.body ?? []) hash.update(chunk as Uint8Array)
      assert.equal(hash.digest('hex'), due)
    } finally {
      await proxy.close()
      await rm(path)
    }
    const { before, peak } = memory.end()
    t.diagnostic(
      `${Math.round(performance.now() - began)} ms up and down, RSS ${before} MB before, ${peak} MB at most`,
    )
    assert(peak - before < 200, `RSS grew from ${before} to ${peak} MB`)
  })

  test('[FILE-2] [FILE-6] after kill -9 half-way it goes on, and what was sent is there', async () => {
    const [cat, dan] = [await personOf('cat'), await personOf('dan')]
    const picture = await upload(cat, await photo())
    const { chatId } = await cat.sendTo(dan, 'first')
    const message = await sendFiles(cat, chatId, [picture])
    const other = await upload(cat, randomBytes(100_000))
    const doomed = await sendFiles(cat, chatId, [other])
    const bytes = randomBytes(40 * MB)
    const { path } = await announce(cat, bytes.length)
    const half = patch(cat, path, 0, bytes).catch(() => undefined)
    for (;;) if ((await offsetOf(cat, path).catch(() => 0)) >= 8 * MB) break
    await cat.ask('DELETE', `/chats/${chatId}/messages/${doomed.seq}`)
    await server.end('SIGKILL')
    await half
    server = await startProcess({ ...env, PORT: new URL(server.url).port })
    const [again, dans] = [await personOf('cat'), await personOf('dan')]
    let at = await offsetOf(again, path)
    assert(at >= 8 * MB && at <= bytes.length, `${at}`)
    if (at < bytes.length)
      at = Number((await patch(again, path, at, bytes.subarray(at))).headers.get('upload-offset'))
    assert.equal(at, bytes.length)
    const file = await again.ask<File>('GET', path)
    const sent = await sendFiles(again, chatId, [file])
    const found = await download(dans, (await linkOf(dans, sent, file))?.url)
    assert(found.bytes.equals(bytes))
    const old = await download(dans, (await linkOf(dans, message, picture))?.url)
    assert.equal(old.bytes.length, picture.size)
    await gone(join(folder, 'data', 'files'), other.id)
  })

  test('[FILE-2] an orderly stop keeps what has come, and does not wait for the rest', async () => {
    const hal = await personOf('hal')
    const { path } = await announce(hal, 3_000_000)
    const socket = begin(hal, path, 3_000_000)
    socket.write(randomBytes(1_000_000))
    await sleep(300)
    const began = performance.now()
    assert.equal((await server.end('SIGTERM')).code, 0)
    const ms = performance.now() - began
    assert(ms < 5_000, `${ms} ms`)
    server = await startProcess({ ...env, PORT: new URL(server.url).port })
    assert.equal(await offsetOf(await personOf('hal'), path), 1_000_000)
  })

  test('[FILE-3] where the process for images is killed, the image is looked at once more', async () => {
    const ivy = await personOf('ivy')
    await upload(ivy, await photo())
    const childOf = async () => {
      const pid = server.child.pid ?? 0
      const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
      return Number(text.trim().split(' ').at(-1))
    }
    const child = await childOf()
    const large = tryUpload(ivy, await photo({ width: 6_000, height: 5_000 }))
    await sleep(150)
    process.kill(child, 'SIGKILL')
    const { status, body } = await large
    assert.deepEqual([status, body.kind], [201, 'image'])
    assert.notEqual(await childOf(), child)
  })

  test('[FILE-3] a full disk is told as such; messages go on, and so does the upload when there is room', async () => {
    const disk = await openSmallDisk()
    const small = await startServer('embedded', {
      MICROCHATTER_FILES_UPLOADS: 'on',
      MICROCHATTER_FILES_DIR: join(disk.folder, 'files'),
    })
    try {
      const [ann, bob] = [await newPerson(small), await newPerson(small)]
      const bytes = randomBytes(3 * MB)
      const { path } = await announce(ann, bytes.length)
      await patch(ann, path, 0, bytes.subarray(0, MB))
      disk.fill()
      const full = await patch(ann, path, MB, bytes.subarray(MB))
      assert.deepEqual([full.status, full.body.code], [507, 'storage_full'])
      assert.equal((await ann.sendTo(bob, 'still here')).seq, 1)
      disk.free()
      const at = await offsetOf(ann, path)
      assert(at >= MB)
      assert.equal((await patch(ann, path, at, bytes.subarray(at))).body.size, bytes.length)
    } finally {
      await small.close()
      await disk.close()
    }
  })

  test('[FILE-1] an object store that is away is told as such, and messages go on', async () => {
    const away = await startServer('embedded', {
      MICROCHATTER_FILES_UPLOADS: 'on',
      MICROCHATTER_S3_URL: 'http://127.0.0.1:1/files',
      MICROCHATTER_S3_ACCESS_KEY_ID: 'x',
      MICROCHATTER_S3_SECRET_ACCESS_KEY: 'x',
    })
    try {
      const [ann, bob] = [await newPerson(away), await newPerson(away)]
      const { status, body } = await tryUpload(ann, randomBytes(100))
      assert.deepEqual([status, body.code], [503, 'unavailable'])
      assert.equal((await ann.sendTo(bob, 'still here')).seq, 1)
    } finally {
      await away.close()
    }
  })

  describe('side by side', { concurrency: 3 }, () => {
    test('[FILE-2] one that takes longer than other requests may is not cut off as long as bytes come', async () => {
      const eve = await personOf('eve')
      const bytes = randomBytes(20 * 40_000)
      const { path } = await announce(eve, bytes.length)
      const answer = await slowly(eve, path, bytes, 20, 1_000)
      assert.match(answer, /^HTTP\/1\.1 200 /)
      assert.equal((await eve.ask<File>('GET', path)).size, bytes.length)
    })

    test('[FILE-2] one that drips is cut off, and others are served meanwhile', async () => {
      const fay = await personOf('fay')
      const { path } = await announce(fay, 1_000_000)
      const began = performance.now()
      const dripping = slowly(
        fay,
        path,
        randomBytes(1_000_000).subarray(0, 400),
        40,
        1_000,
        1_000_000,
      )
      assert.equal((await fay.fetch('GET', '/chats')).status, 200)
      assert.equal(await dripping, '')
      const seconds = (performance.now() - began) / 1_000
      assert(seconds > 10 && seconds < 35, `${seconds} s`)
      assert((await offsetOf(fay, path)) <= 400)
    })

    test('[FILE-2] a seventh at a time waits; sizes and totals are bounded', async () => {
      const gus = await personOf('gus')
      const ups = await Promise.all(Array.from({ length: 7 }, () => announce(gus, 100_000)))
      const sockets = ups.slice(0, 6).map(({ path }) => begin(gus, path, 100_000))
      await sleep(300)
      const seventh = await patch(gus, ups[6]?.path ?? '', 0, randomBytes(100_000))
      assert.deepEqual([seventh.status, seventh.body.code], [503, 'busy'])
      for (const socket of sockets) socket.destroy()
      await sleep(300)
      assert.equal((await patch(gus, ups[6]?.path ?? '', 0, randomBytes(100_000))).status, 200)
      const tooLarge = await announce(gus, 2_000_000_001)
      assert.deepEqual([tooLarge.status, tooLarge.body.code], [413, 'too_large'])
      assert.equal((await announce(gus, 2_000_000_000)).status, 201)
      const tooMuch = await announce(gus, 2_000_000_000)
      assert.deepEqual([tooMuch.status, tooMuch.body.code], [403, 'forbidden'])
    })
  })
})

async function gone(dir: string, id: string): Promise<void> {
  for (const until = Date.now() + 12_000; ; await sleep(200)) {
    const names = await readdir(dir, { recursive: true })
    if (!names.some((name) => name.includes(id))) return
    assert(Date.now() < until, `${id} is still there`)
  }
}

/** Mostly the same, but no part of it is where another one is. @returns its SHA-256 */
async function writeLarge(path: string): Promise<string> {
  const file = await open(path, 'w')
  const block = randomBytes(MB)
  const hash = createHash('sha256')
  for (let n = 0; n < SIZE / MB; n += 1) {
    block.writeUInt32BE(n, 1_000)
    hash.update(block)
    await file.write(block)
  }
  await file.close()
  return hash.digest('hex')
}

function sendByTus(person: Person, url: string, path: string): Promise<File> {
  return new Promise((resolve, reject) => {
    const sending = new tus.Upload(createReadStream(path), {
      endpoint: `${url}/uploads`,
      headers: { authorization: person.authorization },
      uploadSize: SIZE,
      metadata: { filename: 'large.bin' },
      retryDelays: Array<number>(20).fill(100),
      onError: reject,
      onSuccess: ({ lastResponse }) => resolve(JSON.parse(lastResponse.getBody()) as File),
    })
    sending.start()
  })
}

/** Each of the first connections that bring much ends somewhere in the middle. */
async function startCutting(to: string) {
  const { hostname, port } = new URL(to)
  let cuts = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((socket) => {
    const server = connect(Number(port), hostname)
    for (const one of [socket, server]) sockets.add(one)
    const end = () => {
      socket.destroy()
      server.destroy()
    }
    for (const one of [socket, server]) one.on('error', end).on('close', end)
    const cutAt = (30 + Math.random() * 60) * MB
    socket.on('data', () => {
      if (cuts >= CUTS || socket.bytesRead < cutAt) return
      cuts += 1
      end()
    })
    socket.pipe(server).pipe(socket)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  assert(address && typeof address === 'object')
  return {
    url: `http://127.0.0.1:${address.port}`,
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}

/** In megabytes. */
function watchMemory(pid: number) {
  const samples: number[] = []
  const look = async () => {
    const text = await readFile(`/proc/${pid}/status`, 'utf8')
    samples.push(Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1_024))
  }
  void look()
  const timer = setInterval(() => void look(), 100)
  return {
    end() {
      clearInterval(timer)
      return { before: samples[0] ?? 0, peak: Math.max(...samples) }
    },
  }
}

function begin(person: Person, path: string, length: number): Socket {
  const { hostname, port, host } = new URL(person.server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const head = {
    Host: host,
    Authorization: person.authorization,
    'Tus-Resumable': TUS['tus-resumable'],
    'Content-Type': 'application/offset+octet-stream',
    'Upload-Offset': '0',
    'Content-Length': String(length),
  }
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`)
  socket.write(`PATCH ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  return socket
}

/** In so many pieces, one each `everyMs`. @returns what was answered until it was closed */
async function slowly(
  person: Person,
  path: string,
  bytes: Buffer,
  pieces: number,
  everyMs: number,
  length = bytes.length,
): Promise<string> {
  const socket = begin(person, path, length)
  let text = ''
  let isOver = false
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.on('close', () => (isOver = true))
  const size = Math.ceil(bytes.length / pieces)
  for (let at = 0; at < bytes.length && !isOver; at += size) {
    socket.write(bytes.subarray(at, at + size))
    await sleep(everyMs)
  }
  for (const until = Date.now() + 5_000; text === '' && !isOver && Date.now() < until; )
    await sleep(20)
  socket.destroy()
  return text
}
