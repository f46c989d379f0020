/** The press of a card's button, and the site that is asked. */
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Message } from '@microchatter/protocol'
import { admin, newPerson, type Person, startServer, type TestServer } from './support/server.ts'

const KEY = randomBytes(32)

interface Called {
  request: IncomingMessage
  body: string
}

/** A site that answers as it is told, and keeps what it was asked. */
async function startSite() {
  const calls: Called[] = []
  const site = {
    calls,
    url: '',
    answer: (_call: Called, response: ServerResponse): void => void response.end('{}'),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const call = { request, body: Buffer.concat(parts).toString() }
    calls.push(call)
    site.answer(call, response)
  }
  const server = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  site.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  return site
}

describe('webhook', () => {
  let site: Awaited<ReturnType<typeof startSite>>
  let server: TestServer
  let ann: Person
  let chatId: string
  const press = async (by: Person, seq: number, button = 'yes', chat = chatId) => {
    const path = `/chats/${chat}/messages/${seq}/press`
    const { status, body } = await by.fetch<any>('POST', path, { button })
    return {
      status,
      code: body.code,
      detail: body.detail,
      text: body.text,
      retry: body.retryAfterMs,
    }
  }
  const card = {
    title: 'Order 7',
    buttons: [
      { id: 'yes', label: 'Yes' },
      { id: 'shop', label: 'Shop', url: 'https://example.org' },
    ],
  }
  before(async () => {
    site = await startSite()
    server = await startServer('embedded', {
      MICROCHATTER_WEBHOOK_URL: site.url,
      MICROCHATTER_WEBHOOK_SECRET: `whsec_${KEY.toString('base64')}`,
    })
    ann = await newPerson(server, 'ann')
    const message = await admin(server).ask<Message>(
      'POST',
      `/chats/users/${ann.username}/messages`,
      { card, type: 'order', metadata: { order: 7 } },
    )
    chatId = message.chatId
  })
  after(async () => {
    await server.close()
    site.close()
  })

  test('[CARD-1] the site is asked, by a signed call, and its text is the answer', async () => {
    site.answer = (_call, response) =>
      response.setHeader('content-type', 'application/json').end('{"text": "Paid.", "more": 1}')
    const { status, text } = await press(ann, 1)
    assert.deepEqual([status, text], [200, 'Paid.'])
    const [call] = site.calls.splice(0)
    assert(call)
    const { headers, method } = call.request
    assert.deepEqual([method, headers['content-type']], ['POST', 'application/json'])
    const [id, time] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])]
    assert.match(id, /^msg_[\w-]+$/)
    assert(Math.abs(Number(time) - Date.now() / 1_000) < 5)
    const signature = createHmac('sha256', KEY).update(`${id}.${time}.${call.body}`)
    assert.equal(headers['webhook-signature'], `v1,${signature.digest('base64')}`)
    const { type, timestamp, data } = JSON.parse(call.body)
    assert.equal(type, 'card.pressed')
    assert(Math.abs(Date.parse(timestamp) - Date.now()) < 5_000)
    assert.deepEqual(data, {
      chatId,
      seq: 1,
      button: 'yes',
      username: ann.username,
      type: 'order',
      metadata: { order: 7 },
    })
    for (const answer of ['', '{}', '{"text": null}']) {
      site.answer = (_call, response) => response.end(answer)
      assert.deepEqual([(await press(ann, 1)).status, text], [200, 'Paid.'], answer)
    }
    assert.equal(
      new Set(site.calls.splice(0).map(({ request }) => request.headers['webhook-id'])).size,
      3,
    )
  })

  test('[CARD-1] only who sees the card presses, and only its own buttons', async () => {
    const bob = await newPerson(server, 'bob')
    assert.equal((await press(bob, 1)).code, 'not_found')
    assert.equal((await press(ann, 2)).code, 'not_found')
    assert.equal((await press(ann, 1, 'no')).code, 'invalid')
    assert.equal((await press(ann, 1, 'shop')).code, 'invalid')
    const { chatId: plain } = await ann.sendTo(bob, 'no card')
    assert.equal((await press(bob, 1, 'yes', plain)).code, 'invalid')
    const gone = await admin(server).ask('POST', `/chats/users/${bob.username}/messages`, { card })
    await admin(server).ask('DELETE', `/chats/${gone.chatId}/messages/1`)
    assert.equal((await press(bob, 1, 'yes', gone.chatId)).code, 'deleted')
    await ann.ask('DELETE', `/chats/${chatId}/messages/1?for=me`)
    assert.equal((await press(ann, 1)).code, 'not_found')
    assert.equal((await press(admin(server), 1)).status, 200)
    assert.equal(site.calls.splice(0).length, 1)
  })

  test('[CARD-2] what the site does wrong is said, and a redirect is not followed', async () => {
    const by = admin(server)
    const answers: [(response: ServerResponse) => void, RegExp][] = [
      [(response) => response.writeHead(500).end(), /status 500/],
      [(response) => response.writeHead(302, { location: site.url }).end(), /status 302/],
      [(response) => response.end('hello'), /not JSON/],
      [(response) => response.end('{"text": 1}'), /no text of at most 500/],
      [(response) => response.end(JSON.stringify({ text: 'x'.repeat(501) })), /at most 500/],
      [(response) => response.end(`"${'x'.repeat(70_000)}"`), /too long/],
      [(response) => response.destroy(), /cannot be reached/],
      [() => undefined, /did not answer within 5 s/],
    ]
    for (const [answer, detail] of answers) {
      site.answer = (_call, response) => answer(response)
      const problem = await press(by, 1)
      assert.deepEqual([problem.status, problem.code], [503, 'unavailable'], String(detail))
      assert.match(problem.detail, detail)
    }
    assert.equal(site.calls.splice(0).length, answers.length)
  })

  test('[CARD-2] 32 are asked at once, and no more', async () => {
    const held: ServerResponse[] = []
    site.answer = (_call, response) => void held.push(response)
    const by = admin(server)
    const pressed = Array.from({ length: 32 }, () => press(by, 1))
    while (held.length < 32) await new Promise((resolve) => setTimeout(resolve, 10))
    const { status, code, retry } = await press(by, 1)
    assert.deepEqual([status, code, retry], [503, 'busy', 1_000])
    for (const response of held) response.end('{"text": "ok"}')
    for (const { text } of await Promise.all(pressed)) assert.equal(text, 'ok')
    site.answer = (_call, response) => void response.end('{}')
    assert.equal((await press(by, 1)).status, 200)
    assert.equal(site.calls.splice(0).length, 33)
  })

  test('[CARD-2] without a webhook the answer says how to set one up', async () => {
    const other = await startServer('embedded')
    try {
      const bob = await newPerson(other, 'bob')
      const sent = await admin(other).ask('POST', `/chats/users/${bob.username}/messages`, { card })
      const { code, detail } = await press(bob, 1, 'yes', sent.chatId)
      assert.equal(code, 'forbidden')
      assert.match(detail, /MICROCHATTER_WEBHOOK_URL/)
    } finally {
      await other.close()
    }
  })
})
