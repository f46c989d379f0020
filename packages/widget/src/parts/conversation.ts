/** One chat: who it is with, what was said, and where one writes. */
import type { Chat, ChatError, Conversation, Message } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { ref } from 'lit/directives/ref.js'
import { icon } from '../icons.ts'
import { may, memberOf, nameOf, otherOf, titleOf, type Ui } from '../ui.ts'
import { Part } from '../watching.ts'
import { chatAvatar } from './avatar.ts'
import type { ComposerPart } from './composer.ts'
import { chatMenu } from './list.ts'
import type { LogPart } from './log.ts'

export class ConversationPart extends Part {
  static override properties = {
    ui: { attribute: false },
    chatId: { attribute: false },
    thread: { attribute: false },
    canGoBack: { attribute: false },
    isDragged: { state: true },
    isGone: { state: true },
  }
  declare ui: Ui
  declare chatId: string
  declare thread: number | undefined
  declare canGoBack: boolean
  declare isDragged: boolean
  /** There is no such chat, or none any more. */
  declare isGone: boolean
  #conversation: Conversation | undefined
  #log: LogPart | undefined
  #composer: ComposerPart | undefined
  #wanted: number | undefined
  onBack: () => void = () => undefined

  /** As soon as it is drawn. */
  jump(seq: number): void {
    if (this.#log) this.ui.run(this.#log.jump(seq))
    else this.#wanted = seq
  }

  focusText(): void {
    void this.updateComplete.then(() => this.#composer?.focusText())
  }

  override render(): TemplateResult {
    const chat = this.watch(this.ui.client.chat(this.chatId))
    this.#wasThere ||= chat !== undefined
    if (!chat) return this.#absent(this.isGone || this.#wasThere)
    return html`
      <section class="conversation ${this.isDragged ? 'dragged' : ''}" aria-label=${titleOf(this.ui, chat)}
        @dragover=${this.#onDrag} @dragleave=${() => (this.isDragged = false)} @drop=${this.#onDrop}>
        ${this.thread === undefined ? this.#head(chat) : this.#threadHead()}
        ${this.#connection()}
        <mc-log .ui=${this.ui} .chatId=${this.chatId} .thread=${this.thread}
          .onReply=${this.#onReply} .onEdit=${this.#onEdit} ${ref(this.#onLog)}></mc-log>
        ${this.#typists(chat)} ${this.#foot(chat)}
        <div class="drop" aria-hidden="true">${this.ui.t.dropHere}</div>
      </section>`
  }

  #wasThere = false

  override connectedCallback(): void {
    super.connectedCallback()
    const { client } = this.ui
    const { chatId } = this
    // One that is far down the list is fetched by this.
    this.#conversation = client.open(chatId)
    if (!client.chat(chatId).getSnapshot())
      client.api.getChat({ chatId }).catch((error: ChatError) => (this.isGone = !error.isTransient))
  }

  protected override firstUpdated(): void {
    // A thread is opened to be written in.
    if (this.thread !== undefined) this.focusText()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#conversation?.close()
  }

  #absent(isGone: boolean): TemplateResult {
    const { t } = this.ui
    return html`<section class="conversation"><header class="head" part="header">${this.#backButton()}</header>
      ${isGone ? html`<div class="empty"><p>${t.nothingHere}</p></div>` : html`<div class="loading" role="status" aria-label=${t.connecting}></div>`}
    </section>`
  }

  #backButton(): TemplateResult | typeof nothing {
    if (!this.canGoBack) return nothing
    return html`<button class="tool back" aria-label=${this.ui.t.back} @click=${() => this.onBack()}>${icon('back')}</button>`
  }

  readonly #onLog = (element?: Element): void => {
    this.#log = element as LogPart | undefined
    const wanted = this.#wanted
    this.#wanted = undefined
    if (this.#log && wanted !== undefined) this.ui.run(this.#log.jump(wanted))
  }

  readonly #onReply = (message: Message): void => this.#composer?.reply(message)
  readonly #onEdit = (message: Message): void => this.#composer?.edit(message)

  #head(chat: Chat): TemplateResult {
    const { t } = this.ui
    const me = this.watch(this.ui.client.me)?.username
    const title = titleOf(this.ui, chat)
    const other = chat.kind === 'direct' ? otherOf(chat, me) : undefined
    const presence =
      other?.username === undefined
        ? undefined
        : this.watch(this.ui.people.presence(other.username))
    return html`<header class="head" part="header">
      ${this.#backButton()}
      <button class="who" @click=${() => this.ui.side({ kind: 'details' })} title=${t.details}>
        ${chatAvatar(this.ui, chat, presence?.state)}
        <span class="two-lines"><b dir="auto">${title}</b><small>${this.#subtitle(chat, presence)}</small></span>
      </button>
      <button class="tool" aria-label=${t.searchChat} title=${t.searchChat} @click=${() => this.ui.side({ kind: 'search' })}>${icon('search')}</button>
      <button class="tool" aria-label=${t.more} title=${t.more} aria-haspopup="menu"
        @click=${(event: Event) => this.ui.menu(event.currentTarget as Element, [{ text: t.details, onChoose: () => this.ui.side({ kind: 'details' }) }, ...chatMenu(this.ui, chat)])}>${icon('more')}</button>
    </header>`
  }

  #subtitle(chat: Chat, presence: { state: string; lastSeenAt?: string } | undefined): string {
    const { t, format } = this.ui
    if (chat.kind === 'group') return t.membersCount(chat.memberCount ?? chat.members.length)
    if (presence?.state === 'online') return t.online
    if (presence?.lastSeenAt) return t.lastSeen(format.short(presence.lastSeenAt))
    return presence?.state === 'away' ? t.away : ''
  }

  #threadHead(): TemplateResult {
    const { t } = this.ui
    return html`<header class="head" part="header"><h2>${t.thread}</h2>
      <button class="tool" aria-label=${t.close} @click=${() => this.ui.side(undefined)}>${icon('close')}</button></header>`
  }

  #connection(): TemplateResult | typeof nothing {
    const status = this.watch(this.ui.client.status)
    if (status !== 'offline' || this.thread !== undefined) return nothing
    return html`<div class="notice" role="status">${icon('alert')}${this.ui.t.offline}</div>`
  }

  #typists(chat: Chat): TemplateResult {
    const { t, client } = this.ui
    const typists = this.watch(client.typing(chat.id))
    const [first] = typists
    const line =
      first === undefined
        ? ''
        : typists.length === 1
          ? t.typesOne(nameOf(this.ui, memberOf(chat, first)))
          : t.typesMany(typists.length)
    return html`<div class="typists" aria-live="polite">${line ? html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>${line}` : nothing}</div>`
  }

  #foot(chat: Chat): TemplateResult {
    const { t, client } = this.ui
    if (chat.request === 'pending') return this.#request(chat)
    if (chat.blocked) {
      const username = otherOf(chat, client.me.getSnapshot()?.username)?.username ?? ''
      return html`<div class="foot"><p>${t.blockedHint}</p>
        <button @click=${() => this.ui.run(client.api.unblockUser({ username }))}>${t.unblock}</button></div>`
    }
    if (!may(chat, 'post')) return html`<div class="foot"><p>${t.cannotWrite}</p></div>`
    return html`<mc-composer .ui=${this.ui} .chat=${chat} .thread=${this.thread}
      .onSent=${() => this.#log?.toEnd()} .onStored=${(message: Message) => this.#log?.stored(message)}
      .onEdited=${(seq: number) => this.#log?.changed(seq)} .onLast=${() => this.#log?.lastOfMine}
      ${ref((element) => (this.#composer = element as ComposerPart | undefined))}></mc-composer>`
  }

  #request(chat: Chat): TemplateResult {
    const { t, client } = this.ui
    const other = otherOf(chat, client.me.getSnapshot()?.username)
    const name = nameOf(this.ui, other)
    const answer = (accept: boolean) => {
      this.ui.run(client.api.answerRequest({ chatId: chat.id, accept }))
      if (!accept) this.onBack()
    }
    const block = async () => {
      if (!(await this.ui.ask(t.blockSure(name), t.block)) || !other?.username) return
      this.ui.run(client.api.blockUser({ username: other.username }))
      answer(false)
    }
    return html`<div class="foot request"><p><b>${t.requestOf(name)}</b><br /><small>${t.requestHint}</small></p>
      <span class="buttons">
        <button class="danger" @click=${() => void block()}>${t.block}</button>
        <button @click=${() => answer(false)}>${t.decline}</button>
        <button class="primary" @click=${() => answer(true)}>${t.accept}</button>
      </span></div>`
  }

  readonly #onDrag = (event: DragEvent): void => {
    if (!this.ui.features.files || !event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    this.isDragged = true
  }

  readonly #onDrop = (event: DragEvent): void => {
    this.isDragged = false
    const files = [...(event.dataTransfer?.files ?? [])]
    if (files.length === 0 || !this.ui.features.files) return
    event.preventDefault()
    this.#composer?.addFiles(files)
  }
}
