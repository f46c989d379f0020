import type { Chat } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { memberOf, nameOf, type Ui } from '../ui.ts'
import { avatar } from './avatar.ts'

interface Receipts {
  items: { username: string; state: 'read' | 'delivered' }[]
}

/** Who has read a message of mine, and who has it. */
export function infoView(ui: Ui, chat: Chat | undefined, data: unknown): TemplateResult {
  const { items } = (data ?? { items: [] }) as Receipts
  const of = (state: 'read' | 'delivered') => items.filter((item) => item.state === state)
  const part = (title: string, people: Receipts['items']) =>
    people.length === 0
      ? nothing
      : html`<h3>${title}</h3><ul class="chats inner">${people.map(({ username }) => {
          const member = memberOf(chat, username)
          const name = nameOf(ui, member)
          return html`<li class="person">${avatar({ name, key: username, picture: member.picture })}<b dir="auto">${name}</b></li>`
        })}</ul>`
  return html`<div class="details">
    ${part(ui.t.readBy, of('read'))} ${part(ui.t.deliveredTo, of('delivered'))}
    ${data && items.length === 0 ? html`<p class="hint">${ui.t.sent}</p>` : nothing}
  </div>`
}
