/** The elements that a page can use. */
import type { Unread } from '@microchatter/client'
import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { ref } from 'lit/directives/ref.js'
import { icon } from './icons.ts'
import type { ConversationPart } from './parts/conversation.ts'
import { Root, TEXT } from './root.ts'
import type { Ui } from './ui.ts'

/** A whole inbox; it fills its box. */
export class Inbox extends Root {
  static override properties: PropertyDeclarations = {
    chat: { reflect: true, converter: TEXT },
    with: { converter: TEXT },
  }
  /** The id of the chat that is open. */
  declare chat: string | undefined
  /** The username of whom the conversation that is open is with; it need not have begun. */
  declare with: string | undefined
  #conversation: ConversationPart | undefined
  #wanted: number | undefined

  /** Opens the conversation with this user. */
  openWith(username: string): void {
    this.chat = undefined
    this.with = username
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed)
    if (changed.has('chat') && this.chat) this.with = undefined
    else if (changed.has('with') && this.with) this.chat = undefined
  }

  protected override forget(): void {
    super.forget()
    this.chat = undefined
  }

  protected override content(ui: Ui): TemplateResult {
    const { chat, side } = this
    const isOpen = (chat ?? this.with) !== undefined
    return html`<div class="root inbox ${isOpen ? 'shows-chat' : 'shows-list'} ${side ? 'has-side' : ''}" dir=${ui.t.dir}
      @keydown=${this.#onKey}>
      <nav class="pane list" part="list" aria-label=${ui.t.inbox}><mc-list .ui=${ui} .chosen=${chat}></mc-list></nav>
      <section class="pane chat" part="chat">${isOpen ? this.#open(ui) : this.#nothing(ui)}</section>
      ${chat !== undefined && side ? sideView(ui, chat, side) : nothing}
      ${this.above(ui)}
    </div>`
  }

  #nothing({ t }: Ui): TemplateResult {
    return html`<div class="empty">${icon('chat')}<h3>${t.chooseChat}</h3><p>${t.chooseChatHint}</p></div>`
  }

  #open(ui: Ui): TemplateResult {
    const { chat } = this
    const back = () => this.#back()
    if (chat === undefined)
      return newConversation(ui, this.with ?? '', (id) => this.openChat(id), back)
    return html`${keyed(
      chat,
      html`<mc-conversation .ui=${ui} .chatId=${chat} .canGoBack=${true} .onBack=${back}
        ${ref(this.#onConversation)}></mc-conversation>`,
    )}`
  }

  readonly #onConversation = (element?: Element): void => {
    this.#conversation = element as ConversationPart | undefined
    if (this.#conversation && this.#wanted !== undefined) this.#conversation.jump(this.#wanted)
    this.#wanted = undefined
  }

  protected override openChat(chatId: string, seq?: number): void {
    const isSame = chatId === this.chat
    // Beside the chat there is room for what was searched; over it there is not.
    if (!isSame || this.side?.kind !== 'search' || this.offsetWidth <= BESIDE_PX)
      this.side = undefined
    if (isSame) {
      if (seq !== undefined) void this.updateComplete.then(() => this.#conversation?.jump(seq))
      return
    }
    this.#wanted = seq
    this.chat = chatId
    this.#focusText()
  }

  protected override openUser(username: string): void {
    this.side = undefined
    this.openWith(username)
    this.#focusText()
  }

  /** Where the list is beside it one goes on by the keyboard; on a phone the keys would cover what is read. */
  #focusText(): void {
    if (this.offsetWidth > PHONE_PX)
      void this.updateComplete.then(() => this.#conversation?.focusText())
  }

  #back(): void {
    const { chat } = this
    this.chat = undefined
    this.with = undefined
    this.side = undefined
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>(`[data-chat="${chat}"]`)?.focus(),
    )
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    // What pops up closes by itself.
    const isAbove = event.target instanceof Element && event.target.closest('mc-menu, mc-dialog')
    if (event.key !== 'Escape' || event.defaultPrevented || isAbove) return
    if (this.side) {
      this.side = undefined
      this.#conversation?.focusText()
    } else this.#back()
  }
}

/** As styles.ts has it. */
const PHONE_PX = 620
const BESIDE_PX = 1_020

function newConversation(
  ui: Ui,
  username: string,
  onChat: (chatId: string) => void,
  onBack?: () => void,
): TemplateResult {
  return html`${keyed(
    username,
    html`<mc-new-conversation .ui=${ui} .username=${username} .canGoBack=${onBack !== undefined}
      .onChat=${onChat} .onBack=${onBack}></mc-new-conversation>`,
  )}`
}

function sideView(ui: Ui, chat: string, { kind, seq }: NonNullable<Inbox['side']>): TemplateResult {
  const part = {
    details: () => html`<mc-details .ui=${ui} .chatId=${chat}></mc-details>`,
    search: () => html`<mc-search .ui=${ui} .chatId=${chat}></mc-search>`,
    thread: () =>
      html`<mc-conversation .ui=${ui} .chatId=${chat} .thread=${seq}></mc-conversation>`,
  }[kind]
  return html`<section class="pane side" part="side" aria-label=${ui.t.details}>${keyed(`${kind} ${chat} ${seq}`, part())}</section>`
}

/** One conversation: `with` a username, or `chat` by its id. */
export class SingleChat extends Root {
  static override properties: PropertyDeclarations = {
    chat: { converter: TEXT },
    with: { converter: TEXT },
  }
  declare chat: string | undefined
  declare with: string | undefined
  #conversation: ConversationPart | undefined

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed)
    if (changed.has('with') && this.with && !changed.has('chat')) this.chat = undefined
  }

  protected override content(ui: Ui): TemplateResult {
    const { chat, side } = this
    return html`<div class="root inbox single shows-chat ${side ? 'has-side' : ''}" dir=${ui.t.dir}>
      <section class="pane chat" part="chat">${chat === undefined ? this.#new(ui) : this.#open(ui, chat)}</section>
      ${chat !== undefined && side ? sideView(ui, chat, side) : nothing}
      ${this.above(ui)}
    </div>`
  }

  #new(ui: Ui): TemplateResult | typeof nothing {
    if (!this.with) return nothing
    return newConversation(ui, this.with, (id) => (this.chat = id))
  }

  #open(ui: Ui, chat: string): TemplateResult {
    const onElement = (element?: Element) => (this.#conversation = element as ConversationPart)
    return html`${keyed(chat, html`<mc-conversation .ui=${ui} .chatId=${chat} ${ref(onElement)}></mc-conversation>`)}`
  }

  protected override openChat(chatId: string, seq?: number): void {
    if (this.offsetWidth <= BESIDE_PX) this.side = undefined
    if (chatId !== this.chat) this.chat = chatId
    else if (seq !== undefined) void this.updateComplete.then(() => this.#conversation?.jump(seq))
  }
}

/** Messages, and requests that wait. */
function countOf({ total, requests = 0 }: Unread): number {
  return total + requests
}

/** How many messages are unread, for the site's own menu; empty where there are none. */
export class Badge extends Root {
  protected override content(ui: Ui): TemplateResult | typeof nothing {
    const count = countOf(this.watch(ui.client.unread))
    if (count === 0) return nothing
    return html`<span class="badge" part="badge" role="status"><span aria-hidden="true">${ui.format.count(count)}</span><span class="hidden">${ui.t.unreadCount(count)}</span></span>`
  }

  protected override outside(): typeof nothing {
    return nothing
  }
}

/** A button that floats over the page, and opens the inbox. */
export class Launcher extends Root {
  static override properties: PropertyDeclarations = {
    open: { type: Boolean, reflect: true },
    with: {},
  }
  declare open: boolean
  declare with: string | undefined

  /** Opens the chat with this user. */
  openWith(username: string): void {
    this.open = true
    this.with = undefined
    void this.updateComplete.then(() => (this.with = username))
  }

  protected override content(ui: Ui): TemplateResult {
    const count = countOf(this.watch(ui.client.unread))
    const label = this.open ? ui.t.closeChat : ui.t.openChat
    return html`<div class="floating" dir=${ui.t.dir}>
      ${
        this.open
          ? html`<div class="panel" part="panel" role="dialog" aria-label=${ui.t.inbox}>
              <micro-chatter .server=${this.server} .tokenUrl=${this.tokenUrl} .getToken=${this.getToken} .reportUrl=${this.reportUrl}
                .texts=${this.texts} .theme=${this.theme} lang=${this.lang || nothing} .with=${this.with} exportparts="list, chat, side, header, bubble, mine, theirs, composer"></micro-chatter>
            </div>`
          : nothing
      }
      <button class="launch" part="launcher" aria-expanded=${this.open === true} aria-label=${count > 0 && !this.open ? `${label}, ${ui.t.unreadCount(count)}` : label} @click=${() => (this.open = !this.open)}>
        ${icon(this.open ? 'close' : 'chat')}
        ${count > 0 && !this.open ? html`<span class="badge" part="badge">${ui.format.count(count)}</span>` : nothing}
      </button>
    </div>`
  }

  /** Nobody is logged in: there is nothing to open. */
  protected override outside(): typeof nothing {
    return nothing
  }
}
