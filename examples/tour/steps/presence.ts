import type { Chat, Receipts } from '@microchatter/protocol'
import type { Device, Person } from '../people.ts'
import type { Scene } from '../scene.ts'

/** What others see of me; at the end Carol goes. */
export async function showPresence(scene: Scene, carols: Device) {
  const { story, bob, carol, phone } = scene
  story.step('Presence: Alice has Bob and Carol on her screen')
  const usernames = [bob.username, carol.username]
  const { items } = await phone.ask('presence.subscribe', { usernames })
  story.same(
    'both are there',
    items.map(({ state }) => state),
    ['online', 'online'],
  )
  const next = (person: Person, state: string) =>
    phone.next('presence.updated', (one) => one.username === person.username && one.state === state)
  await carols.ask('presence.set', { state: 'away' })
  story.same('Carol turns to something else', (await next(carol, 'away')).state, 'away')
  await bob.ask('PATCH', '/users/me/settings', { lastSeenTo: 'nobody' })
  const hidden = { username: bob.username, state: 'offline' }
  story.same('Bob hides: as if he were not there', await next(bob, 'offline'), hidden)
  await bob.ask('PATCH', '/users/me/settings', { lastSeenTo: null })
  story.same('and shows himself again', (await next(bob, 'online')).state, 'online')
  carols.socket.disconnect()
  story.note('Carol closes her page. Who comes back within 5 s was never offline.')
}

export async function showLastSeen({ story, alice, carol, phone }: Scene) {
  story.step('Last seen: Carol has gone')
  const gone = await phone.next('presence.updated', ({ state }) => state === 'offline')
  story.show(gone)
  story.fits('Alice is told', gone, { username: carol.username })
  const path = `/presence?usernames=${carol.username}`
  const asked = await alice.ask<{ items: object[] }>('GET', path)
  story.same('and when asked, it is the same', asked.items, [gone])
  const ago = Date.now() - Date.parse(gone.lastSeenAt ?? '')
  story.holds('last seen a moment ago', Math.abs(ago) < 60_000)
}

export async function showReceipts(scene: Scene) {
  const { story, chatId, alice, bob, bobs, phone, laptop } = scene
  story.step('Receipts: delivered, read, or switched off')
  const { message } = await bobs.ask('message.send', { chatId, body: 'Did you get this?' })
  const { seq } = message
  await phone.ask('chat.delivered', { chatId, seq })
  const delivered = await bobs.next('delivered.updated', (one) => one.seq === seq)
  story.fits('it is on her phone', delivered, { username: alice.username })
  await phone.ask('chat.read', { chatId, seq })
  const read = await bobs.next('read.updated', (one) => one.seq === seq)
  story.fits('she has read it', read, { username: alice.username })
  const receipts = () => bob.ask<Receipts>('GET', `/chats/${chatId}/messages/${seq}/receipts`)
  const hers = { username: alice.username, state: 'read' }
  story.same('he can ask, too', await receipts(), { read: 1, delivered: 1, items: [hers] })
  await alice.ask('PATCH', '/users/me/settings', { receipts: false })
  const set = await laptop.next('settings.updated')
  story.fits('switched off, on all her devices', set, { receipts: false })
  story.same('he sees nothing of it', await receipts(), { read: 0, delivered: 0, items: [] })
  const { members } = await alice.ask<Chat>('GET', `/chats/${chatId}`)
  const his = members.find(({ username }) => username === bob.username)
  story.same('nor does she of his', his?.readSeq, undefined)
  await alice.ask('PATCH', '/users/me/settings', { receipts: null })
}

export async function stopTyping({ story, chatId, bob, bobs, phone }: Scene) {
  story.step('Typing that ends by itself')
  await bobs.ask('typing', { chatId, typing: true })
  const begun = await phone.next('typing', ({ typing }) => typing)
  story.fits('Bob types', begun, { username: bob.username })
  story.note('… and is called away. 6 s without a word of it are the end.')
  const ended = await phone.next('typing', ({ typing }) => !typing)
  story.fits('Alice sees that he stops', ended, { username: bob.username })
}
