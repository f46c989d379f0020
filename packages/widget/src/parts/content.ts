/** What a message can have besides words: a poll, a card, a place, a preview of a link. */
import type { Message, Preview } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import { icon } from '../icons.ts'
import type { Where } from './where.ts'

type Poll = NonNullable<Message['poll']>
type Card = NonNullable<Message['card']>
type Location = NonNullable<Message['location']>

export function pollView(where: Where, message: Message, poll: Poll, me: string): TemplateResult {
  const { ui, onDone } = where
  const { chatId, seq } = message
  const chosen = message.my?.votes ?? []
  const isOver =
    poll.closed || (poll.closesAt !== undefined && Date.parse(poll.closesAt) <= Date.now())
  const vote = (option: number) => {
    const others = poll.multiple ? chosen.filter((one) => one !== option) : []
    const options = chosen.includes(option)
      ? others
      : [...others, option].sort((one, other) => one - other)
    // A vote that is refused is not shown as one.
    const done = () => onDone(seq)
    ui.run(ui.client.api.vote({ chatId, seq, options }).then(done).finally(where.onDraw))
  }
  const end = () => ui.run(ui.client.api.closePoll({ chatId, seq }).then(() => onDone(seq)))
  return html`<fieldset class="poll">
    <legend dir="auto">${message.body}</legend>
    ${poll.options.map(
      ({ text, votes }, option) => html`<label>
        <input type=${poll.multiple ? 'checkbox' : 'radio'} name="poll-${seq}-${where.thread ?? 0}"
          .checked=${live(chosen.includes(option))} ?disabled=${isOver} @click=${() => vote(option)} />
        <span dir="auto">${text}</span><span class="votes">${votes}</span>
        <progress max=${Math.max(1, poll.voters)} value=${votes} aria-hidden="true"></progress>
      </label>`,
    )}
    <small>${ui.t.votes(poll.voters)}${isOver ? ` · ${ui.t.pollClosed}` : ''}${poll.anonymous ? ` · ${ui.t.anonymous}` : ''}</small>
    ${!isOver && message.sender === me ? html`<button class="quiet" @click=${end}>${ui.t.endPoll}</button>` : nothing}
  </fieldset>`
}

export function cardView({ ui }: Where, { chatId, seq }: Message, card: Card): TemplateResult {
  const press = async (button: string) => {
    const { text } = await ui.client.api.pressButton({ chatId, seq, button })
    if (text) ui.say(text)
  }
  return html`<div class="card">
    ${card.imageUrl ? html`<img src=${card.imageUrl} alt="" loading="lazy" referrerpolicy="no-referrer" />` : nothing}
    <b dir="auto">${card.url ? link(card.url, card.title) : card.title}</b>
    ${card.text ? html`<span dir="auto">${card.text}</span>` : nothing}
    ${(card.buttons ?? []).map(({ id, label, url }) =>
      url
        ? html`<span class="button">${link(url, label)}</span>`
        : html`<button @click=${() => ui.run(press(id))}>${label}</button>`,
    )}
  </div>`
}

export function locationView({ ui }: Where, place: Location): TemplateResult {
  const { latitude, longitude, name, address } = place
  const url = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`
  return html`<div class="card place">
    <b>${icon('place')}${link(url, name ?? ui.t.location)}</b>
    ${address ? html`<span dir="auto">${address}</span>` : nothing}
    <small dir="ltr">${latitude.toFixed(5)}, ${longitude.toFixed(5)}</small>
  </div>`
}

export function previewView(
  { ui }: Where,
  { chatId, seq }: Message,
  preview: Preview,
): TemplateResult {
  const { url, title, description, siteName, image } = preview
  return html`<div class="card preview">
    ${image ? html`<mc-file class="image" .ui=${ui} .chatId=${chatId} .seq=${seq} .file=${image}></mc-file>` : nothing}
    ${siteName ? html`<small dir="auto">${siteName}</small>` : nothing}
    <b dir="auto">${link(url, title ?? url)}</b>
    ${description ? html`<span dir="auto">${description}</span>` : nothing}
  </div>`
}

/** Only to the web: what else a text may name is not a link. */
function link(url: string, text: string): TemplateResult | string {
  if (!/^https?:\/\//i.test(url)) return text
  return html`<a href=${url} target="_blank" rel="noopener noreferrer nofollow">${text}</a>`
}
