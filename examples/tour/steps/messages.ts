import type { Chat, History, Message } from '@microchatter/protocol'
import type { Scene } from '../scene.ts'

const THUMB = '👍'

/** A message of Bob that the next steps are about. */
export async function edit({ story, chatId, bob, bobs, phone, alice }: Scene): Promise<Message> {
  story.step('Edit a message, and delete one')
  const { message } = await bobs.ask('message.send', { chatId, body: 'Lunch at noom?' })
  const address = { chatId, seq: message.seq }
  const edited = (await bobs.ask('message.edit', { ...address, body: 'Lunch at noon?' })).message
  story.holds('it says when it was edited', edited.editedAt !== undefined)
  const { rev: _rev, ...told } = await phone.next(
    'message.updated',
    (one) => one.seq === edited.seq,
  )
  story.same('Alice sees it at once', told, edited)
  const path = `/chats/${chatId}/messages/${message.seq}`
  const edits = await bob.ask<{ items: { body: string }[] }>('GET', `${path}/edits`)
  story.same('what it was is kept for him', edits.items[0]?.body, 'Lunch at noom?')
  const not = await alice.refused('PATCH', path, { body: 'No lunch' })
  story.fits('nobody else edits it: 403', not, { status: 403, code: 'forbidden' })
  const wrong = await bobs.ask('message.send', { chatId, body: 'My PIN is 1234' })
  await bobs.ask('message.delete', { chatId, seq: wrong.message.seq })
  const gone = await phone.next('message.deleted')
  story.show(gone)
  story.fits('of a deleted one, its place is left', gone, { body: '', deletedBy: bob.username })
  return edited
}

export async function react(
  { story, chatId, alice, bob, bobs, phone, laptop }: Scene,
  seq: number,
) {
  story.step('Reactions, replies, threads, mentions')
  const path = `/chats/${chatId}/messages/${seq}/reactions/${encodeURIComponent(THUMB)}`
  await alice.ask('PUT', path)
  const { reactions } = await bobs.next('reaction.updated')
  const thumb = { emoji: THUMB, count: 1, usernames: [alice.username] }
  story.same('Bob sees who likes it', reactions, [thumb])
  const mine = await laptop.next('my.updated')
  story.same('and her devices, that she does', mine.my.reactions, [THUMB])
  const reply = await phone.ask('message.send', { chatId, body: 'Gladly', reply: seq })
  story.show(reply.message)
  story.fits('a reply carries a quote', reply.message.reply ?? {}, { seq, body: 'Lunch at noon?' })
  const send = (body: object) => alice.ask<Message>('POST', `/chats/${chatId}/messages`, body)
  const threaded = await send({ body: 'Where?', thread: seq, mentions: [bob.username] })
  const thread = await bob.ask<History>('GET', `/chats/${chatId}/messages?thread=${seq}`)
  story.same('a thread is read by itself', thread.items, [threaded])
  const chat = await bob.ask<Chat>('GET', `/chats/${chatId}`)
  story.same('Bob is mentioned once', chat.mentions, 1)
}

export async function keep({ story, chatId, alice, bob, bobs, carol, laptop }: Scene, seq: number) {
  story.step('Pins, stars, and what is passed on')
  const path = `/chats/${chatId}/messages/${seq}`
  await alice.ask('PUT', `${path}/pin`)
  story.same(
    'pinned for both',
    (await bobs.next('message.updated', ({ pinned }) => !!pinned)).seq,
    seq,
  )
  const pins = await bob.ask<{ items: Message[] }>('GET', `/chats/${chatId}/pins`)
  story.same(
    'and on the list of pins',
    pins.items.map((one) => one.seq),
    [seq],
  )
  await alice.ask('PUT', `${path}/star`)
  await laptop.next('my.updated', ({ my }) => my.starredAt !== undefined)
  const stars = await alice.ask<{ items: Message[] }>('GET', '/users/me/stars')
  story.same(
    'a star is hers alone',
    stars.items.map((one) => one.seq),
    [seq],
  )
  const forward = { forward: { chatId, seq } }
  const copy = await alice.ask<Message>('POST', `/chats/users/${carol.username}/messages`, forward)
  story.fits('passed on to Carol, as a copy', copy, { body: 'Lunch at noon?', forwarded: true })
  const stolen = await carol.refused('POST', `/chats/${copy.chatId}/messages`, forward)
  story.fits('who cannot reach the first one: 404', stolen, { status: 404, code: 'not_found' })
}

export async function vote({ story, chatId, bob, bobs, phone, alice }: Scene) {
  story.step('Polls, places, data of the site')
  const poll = { options: ['Soup', 'Salad'], multiple: true }
  const { message } = await phone.ask('message.send', { chatId, body: 'What?', poll })
  const path = `/chats/${chatId}/messages/${message.seq}`
  await bob.ask('PUT', `${path}/vote`, { options: [1] })
  const voted = await phone.next('message.updated', ({ seq }) => seq === message.seq)
  story.same(
    'one vote for the salad',
    voted.poll?.options.map(({ votes }) => votes),
    [0, 1],
  )
  const ended = await alice.ask<Message>('DELETE', `${path}/vote`)
  story.same('the poll is ended', ended.poll?.closed, true)
  const location = { latitude: 52.52, longitude: 13.405, name: 'Berlin' }
  const place = await bobs.ask('message.send', { chatId, location })
  story.fits('a place on a map', place.message, { kind: 'location', location })
  const order = { body: 'Your order', type: 'order', metadata: { number: 7 } }
  const sent = await bob.ask<Message>('POST', `/chats/${chatId}/messages`, order)
  story.same('data of the site come back as they are', sent.metadata, { number: 7 })
}
