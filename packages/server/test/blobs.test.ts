/** One contract suite for every place where the bytes of files are kept. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, stat, utimes, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  type Blobs,
  NoSuchBlob,
  type Progress,
  StorageAway,
  StorageFull,
} from '../src/blobs/blobs.ts'
import { openDisk } from '../src/blobs/disk.ts'
import { openS3 } from '../src/blobs/s3.ts'
import { sweepBlobs } from '../src/domain/leftovers.ts'
import { openSmallDisk } from '../../../faults/small-disk.ts'
import { freshDatabase } from './support/databases.ts'
import { startS3, type TestS3 } from './support/s3.ts'

let s3: TestS3
let folder: string

before(async () => {
  s3 = await startS3()
  folder = await mkdtemp(join(tmpdir(), 'microchatter-blobs-'))
})
after(async () => {
  await s3.close()
  await rm(folder, { recursive: true, force: true })
})

async function* chunksOf(bytes: Buffer, size = 65_536, endsAfter = Infinity) {
  for (let at = 0; at < bytes.length; at += size) {
    if (at >= endsAfter) throw new Error('The connection broke off')
    yield bytes.subarray(at, at + size)
  }
}

const MB = 1_048_576
const makers: [name: string, open: () => Promise<Blobs>][] = [
  ['a folder', () => openDisk(folder)],
  ['an S3 bucket', async () => openS3(s3)],
]

for (const [name, open] of makers)
  describe(`blobs in ${name}`, () => {
    let blobs: Blobs
    before(async () => {
      blobs = await open()
    })

    async function readAll(key: string, range?: { start: number; end: number }): Promise<Buffer> {
      return Buffer.concat(await (await blobs.get(key, range)).toArray())
    }
    /** In as many requests as there are parts; each but the last breaks off. */
    async function upload(bytes: Buffer, breaks: readonly number[]) {
      const key = randomUUID()
      let progress: Progress = { received: 0 }
      const saves: number[] = []
      const save = async (saved: Progress) => {
        // As a database would give it back.
        progress = JSON.parse(JSON.stringify(saved)) as Progress
        saves.push(saved.received)
      }
      for (const breakAt of [...breaks, Infinity]) {
        const rest = bytes.subarray(progress.received)
        const upload = { key, size: bytes.length, progress }
        const sent = blobs.append(upload, chunksOf(rest, 65_536, breakAt), save)
        if (breakAt === Infinity) await sent
        else await assert.rejects(sent, /broke off/)
      }
      await blobs.complete({ key, size: bytes.length, progress })
      return { key, saves, progress }
    }

    test('[FILE-2] what came before a break is kept, and the rest goes behind it', async () => {
      const bytes = randomBytes(19 * MB + 12_345)
      const { key, saves } = await upload(bytes, [65_536, 3 * MB, 131_072, 12 * MB])
      assert((await readAll(key)).equals(bytes))
      assert.deepEqual(
        saves.filter((one, index) => one < (saves[index - 1] ?? 0)),
        [],
        'it only goes forward',
      )
      assert.equal(saves.at(-1), bytes.length)
    })

    test('a small file, an exact part, and one byte more', async () => {
      for (const size of [1, 8 * MB, 8 * MB + 1]) {
        const bytes = randomBytes(size)
        const { key } = await upload(bytes, [])
        assert((await readAll(key)).equals(bytes), `${size}`)
      }
    })

    test('a range', async () => {
      const bytes = randomBytes(300_000)
      const { key } = await upload(bytes, [])
      assert((await readAll(key, { start: 7, end: 7 })).equals(bytes.subarray(7, 8)))
      assert((await readAll(key, { start: 99_999, end: 299_999 })).equals(bytes.subarray(99_999)))
    })

    test('completed twice, since the first answer may be lost', async () => {
      const bytes = randomBytes(100)
      const { key, progress } = await upload(bytes, [])
      await blobs.complete({ key, size: 100, progress })
      assert((await readAll(key)).equals(bytes))
    })

    test('put, written over, removed, and removed again', async () => {
      const key = randomUUID()
      await blobs.put(key, Buffer.from('a longer text'), 'text/plain')
      await blobs.put(key, Buffer.from('short'), 'text/plain')
      assert.equal(String(await readAll(key)), 'short')
      await blobs.remove(key)
      await assert.rejects(readAll(key), NoSuchBlob)
      await blobs.remove(key)
    })

    test('an upload that is given up leaves nothing', async () => {
      const key = randomUUID()
      let progress: Progress = { received: 0 }
      const save = async (saved: Progress) => void (progress = saved)
      const upload = { key, size: 20 * MB, progress }
      await blobs.append(upload, chunksOf(randomBytes(9 * MB)), save)
      assert.equal(progress.received, 9 * MB)
      await blobs.abandon({ ...upload, progress })
      await blobs.abandon({ ...upload, progress })
      await assert.rejects(readAll(key), NoSuchBlob)
      const left = []
      for await (const one of blobs.list()) if (one.key.startsWith(key)) left.push(one)
      assert.deepEqual(left, [])
    })

    test('all of them are listed, with their times', async () => {
      const keys = [randomUUID(), `${randomUUID()}-thumbnail`]
      for (const key of keys) await blobs.put(key, Buffer.from('x'), 'text/plain')
      const found = new Map<string, Date>()
      for await (const { key, at } of blobs.list()) found.set(key, at)
      for (const key of keys) {
        const age = Date.now() - (found.get(key)?.getTime() ?? 0)
        assert(age > -5_000 && age < 60_000, `${key}: ${age}`)
      }
    })
  })

test('an object store that is away, or refuses the key', async () => {
  const away = openS3({ ...s3, url: 'http://127.0.0.1:1/none' })
  await assert.rejects(away.get('x'), StorageAway)
  const stranger = openS3({ ...s3, accessKeyId: 'nobody' })
  await assert.rejects(stranger.get('x'), StorageAway)
})

test('a folder that is read by its owner alone, and cannot be left by a name', async () => {
  const dir = join(folder, 'private')
  const blobs = await openDisk(dir)
  const key = randomUUID()
  await blobs.put(key, Buffer.from('x'), 'text/plain')
  assert.equal((await stat(dir)).mode & 0o777, 0o700)
  assert.equal((await stat(join(dir, key.slice(-2), key))).mode & 0o777, 0o600)
})

test('a folder that cannot be made', async () => {
  const file = join(folder, 'a-file')
  await writeFile(file, 'x')
  await assert.rejects(openDisk(join(file, 'files')), StorageAway)
})

test('[FILE-6] a full disk is told as such, what has come is kept, and it goes on when there is room', async () => {
  const disk = await openSmallDisk()
  try {
    const blobs = await openDisk(join(disk.folder, 'files'))
    const bytes = randomBytes(4 * MB)
    const key = randomUUID()
    let progress: Progress = { received: 0 }
    const save = async (saved: Progress) => void (progress = saved)
    const begun = { key, size: bytes.length, progress }
    await blobs.append(begun, chunksOf(bytes.subarray(0, MB)), save)
    disk.fill()
    const more = blobs.append({ ...begun, progress }, chunksOf(bytes.subarray(MB)), save)
    await assert.rejects(more, StorageFull)
    await assert.rejects(blobs.put(randomUUID(), bytes, 'x/y'), StorageFull)
    disk.free()
    assert(progress.received >= MB)
    await blobs.append({ ...begun, progress }, chunksOf(bytes.subarray(progress.received)), save)
    const found = Buffer.concat(await (await blobs.get(key)).toArray())
    assert(found.equals(bytes))
  } finally {
    await disk.close()
  }
})

test('[FILE-6] bytes that no row knows are swept away, once they are a day old', async () => {
  const database = await freshDatabase('embedded')
  try {
    const dir = join(folder, 'swept')
    const blobs = await openDisk(dir)
    const old = new Date(Date.now() - 90_000_000)
    const paths = [randomUUID(), randomUUID()].map((key) => join(dir, key.slice(-2), key))
    const [lost = '', young = ''] = paths
    const foreign = join(dir, 'ab', 'a-note-of-the-operator')
    await mkdir(join(dir, 'ab'))
    for (const path of [lost, young, foreign]) {
      await mkdir(join(path, '..'), { recursive: true })
      await writeFile(path, 'x')
    }
    for (const path of [lost, foreign]) await utimes(path, old, old)
    await sweepBlobs(database.db, blobs)
    await assert.rejects(stat(lost), /ENOENT/)
    await stat(young)
    await stat(foreign)
  } finally {
    await database.drop()
  }
})
