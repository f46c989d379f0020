/** What asks for more than a click: a new chat, a poll, where to forward to, my settings, yes or no. */
import type { Chat, Message, Profile } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { icon } from '../icons.ts'
import { type DialogKind, lineOf, nameOf, titleOf, type Ui } from '../ui.ts'
import { Part } from '../watching.ts'
import { avatar, chatAvatar } from './avatar.ts'
import { infoView } from './info.ts'
import { messageHit } from './list.ts'
import { settingsView } from './settings.ts'

const SEARCH_MS = 200
const MAX_OPTIONS = 10

interface Question {
  question: string
  yes: string
  answer(isYes: boolean): void
}

export class DialogPart extends Part {
  static override properties = {
    ui: { attribute: false },
    kind: { state: true },
    chosen: { state: true },
    people: { state: true },
    query: { state: true },
    options: { state: true },
    question: { state: true },
    image: { state: true },
    data: { state: true },
    wantsGroup: { state: true },
  }
  declare ui: Ui
  declare kind: DialogKind | 'question' | 'image' | undefined
  declare chosen: Profile[]
  declare people: Profile[] | undefined
  declare query: string
  declare options: string[]
  declare question: Question | undefined
  declare image: { url: string; name: string } | undefined
  /** What was asked of the server for it. */
  declare data: unknown
  /** Also with one person, or nobody yet. */
  declare wantsGroup: boolean
  #chat: Chat | undefined
  #message: Message | undefined
  /** Counts what was shown: a late answer is of an earlier one. */
  #asked = 0
  #searching: ReturnType<typeof setTimeout> | undefined

  get #dialog(): HTMLDialogElement {
    return this.querySelector('dialog') as HTMLDialogElement
  }

  show(kind: DialogKind, chat?: Chat, message?: Message): void {
    this.#chat = chat
    this.#message = message
    this.chosen = []
    this.wantsGroup = false
    this.people = undefined
    this.query = ''
    this.options = ['', '']
    this.data = undefined
    this.#asked += 1
    this.kind = kind
    void this.#open()
    if (kind === 'new chat' || kind === 'add') this.ui.run(this.#search(''))
    if (kind === 'settings') this.#ask(this.#settings())
    if (kind === 'info' && message)
      this.#ask(this.ui.client.api.getReceipts({ chatId: message.chatId, seq: message.seq }))
    if (kind === 'starred') this.#ask(this.ui.client.api.listStars({ limit: 50 }))
  }

  ask(question: string, yes: string): Promise<boolean> {
    return new Promise((answer) => {
      this.question = { question, yes, answer }
      this.kind = 'question'
      void this.#open()
    })
  }

  showImage(image: { url: string; name: string }): void {
    this.image = image
    this.kind = 'image'
    void this.#open()
  }

  #ask(work: Promise<unknown>): void {
    const asked = this.#asked
    this.ui.run(work.then((data) => asked === this.#asked && (this.data = data)))
  }

  async #settings() {
    const { api } = this.ui.client
    const [settings, blocks] = await Promise.all([
      api.getSettings(),
      api.listBlocks({ limit: 100 }),
    ])
    return { settings, blocks: blocks.items }
  }

  async #open(): Promise<void> {
    this.requestUpdate()
    await this.updateComplete
    if (!this.#dialog.open) this.#dialog.showModal()
    this.querySelector<HTMLElement>('[autofocus]')?.focus()
  }

  #close(): void {
    this.#dialog.close()
  }

  readonly #onClose = (): void => {
    this.question?.answer(false)
    this.question = undefined
    this.kind = undefined
  }

  override render(): TemplateResult {
    return html`<dialog class=${this.kind === 'image' ? 'viewer' : ''} aria-label=${this.#title() || nothing}
      @close=${this.#onClose} @click=${(event: Event) => event.target === this.#dialog && this.#close()}>
      ${this.kind ? this.#content() : nothing}
    </dialog>`
  }

  get isGroup(): boolean {
    return this.kind === 'new chat' && (this.wantsGroup || this.chosen.length > 1)
  }

  #title(): string {
    const { t } = this.ui
    const titles: Partial<Record<NonNullable<typeof this.kind>, string>> = {
      'new chat': this.isGroup ? t.newGroup : t.newChat,
      add: t.addMembers,
      settings: t.settings,
      forward: t.forwardTo,
      info: t.info,
      poll: t.poll,
      starred: t.starred,
      question: this.question?.question,
      image: this.image?.name,
    } as Record<string, string>
    return (this.kind && titles[this.kind]) ?? ''
  }

  #content(): TemplateResult {
    if (this.kind === 'question') return this.question ? this.#question(this.question) : html``
    if (this.kind === 'image') return this.#image()
    const body = {
      'new chat': () => this.#people(),
      add: () => this.#people(),
      settings: () => settingsView(this.ui, this.data, () => this.#ask(this.#settings())),
      forward: () => this.#forward(),
      info: () => infoView(this.ui, this.#chat, this.data),
      poll: () => this.#poll(),
      starred: () => this.#starred(),
    }[this.kind ?? 'poll']()
    return html`<header class="head" part="header"><h2>${this.#title()}</h2>
      <button class="tool" aria-label=${this.ui.t.close} @click=${() => this.#close()}>${icon('close')}</button></header>${body}`
  }

  #question({ question, yes, answer }: Question): TemplateResult {
    const say = (isYes: boolean) => {
      this.question = undefined
      answer(isYes)
      this.#close()
    }
    return html`<div class="question"><p>${question}</p><span class="buttons">
      <button autofocus @click=${() => say(false)}>${this.ui.t.cancel}</button>
      <button class="primary danger" @click=${() => say(true)}>${yes}</button></span></div>`
  }

  #image(): TemplateResult {
    return html`<button class="tool" autofocus aria-label=${this.ui.t.close} @click=${() => this.#close()}>${icon('close')}</button>
      <img src=${this.image?.url ?? ''} alt=${this.image?.name ?? ''} />`
  }

  #people(): TemplateResult {
    const { t } = this.ui
    const isAdding = this.kind === 'add'
    const { isGroup } = this
    return html`<form class="form" @submit=${this.#onPeople}>
      ${isGroup ? html`<label class="field"><span>${t.groupName}</span><input name="title" required maxlength="200" dir="auto" /></label>` : nothing}
      <label class="search">${icon('search')}<input autofocus type="search" placeholder=${t.whoTo} aria-label=${t.whoTo} @input=${this.#onSearch} @keydown=${this.#onSearchKey} /></label>
      <div class="chips">${this.chosen.map((person) => html`<button type="button" aria-label="${t.remove}: ${nameOf(this.ui, person)}" @click=${() => this.#toggle(person)}>${nameOf(this.ui, person)}${icon('close')}</button>`)}</div>
      <ul class="chats" @keydown=${this.#onRowKey}>${isAdding || isGroup ? nothing : html`<li><button type="button" class="entry add" @click=${() => (this.wantsGroup = true)}><span class="round">${icon('group')}</span>${t.newGroup}</button></li>`}
        ${(this.people ?? []).map((person) => this.#person(person))}
        ${this.people?.length === 0 ? html`<li class="empty small"><p>${t.noPeople}</p></li>` : nothing}</ul>
      <button class="primary" ?disabled=${this.chosen.length === 0 && !isGroup}>${isAdding ? t.add : isGroup ? t.create : t.startChat}</button>
    </form>`
  }

  #person(person: Profile): TemplateResult {
    const name = nameOf(this.ui, person)
    const isChosen = this.chosen.some(({ username }) => username === person.username)
    return html`<li><button type="button" class="entry" aria-pressed=${isChosen} @click=${() => this.#toggle(person)}>
      ${avatar({ name, picture: person.picture, key: person.username })}
      <span class="lines"><b dir="auto">${name}</b></span>${isChosen ? icon('check') : nothing}</button></li>`
  }

  #toggle(person: Profile): void {
    const others = this.chosen.filter(({ username }) => username !== person.username)
    this.chosen = others.length < this.chosen.length ? others : [...others, person]
  }

  /** Enter takes the first who was found; the arrow leads to the others. */
  readonly #onSearchKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== 'ArrowDown') return
    event.preventDefault()
    const [first] = this.querySelectorAll<HTMLElement>('.chats [aria-pressed]')
    if (event.key === 'ArrowDown') first?.focus()
    else first?.click()
  }

  readonly #onRowKey = (event: KeyboardEvent): void => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    const all = [...this.querySelectorAll<HTMLElement>('.chats button')]
    const at = all.findIndex((row) => row.matches(':focus'))
    if (step === undefined || at < 0) return
    event.preventDefault()
    all[at + step]?.focus()
  }

  readonly #onSearch = ({ target }: Event): void => {
    const query = (target as HTMLInputElement).value.trim()
    this.query = query
    clearTimeout(this.#searching)
    this.#searching = setTimeout(() => this.ui.run(this.#search(query)), SEARCH_MS)
  }

  /** All whom the site lets me find; those I have chats with, and an exact name, otherwise. */
  async #search(query: string): Promise<void> {
    const { client } = this.ui
    const me = client.me.getSnapshot()?.username
    const listed = this.ui.features.findUsers
      ? await client.api
          .listUsers({ limit: 30, ...(query ? { search: query } : {}) })
          .then(({ items }) => items as Profile[])
      : this.#known(query)
    if (this.query !== query) return
    const people = listed.filter(({ username }) => username !== me)
    if (people.length === 0 && query !== '') {
      const exact = await client.api.getUser({ username: query }).catch(() => undefined)
      if (exact && this.query === query) people.push(exact)
    }
    this.people = people
  }

  #known(query: string): Profile[] {
    const all = this.ui.client.chats.getSnapshot().flatMap(({ members }) => members)
    const byName = new Map(all.map((member) => [member.username, member]))
    return [...byName.values()].filter(
      (member) =>
        member.username !== undefined &&
        `${nameOf(this.ui, member)} ${member.username}`.toLowerCase().includes(query.toLowerCase()),
    ) as Profile[]
  }

  readonly #onPeople = (event: Event): void => {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    const usernames = this.chosen.map(({ username }) => username)
    this.ui.run(this.#act(usernames, textOf(form, 'title')))
    this.#close()
  }

  async #act(usernames: string[], title: string): Promise<void> {
    const { client } = this.ui
    if (this.#chat && this.kind === 'add') {
      await client.api.addMembers({ chatId: this.#chat.id, usernames })
      return
    }
    const [first = ''] = usernames
    if (!this.isGroup) return this.ui.openWith(first)
    const { id } = await client.api.openChat({ kind: 'group', title, members: usernames })
    this.ui.open(id)
  }

  #forward(): TemplateResult {
    const { client } = this.ui
    const { chatId, seq } = this.#message as Message
    const send = (to: Chat) => {
      client.send(to.id, { forward: { chatId, seq } }).catch(() => undefined)
      this.#close()
      this.ui.open(to.id)
    }
    return html`<p class="hint" dir="auto">${lineOf(this.ui, this.#message as Message)}</p>
      <ul class="chats">${this.watch(client.chats).map((chat) => {
        const title = titleOf(this.ui, chat)
        return html`<li><button class="entry" @click=${() => send(chat)}>
          ${chatAvatar(this.ui, chat)}
          <span class="lines"><b dir="auto">${title}</b></span></button></li>`
      })}</ul>`
  }

  #poll(): TemplateResult {
    const { t } = this.ui
    const set = (index: number) => (event: Event) => {
      const options = [...this.options]
      options[index] = (event.target as HTMLInputElement).value
      this.options = options
    }
    return html`<form class="form" @submit=${this.#onPoll}>
      <label class="field"><span>${t.question}</span><input autofocus name="question" required maxlength="500" dir="auto" /></label>
      ${this.options.map((text, index) => html`<label class="field"><span>${t.option(index + 1)}</span><input .value=${text} ?required=${index < 2} maxlength="200" dir="auto" @input=${set(index)} /></label>`)}
      ${this.options.length < MAX_OPTIONS ? html`<button type="button" class="quiet" @click=${() => (this.options = [...this.options, ''])}>${t.addOption}</button>` : nothing}
      <label class="switch"><span>${t.multiple}</span><input type="checkbox" name="multiple" role="switch" /></label>
      <label class="switch"><span>${t.anonymous}</span><input type="checkbox" name="anonymous" role="switch" /></label>
      <button class="primary">${t.createPoll}</button>
    </form>`
  }

  readonly #onPoll = (event: Event): void => {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    const options = this.options.map((text) => text.trim()).filter((text) => text !== '')
    const poll = {
      options,
      ...(form.has('multiple') ? { multiple: true } : {}),
      ...(form.has('anonymous') ? { anonymous: true } : {}),
    }
    if (this.#chat)
      this.ui.client
        .send(this.#chat.id, { body: textOf(form, 'question'), poll })
        .catch(() => undefined)
    this.#close()
  }

  #starred(): TemplateResult {
    const items = (this.data as { items: Message[] } | undefined)?.items
    return html`<ul class="chats" @click=${() => this.#close()}>
      ${(items ?? []).map((message) => messageHit(this.ui, message))}
      ${items?.length === 0 ? html`<li class="empty small"><p>${this.ui.t.nothingHere}</p></li>` : nothing}</ul>`
  }
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}
