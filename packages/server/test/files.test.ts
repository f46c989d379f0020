/** Files: uploaded, looked at, sent, seen by whom, and gone. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateSync, crc32 } from 'node:zlib'
import type { File, Message } from '@microchatter/protocol'
import sharp from 'sharp'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { type Engine, engines, skipOf } from './support/databases.ts'
import {
  announce,
  ask,
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
import { assertFresh, newGroup, newPeople } from './support/groups.ts'
import { startS3, type TestS3 } from './support/s3.ts'
import { admin, type Person, startServer, type TestServer } from './support/server.ts'
import { comeBack } from './support/watch.ts'

const worlds: [engine: Engine, storage: 'folder' | 's3'][] = [
  ...engines.map((engine): [Engine, 'folder'] => [engine, 'folder']),
  ['postgres', 's3'],
]

// Side by side: most of them wait for something to go.
for (const [engine, storage] of worlds)
  describe(`files on ${engine}, in ${storage}`, { skip: skipOf(engine), concurrency: 8 }, () => {
    let server: TestServer
    let s3: TestS3 | undefined
    before(async () => {
      s3 = storage === 's3' ? await startS3() : undefined
      server = await startServer(engine, {
        MICROCHATTER_FILES_UPLOADS: 'on',
        MICROCHATTER_FILES_MAX_MEGABYTES: '30',
        ...s3?.env,
      })
    })
    after(async () => {
      await server.close()
      await s3?.close()
    })

    const some = (count: number) => newPeople(server, count) as Promise<any>
    const seen = (one: Person, { chatId, seq }: Message) =>
      one.fetch<Message>('GET', `/chats/${chatId}/messages/${seq}`)
    /** Ann sends one to bob. */
    async function sent(bytes: Uint8Array, given: object = {}) {
      const [ann, bob] = await some(2)
      const file = await upload(ann, bytes, given)
      const { chatId } = await ann.sendTo(bob, 'look')
      const message = await sendFiles(ann, chatId, [file])
      return { ann: ann as Person, bob: bob as Person, file, message }
    }

    test('[FILE-1] [FILE-5] a photo: without its metadata, with a small one, the same for all', async () => {
      const bytes = await photo()
      assert(bytes.includes('CANARY-COPYRIGHT'))
      const { ann, bob, file, message } = await sent(bytes, {
        name: 'C:\\pics\\../my\u202E photo.jpg',
      })
      assert.deepEqual(
        [file.kind, file.type, file.name, file.width, file.height, file.thumbnail],
        ['image', 'image/jpeg', 'my photo.jpg', 600, 400, true],
      )
      assert.deepEqual(message.files, [file])
      assert.equal(message.body, '')
      assert.deepEqual((await seen(bob, message)).body, message)
      const link = await linkOf(bob, message, file)
      const { status, headers, bytes: served } = await download(bob, link?.url)
      assert.equal(status, 200)
      assert.equal(served.length, file.size)
      assert.equal(headers.get('content-type'), 'image/jpeg')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox")
      assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin')
      assert.match(headers.get('content-disposition') ?? '', /^inline; filename="my photo.jpg"/)
      const meta = await sharp(served).metadata()
      assert.deepEqual([meta.width, meta.height, meta.exif], [600, 400, undefined])
      const small = await download(ann, (await linkOf(ann, message, file))?.thumbnailUrl)
      const { format, width } = await sharp(small.bytes).metadata()
      assert.deepEqual([format, width], ['webp', 600])
      const tiny = await sharp(Buffer.from(file.placeholder ?? '', 'base64')).metadata()
      assert.equal(tiny.width, 16)
      assert.equal(served.includes('CANARY-COPYRIGHT'), false)
    })

    test('[FILE-5] a photo that was taken with the phone on its side stands upright', async () => {
      const [ann] = await some(1)
      const file = await upload(ann, await photo({ orientation: 6 }))
      assert.deepEqual([file.width, file.height], [400, 600])
    })

    test('[FILE-5] an animation stays one', async () => {
      const frames = await Promise.all(
        ['#f00', '#0f0', '#00f'].map((background) =>
          sharp({ create: { width: 40, height: 30, channels: 3, background } })
            .png()
            .toBuffer(),
        ),
      )
      const gif = await sharp(frames, { join: { animated: true } })
        .gif()
        .toBuffer()
      const { bob, file, message } = await sent(gif)
      assert.deepEqual([file.type, file.width, file.height], ['image/gif', 40, 30])
      const { bytes } = await download(bob, (await linkOf(bob, message, file))?.url)
      assert.equal((await sharp(bytes).metadata()).pages, 3)
    })

    test('[FILE-2] in parts: what has come is kept, and another offset is refused', async () => {
      const [ann, bob] = await some(2)
      const bytes = randomBytes(100_000)
      const { status, path } = await announce(ann, bytes.length)
      assert.equal(status, 201)
      assert.equal(await offsetOf(ann, path), 0)
      assert.equal((await patch(ann, path, 0, bytes.subarray(0, 40_000))).status, 204)
      assert.equal(await offsetOf(ann, path), 40_000)
      const wrong = await patch(ann, path, 39_999, bytes.subarray(39_999))
      assert.deepEqual([wrong.status, wrong.body.code], [409, 'offset_conflict'])
      assert.equal((await ann.fetch('GET', path)).body.code, 'in_progress')
      const early = await ann.fetch('POST', `/chats/users/${bob.username}/messages`, {
        files: [{ id: path.slice(9) }],
      })
      assert.deepEqual(
        [early.status, early.body.code, early.body.field],
        [409, 'in_progress', '/files/0/id'],
      )
      const tooMuch = await patch(ann, path, 40_000, randomBytes(60_001))
      assert.deepEqual([tooMuch.status, tooMuch.body.code], [413, 'too_large'])
      const last = await patch(ann, path, 40_000, bytes.subarray(40_000))
      assert.equal(last.status, 200)
      assert.deepEqual(last.body, await ann.ask('GET', path))
      const after = await patch(ann, path, 100_000, Buffer.alloc(0))
      assert.equal(after.status < 500, true)
      const message = await sendFiles(ann, (await ann.sendTo(bob, 'x')).chatId, [last.body])
      const { bytes: served } = await download(bob, (await linkOf(bob, message, last.body))?.url)
      assert(served.equals(bytes))
    })

    test('[FILE-2] of two requests at once that go on with an upload, at most one does', async () => {
      const [ann] = await some(1)
      const bytes = randomBytes(3_000_000)
      const { path } = await announce(ann, bytes.length)
      const both = await Promise.all([patch(ann, path, 0, bytes), patch(ann, path, 0, bytes)])
      const good = both.filter(({ status }) => status === 200)
      assert(good.length <= 1, JSON.stringify(both.map(({ status }) => status)))
      if (good.length === 0) {
        const at = await offsetOf(ann, path)
        assert.equal((await patch(ann, path, at, bytes.subarray(at))).status, 200)
      }
      const file: File = await ann.ask('GET', path)
      assert.equal(file.size, bytes.length)
    })

    test('[FILE-3] what it is, its bytes say; what is no picture or sound is only saved', async () => {
      const html = Buffer.from('<!doctype html><script>alert(1)</script>')
      const svg = Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
      )
      for (const [bytes, name] of [
        [html, 'a.png'],
        [svg, 'evil.svg'],
        [Buffer.from('%PDF-1.7\n%âãÏÓ\n'), 'a.pdf'],
        [Buffer.from('just text'), 'a.txt'],
      ] as const) {
        const { bob, file, message } = await sent(bytes, { name, type: 'image/png' })
        assert.equal(file.kind, 'file', name)
        const { headers } = await download(bob, (await linkOf(bob, message, file))?.url)
        assert.equal(headers.get('content-type'), 'application/octet-stream', name)
        assert.match(headers.get('content-disposition') ?? '', /^attachment; /, name)
      }
    })

    test('[FILE-3] a voice note in a container that may hold pictures', async () => {
      const webm = Buffer.from(
        '1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104',
        'hex',
      )
      const bytes = Buffer.concat([webm, randomBytes(2_000)])
      const [ann, bob] = await some(2)
      const file = await upload(ann, bytes, { name: 'note.webm', type: 'audio/webm;codecs=opus' })
      assert.deepEqual([file.kind, file.type], ['audio', 'audio/webm'])
      assert.equal((await upload(ann, bytes)).kind, 'video')
      const { chatId } = await ann.sendTo(bob, 'x')
      const about = { durationMs: 2_500, waveform: [0, 50, 100], voice: true }
      const message: Message = await ann.ask('POST', `/chats/${chatId}/messages`, {
        files: [{ id: file.id, ...about }],
      })
      assert.deepEqual(message.files, [{ ...file, ...about }])
      assert.deepEqual((await seen(bob, message)).body.files, message.files)
    })

    test('[FILE-3] bombs, broken ones and empty ones are refused at once, and leave nothing', async () => {
      const [ann] = await some(1)
      const refused = async (bytes: Uint8Array, word: RegExp, status = 422) => {
        const began = performance.now()
        const answer = await tryUpload(ann, bytes)
        assert.equal(answer.status, status, JSON.stringify(answer.body))
        assert.match(answer.body.detail, word)
        return performance.now() - began
      }
      const warm = await tryUpload(ann, await photo())
      assert.equal(warm.status, 201)
      assert((await refused(pngOf(50_000, 50_000), /50000 × 50000 pixels/)) < 1_000)
      await refused(gifOf(2_000), /2000 frames/)
      await refused((await photo()).subarray(0, 900), /damaged/)
      await refused(new Uint8Array(), /empty/)
      // The process that decodes goes on.
      assert.equal((await tryUpload(ann, await photo())).status, 201)
    })

    test('[FILE-4] who may not see the message gets no link; nor by one that was made before', async () => {
      const [ann, bob, cat, dan] = await some(4)
      const group = await newGroup([ann, bob, cat])
      const file = await upload(ann, await photo())
      const message = await sendFiles(ann, group.id, [file])
      const link = await linkOf(bob, message, file)
      assert(link?.thumbnailUrl)
      assert.equal(await linkOf(dan, message, file), undefined)
      assert.equal(await linkOf(bob, { ...message, seq: message.seq - 1 }, file), undefined)
      assert.equal(await linkOf(bob, { ...message, chatId: 'x' }, file), undefined)
      assert.equal((await dan.fetch('GET', `/uploads/${file.id}`)).status, 404)
      assert.equal((await bob.fetch('GET', `/uploads/${file.id}`)).status, 404)
      const stolen = await dan.fetch('POST', `/chats/users/${cat.username}/messages`, {
        files: [{ id: file.id }],
      })
      assert.deepEqual([stolen.status, stolen.body.code], [404, 'not_found'])
      const urls: string[] = [link.url, link.thumbnailUrl]
      for (const method of ['GET', 'HEAD'])
        for (const url of urls) assert.equal((await download(bob, url, {}, method)).status, 200)
      await ann.ask('DELETE', `/chats/${group.id}/members/${bob.username}`)
      for (const url of urls)
        for (const headers of [{}, { range: 'bytes=0-1' }] as Record<string, string>[])
          assert.equal((await download(bob, url, headers)).status, 404)
      assert.equal(await linkOf(bob, message, file), undefined)
      assert.equal((await download(cat, (await linkOf(cat, message, file))?.url)).status, 200)
    })

    test('[FILE-4] a link is for its file and its user, and nothing in it can be changed', async () => {
      const { bob, file, message } = await sent(randomBytes(100))
      const { url = '', expiresAt = '' } = (await linkOf(bob, message, file)) ?? {}
      const left = Date.parse(expiresAt) - Date.now()
      assert(left > 140_000 && left <= 300_000, `${left}`)
      const [, , token = ''] = url.split('/')
      const [text = '', signature = ''] = token.split('.')
      const plain = Buffer.from(text, 'base64url').toString()
      const other = Buffer.from(plain.replace(/\.\d+$/, (time) => `.${Number(time.slice(1)) + 1}`))
      for (const changed of [
        `${other.toString('base64url')}.${signature}`,
        `${text}.${'A'.repeat(43)}`,
        text,
        'x',
        '..',
      ])
        assert.equal((await download(bob, `/files/${changed}/name`)).status, 404, changed)
      assert.equal((await download(bob, `/files/${token}/any-name`)).status, 200)
    })

    test('[FILE-4] ranges, as players ask for them', async () => {
      const bytes = randomBytes(10_000)
      const { bob, file, message } = await sent(bytes)
      const url: string = (await linkOf(bob, message, file))?.url ?? ''
      const part = async (range: string, more: Record<string, string> = {}) =>
        download(bob, url, { range, ...more })
      const first = await part('bytes=0-99')
      assert.equal(first.status, 206)
      assert.equal(first.headers.get('content-range'), 'bytes 0-99/10000')
      assert(first.bytes.equals(bytes.subarray(0, 100)))
      assert((await part('bytes=9000-')).bytes.equals(bytes.subarray(9_000)))
      assert((await part('bytes=-50')).bytes.equals(bytes.subarray(9_950)))
      assert((await part('bytes=9999-99999')).bytes.equals(bytes.subarray(9_999)))
      for (const range of ['bytes=10000-', 'bytes=5-4', 'bytes=-0'])
        assert.equal((await part(range)).status, 416, range)
      for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=x-y', 'bytes=-'])
        assert.equal((await part(range)).status, 200, range)
      const tag = first.headers.get('etag') ?? ''
      assert.equal((await part('bytes=0-9', { 'if-range': tag })).status, 206)
      assert.equal((await part('bytes=0-9', { 'if-range': '"other"' })).status, 200)
      assert.equal((await download(bob, url, { 'if-none-match': tag })).status, 304)
      const head = await download(bob, url, {}, 'HEAD')
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, '10000'])
    })

    test('[FILE-6] deleted for all: no link works from then on, and its bytes go', async () => {
      const { ann, bob, file, message } = await sent(await photo())
      const { url, thumbnailUrl } = (await linkOf(bob, message, file)) ?? {}
      await ann.ask('DELETE', `/chats/${message.chatId}/messages/${message.seq}`)
      assert.equal((await download(bob, url)).status, 404)
      assert.equal((await download(bob, thumbnailUrl)).status, 404)
      assert.equal((await seen(bob, message)).body.files, undefined)
      await gone(file.id)
    })

    test('[FILE-6] one that another message has as well stays until that one goes, too', async () => {
      const { ann, bob, file, message } = await sent(randomBytes(500))
      const [cat] = await some(1)
      const { chatId } = await bob.sendTo(cat, 'x')
      const copy: Message = await bob.ask('POST', `/chats/${chatId}/messages`, {
        forward: { chatId: message.chatId, seq: message.seq },
      })
      assert.deepEqual(copy.files, [file])
      await ann.ask('DELETE', `/chats/${message.chatId}/messages/${message.seq}`)
      assert.equal(await linkOf(bob, message, file), undefined)
      await sleep(6_000)
      assert.equal((await download(cat, (await linkOf(cat, copy, file))?.url)).bytes.length, 500)
      await bob.ask('DELETE', `/chats/${chatId}/messages/${copy.seq}`)
      await gone(file.id)
    })

    test('[FILE-6] of a message that disappears', async () => {
      const [ann, bob] = await some(2)
      const { chatId } = await ann.sendTo(bob, 'x')
      await ann.ask('PATCH', `/chats/${chatId}`, { settings: { expireAfterSeconds: 5 } })
      const file = await upload(ann, randomBytes(300))
      const message = await sendFiles(ann, chatId, [file])
      const { url } = (await linkOf(bob, message, file)) ?? {}
      assert.equal((await download(bob, url)).status, 200)
      await sleep(5_100)
      assert.equal((await download(bob, url)).status, 404)
      await gone(file.id)
    })

    test('[FILE-6] what is given up goes, and what a message has does not', async () => {
      const { ann, bob, file, message } = await sent(randomBytes(300))
      const other = await upload(ann, randomBytes(300))
      assert.equal((await bob.fetch('DELETE', `/uploads/${other.id}`)).status, 404)
      await ann.ask('DELETE', `/uploads/${other.id}`)
      const sentOne = await ann.fetch('DELETE', `/uploads/${file.id}`)
      assert.deepEqual([sentOne.status, sentOne.body.code], [403, 'forbidden'])
      await gone(other.id)
      assert.equal((await ann.fetch('GET', `/uploads/${other.id}`)).status, 404)
      assert.equal((await download(bob, (await linkOf(bob, message, file))?.url)).status, 200)
    })

    test('[FILE-1] who is told by socket has them; a quote says what kind it was', async () => {
      const [ann, bob] = await some(2)
      const { chatId } = await ann.sendTo(bob, 'x')
      const state = new Mailbox(bob.username)
      const device = await comeBack(bob, state)
      const file = await upload(ann, await photo())
      const onAnn = await ann.connect()
      const { message } = await onAnn.call('message.send', { chatId, files: [{ id: file.id }] })
      const told = await device.receives('message.created', ({ seq }) => seq === message.seq)
      assert.deepEqual(told, message)
      const answer: Message = await bob.ask('POST', `/chats/${chatId}/messages`, {
        body: 'nice',
        reply: message.seq,
      })
      assert.deepEqual([answer.reply?.body, answer.reply?.fileKind], ['', 'image'])
      assert.equal((await seen(ann, answer)).body.reply?.fileKind, 'image')
      await device
        .receives('message.created', ({ seq }) => seq === answer.seq)
        .catch(() => undefined)
      const [chat] = await bob.chats()
      assert.equal(chat?.lastMessage?.seq, answer.seq)
      await assertFresh(bob, state)
    })

    test('[FILE-1] sent at a time, also long after the upload', async () => {
      const [ann, bob] = await some(2)
      const { chatId } = await ann.sendTo(bob, 'x')
      const file = await upload(ann, randomBytes(200))
      const sendAt = new Date(Date.now() + 11_000).toISOString()
      await ann.ask('POST', `/chats/${chatId}/scheduled`, {
        files: [{ id: file.id.toUpperCase() }],
        sendAt,
      })
      const device = await bob.connect()
      const message = await device.receives('message.created', () => true, 16_000)
      assert.deepEqual(message.files, [file])
    })

    test('[FILE-2] asked for many times at once, it is looked at once, and all are told the same', async () => {
      const [ann, bob] = await some(2)
      const bytes = await photo({ width: 3_000, height: 2_000 })
      const { path } = await announce(ann, bytes.length)
      const sending = patch(ann, path, 0, bytes)
      const asked: { status: number; body: any }[] = []
      for (let n = 0; n < 30; n += 1) {
        await sleep(10)
        asked.push(await ann.fetch('GET', path))
      }
      const { status, body: file } = await sending
      assert.equal(status, 200)
      for (const one of asked)
        if (one.status === 200) assert.deepEqual(one.body, file)
        else assert.equal(one.body.code, 'in_progress')
      const { chatId } = await ann.sendTo(bob, 'x')
      const message = await sendFiles(ann, chatId, [file])
      const { bytes: served } = await download(bob, (await linkOf(bob, message, file))?.url)
      assert.equal(served.length, file.size)
    })

    test('[FILE-2] what a first request cannot bring leaves nothing behind', async () => {
      const [ann] = await some(1)
      const codeOf = async (sent: Promise<any>) => (await sent).body?.code
      const bytes = randomBytes(200)
      assert.equal(await codeOf(tryUpload(ann, bytes, {}, { 'upload-length': '100' })), 'too_large')
      assert.equal(
        await codeOf(tryUpload(ann, bytes, {}, { 'content-type': 'text/plain' })),
        'wrong_type',
      )
      const large = randomBytes(200_000)
      assert.equal(
        await codeOf(tryUpload(ann, large, {}, { 'content-type': 'image/png' })),
        'wrong_type',
      )
      const nul = `filename ${btoa('a.bin')},filetype ${btoa('a/\0b')}`
      const odd = await tryUpload(ann, bytes, {}, { 'upload-metadata': nul })
      assert.deepEqual([odd.status, odd.body.kind], [201, 'file'])
      for (const name of ['..', '.', '/', '\u0000']) {
        const { body } = await tryUpload(ann, bytes, { name })
        assert.equal(body.name, 'file', name)
      }
    })

    test('[SEND-3] a forward that is repeated is one message, also after its source has changed or gone', async () => {
      const { ann, bob, message } = await sent(randomBytes(100))
      const [cat] = await some(1)
      const { chatId } = await bob.sendTo(cat, 'x')
      const source: Message = await ann.sendTo(bob, 'a text')
      const clientId = randomUUID()
      const body = { forward: { chatId: source.chatId, seq: source.seq }, clientId }
      const first: Message = await bob.ask('POST', `/chats/${chatId}/messages`, body)
      await ann.ask('PATCH', `/chats/${source.chatId}/messages/${source.seq}`, { body: 'edited' })
      assert.deepEqual(await bob.ask('POST', `/chats/${chatId}/messages`, body), first)
      await ann.ask('DELETE', `/chats/${source.chatId}/messages/${source.seq}`)
      assert.deepEqual(await bob.ask('POST', `/chats/${chatId}/messages`, body), first)
      assert.equal(message.files?.length, 1)
    })

    test('[FILE-6] what others pass on does not count as mine once I have deleted it', async () => {
      const { ann, bob, file, message } = await sent(randomBytes(500))
      const [cat] = await some(1)
      const { chatId } = await bob.sendTo(cat, 'x')
      const forward = { chatId: message.chatId, seq: message.seq }
      await bob.ask('POST', `/chats/${chatId}/messages`, { forward })
      assert.equal((await ann.fetch('GET', `/uploads/${file.id}`)).status, 200)
      await ann.ask('DELETE', `/chats/${message.chatId}/messages/${message.seq}`)
      for (const until = Date.now() + 12_000; ; await sleep(200)) {
        if ((await bob.fetch('GET', `/uploads/${file.id}`)).status === 200) break
        assert(Date.now() < until)
      }
      assert.equal((await ann.fetch('GET', `/uploads/${file.id}`)).status, 404)
    })

    test('[FILE-1] what a sender may get wrong', async () => {
      const [ann, bob] = await some(2)
      const { chatId } = await ann.sendTo(bob, 'x')
      const file = await upload(ann, randomBytes(200))
      const send = async (body: object) => {
        const answer = await ann.fetch('POST', `/chats/${chatId}/messages`, body)
        return [answer.status, answer.body.code, answer.body.field]
      }
      const one = { id: file.id }
      assert.deepEqual(await send({ files: [] }), [400, 'invalid', '/files'])
      assert.deepEqual(await send({ files: [one, one] }), [400, 'invalid', '/files'])
      assert.deepEqual(await send({ files: Array(11).fill(one) }), [400, 'invalid', '/files'])
      assert.deepEqual(await send({ files: [{ id: randomUUID() }] }), [
        404,
        'not_found',
        '/files/0/id',
      ])
      assert.deepEqual(await send({ files: [{ ...one, name: 'x' }] }), [
        400,
        'invalid',
        '/files/0/name',
      ])
      assert.deepEqual(await send({ files: [one], location: { latitude: 1, longitude: 1 } }), [
        400,
        'invalid',
        '/files',
      ])
      const clientId = randomUUID()
      const first = await sendFiles(ann, chatId, [file], { body: 'with a text', clientId })
      assert.deepEqual(
        await sendFiles(ann, chatId, [file], { body: 'with a text', clientId }),
        first,
      )
    })

    test('[FILE-2] what tus asks for is asked for in its own words', async () => {
      const [ann] = await some(1)
      const codeOf = async (sent: Promise<any>) => {
        const { status, body } = await sent
        return [status, body?.code]
      }
      assert.deepEqual(
        await codeOf(ask(ann, 'POST', '/uploads', { headers: { 'upload-length': '5' } })),
        [400, 'invalid'],
      )
      assert.deepEqual(await codeOf(ask(ann, 'POST', '/uploads', { headers: TUS })), [
        400,
        'invalid',
      ])
      for (const length of ['-1', 'x', '1e3', '', '0x10', '9'.repeat(30)])
        assert((await announce(ann, 0, { 'upload-length': length })).status < 500, length)
      assert.deepEqual(await codeOf(announce(ann, 30_000_001)), [413, 'too_large'])
      assert.deepEqual(await codeOf(announce(ann, 5, { 'upload-metadata': 'filename %%%' })), [
        400,
        'invalid',
      ])
      assert.deepEqual(await codeOf(announce(ann, 5, { 'upload-concat': 'partial' })), [
        400,
        'invalid',
      ])
      assert.deepEqual(await codeOf(patch(ann, `/uploads/${randomUUID()}`, 0, randomBytes(5))), [
        404,
        'not_found',
      ])
      const { path } = await announce(ann, 5)
      const json = { ...TUS, 'content-type': 'application/json', 'upload-offset': '0' }
      assert.deepEqual(
        await codeOf(ask(ann, 'PATCH', path, { headers: json, body: Buffer.from('{}') })),
        [415, 'wrong_type'],
      )
      const bytes = { ...TUS, 'content-type': 'application/offset+octet-stream' }
      assert.deepEqual(
        await codeOf(ask(ann, 'PATCH', path, { headers: bytes, body: randomBytes(5) })),
        [400, 'invalid'],
      )
      // Where JSON is asked for, bytes are the wrong type.
      assert.deepEqual(
        await codeOf(ask(ann, 'POST', '/chats', { headers: bytes, body: randomBytes(5) })),
        [415, 'wrong_type'],
      )
    })

    test('[FILE-6] with the account its uploads go, and what was sent stays', async () => {
      const { ann, bob, file, message } = await sent(randomBytes(300))
      const unsent = await upload(ann, randomBytes(300))
      const { url } = (await linkOf(ann, message, file)) ?? {}
      await admin(server).ask('DELETE', `/users/${ann.username}`)
      assert.equal((await download(ann, url)).status, 404)
      await gone(unsent.id)
      assert.equal((await download(bob, (await linkOf(bob, message, file))?.url)).bytes.length, 300)
    })

    /** Nothing of it is left where files are kept. */
    async function gone(id: string): Promise<void> {
      for (const until = Date.now() + 12_000; ; await sleep(200)) {
        const left = (await keys()).filter((key) => key.startsWith(id))
        if (left.length === 0) return
        assert(Date.now() < until, `${left.join(', ')} is still there`)
      }
    }

    async function keys(): Promise<string[]> {
      if (s3) {
        const text = await (await fetch(`${s3.url}?list-type=2&max-keys=1000`)).text()
        return [...text.matchAll(/<Key>([^<]*)/g)].map(([, key = '']) => key)
      }
      const folder = server.env.MICROCHATTER_FILES_DIR ?? ''
      const names = await readdir(folder, { recursive: true })
      return names.map((name) => name.split('/').at(-1) ?? '')
    }
  })

/** A PNG that says it has so many pixels, of one colour, which pack well. */
function pngOf(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const ends = Buffer.alloc(8)
    ends.writeUInt32BE(data.length, 0)
    ends.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(10_000_000))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** So many frames of one pixel. */
function gifOf(frames: number): Buffer {
  const head = Buffer.from('47494638396101000100800000000000ffffff', 'hex')
  const frame = Buffer.from('21f90400010000002c000000000100010000' + '0202440100', 'hex')
  return Buffer.concat([head, ...Array<Buffer>(frames).fill(frame), Buffer.from([0x3b])])
}
