/** Where a message is written: text, files, a voice note; in answer to one, or in place of one. */
import { type Chat, ChatError, type File, type Message, type SendBody } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import { duration } from '../format.ts'
import { icon } from '../icons.ts'
import { lineOf, memberOf, nameOf, type Ui } from '../ui.ts'
import { Part } from '../watching.ts'
import { avatar } from './avatar.ts'
import { type Recorded, Recorder } from './voice.ts'

const DRAFT_MS = 800
const MAX_FILES = 10
const SUGGESTED = 6

interface Attached {
  name: string
  size: number
  /** 0 to 1. */
  part: number
  abort: AbortController
  file?: File
}

export class ComposerPart extends Part {
  static override properties = {
    ui: { attribute: false },
    chat: { attribute: false },
    thread: { attribute: false },
    to: { attribute: false },
    text: { state: true },
    answered: { state: true },
    edited: { state: true },
    attached: { state: true },
    recordedMs: { state: true },
    suggested: { state: true },
    chosen: { state: true },
  }
  declare ui: Ui
  declare chat: Chat
  declare thread: number | undefined
  /** With this user there is no chat yet: the first message makes it. */
  declare to: string | undefined
  declare text: string
  declare answered: Message | undefined
  declare edited: Message | undefined
  declare attached: Attached[]
  declare recordedMs: number | undefined
  /** Who may be meant by what stands behind the @. */
  declare suggested: Chat['members']
  declare chosen: number
  onSent: () => void = () => undefined
  onMade: (chatId: string) => void = () => undefined
  onStored: (message: Message) => void = () => undefined
  onEdited: (seq: number) => void = () => undefined
  onLast: () => Message | undefined = () => undefined
  /** By the name that stands in the text. */
  readonly #mentioned = new Map<string, string>()
  #recorder: Recorder | undefined
  #isAsking = false
  /** What was being written when an edit began. */
  #aside = ''
  #drafting: ReturnType<typeof setTimeout> | undefined
  #isDraftKnown = false

  constructor() {
    super()
    this.text = ''
    this.attached = []
    this.suggested = []
    this.chosen = 0
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#recorder?.cancel()
    for (const one of this.attached) this.#detach(one)
    if (this.#drafting) this.#saveDraft()
  }

  reply(message: Message): void {
    this.edited = undefined
    this.answered = message
    this.focusText()
  }

  edit(message: Message): void {
    this.answered = undefined
    if (!this.edited) this.#aside = this.text
    this.edited = message
    this.text = message.body
    this.focusText()
  }

  focusText(): void {
    void this.updateComplete.then(() => this.#area?.focus())
  }

  get #area(): HTMLTextAreaElement | null {
    return this.querySelector('textarea')
  }

  protected override willUpdate(): void {
    // What was begun on another device, or before a reload.
    const { draft } = this.chat
    if (this.#isDraftKnown || this.thread !== undefined) return
    this.#isDraftKnown = true
    if (draft && this.text === '') this.text = draft.body
  }

  protected override updated(): void {
    const area = this.#area
    // Where it is not on the screen it has no height to go by.
    if (!area || area.scrollHeight === 0) return
    // It grows with what is in it, up to its max-height.
    area.style.setProperty('height', 'auto')
    area.style.setProperty('height', `${area.scrollHeight}px`)
  }

  override render(): TemplateResult {
    const { t } = this.ui
    if (this.recordedMs !== undefined) return this.#recordingBar(this.recordedMs)
    const isEmpty = this.text.trim() === '' && this.attached.length === 0
    const mayRecord = isEmpty && !this.edited && this.ui.features.files !== undefined
    return html`<form class="composer" part="composer" @submit=${this.#onSubmit}>
      ${this.#above()} ${this.#attachedTiles()} ${this.#suggestions()}
      <div class="bar">
        <button type="button" class="tool" aria-label=${t.attach} title=${t.attach} aria-haspopup="menu"
          ?hidden=${this.edited !== undefined} @click=${this.#onAttach}>${icon('plus')}</button>
        <input type="file" multiple hidden @change=${this.#onPicked} />
        <textarea rows="1" aria-label=${t.message} placeholder=${t.message} dir="auto" maxlength="8000"
          .value=${live(this.text)} @input=${this.#onInput} @keydown=${this.#onKey} @paste=${this.#onPaste}
          @blur=${() => this.#saveDraft()}></textarea>
        <button type="button" class="tool" aria-label=${t.emoji} title=${t.emoji}
          @click=${(event: Event) => this.ui.emoji(event.currentTarget as Element, (emoji) => this.#insert(emoji))}>${icon('smile')}</button>
        ${
          mayRecord
            ? html`<button type="button" class="tool" aria-label=${t.record} title=${t.record}
                @click=${() => void this.#record()}>${icon('mic')}</button>`
            : html`<button class="send" aria-label=${this.edited ? t.save : t.send} title=${this.edited ? t.save : t.send}
                ?disabled=${!this.#canSend}>${icon(this.edited ? 'check' : 'send')}</button>`
        }
      </div>
    </form>`
  }

  get #canSend(): boolean {
    const isUploading = this.attached.some(({ file }) => !file)
    return !isUploading && (this.text.trim() !== '' || this.attached.length > 0)
  }

  #above(): TemplateResult | typeof nothing {
    const message = this.edited ?? this.answered
    if (!message) return nothing
    const { t } = this.ui
    const name = nameOf(this.ui, memberOf(this.chat, message.sender))
    return html`<div class="above">
      <span class="two-lines"><b>${this.edited ? t.editing : t.replyTo(name)}</b>
        <small dir="auto">${lineOf(this.ui, message)}</small></span>
      <button type="button" class="tool" aria-label=${t.cancel} @click=${() => this.#cancel()}>${icon('close')}</button>
    </div>`
  }

  #cancel(): void {
    if (this.edited) this.text = this.#aside
    this.edited = undefined
    this.answered = undefined
    this.focusText()
  }

  #attachedTiles(): TemplateResult | typeof nothing {
    if (this.attached.length === 0) return nothing
    const tile = (one: Attached) => html`<li>
      ${icon('file')}<span class="two-lines"><b dir="auto">${one.name}</b><small>${this.ui.format.bytes(one.size)}</small></span>
      ${one.file ? nothing : html`<progress max="1" value=${one.part} aria-label=${one.name}></progress>`}
      <button type="button" class="tool" aria-label="${this.ui.t.remove}: ${one.name}" @click=${() => this.#detach(one)}>${icon('close')}</button>
    </li>`
    return html`<ul class="attached">${this.attached.map(tile)}</ul>`
  }

  #suggestions(): TemplateResult | typeof nothing {
    if (this.suggested.length === 0) return nothing
    const one = (member: Chat['members'][0], index: number) => {
      const name = nameOf(this.ui, member)
      return html`<li role="option" aria-selected=${index === this.chosen} @mousedown=${(
        event: Event,
      ) => {
        event.preventDefault()
        this.#mention(member)
      }}>${avatar({ name, picture: member.picture, key: member.username ?? '' })}<span dir="auto">${name}</span></li>`
    }
    return html`<ul class="suggested" role="listbox" aria-label=${this.ui.t.members}>${this.suggested.map(one)}</ul>`
  }

  #recordingBar(ms: number): TemplateResult {
    const { t } = this.ui
    return html`<div class="composer"><div class="bar recording">
      <button class="tool" aria-label=${t.cancel} @click=${() => this.#recorded(false)}>${icon('close')}</button>
      <span class="pulse" aria-hidden="true"></span>
      <span role="timer" aria-label=${t.recording}>${duration(ms)}</span>
      <button class="send" aria-label=${t.send} @click=${() => this.#recorded(true)}>${icon('send')}</button>
    </div></div>`
  }

  readonly #onSubmit = (event: Event): void => {
    event.preventDefault()
    if (!this.#canSend) return
    if (this.edited) return this.#save(this.edited)
    const body = this.text.trim()
    const mentions = [...this.#mentioned]
      .filter(([name]) => body.includes(`@${name}`))
      .map(([, username]) => username)
    const message = {
      ...(body ? { body } : {}),
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(this.attached.length > 0
        ? { files: this.attached.flatMap(({ file }) => (file ? [{ id: file.id }] : [])) }
        : {}),
    }
    if (this.to !== undefined) return this.ui.run(this.#sendFirst(message, this.to))
    this.#send(message)
    this.#empty()
  }

  #send(message: Omit<SendBody, 'clientId'>, chatId = this.chat.id): void {
    const thread = this.thread === undefined ? {} : { thread: this.thread }
    const reply = this.answered ? { reply: this.answered.seq } : {}
    this.ui.client
      .send(chatId, { ...message, ...thread, ...reply })
      .then((stored) => this.onStored(stored))
      .catch((error: unknown) => {
        // What the server refuses stays in the conversation and says why; all else is told here.
        if (!(error instanceof ChatError)) this.ui.run(Promise.reject(error as Error))
      })
    this.answered = undefined
    this.onSent()
  }

  /** Where the chat cannot be made, the text stays in the field. */
  async #sendFirst(message: Omit<SendBody, 'clientId'>, to: string): Promise<void> {
    const { id } = await this.ui.client.openWith(to)
    this.#send(message, id)
    this.#empty()
    this.onMade(id)
  }

  #empty(): void {
    this.text = ''
    this.attached = []
    this.#mentioned.clear()
    clearTimeout(this.#drafting)
    this.#drafting = undefined
    if (this.chat.draft && this.thread === undefined)
      this.ui.client.setDraft(this.chat.id, '').catch(() => undefined)
    this.focusText()
  }

  #save(message: Message): void {
    const { chatId, seq, body } = message
    const text = this.text.trim()
    this.edited = undefined
    this.text = this.#aside
    if (text !== body)
      this.ui.run(this.#edit(message, text, () => this.ui.client.edit(chatId, seq, text)))
    this.focusText()
  }

  /** What was refused is in the field again. */
  async #edit(message: Message, text: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.edited && this.text === this.#aside) {
        this.edited = message
        this.text = text
      }
      throw error
    }
    this.onEdited(message.seq)
  }

  readonly #onInput = ({ target }: Event): void => {
    this.text = (target as HTMLTextAreaElement).value
    if (this.edited || this.to !== undefined) return
    this.#suggest()
    if (this.text !== '') this.ui.client.setTyping(this.chat.id)
    clearTimeout(this.#drafting)
    this.#drafting = setTimeout(() => this.#saveDraft(), DRAFT_MS)
  }

  #saveDraft(): void {
    if (!this.#drafting || this.thread !== undefined || this.edited || this.to !== undefined) return
    clearTimeout(this.#drafting)
    this.#drafting = undefined
    // Without a connection it stays in the field, and is kept with the next key.
    if (this.text !== (this.chat.draft?.body ?? ''))
      this.ui.client.setDraft(this.chat.id, this.text).catch(() => undefined)
  }

  /** `@na` in front of the cursor. */
  #suggest(): void {
    const end = this.#area?.selectionEnd ?? this.text.length
    const begun = /(?:^|\s)@([^\s@]{0,30})$/u.exec(this.text.slice(0, end))?.[1]?.toLowerCase()
    const me = this.ui.client.me.getSnapshot()?.username
    this.chosen = 0
    this.suggested =
      begun === undefined || this.chat.kind === 'direct'
        ? []
        : this.chat.members
            .filter((member) => member.username !== undefined && member.username !== me)
            .filter((member) =>
              `${nameOf(this.ui, member)} ${member.username}`.toLowerCase().includes(begun),
            )
            .slice(0, SUGGESTED)
  }

  #mention(member: Chat['members'][0]): void {
    const name = nameOf(this.ui, member)
    if (member.username !== undefined) this.#mentioned.set(name, member.username)
    const end = this.#area?.selectionEnd ?? this.text.length
    const before = this.text.slice(0, end).replace(/@[^\s@]*$/u, `@${name} `)
    this.text = before + this.text.slice(end)
    this.suggested = []
    this.focusText()
  }

  #insert(text: string): void {
    const area = this.#area
    const [from, to] = [
      area?.selectionStart ?? this.text.length,
      area?.selectionEnd ?? this.text.length,
    ]
    this.text = this.text.slice(0, from) + text + this.text.slice(to)
    this.focusText()
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    // While letters are being composed, Enter belongs to the input method.
    if (event.isComposing) return
    if (this.suggested.length > 0 && this.#onSuggestedKey(event)) return event.preventDefault()
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      this.#onSubmit(event)
    } else if (event.key === 'Escape' && (this.edited || this.answered)) {
      event.stopPropagation()
      this.#cancel()
    } else if (event.key === 'ArrowUp' && this.text === '') {
      const last = this.onLast()
      if (last) {
        event.preventDefault()
        this.edit(last)
      }
    }
  }

  #onSuggestedKey({ key }: KeyboardEvent): boolean {
    const count = this.suggested.length
    if (key === 'ArrowDown') this.chosen = (this.chosen + 1) % count
    else if (key === 'ArrowUp') this.chosen = (this.chosen + count - 1) % count
    else if (key === 'Escape') this.suggested = []
    else if (key === 'Enter' || key === 'Tab') {
      const member = this.suggested[this.chosen]
      if (member) this.#mention(member)
    } else return false
    return true
  }

  readonly #onPaste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])]
    if (files.length === 0 || !this.ui.features.files) return
    event.preventDefault()
    this.addFiles(files)
  }

  readonly #onAttach = (event: Event): void => {
    const { t } = this.ui
    const pick = () => this.querySelector<HTMLInputElement>('input[type=file]')?.click()
    this.ui.menu(event.currentTarget as Element, [
      ...(this.ui.features.files ? [{ text: t.file, onChoose: pick }] : []),
      ...(this.to === undefined
        ? [{ text: t.poll, onChoose: () => this.ui.dialog('poll', this.chat) }]
        : []),
      { text: t.location, onChoose: () => this.#sendPlace() },
    ])
  }

  #sendPlace(): void {
    const onPlace = ({ coords: { latitude, longitude } }: GeolocationPosition) => {
      const message = { location: { latitude, longitude } }
      if (this.to === undefined) this.#send(message)
      else this.ui.run(this.#sendFirst(message, this.to))
    }
    navigator.geolocation.getCurrentPosition(onPlace, () => this.ui.say(this.ui.t.noLocation))
  }

  readonly #onPicked = ({ target }: Event): void => {
    const input = target as HTMLInputElement
    this.addFiles([...(input.files ?? [])])
    input.value = ''
  }

  /** They are sent to the server while the text is still being written. */
  addFiles(files: readonly globalThis.File[]): void {
    for (const file of files.slice(0, MAX_FILES - this.attached.length)) void this.#attach(file)
    this.focusText()
  }

  async #attach(bytes: globalThis.File): Promise<void> {
    const one: Attached = {
      name: bytes.name,
      size: bytes.size,
      part: 0,
      abort: new AbortController(),
    }
    this.attached = [...this.attached, one]
    try {
      one.file = await this.ui.client.upload(bytes, {
        signal: one.abort.signal,
        onProgress: (part) => {
          one.part = part
          this.requestUpdate()
        },
      })
      this.requestUpdate()
    } catch (error) {
      const isMine = one.abort.signal.aborted
      this.attached = this.attached.filter((other) => other !== one)
      if (!isMine) this.ui.say(`${this.ui.t.uploadFailed(one.name)}: ${(error as Error).message}`)
    }
  }

  #detach(one: Attached): void {
    one.abort.abort()
    this.attached = this.attached.filter((other) => other !== one)
    if (one.file) this.ui.client.api.removeUpload({ uploadId: one.file.id }).catch(() => undefined)
  }

  async #record(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const recorder = await Recorder.start().catch(() => undefined)
    this.#isAsking = false
    if (!recorder) return this.ui.say(this.ui.t.noMicrophone)
    // Who has gone elsewhere meanwhile is not listened to.
    if (!this.isConnected) return recorder.cancel()
    this.#recorder = recorder
    this.recordedMs = 0
    recorder.onTick = (ms) => (this.recordedMs = ms)
    recorder.onFull = () => this.#recorded(true)
  }

  #recorded(isWanted: boolean): void {
    const recorder = this.#recorder
    this.#recorder = undefined
    this.recordedMs = undefined
    if (!recorder) return
    if (isWanted) this.ui.run(recorder.stop().then((recorded) => this.#sendVoice(recorded)))
    else recorder.cancel()
    this.focusText()
  }

  async #sendVoice({ blob, durationMs, waveform }: Recorded): Promise<void> {
    const name = `voice.${blob.type.includes('mp4') ? 'm4a' : 'webm'}`
    const { id } = await this.ui.client.upload(blob, { name })
    const message: SendBody = { files: [{ id, voice: true, durationMs, waveform }] }
    if (this.to === undefined) this.#send(message)
    else await this.#sendFirst(message, this.to)
  }
}
