/** The chats of one user, newest first; what is found, while something is searched. */
import type { Chat, Message, Profile } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { icon } from '../icons.ts'
import { lineOf, memberOf, nameOf, otherOf, titleOf, type Ui } from '../ui.ts'
import { Part } from '../watching.ts'
import { onLongPress } from '../long-press.ts'
import { avatar, chatAvatar } from './avatar.ts'
import { systemLine } from './system.ts'

type Filter = 'all' | 'unread' | 'requests' | 'archive'

const SEARCH_MS = 250
const NEAR_PX = 600

interface Found {
  people: Profile[]
  messages: Message[]
}

export class ListPart extends Part {
  static override properties = {
    ui: { attribute: false },
    chosen: { attribute: false },
    filter: { state: true },
    query: { state: true },
    found: { state: true },
  }
  declare ui: Ui
  /** The id of the chat that is open. */
  declare chosen: string | undefined
  declare filter: Filter
  declare query: string
  declare found: Found | undefined
  #searching: ReturnType<typeof setTimeout> | undefined
  #isLoading = false

  constructor() {
    super()
    this.filter = 'all'
    this.query = ''
  }

  override render(): TemplateResult {
    const { t } = this.ui
    return html`
      <header class="head" part="header">
        <h2>${t.inbox}</h2>
        <button class="tool" aria-label=${t.settings} title=${t.settings} @click=${() => this.ui.dialog('settings')}>${icon('gear')}</button>
        <button class="tool strong" aria-label=${t.newChat} title=${t.newChat} @click=${() => this.ui.dialog('new chat')}>${icon('plus')}</button>
      </header>
      <label class="search">
        ${icon('search')}
        <input type="search" placeholder=${t.search} aria-label=${t.search} .value=${this.query} @input=${this.#onSearch} />
      </label>
      ${this.query.trim() === '' ? this.#lists() : this.#hits()}`
  }

  #lists(): TemplateResult {
    const { client } = this.ui
    const { requests = 0 } = this.watch(client.unread)
    const waiting = this.watch(client.requests)
    const archived = this.watch(client.archived)
    const chats = this.watch(client.chats)
    // What is read while one looks at the unread ones does not vanish under the hand.
    const shown = {
      all: chats,
      unread: chats.filter(({ id, unread }) => unread > 0 || id === this.chosen),
      requests: waiting,
      archive: archived,
    }[this.filter]
    return html`
      ${this.#filters(Math.max(requests, waiting.length), archived.length)}
      <ul class="chats" aria-label=${this.ui.t.chats} @scroll=${this.#onScroll} @keydown=${this.#onKey}>
        ${repeat(
          shown,
          ({ id }) => id,
          (chat) => this.#row(chat),
        )}
        ${shown.length === 0 ? this.#nothing() : nothing}
      </ul>`
  }

  #filters(requests: number, archived: number): TemplateResult {
    const { t, format } = this.ui
    const one = (filter: Filter, text: string, count = 0) =>
      html`<button aria-pressed=${this.filter === filter} @click=${() => (this.filter = filter)}>
        ${text}${count > 0 ? html` <span class="count">${format.count(count)}</span>` : nothing}
      </button>`
    return html`<div class="filters" role="group">
      ${one('all', t.all)} ${one('unread', t.unread)}
      ${requests > 0 || this.filter === 'requests' ? one('requests', t.requests, requests) : nothing}
      ${archived > 0 || this.filter === 'archive' ? one('archive', t.archive) : nothing}
    </div>`
  }

  #nothing(): TemplateResult {
    const { t, client } = this.ui
    if (this.watch(client.status) !== 'online' && this.filter === 'all')
      return html`${[1, 2, 3, 4, 5].map(() => html`<li class="skeleton" aria-hidden="true"></li>`)}`
    if (this.filter === 'unread') return html`<li class="empty small"><p>${t.allRead}</p></li>`
    if (this.filter !== 'all') return html`<li class="empty small"><p>${t.nothingHere}</p></li>`
    return html`<li class="empty small">${icon('chat')}<h3>${t.noChats}</h3><p>${t.noChatsHint}</p>
      <button class="primary" @click=${() => this.ui.dialog('new chat')}>${t.newChat}</button></li>`
  }

  #row(chat: Chat): TemplateResult {
    const { t, format, people } = this.ui
    const me = this.watch(this.ui.client.me)?.username
    const title = titleOf(this.ui, chat)
    const other = chat.kind === 'direct' ? otherOf(chat, me) : undefined
    const presence =
      other?.username === undefined ? undefined : this.watch(people.presence(other.username))
    const { unread, mentions = 0, muted, pinned, lastMessage } = chat
    return html`<li>
      <button class="entry" data-chat=${chat.id} tabindex=${this.#isEntrance(chat) ? 0 : -1} aria-current=${this.chosen === chat.id}
        @click=${() => this.ui.open(chat.id)} @contextmenu=${(event: MouseEvent) => this.#onMenu(event, chat)}
        @pointerdown=${onLongPress((at) => this.ui.menu(at, chatMenu(this.ui, chat)))}>
        ${chatAvatar(this.ui, chat, presence?.state)}
        <span class="lines">
          <span class="line"><b dir="auto">${title}</b>
            ${lastMessage ? html`<time datetime=${lastMessage.createdAt}>${format.short(lastMessage.createdAt)}</time>` : nothing}</span>
          <span class="line">
            <span class="last" dir="auto">${this.#lastLine(chat, me)}</span>
            ${muted ? html`<span title=${t.muted}>${icon('mute')}</span>` : nothing}
            ${pinned ? html`<span title=${t.pinnedChat}>${icon('pin')}</span>` : nothing}
            ${mentions > 0 ? html`<span class="badge">@</span>` : nothing}
            ${unread > 0 ? html`<span class="badge ${muted ? 'dim' : ''}"><span aria-hidden="true">${format.count(unread)}</span><span class="hidden">${t.unreadCount(unread)}</span></span>` : nothing}
          </span>
        </span>
      </button>
    </li>`
  }

  /** Of the rows one is reached by Tab, the others from it by the arrows. */
  #isEntrance({ id }: Chat): boolean {
    const { client } = this.ui
    const all = {
      all: client.chats,
      unread: client.chats,
      requests: client.requests,
      archive: client.archived,
    }[this.filter].getSnapshot()
    const isShown = this.query.trim() === '' && this.filter !== 'unread'
    return (
      !isShown || id === (all.some((chat) => chat.id === this.chosen) ? this.chosen : all[0]?.id)
    )
  }

  #lastLine(chat: Chat, me: string | undefined): TemplateResult | string {
    const { t, client } = this.ui
    const typists = this.watch(client.typing(chat.id))
    if (typists.length > 0) return html`<em>${t.typing}</em>`
    if (chat.draft && chat.id !== this.chosen)
      return html`<em class="draft">${t.draft}:</em> ${chat.draft.body}`
    const { lastMessage: last } = chat
    if (!last) return chat.description ?? ''
    if (last.kind === 'system') return systemLine({ ui: this.ui, chat, me: me ?? '' }, last)
    const line =
      last.thread === undefined ? lineOf(this.ui, last) : `${t.thread} · ${lineOf(this.ui, last)}`
    if (last.sender === me) return t.says(t.you, line)
    return chat.kind === 'group' ? t.says(nameOf(this.ui, memberOf(chat, last.sender)), line) : line
  }

  #onMenu(event: MouseEvent, chat: Chat): void {
    event.preventDefault()
    const at =
      event.clientX > 0 ? { x: event.clientX, y: event.clientY } : (event.currentTarget as Element)
    this.ui.menu(at, chatMenu(this.ui, chat))
  }

  readonly #onScroll = ({ currentTarget }: Event): void => {
    const { scrollHeight, scrollTop, clientHeight } = currentTarget as HTMLElement
    if (scrollHeight - scrollTop - clientHeight > NEAR_PX || this.#isLoading) return
    this.#isLoading = true
    this.ui.run(this.ui.client.loadMoreChats().finally(() => (this.#isLoading = false)))
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const step = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key]
    if (step === undefined) return
    const all = [...this.querySelectorAll<HTMLElement>('button.entry')]
    const at = all.findIndex((row) => row.matches(':focus'))
    const next = all[Number.isFinite(step) ? at + step : step > 0 ? all.length - 1 : 0]
    if (at < 0 || !next) return
    event.preventDefault()
    next.focus()
  }

  readonly #onSearch = ({ target }: Event): void => {
    this.query = (target as HTMLInputElement).value
    this.found = undefined
    clearTimeout(this.#searching)
    const query = this.query.trim()
    if (query !== '') this.#searching = setTimeout(() => void this.#search(query), SEARCH_MS)
  }

  async #search(q: string): Promise<void> {
    const { api } = this.ui.client
    const nobody = { items: [] }
    const [messages, people] = await Promise.all([
      api.searchMessages({ q, limit: 30 }).catch(() => nobody),
      this.ui.features.findUsers
        ? api.listUsers({ search: q, limit: 5 }).catch(() => nobody)
        : nobody,
    ])
    if (this.query.trim() === q) this.found = { messages: messages.items, people: people.items }
  }

  #hits(): TemplateResult {
    const { t, client } = this.ui
    const query = this.query.trim().toLowerCase()
    const all = [...this.watch(client.chats), ...this.watch(client.archived)]
    const chats = all.filter((chat) => titleOf(this.ui, chat).toLowerCase().includes(query))
    const me = client.me.getSnapshot()?.username
    const known = new Set(chats.map((chat) => otherOf(chat, me)?.username))
    const people = (this.found?.people ?? []).filter(
      ({ username }) => username !== me && !known.has(username),
    )
    const messages = this.found?.messages ?? []
    const isEmpty = this.found && chats.length + people.length + messages.length === 0
    return html`<ul class="chats" @keydown=${this.#onKey}>
      ${section(
        t.chats,
        chats.map((chat) => this.#row(chat)),
      )}
      ${section(
        t.people,
        people.map((person) => this.#person(person)),
      )}
      ${section(
        t.messages,
        messages.map((message) => messageHit(this.ui, message)),
      )}
      ${isEmpty ? html`<li class="empty small"><p>${t.noHits}</p></li>` : nothing}
      ${this.found ? nothing : html`<li class="loading" role="status" aria-label=${t.search}></li>`}
    </ul>`
  }

  #person(person: Profile): TemplateResult {
    const name = nameOf(this.ui, person)
    const open = () => this.ui.openWith(person.username)
    return html`<li><button class="entry" @click=${open}>
      ${avatar({ name, picture: person.picture, key: person.username })}
      <span class="lines"><b dir="auto">${name}</b></span>
    </button></li>`
  }
}

function section(title: string, rows: TemplateResult[]): TemplateResult | typeof nothing {
  return rows.length === 0
    ? nothing
    : html`<li class="section" role="presentation"><h3>${title}</h3></li>${rows}`
}

/** A message that was found, wherever hits are shown; `isHere`: all are of the chat that is open. */
export function messageHit(ui: Ui, message: Message, isHere = false): TemplateResult {
  const { chatId, seq, sender, createdAt } = message
  const chat = ui.client.chat(chatId).getSnapshot()
  const me = ui.client.me.getSnapshot()?.username
  const name = sender === me ? ui.t.you : nameOf(ui, memberOf(chat, sender))
  const line = lineOf(ui, message)
  const title = chat && !isHere ? titleOf(ui, chat) : name
  return html`<li><button class="entry" @click=${() => ui.open(chatId, seq)}>
    <span class="lines">
      <span class="line"><b dir="auto">${title}</b><time datetime=${createdAt}>${ui.format.short(createdAt)}</time></span>
      <span class="line"><span class="last two" dir="auto">${title === name ? line : ui.t.says(name, line)}</span></span>
    </span>
  </button></li>`
}

/** What can be done with a chat, without opening it. */
export function chatMenu(ui: Ui, chat: Chat) {
  const { t, client } = ui
  const { id: chatId, pinned, muted, archived, unread, lastSeq } = chat
  const edit = (change: object) => ui.run(client.editChat({ chatId, ...change }))
  return [
    unread > 0
      ? { text: t.markRead, onChoose: () => ui.run(client.markRead(chatId, lastSeq)) }
      : { text: t.markUnread, onChoose: () => ui.run(client.markUnread(chatId, lastSeq)) },
    { text: pinned ? t.unpinChat : t.pinChat, onChoose: () => edit({ pinned: !pinned }) },
    { text: muted ? t.unmute : t.mute, onChoose: () => edit({ muted: !muted }) },
    { text: archived ? t.fromArchive : t.toArchive, onChoose: () => edit({ archived: !archived }) },
    { text: t.deleteChat, isDanger: true, onChoose: () => deleteChat(ui, chatId) },
  ]
}

export async function deleteChat(ui: Ui, chatId: string): Promise<void> {
  if (await ui.ask(ui.t.deleteChatSure, ui.t.deleteChat))
    ui.run(ui.client.api.deleteChat({ chatId }))
}
