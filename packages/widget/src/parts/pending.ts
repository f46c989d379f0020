/** A message of mine that is not with the server yet, or was refused. */
import type { Pending } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { icon } from '../icons.ts'
import { isEmojiOnly, richText } from '../rich-text.ts'
import type { Ui } from '../ui.ts'

export function pendingView(ui: Ui, pending: Pending): TemplateResult {
  const { at, chatId, clientId, failed, message } = pending
  const { t, client } = ui
  const { body = '', poll, files } = message
  const isOffline = client.status.getSnapshot() !== 'online'
  const label = isOffline ? t.waiting : t.sending
  return html`<div class="message mine first last pending ${failed ? 'failed' : ''}" role="article" tabindex="-1"
    aria-label=${t.says(t.you, body)}>
    <div class="column">
      <div class="row">
        <div class="bubble ${isEmojiOnly(body) ? 'large' : ''}">
          ${body ? html`<div class="text" dir="auto">${richText(body)}</div>` : nothing}
          ${!body && (files || poll) ? html`<div class="text">${files ? t.file : t.poll}</div>` : nothing}
          <span class="meta">
            <time>${ui.format.time(at)}</time>
            <span class="ticks" role="img" aria-label=${label} title=${label}>${icon(failed ? 'alert' : 'clock')}</span>
          </span>
        </div>
      </div>
      ${
        failed
          ? html`<div class="failure" role="alert">
            <span>${t.notSent(failed.detail || failed.code)}</span>
            <button @click=${() => ui.run(client.retry(chatId, clientId))}>${t.retry}</button>
            <button @click=${() => ui.run(client.discard(chatId, clientId))}>${t.discard}</button>
          </div>`
          : nothing
      }
    </div>
  </div>`
}
