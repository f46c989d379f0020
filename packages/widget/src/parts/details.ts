/** What is beside a chat: who is in it, what is pinned, its settings; or a search in it. */
import type { Chat, Member, Message } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { icon } from '../icons.ts'
import { may, nameOf, otherOf, titleOf, type MenuItem, type Ui } from '../ui.ts'
import { Part } from '../watching.ts'
import { avatar, chatAvatar } from './avatar.ts'
import { deleteChat, messageHit } from './list.ts'

const SEARCH_MS = 250

export class DetailsPart extends Part {
  static override properties = {
    ui: { attribute: false },
    chatId: { attribute: false },
    pins: { state: true },
    media: { state: true },
    members: { state: true },
    invite: { state: true },
  }
  declare ui: Ui
  declare chatId: string
  declare pins: Message[]
  declare media: Message[]
  /** Where there are more than a chat itself names. */
  declare members: Member[] | undefined
  declare invite: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    const { api } = this.ui.client
    const { chatId } = this
    this.ui.run(api.listPins({ chatId }).then(({ items }) => (this.pins = items)))
    this.ui.run(
      api
        .searchMessages({ chatId, has: 'file', limit: 24 })
        .then(({ items }) => (this.media = items)),
    )
    this.#loadMembers()
  }

  #loadMembers(): void {
    const chat = this.ui.client.chat(this.chatId).getSnapshot()
    if (chat?.kind === 'group' && chat.members.length === 0)
      this.ui.run(
        this.ui.client.api
          .listMembers({ chatId: this.chatId, limit: 100 })
          .then(({ items }) => (this.members = items)),
      )
  }

  override render(): TemplateResult {
    const chat = this.watch(this.ui.client.chat(this.chatId))
    const { t } = this.ui
    if (!chat) return html`${nothing}`
    return html`<header class="head" part="header"><h2>${t.details}</h2>
        <button class="tool" aria-label=${t.close} @click=${() => this.ui.side(undefined)}>${icon('close')}</button></header>
      <div class="details">
        ${this.#top(chat)} ${this.#switches(chat)}
        ${this.#messages(t.pinnedMessages, this.pins)} ${this.#pictures()}
        ${chat.kind === 'group' ? this.#people(chat) : nothing} ${this.#dangers(chat)}
      </div>`
  }

  #top(chat: Chat): TemplateResult {
    const { t } = this.ui
    const title = titleOf(this.ui, chat)
    const mayEdit = chat.kind === 'group' && may(chat, 'edit')
    const edit = (change: object) =>
      this.ui.run(this.ui.client.editChat({ chatId: chat.id, ...change }))
    const field = (
      key: 'title' | 'description',
      label: string,
    ) => html`<input class="plain ${key}" aria-label=${label} placeholder=${label}
      .value=${chat[key] ?? ''} dir="auto" maxlength=${key === 'title' ? 200 : 2000}
      @change=${(event: Event) => edit({ [key]: (event.target as HTMLInputElement).value.trim() || (key === 'title' ? title : null) })} />`
    return html`<div class="top">
      ${chatAvatar(this.ui, chat)}
      ${mayEdit ? field('title', t.groupName) : html`<h3 dir="auto">${title}</h3>`}
      ${mayEdit ? field('description', t.description) : chat.description ? html`<p dir="auto">${chat.description}</p>` : nothing}
    </div>`
  }

  #switches(chat: Chat): TemplateResult {
    const { t } = this.ui
    const edit = (change: object) =>
      this.ui.run(this.ui.client.editChat({ chatId: chat.id, ...change }))
    const one = (
      text: string,
      on: boolean,
      change: (on: boolean) => object,
    ) => html`<label class="switch">
      <span>${text}</span><input type="checkbox" role="switch" .checked=${on} @change=${(event: Event) => edit(change((event.target as HTMLInputElement).checked))} /></label>`
    const { settings } = chat
    const onlyAdmins = (on: boolean) => ({
      settings: {
        ...settings,
        permissions: { ...settings?.permissions, post: on ? 'admin' : 'member' },
      },
    })
    return html`<div class="group">
      ${one(t.mute, chat.muted ?? false, (muted) => ({ muted }))}
      ${one(t.pinChat, chat.pinned ?? false, (pinned) => ({ pinned }))}
      ${one(t.archive, chat.archived ?? false, (archived) => ({ archived }))}
      ${chat.kind === 'group' && may(chat, 'edit') ? one(t.onlyAdminsPost, (settings?.permissions?.post ?? 'member') !== 'member', onlyAdmins) : nothing}
    </div>`
  }

  #messages(title: string, messages: Message[] | undefined): TemplateResult | typeof nothing {
    if (!messages || messages.length === 0) return nothing
    return html`<h3>${title}</h3><ul class="chats inner">${messages.map((message) => messageHit(this.ui, message, true))}</ul>`
  }

  #pictures(): TemplateResult | typeof nothing {
    const all = (this.media ?? []).flatMap((message) =>
      (message.files ?? []).map((file) => ({ message, file })),
    )
    if (all.length === 0) return nothing
    const { chatId, ui } = this
    return html`<h3>${ui.t.media}</h3><div class="media">
      ${all.map(({ message: { seq }, file }) => html`<mc-file class=${file.kind} .ui=${ui} .chatId=${chatId} .seq=${seq} .file=${file}></mc-file>`)}
    </div>`
  }

  #people(chat: Chat): TemplateResult {
    const { t } = this.ui
    const members = chat.members.length > 0 ? chat.members : (this.members ?? [])
    return html`<h3>${t.membersCount(chat.memberCount ?? members.length)}</h3>
      <ul class="chats inner">
        ${may(chat, 'add') ? html`<li><button class="entry add" @click=${() => this.ui.dialog('add', chat)}><span class="round">${icon('plus')}</span>${t.addMembers}</button></li>` : nothing}
        ${may(chat, 'invite') ? this.#inviteRow(chat) : nothing}
        ${members.map((member) => this.#member(chat, member))}
      </ul>`
  }

  #inviteRow({ id: chatId }: Chat): TemplateResult {
    const { t, client } = this.ui
    const make = async () => {
      const { items } = await client.api.listInvites({ chatId })
      const { code } = items[0] ?? (await client.api.createInvite({ chatId }))
      this.invite = code
    }
    return html`<li>${
      this.invite === undefined
        ? html`<button class="entry add" @click=${() => this.ui.run(make())}><span class="round">${icon('next')}</span>${t.inviteLink}</button>`
        : html`<label class="field"><span>${t.inviteLink}</span><input readonly .value=${this.invite} @focus=${(event: Event) => (event.target as HTMLInputElement).select()} /></label>`
    }</li>`
  }

  #member(chat: Chat, member: Member): TemplateResult {
    const { t } = this.ui
    const name = nameOf(this.ui, member)
    const presence =
      member.username === undefined
        ? undefined
        : this.watch(this.ui.people.presence(member.username))
    const role = member.role === 'owner' ? t.owner : member.role === 'admin' ? t.admin : ''
    return html`<li><button class="entry" @click=${(event: Event) => this.ui.menu(event.currentTarget as Element, this.#memberMenu(chat, member))}>
      ${avatar({ name, key: member.username ?? '', picture: member.picture, state: presence?.state })}
      <span class="lines"><b dir="auto">${name}</b></span><small>${role}</small>
    </button></li>`
  }

  #memberMenu(chat: Chat, { username, role }: Member): MenuItem[] {
    const { t, client } = this.ui
    if (username === undefined || username === client.me.getSnapshot()?.username) return []
    const chatId = chat.id
    const items: MenuItem[] = [
      {
        text: t.startChat,
        onChoose: () => this.ui.openWith(username),
      },
    ]
    const setRole = (next: 'admin' | 'member') => () =>
      this.ui.run(
        client.api.editMember({ chatId, username, role: next }).then(() => this.#loadMembers()),
      )
    if (chat.role === 'owner')
      items.push(
        role === 'member'
          ? { text: t.makeAdmin, onChoose: setRole('admin') }
          : { text: t.makeMember, onChoose: setRole('member') },
      )
    if (may(chat, 'remove'))
      items.push({
        text: t.removeMember,
        isDanger: true,
        onChoose: () =>
          this.ui.run(
            client.api.removeMember({ chatId, username }).then(() => this.#loadMembers()),
          ),
      })
    return items
  }

  #dangers(chat: Chat): TemplateResult {
    const { t, client } = this.ui
    const username = otherOf(chat, client.me.getSnapshot()?.username)?.username
    const block = async () => {
      if (username === undefined) return
      if (chat.blocked) return this.ui.run(client.api.unblockUser({ username }))
      if (await this.ui.ask(t.blockSure(titleOf(this.ui, chat)), t.block))
        this.ui.run(client.api.blockUser({ username }))
    }
    const leave = async () => {
      if (await this.ui.ask(t.leaveSure, t.leave))
        this.ui.run(client.api.removeMember({ chatId: chat.id, username: 'me' }))
    }
    return html`<div class="group">
      ${
        chat.kind === 'direct'
          ? html`<button class="danger" @click=${() => void block()}>${chat.blocked ? t.unblock : t.block}</button>`
          : html`<button class="danger" @click=${() => void leave()}>${t.leave}</button>`
      }
      <button class="danger" @click=${() => void deleteChat(this.ui, chat.id)}>${t.deleteChat}</button>
    </div>`
  }
}

export class SearchPart extends Part {
  static override properties = {
    ui: { attribute: false },
    chatId: { attribute: false },
    query: { state: true },
    found: { state: true },
  }
  declare ui: Ui
  declare chatId: string
  declare query: string
  declare found: Message[] | undefined
  #searching: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.updateComplete.then(() => this.querySelector('input')?.focus())
  }

  override render(): TemplateResult {
    const { t } = this.ui
    return html`<header class="head" part="header"><h2>${t.searchChat}</h2>
        <button class="tool" aria-label=${t.close} @click=${() => this.ui.side(undefined)}>${icon('close')}</button></header>
      <label class="search">${icon('search')}<input type="search" placeholder=${t.search} aria-label=${t.searchChat} @input=${this.#onInput} /></label>
      <ul class="chats">
        ${(this.found ?? []).map((message) => messageHit(this.ui, message, true))}
        ${this.found?.length === 0 ? html`<li class="empty small"><p>${t.noHits}</p></li>` : nothing}
      </ul>`
  }

  readonly #onInput = ({ target }: Event): void => {
    const q = (target as HTMLInputElement).value.trim()
    this.query = q
    clearTimeout(this.#searching)
    if (q === '') this.found = undefined
    else this.#searching = setTimeout(() => this.ui.run(this.#search(q)), SEARCH_MS)
  }

  async #search(q: string): Promise<void> {
    const { items } = await this.ui.client.api.searchMessages({ q, chatId: this.chatId, limit: 50 })
    if (this.query === q) this.found = items
  }
}
