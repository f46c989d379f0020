import { randomUUID } from 'node:crypto'
import type { Chat } from '@microchatter/protocol'
import type { Online, Scene } from '../scene.ts'

/** The first message by REST makes the chat; the answer goes by socket. */
export async function sendFirst(online: Online): Promise<Scene> {
  const { story, alice, bob, phone, laptop, bobs } = online
  story.step('Sending by REST: the chat appears on both sides at once')
  const sent = await alice.sendTo(bob, 'Hello Bob, is the bike still for sale?')
  const { chatId } = sent
  story.fits('Alice gets her message back, the first of the chat', sent, {
    seq: 1,
    sender: alice.username,
  })
  story.show(sent)
  for (const [device, whose] of [
    [bobs, 'Bob'],
    [phone, "Alice's phone"],
    [laptop, "Alice's laptop"],
  ] as const) {
    story.same(`${whose} is told: message.created`, await device.next('message.created'), sent)
    const chat = await device.next('chat.created')
    story.fits(`${whose} has the chat: chat.created`, chat, { id: chatId, lastMessage: sent })
  }
  const his = (await bob.ask<{ items: Chat[] }>('GET', '/chats')).items[0]
  story.fits('it is on his list, unread', his ?? {}, { id: chatId, unread: 1, lastSeq: 1 })
  story.fits('and on hers, where her own message is not unread', await mine(online, chatId), {
    unread: 0,
  })
  return { ...online, chatId }
}

function mine({ alice }: Online, chatId: string): Promise<Chat> {
  return alice.ask('GET', `/chats/${chatId}`)
}

export async function sendBySocket({ story, chatId, bobs, phone, laptop, bob }: Scene) {
  story.step('Sending by socket: acknowledged once it is stored, safe to repeat')
  const clientId = randomUUID()
  const draft = { chatId, body: 'Yes! Come by on Saturday?', clientId }
  const { message } = await bobs.ask('message.send', draft)
  story.fits('Bob gets an acknowledgement with the number', message, {
    seq: 2,
    sender: bob.username,
    clientId,
  })
  for (const device of [phone, laptop])
    story.same(
      `${device === phone ? "Alice's phone" : 'her laptop'} has it`,
      await device.next('message.created', ({ seq }) => seq === 2),
      message,
    )
  story.same(
    'the same clientId again is the same message',
    (await bobs.ask('message.send', draft)).message,
    message,
  )
  story.fits(
    'with other words it is 409',
    await bob.refused('POST', `/chats/${chatId}/messages`, { body: 'No', clientId }),
    { status: 409, code: 'client_id_reused' },
  )
  story.holds('his own socket has no echo', !bobs.has('message.created', ({ seq }) => seq === 2))
}

const BURST = 100

export async function sendMany({ story, place, chatId, bobs, phone }: Scene) {
  if (!place.own) return
  story.step('Rate limits: off on this server, so 429 does not come')
  const answers = await Promise.all(
    Array.from({ length: BURST }, (_, n) =>
      bobs.call('message.send', { chatId, body: `quick ${n}` }),
    ),
  )
  story.holds(
    `${BURST} messages at once, none refused`,
    answers.every(({ ok }) => ok),
  )
  const seqs = answers.map((answer) => (answer.ok ? answer.message.seq : 0))
  const first = seqs[0] ?? 0
  story.same(
    'numbered in the order in which they were sent, without a gap',
    seqs,
    seqs.map((_, n) => first + n),
  )
  const last = seqs.at(-1)
  const arrived = await phone.next('message.created', ({ seq }) => seq === last)
  story.fits('and the last is on the phone of Alice', arrived, { body: `quick ${BURST - 1}` })
}
