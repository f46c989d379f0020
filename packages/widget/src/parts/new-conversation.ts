/** A conversation with someone whom one has no chat with: it is made with the first message, not by looking. */
import type { Chat, Profile } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { icon } from '../icons.ts'
import { nameOf, type Ui } from '../ui.ts'
import { Part } from '../watching.ts'
import { avatar } from './avatar.ts'
import { beginning } from './log.ts'

export class NewConversationPart extends Part {
  static override properties = {
    ui: { attribute: false },
    username: { attribute: false },
    canGoBack: { attribute: false },
    profile: { state: true },
    failure: { state: true },
  }
  declare ui: Ui
  declare username: string
  declare canGoBack: boolean
  declare profile: Profile | undefined
  /** Why there can be none. */
  declare failure: string | undefined
  onBack: () => void = () => undefined
  onChat: (chatId: string) => void = () => undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#find()
  }

  async #find(): Promise<void> {
    this.failure = undefined
    const { api } = this.ui.client
    try {
      const { items } = await api.listChats({ with: this.username })
      if (!this.isConnected) return
      if (items[0]) return this.onChat(items[0].id)
      this.profile = await api.getUser({ username: this.username })
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error)
    }
  }

  override render(): TemplateResult {
    const { t } = this.ui
    const name = this.profile ? nameOf(this.ui, this.profile) : ''
    return html`<section class="conversation" aria-label=${name || nothing}>
      <header class="head" part="header">
        ${this.canGoBack ? html`<button class="tool back" aria-label=${t.back} @click=${() => this.onBack()}>${icon('back')}</button>` : nothing}
        ${this.profile ? html`<span class="who">${avatar({ name, key: this.username, picture: this.profile.picture })}<b dir="auto">${name}</b></span>` : nothing}
      </header>
      ${this.#body()}
    </section>`
  }

  #body(): TemplateResult {
    const { t } = this.ui
    if (this.failure !== undefined)
      return html`<div class="empty"><p role="alert">${this.failure}</p><button class="primary" @click=${() => void this.#find()}>${t.again}</button></div>`
    if (!this.profile)
      return html`<div class="loading" role="status" aria-label=${t.connecting}></div>`
    return html`<div class="log"><div class="content">${beginning(this.ui, 0)}</div></div>
      <mc-composer .ui=${this.ui} .chat=${chatTo(this.profile)} .to=${this.username} .onMade=${(chatId: string) => this.onChat(chatId)}></mc-composer>`
  }
}

/** As the composer takes it; there is no such chat. */
function chatTo(profile: Profile): Chat {
  return {
    id: '',
    kind: 'direct',
    members: [profile],
    unread: 0,
    lastSeq: 0,
    readSeq: 0,
    rev: 0,
    updatedAt: '',
  }
}
