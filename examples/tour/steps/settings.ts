import type { Chat, Unread } from '@microchatter/protocol'
import type { Scene } from '../scene.ts'
import { chatsOf } from './lists.ts'

export async function showTyping({ story, chatId, bob, bobs, phone, laptop }: Scene) {
  story.step('Typing: seen by the other, kept nowhere')
  for (const typing of [true, false]) {
    await bobs.ask('typing', { chatId, typing })
    const seen = { chatId, username: bob.username, typing }
    story.same(
      `Alice sees that Bob ${typing ? 'types' : 'stops'}`,
      await phone.next('typing'),
      seen,
    )
    await laptop.next('typing')
  }
  await phone.ask('typing', { chatId, typing: true })
  await bobs.next('typing')
  story.holds('who types is not told of it on other devices', !laptop.has('typing'))
}

export async function muteAndPin({ story, chatId, alice, bob, laptop }: Scene, others: string) {
  story.step('Mute and pin: for me alone, on all my devices')
  await alice.ask('PUT', `/chats/${chatId}/read`, { seq: await lastSeq(alice, chatId) })
  await bob.sendTo(alice, 'Are you there?')
  const unread = () => alice.ask<Unread>('GET', '/unread')
  story.same('one unread', (await unread()).total, 1)
  await alice.ask('PATCH', `/chats/${chatId}`, { muted: true })
  const muted = await laptop.next('chat.updated', (chat) => chat.id === chatId && !!chat.muted)
  story.fits('the laptop shows the chat as muted', muted, { muted: true, unread: 1 })
  story.same('it no longer counts for the menu', (await unread()).total, 0)
  await alice.ask('PATCH', `/chats/${chatId}`, { muted: false })
  story.same('and does again', (await unread()).total, 1)
  await alice.ask('PATCH', `/chats/${others}`, { pinned: true })
  const [top] = await chatsOf(alice)
  story.fits('a pinned chat is first, though older', top ?? {}, { id: others, pinned: true })
  await alice.ask('PATCH', `/chats/${others}`, { pinned: false })
}

async function lastSeq(person: Scene['alice'], chatId: string): Promise<number> {
  return (await person.ask<Chat>('GET', `/chats/${chatId}`)).lastSeq
}

export async function archive({ story, chatId, alice, bob, phone }: Scene, others: string) {
  story.step('Archive: out of the way until a new message comes')
  const ids = async (query: string) => (await chatsOf(alice, query)).map(({ id }) => id)
  await alice.ask('PATCH', `/chats/${chatId}`, { archived: true })
  await phone.next('chat.updated', (chat) => chat.id === chatId && chat.archived === true)
  story.same('it is not on the list', await ids(''), [others])
  story.same('but on ?archived=true', await ids('?archived=true'), [chatId])
  const { seq } = await bob.sendTo(alice, 'One more thing')
  const isBack = (chat: Chat) => chat.id === chatId && chat.lastSeq === seq
  const back = await phone.next('chat.updated', isBack)
  story.same('a new message brings it back, live', back.archived, undefined)
  story.same('to the top of the list', await ids(''), [chatId, others])
}

export async function deleteForMe({ story, chatId, alice, bob, phone, laptop }: Scene) {
  story.step('Delete: for me alone, and back with the next message')
  const before = await bob.history(chatId)
  const gone = await alice.fetch('DELETE', `/chats/${chatId}`)
  story.fits('DELETE /chats/… answers 204', gone, { status: 204 })
  story.fits('her devices are told', await phone.next('chat.removed'), { chatId })
  await laptop.next('chat.removed')
  story.holds('it is off her list', !(await chatsOf(alice)).some(({ id }) => id === chatId))
  story.same('Bob still has every message', (await bob.history(chatId)).length, before.length)
  const sent = await bob.sendTo(alice, 'Hello again')
  const back = await phone.next('chat.updated', ({ lastSeq: last }) => last === sent.seq)
  story.fits('his next message brings it back', back, { unread: 1, clearedSeq: sent.seq - 1 })
  story.same('and to her that is all there is', await alice.history(chatId), [sent])
}

export async function block({ story, chatId, alice, bob, bobs, phone }: Scene) {
  story.step('Block and unblock')
  await alice.ask('PUT', `/users/me/blocks/${bob.username}`)
  const marked = await phone.next('chat.updated', (chat) => chat.blocked === true)
  story.fits('the chat is marked on her devices', marked, { id: chatId, blocked: true })
  const { items } = await alice.ask<{ items: object[] }>('GET', '/users/me/blocks')
  story.same('she has blocked one', items.length, 1)
  story.show(items[0])
  const body = 'Why?'
  const refusal = await bob.refused('POST', `/chats/${chatId}/messages`, { body })
  story.show(refusal)
  story.fits('Bob cannot write to her: 403', refusal, { status: 403, code: 'blocked' })
  story.fits('nor by socket', await bobs.refused('message.send', { chatId, body }), {
    code: 'blocked',
  })
  const hers = await alice.refused('POST', `/chats/${chatId}/messages`, { body })
  story.fits('nor she to him', hers, { status: 403, code: 'blocked' })
  await alice.ask('DELETE', `/users/me/blocks/${bob.username}`)
  const { message } = await bobs.ask('message.send', { chatId, body: 'Thanks' })
  const arrived = await phone.next('message.created', ({ seq }) => seq === message.seq)
  story.same('unblocked, he can', arrived, message)
}
