import { html, nothing, type TemplateResult } from 'lit'
import { nameOf, type Ui } from '../ui.ts'

type WriteFrom = 'everyone' | 'requests' | 'contacts' | 'nobody'
type LastSeenTo = 'everyone' | 'contacts' | 'nobody'

interface Loaded {
  settings: { writeFrom: WriteFrom; lastSeenTo: LastSeenTo; receipts: boolean }
  blocks: { username: string; displayName?: string }[]
}

/** Who may write to me, and what others see of me. */
export function settingsView(ui: Ui, data: unknown, again: () => void): TemplateResult {
  const { t, client } = ui
  if (!data) return html`<div class="loading" role="status" aria-label=${t.connecting}></div>`
  const { settings, blocks } = data as Loaded
  const set = (change: object) => ui.run(client.api.editSettings(change).then(again))
  const value = (event: Event) => (event.target as HTMLSelectElement).value
  const option = (is: string, own: string, text: string) =>
    html`<option value=${own} ?selected=${is === own}>${text}</option>`
  return html`<div class="form">
    <label class="field"><span>${t.whoMayWrite}</span><select @change=${(event: Event) => set({ writeFrom: value(event) })}>
      ${option(settings.writeFrom, 'everyone', t.everyone)} ${option(settings.writeFrom, 'requests', t.byRequest)}
      ${option(settings.writeFrom, 'contacts', t.contacts)} ${option(settings.writeFrom, 'nobody', t.nobody)}</select></label>
    <label class="field"><span>${t.whoSeesMe}</span><select @change=${(event: Event) => set({ lastSeenTo: value(event) })}>
      ${option(settings.lastSeenTo, 'everyone', t.everyone)} ${option(settings.lastSeenTo, 'contacts', t.contacts)}
      ${option(settings.lastSeenTo, 'nobody', t.nobody)}</select></label>
    <label class="switch"><span>${t.receipts}</span><input type="checkbox" role="switch" .checked=${settings.receipts}
      @change=${(event: Event) => set({ receipts: (event.target as HTMLInputElement).checked })} /></label>
    <button class="quiet" @click=${() => ui.dialog('starred')}>${t.starred}</button>
    ${blocks.length > 0 ? html`<h3>${t.blockedPeople}</h3>` : nothing}
    ${blocks.map(
      (block) => html`<div class="person"><b dir="auto">${nameOf(ui, block)}</b>
      <button @click=${() => ui.run(client.api.unblockUser({ username: block.username }).then(again))}>${t.unblock}</button></div>`,
    )}
  </div>`
}
