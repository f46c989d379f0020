import type { Chat, LabelCount, Message, ReadAll, Unread } from '@microchatter/protocol'
import { Person, signJwt } from '../people.ts'
import type { Place } from '../place.ts'
import type { Scene } from '../scene.ts'
import { chatsOf } from './lists.ts'

/** Comes by a first JWT; goes with the other users of the tour. */
function stranger({ url, secret, suffix }: Place, name: string): Person {
  const username = `${name}${suffix}`
  return new Person(url, username, `Bearer ${signJwt(secret, { sub: username })}`)
}

export async function answerRequests({ story, place, bob, bobs }: Scene) {
  story.step('Message requests: Bob wants to be asked by those whom he does not know')
  const writeFrom = (value: string | null) =>
    bob.ask<object>('PATCH', '/users/me/settings', { writeFrom: value })
  story.fits('he says so', await writeFrom('requests'), { writeFrom: 'requests' })
  const [erin, frank] = [stranger(place, 'erin'), stranger(place, 'frank')]
  const { chatId } = await erin.sendTo(bob, 'Would you swap it for skis?')
  const asked = await bobs.next('chat.created', ({ id }) => id === chatId)
  story.same("Erin's message comes as a request", asked.request, 'pending')
  const onList = async (query = '') => (await chatsOf(bob, query)).some(({ id }) => id === chatId)
  story.holds('not on his list', !(await onList()) && (await onList('?requests=true')))
  story.same('and counted apart', (await bob.ask<Unread>('GET', '/unread')).requests, 1)
  const hers = await erin.ask<Chat>('GET', `/chats/${chatId}`)
  story.same('Erin sees an ordinary chat', hers.request, undefined)
  await bob.ask('PUT', `/chats/${chatId}/request`, { accept: true })
  story.holds('accepted, it is one', await onList())
  const bid = await frank.sendTo(bob, 'BUY NOW')
  await bob.ask('PUT', `/chats/${bid.chatId}/request`, { accept: false })
  const gone = await bobs.next('chat.removed', (chat) => chat.chatId === bid.chatId)
  story.fits("Frank's, declined, is gone", gone, { chatId: bid.chatId })
  const again = await frank.refused('POST', `/chats/${bid.chatId}/messages`, { body: 'LAST CALL' })
  story.fits('and he writes no more: 403', again, { status: 403, code: 'forbidden' })
  await writeFrom('nobody')
  const grace = stranger(place, 'grace')
  const path = `/chats/users/${bob.username}/messages`
  const refusal = await grace.refused('POST', path, { body: 'Hi' })
  story.fits('with "nobody", no stranger does', refusal, { status: 403, code: 'forbidden' })
  await writeFrom(null)
}

export async function keepDraft({ story, chatId, alice, phone, laptop, bobs }: Scene) {
  story.step('Drafts: begun on the phone, finished on the laptop')
  const { draft } = await phone.ask('draft.set', { chatId, draft: { body: 'Shall we' } })
  const told = await laptop.next('draft.updated', (state) => state.chatId === chatId)
  story.same('the laptop has it', told.draft, draft.draft)
  const chat = await alice.ask<Chat>('GET', `/chats/${chatId}`)
  story.same('so has whoever fetches her chat', chat.draft, draft.draft)
  story.holds('but not Bob', !bobs.has('draft.updated'))
  await alice.ask('DELETE', `/chats/${chatId}/draft`)
  const end = await laptop.next('draft.updated', (state) => state.chatId === chatId)
  story.same('taken away, it is gone everywhere', end.draft, undefined)
}

export async function labelAndReadAll(scene: Scene) {
  const { story, chatId, alice, bob, carol, phone, laptop } = scene
  story.step('Labels, and all read at once')
  await alice.ask('PATCH', `/chats/${chatId}`, { labels: ['Bikes'] })
  const marked = await phone.next('chat.updated', ({ labels }) => labels !== undefined)
  story.same('a label is on all her devices', marked.labels, ['Bikes'])
  const labelled = await chatsOf(alice, '?label=Bikes')
  story.same(
    'and finds the chat',
    labelled.map(({ id }) => id),
    [chatId],
  )
  for (const other of [bob, carol]) await other.sendTo(alice, 'Any news?')
  const { items } = await alice.ask<{ items: LabelCount[] }>('GET', '/users/me/labels')
  story.show(items[0])
  story.holds('it counts what is unread', (items[0]?.unread ?? 0) > 0)
  const before = await alice.ask<Unread>('GET', '/unread')
  const done = await alice.ask<ReadAll>('PUT', '/chats/read')
  story.same('all chats are read, in one call', done, { chats: before.chats })
  const zero = await laptop.next('unread.updated', ({ total }) => total === 0)
  story.same('the badge is empty', zero, { total: 0, chats: 0 })
}

export async function search({ story, chatId, alice, bob, carol }: Scene) {
  story.step('Search: in one chat and in all of mine')
  const said = await bob.ask<Message>('POST', `/chats/${chatId}/messages`, {
    body: 'The saddle is of leather: https://example.org/saddle',
  })
  const find = async (one: Person, query: string) =>
    (await one.ask<{ items: Message[] }>('GET', `/search?${query}`)).items.map(({ seq }) => seq)
  story.same('found at once, by the beginning of a word', await find(alice, 'q=leather%20sadd'), [
    said.seq,
  ])
  const by = `chatId=${chatId}&has=link&from=${encodeURIComponent(bob.username)}`
  story.holds('by link and sender', (await find(alice, by)).includes(said.seq))
  story.same('Carol, who is not in the chat, finds nothing', await find(carol, 'q=leather'), [])
  await bob.ask('DELETE', `/chats/${chatId}/messages/${said.seq}`)
  story.same('deleted, it is found no more', await find(alice, 'q=leather'), [])
}
