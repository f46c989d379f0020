import type { Chat, Message, Reminder, Scheduled } from '@microchatter/protocol'
import type { Scene } from '../scene.ts'

/** The least is 10 s, by the server's clock. */
const SEND_IN_MS = 11_000

function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString()
}

export async function schedule({ story, chatId, alice, phone }: Scene): Promise<Scheduled> {
  story.step('Scheduled: a message that is sent in 11 s, while the tour goes on')
  const body = 'Leaving now'
  const path = `/chats/${chatId}/scheduled`
  const late = await alice.refused('POST', path, { body, sendAt: inMs(1_000) })
  story.fits('10 s are the least', late, { status: 400, field: '/sendAt' })
  const planned = await alice.ask<Scheduled>('POST', path, { body, sendAt: inMs(SEND_IN_MS) })
  story.show(planned)
  const { state } = await phone.next('scheduled.updated', ({ id }) => id === planned.id)
  story.same('her phone knows of it', state, 'waiting')
  const { items } = await alice.ask<{ items: Scheduled[] }>('GET', '/users/me/scheduled')
  story.same('it is on her list', items, [planned])
  return planned
}

export async function arrive({ story, phone, bobs, alice }: Scene, planned: Scheduled) {
  story.step('The scheduled message arrives')
  const arrived = await bobs.next('message.created', ({ clientId }) => clientId === planned.id)
  story.fits('Bob has it', arrived, { body: planned.body, sender: alice.username })
  const lateMs = Date.parse(arrived.createdAt) - Date.parse(planned.sendAt)
  story.holds(`not before its time, and ${lateMs} ms after it`, lateMs >= 0 && lateMs < 5_000)
  const sent = await phone.next('scheduled.updated', ({ state }) => state === 'sent')
  story.fits('her phone is told where it went', sent, { id: planned.id, seq: arrived.seq })
  const { items } = await alice.ask<{ items: Scheduled[] }>('GET', '/users/me/scheduled')
  story.same('nothing waits any more', items, [])
}

export async function remind({ story, chatId, alice, phone }: Scene) {
  story.step('Reminders: of a message, at a time')
  const { lastMessage } = await alice.ask<Chat>('GET', `/chats/${chatId}`)
  const path = `/chats/${chatId}/messages/${lastMessage?.seq}/reminder`
  await alice.ask('PUT', path, { at: inMs(1_000), note: 'Answer Bob' })
  const due = await phone.next('reminder.due')
  story.fits('a second later her phone is told, with the message', due, {
    note: 'Answer Bob',
    message: lastMessage,
  })
  const list = () => alice.ask<{ items: Reminder[] }>('GET', '/users/me/reminders')
  story.fits('it stays on her list', (await list()).items[0] ?? {}, { due: true })
  await alice.ask('DELETE', path)
  story.same('until she has done with it', (await list()).items, [])
}

export async function disappear({ story, chatId, alice, bobs, phone }: Scene) {
  story.step('Messages that disappear, here after a second')
  const stay = (expireAfterSeconds: number) =>
    alice.ask('PATCH', `/chats/${chatId}`, { settings: { expireAfterSeconds } })
  await stay(1)
  const { message } = await bobs.ask('message.send', { chatId, body: 'The code is 4711' })
  story.holds('it says until when it is there', message.expiresAt !== undefined)
  const gone = await phone.next('message.deleted', ({ seq }) => seq === message.seq)
  story.fits('then its place is left', gone, { body: '', deletedBy: undefined })
  const now = await alice.ask<Message>('GET', `/chats/${chatId}/messages/${message.seq}`)
  story.same('for whoever asks', now.body, '')
  await stay(0)
}
