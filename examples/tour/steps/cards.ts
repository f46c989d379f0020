import type { Message } from '@microchatter/protocol'
import type { Scene } from '../scene.ts'

/** The site sends a card; the press of its button asks the site, which checks that it is asked by us. */
export async function pressButton({ story, place, admin, alice, bob }: Scene) {
  story.step('A card of the site, and the press of its button')
  const card = { title: 'Order 7', buttons: [{ id: 'pay', label: 'Pay' }] }
  const sent = await admin.ask<Message>('POST', `/chats/users/${alice.username}/messages`, {
    as: 'system',
    card,
  })
  const { chatId, seq } = sent
  story.fits('a card, from "system"', sent, { kind: 'card', card, sender: 'system' })
  const path = `/chats/${chatId}/messages/${seq}/press`
  const stranger = await bob.refused('POST', path, { button: 'pay' })
  story.fits('only who has it can press', stranger, { status: 404, code: 'not_found' })
  const none = await alice.refused('POST', path, { button: 'sell' })
  story.fits('and only what is there', none, { status: 400, field: '/button' })
  const { webhook } = place
  if (!webhook) return story.note('(what the webhook gets is shown on a server of our own)')
  const { text } = await alice.ask<{ text: string }>('POST', path, { button: 'pay' })
  const call = webhook.calls[0] ?? { type: 'nothing', data: {} }
  story.show(call)
  story.same('the site was asked once, rightly signed', webhook.calls.length, 1)
  story.fits('by whom, and for what', call.data, { username: alice.username, button: 'pay', seq })
  story.same('and she is told what it says', text, webhook.answer)
}
