/** The elements that a page can use. */
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
import { Root } from './root.ts'
import type { Ui } from './ui.ts'

/** A whole inbox; it fills its box. */
export class Inbox extends Root {
  static override properties: PropertyDeclarations = { chat: { reflect: true }, with: {} }
  /** The id of the chat that is open. */
  declare chat: string | undefined
  /** A username: the chat with them is opened. */
  declare with: string | undefined
  #conversation: ConversationPart | undefined
  #wanted: number | undefined
  #openedWith: string | undefined

  /** Opens the chat with this user; it is made where there is none. */
  openWith(username: string): void {
    this.#openedWith = undefined
    this.with = username
  }

  protected override content(ui: Ui): TemplateResult {
    this.#openWanted(ui)
    const { chat, side } = this
    return html`<div class="root inbox ${chat === undefined ? 'shows-list' : 'shows-chat'} ${side ? 'has-side' : ''}" dir=${ui.t.dir}
      @keydown=${this.#onKey}>
      <nav class="pane list" part="list" aria-label=${ui.t.inbox}><mc-list .ui=${ui} .chosen=${chat}></mc-list></nav>
      <section class="pane chat" part="chat">${chat === undefined ? this.#nothing(ui) : this.#chat(ui, chat)}</section>
      ${chat !== undefined && side ? sideView(ui, chat, side) : nothing}
      ${this.above(ui)}
    </div>`
  }

  #nothing({ t }: Ui): TemplateResult {
    return html`<div class="empty">${icon('chat')}<h3>${t.chooseChat}</h3><p>${t.chooseChatHint}</p></div>`
  }

  #chat(ui: Ui, chat: string): TemplateResult {
    return html`${keyed(
      chat,
      html`<mc-conversation .ui=${ui} .chatId=${chat} .canGoBack=${true} .onBack=${() => this.#back()}
        ${ref(this.#onConversation)}></mc-conversation>`,
    )}`
  }

  readonly #onConversation = (element?: Element): void => {
    this.#conversation = element as ConversationPart | undefined
    if (this.#conversation && this.#wanted !== undefined) this.#conversation.jump(this.#wanted)
    this.#wanted = undefined
  }

  protected override openChat(chatId: string, seq?: number): void {
    if (this.side?.kind !== 'search' || chatId !== this.chat) this.side = undefined
    if (chatId === this.chat) {
      if (seq !== undefined) this.#conversation?.jump(seq)
      return
    }
    this.#wanted = seq
    this.chat = chatId
    // Where the list is beside it, one goes on by the keyboard; on a phone the keys would cover what is read.
    if (this.offsetWidth > 700) void this.updateComplete.then(() => this.#conversation?.focusText())
  }

  #openWanted(ui: Ui): void {
    if (this.with === undefined || this.with === this.#openedWith) return
    this.#openedWith = this.with
    ui.run(ui.client.openWith(this.with).then(({ id }) => this.openChat(id)))
  }

  #back(): void {
    this.chat = undefined
    this.side = undefined
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    // What pops up closes by itself.
    const isAbove = event.target instanceof Element && event.target.closest('mc-menu, mc-dialog')
    if (event.key !== 'Escape' || event.defaultPrevented || isAbove) return
    if (this.side) this.side = undefined
    else if (this.chat !== undefined) this.#back()
  }
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
    chat: {},
    with: {},
    failure: { state: true },
  }
  declare chat: string | undefined
  declare with: string | undefined
  #conversation: ConversationPart | undefined
  /** Why there is no chat with this user. */
  declare failure: string | undefined
  #opened: string | undefined

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed)
    if (changed.has('with') && this.with !== this.#opened) this.chat = undefined
  }

  protected override content(ui: Ui): TemplateResult {
    const { chat, side } = this
    if (chat === undefined && this.with !== undefined && this.with !== this.#opened) {
      this.#opened = this.with
      this.failure = undefined
      ui.client.openWith(this.with).then(
        ({ id }) => (this.chat = id),
        (error: unknown) => (this.failure = error instanceof Error ? error.message : String(error)),
      )
    }
    return html`<div class="root inbox single shows-chat ${side ? 'has-side' : ''}" dir=${ui.t.dir}>
      <section class="pane chat" part="chat">
        ${
          chat === undefined
            ? this.#waiting(ui)
            : keyed(
                chat,
                html`<mc-conversation .ui=${ui} .chatId=${chat} ${ref((element) => (this.#conversation = element as ConversationPart))}></mc-conversation>`,
              )
        }
      </section>
      ${chat !== undefined && side ? sideView(ui, chat, side) : nothing}
      ${this.above(ui)}
    </div>`
  }

  #waiting({ t }: Ui): TemplateResult {
    if (this.failure !== undefined)
      return html`<div class="empty"><p role="alert">${this.failure}</p></div>`
    return html`<div class="loading" role="status" aria-label=${t.connecting}></div>`
  }

  protected override openChat(chatId: string, seq?: number): void {
    if (chatId === this.chat && seq !== undefined) this.#conversation?.jump(seq)
    else if (chatId !== this.chat) this.chat = chatId
  }
}

/** How many messages are unread, for the site's own menu; empty where there are none. */
export class Badge extends Root {
  protected override content(ui: Ui): TemplateResult | typeof nothing {
    const { total, requests = 0 } = this.watch(ui.client.unread)
    const count = total + requests
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
    const { total, requests = 0 } = this.watch(ui.client.unread)
    const count = total + requests
    const label = this.open ? ui.t.closeChat : ui.t.openChat
    return html`<div class="floating" dir=${ui.t.dir}>
      ${
        this.open
          ? html`<div class="panel" part="panel" role="dialog" aria-label=${ui.t.inbox}>
              <micro-chatter .server=${this.server} .tokenUrl=${this.tokenUrl} .getToken=${this.getToken} .reportUrl=${this.reportUrl}
                .texts=${this.texts} .theme=${this.theme} .with=${this.with} exportparts="list, chat, side, header, bubble, mine, theirs, composer"></micro-chatter>
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
