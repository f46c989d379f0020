import assert from 'node:assert/strict'
import type { Chat, Message, SyncResult } from '@microchatter/protocol'
import { signJwt } from '../people.ts'
import type { Scene } from '../scene.ts'
import { chatsOf } from './lists.ts'

/** What a client keeps. */
interface Kept {
  cursor: string
  chats: Map<string, Chat>
  messages: Message[]
}

/** Bob loses his connection; what he has after a sync equals what a fresh start would give him. */
export async function comeBack(scene: Scene): Promise<Scene> {
  const { story, chatId, alice, bob, carol, bobs } = scene
  story.step('Coming back after a lost connection: sync')
  const fresh = await bobs.ask('sync', {})
  assert(fresh.sync.reset, 'a sync without a cursor is a fresh start')
  const kept: Kept = {
    cursor: fresh.sync.cursor,
    chats: new Map(fresh.sync.chats.map((chat) => [chat.id, chat])),
    messages: await bob.history(chatId),
  }
  bobs.socket.disconnect()
  story.note(
    'Bob is away. Alice writes three times, Carol for the first time; he pins a chat elsewhere.',
  )
  for (const body of ['Are you', 'still', 'there?']) await alice.sendTo(bob, body)
  await carol.sendTo(bob, 'Hi Bob, nice to meet you')
  await bob.ask('PATCH', `/chats/${chatId}`, { pinned: true })

  const again = await bob.connect({ hold: true })
  const { cursor, chats, messages } = kept
  const body = { cursor, chats: [{ chatId, seq: messages.at(-1)?.seq ?? 0 }] }
  const { sync } = await again.ask('sync', body)
  story.show({ cursor: sync.cursor, unread: sync.unread, chats: sync.chats.length })
  apply(kept, sync)
  const listed = await chatsOf(bob, '?limit=100')
  story.same('the chats are as a fresh fetch has them', byId([...chats.values()]), byId(listed))
  story.same('the messages too', messages, await bob.history(chatId))
  story.same('the badge too', sync.unread, await bob.ask('GET', '/unread'))
  story.same('three of the messages are new', sync.messages[0]?.items.length, 3)
  const live = await alice.sendTo(bob, 'Ah, there you are')
  const arrived = await again.next('message.created')
  story.same('from then on it is live again', arrived, live)
  return { ...scene, bobs: again }
}

function apply(kept: Kept, sync: SyncResult): void {
  assert(!sync.reset && !sync.more, 'nothing was lost that would need a fresh start')
  for (const chat of sync.chats) kept.chats.set(chat.id, chat)
  for (const { chatId } of sync.removed) kept.chats.delete(chatId)
  for (const { items } of sync.messages) kept.messages.push(...items)
}

function byId(chats: Chat[]): Chat[] {
  return chats.toSorted((a, b) => a.id.localeCompare(b.id))
}

const SOON_SECONDS = 30

/** A token that ends is renewed on the open socket; one that is not renewed closes it. */
export async function refresh({ story, place, alice, bob }: Scene) {
  story.step('Tokens that end: auth.refresh on the open socket')
  const tokenFor = (sub: string, seconds: number) =>
    signJwt(place.secret, { sub, exp: Math.floor(Date.now() / 1_000) + seconds })
  const device = await bob.connect({ token: tokenFor(bob.username, SOON_SECONDS) })
  const { expiresAt } = await device.next('session.expiring')
  story.holds('session.expiring says that it ends soon', secondsTo(expiresAt) <= SOON_SECONDS)
  const renewed = await device.ask('auth.refresh', { token: tokenFor(bob.username, 3_600) })
  story.show(renewed)
  story.holds('auth.refresh renews it', secondsTo(renewed.expiresAt ?? '') > 3_000)
  const foreign = { token: tokenFor(alice.username, 3_600) }
  story.fits('but not as someone else', await device.refused('auth.refresh', foreign), {
    code: 'forbidden',
  })
  const short = await bob.connect({ token: tokenFor(bob.username, 2) })
  story.fits('not renewed, it is closed with a reason', await short.next('session.closed'), {
    reason: 'session_expired',
  })
}

function secondsTo(time: string): number {
  return (Date.parse(time) - Date.now()) / 1_000
}

export async function revoke({ story, alice, phone, laptop }: Scene) {
  story.step('Revocation: a session that is ended closes its socket at once')
  const ending = laptop.next('session.closed')
  const { items } = await alice.ask<{ items: { id: string; current?: true }[] }>(
    'GET',
    '/users/me/sessions',
  )
  for (const { id, current } of items)
    if (!current) await alice.ask('DELETE', `/users/me/sessions/${id}`)
  const closed = await ending
  story.show({ 'session.closed': closed })
  story.fits("the laptop's socket is told why", closed, { reason: 'session_revoked' })
  while (laptop.socket.connected) await new Promise((resolve) => setTimeout(resolve, 5))
  story.holds('and closed, while the phone stays', phone.socket.connected)
}
