/**
 * The messages of a chat, or of a thread. A stretch of them is drawn (stretch.ts); what is looked at stays where it is
 * when something comes above it. A place far from the end is shown from pages of its own (pages.ts).
 */
import type { Chat, Conversation, ConversationView, Message } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { isSameDay } from '../format.ts'
import { icon } from '../icons.ts'
import { Pages } from '../pages.ts'
import { indexOf, Stretch } from '../stretch.ts'
import { memberOf, nameOf, lineOf, type Ui } from '../ui.ts'
import { Part } from '../watching.ts'
import { messageView } from './message.ts'
import { pendingView } from './pending.ts'
import type { Where } from './where.ts'

const NEAR_PX = 1_500
const END_PX = 60
const RUN_MS = 300_000
const MARK_MS = 1_600

export class LogPart extends Part {
  static override properties = {
    ui: { attribute: false },
    chatId: { attribute: false },
    thread: { attribute: false },
    marked: { state: true },
    isAway: { state: true },
  }
  declare ui: Ui
  declare chatId: string
  declare thread: number | undefined
  /** The message that was jumped to. */
  declare marked: number | undefined
  /** The end is not on the screen. */
  declare isAway: boolean
  onReply: Where['onReply'] = () => undefined
  onEdit: Where['onEdit'] = () => undefined

  #conversation: Conversation | undefined
  #pages: Pages | undefined
  readonly #stretch = new Stretch()
  #isStuck = true
  #lastTop = 0
  #anchor: { seq: number; top: number } | undefined
  /** What was unread when it was opened begins behind this one. */
  #divider: number | undefined
  #hasBegun = false
  /** A place that was asked for before the first page was there. */
  #wanted: number | undefined
  #filtered: { of: readonly Message[]; items: Message[] } | undefined
  #sizes: ResizeObserver | undefined
  #announced = 0

  override connectedCallback(): void {
    super.connectedCallback()
    this.#conversation = this.ui.client.open(this.chatId)
    document.addEventListener('visibilitychange', this.#onVisible)
    if (this.thread !== undefined) {
      this.#pages = new Pages(this.ui.client, this.chatId, () => this.requestUpdate(), this.thread)
      this.ui.run(this.#pages.newest())
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#conversation?.close()
    this.#pages?.close()
    this.#sizes?.disconnect()
    this.#sizes = undefined
    document.removeEventListener('visibilitychange', this.#onVisible)
  }

  /** Shows this message, from wherever it has to be fetched: in the middle, and marked, or at the top. */
  async jump(seq: number, block: 'center' | 'start' = 'center'): Promise<void> {
    if (!this.#hasBegun) {
      this.#wanted = seq
      return
    }
    if (!this.#has(seq)) {
      this.#pages?.close()
      const pages = new Pages(this.ui.client, this.chatId, () => this.requestUpdate(), this.thread)
      this.#pages = pages
      await pages.around(seq)
      if (!this.isConnected || this.#pages !== pages) return
    }
    this.#isStuck = false
    this.#stretch.around(this.#items(), seq)
    this.#anchor = undefined
    this.marked = block === 'center' ? seq : undefined
    this.requestUpdate()
    await this.updateComplete
    const divider = block === 'start' ? this.querySelector('.divider') : null
    ;(divider ?? this.#element(seq))?.scrollIntoView({ block })
    this.#onScroll()
    setTimeout(() => (this.marked = undefined), MARK_MS)
  }

  toEnd(): void {
    if (this.thread === undefined) {
      this.#pages?.close()
      this.#pages = undefined
    } else if (this.#pages?.hasAfter) this.ui.run(this.#pages.newest())
    this.#stretch.reset()
    this.#isStuck = true
    this.requestUpdate()
  }

  /** One of mine is with the server: a thread has it now. */
  stored(message: Message): void {
    this.#pages?.add(message)
  }

  /** I have changed this one. */
  changed(seq: number): void {
    void this.#pages?.again(seq).catch(() => undefined)
  }

  /** The newest message of mine, to be edited. */
  get lastOfMine(): Message | undefined {
    const me = this.ui.client.me.getSnapshot()?.username
    return this.#items().findLast(
      ({ sender, deletedAt, kind }) => sender === me && !deletedAt && !kind,
    )
  }

  override render(): TemplateResult {
    const chat = this.watch(this.ui.client.chat(this.chatId))
    const view = this.#view()
    const me = this.watch(this.ui.client.me)?.username ?? ''
    this.watch(this.ui.client.status)
    const shown = this.#stretch.of(this.#items())
    const pending = this.#pending(view)
    const where: Where = {
      ui: this.ui,
      chat,
      me,
      thread: this.thread,
      onReply: (message) => this.onReply(message),
      onEdit: (message) => this.onEdit(message),
      onJump: (seq) => this.ui.run(this.jump(seq)),
      onDone: (seq) => this.changed(seq),
      onDraw: () => this.requestUpdate(),
    }
    const hasTop = !view.hasOlder && shown[0] === this.#items()[0] && this.thread === undefined
    return html`
      <div class="log" role="log" aria-live="off" tabindex="0" aria-label=${this.ui.t.messages}
        @scroll=${this.#onScroll} @keydown=${this.#onKey}>
        <div class="content">
          ${view.isLoading && shown.length === 0 ? html`<div class="loading" role="status" aria-label=${this.ui.t.connecting}></div>` : nothing}
          ${hasTop && !view.isLoading && !this.#pages ? beginning(this.ui, shown.length) : nothing}
          ${repeat(
            shown,
            ({ clientId, seq }) => `${seq} ${clientId}`,
            (message, index) => this.#one(where, message, shown[index - 1], shown[index + 1]),
          )}
          ${repeat(
            pending,
            ({ clientId }) => clientId,
            (one) => pendingView(this.ui, one),
          )}
        </div>
      </div>
      ${this.isAway ? this.#toEndButton(chat) : nothing}`
  }

  #one(where: Where, message: Message, before?: Message, behind?: Message): TemplateResult {
    const isFirst = !before || !isOneRun(before, message)
    const isLast = !behind || !isOneRun(message, behind)
    const isNewDay = !before || !isSameDay(before.createdAt, message.createdAt)
    const isDivided =
      this.#divider !== undefined &&
      message.seq > this.#divider &&
      (before?.seq ?? this.#divider) <= this.#divider
    return html`
      ${isNewDay ? html`<div class="day"><span>${this.ui.format.day(message.createdAt)}</span></div>` : nothing}
      ${isDivided ? html`<div class="divider" role="separator"><span>${this.ui.t.newMessages}</span></div>` : nothing}
      ${messageView(where, message, { isFirst: isFirst || isNewDay, isLast, isMarked: this.marked === message.seq })}`
  }

  #toEndButton(chat: Chat | undefined): TemplateResult {
    const unread = chat?.unread ?? 0
    return html`<button class="to-end" aria-label=${this.ui.t.toLatest} title=${this.ui.t.toLatest} @click=${() => this.toEnd()}>
      ${icon('down')}${unread > 0 ? html`<span class="badge">${this.ui.format.count(unread)}</span>` : nothing}
    </button>`
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    super.update(changed)
    this.#begin()
    this.#hold()
    this.#watchSizes()
    this.#announce()
    // What has come, and what was seen while there was no connection.
    if (this.#box) this.#markRead(this.#box)
  }

  #view(): ConversationView {
    return this.#conversation
      ? this.watch(this.#conversation.view)
      : { messages: [], pending: [], hasOlder: false, isLoading: true }
  }

  /** All that can be scrolled to, without those of threads and those that I have deleted for me. */
  #items(): Message[] {
    const live = this.#conversation?.view.getSnapshot().messages ?? []
    const of = this.#pages?.items ?? live
    if (this.#filtered?.of === of) return this.#filtered.items
    const items = of.filter(
      ({ my, thread, seq }) => !my?.deleted && (thread === this.thread || seq === this.thread),
    )
    this.#filtered = { of, items }
    return items
  }

  #pending({ pending }: ConversationView) {
    if (this.#pages?.hasAfter || !this.#stretch.isToEnd) return []
    return pending.filter(({ message }) => message.thread === this.thread)
  }

  #has(seq: number): boolean {
    const items = this.#items()
    return items[indexOf(items, seq)]?.seq === seq
  }

  /** Where the first page is there: at what is unread, or at the end. */
  #begin(): void {
    const { isLoading, messages } = this.#conversation?.view.getSnapshot() ?? {
      isLoading: true,
      messages: [],
    }
    if (this.#hasBegun || isLoading) return
    this.#hasBegun = true
    if (this.#wanted !== undefined) return this.ui.run(this.jump(this.#wanted))
    const chat = this.ui.client.chat(this.chatId).getSnapshot()
    if (this.thread !== undefined || !chat || chat.unread === 0) return
    this.#divider = chat.readSeq
    const isHere = (messages[0]?.seq ?? 0) <= chat.readSeq + 1
    const first = this.#items().find(({ seq }) => seq > chat.readSeq)
    if (!isHere) return this.ui.run(this.jump(chat.readSeq + 1, 'start'))
    if (first) this.ui.run(this.jump(first.seq, 'start'))
  }

  get #box(): HTMLElement | null {
    return this.querySelector('.log')
  }

  #element(seq: number): HTMLElement | null {
    return this.querySelector(`[data-seq="${seq}"]`)
  }

  readonly #onScroll = (): void => {
    const box = this.#box
    if (!box || box.clientHeight === 0) return
    const below = box.scrollHeight - box.scrollTop - box.clientHeight
    const isWhole = this.#stretch.isToEnd && !this.#pages?.hasAfter
    // What grows is no reason to let go of the end: only who scrolls up leaves it.
    const hasStayed = this.#isStuck && box.scrollTop >= this.#lastTop - 1
    const isStuck = isWhole && (below < END_PX || hasStayed)
    this.#lastTop = box.scrollTop
    if (this.#isStuck && !isStuck) this.#stretch.hold(this.#items())
    if (isStuck && !this.#isStuck && this.thread === undefined) this.#arrive()
    this.#isStuck = isStuck
    this.isAway = !isStuck && (below > END_PX || !isWhole)
    this.#remember(box)
    if (box.scrollTop < NEAR_PX) this.#up()
    if (below < NEAR_PX && !isStuck) this.#down()
    this.#markRead(box)
  }

  /** At the end: the live messages are what is shown from here on. */
  #arrive(): void {
    this.#pages?.close()
    this.#pages = undefined
    this.#stretch.reset()
    this.requestUpdate()
  }

  #up(): void {
    if (this.#stretch.up(this.#items())) return this.requestUpdate()
    if (this.#isFetching) return
    if (this.#pages?.hasBefore) this.#fetch(this.#pages.older())
    const view = this.#conversation?.view.getSnapshot()
    if (!this.#pages && view?.hasOlder) this.#fetch(this.#conversation?.loadOlder())
  }

  #down(): void {
    if (this.#stretch.down(this.#items())) return this.requestUpdate()
    if (!this.#isFetching && this.#pages?.hasAfter) this.#fetch(this.#pages.newer())
  }

  /** What has come may be near the end again, and nobody scrolls meanwhile. */
  #fetch(work: Promise<void> | undefined): void {
    if (!work) return
    this.#isFetching = true
    const done = work.finally(() => (this.#isFetching = false)).then(() => this.updateComplete)
    this.ui.run(done.then(() => this.#onScroll()))
  }
  #isFetching = false

  /** What is at the top of the screen, and where exactly. */
  #remember(box: HTMLElement): void {
    const { top } = box.getBoundingClientRect()
    for (const element of box.querySelectorAll<HTMLElement>('[data-seq]')) {
      const { bottom, top: its } = element.getBoundingClientRect()
      if (bottom <= top) continue
      this.#anchor = { seq: Number(element.dataset.seq), top: its - top }
      return
    }
  }

  /** Whatever was drawn: who is at the end stays there, and what is looked at stays where it is. */
  #hold(): void {
    const box = this.#box
    if (!box) return
    if (this.#isStuck) {
      box.scrollTop = box.scrollHeight
      return
    }
    const element = this.#anchor && this.#element(this.#anchor.seq)
    if (!element || !this.#anchor) return
    const moved =
      element.getBoundingClientRect().top - box.getBoundingClientRect().top - this.#anchor.top
    if (Math.abs(moved) > 0.5) box.scrollTop += moved
  }

  /** Images and previews may grow after they were drawn, and the box itself with the window. */
  #watchSizes(): void {
    const content = this.querySelector('.content')
    if (this.#sizes || !content || !this.#box) return
    this.#sizes = new ResizeObserver(() => {
      this.#hold()
      this.#onScroll()
    })
    this.#sizes.observe(content)
    this.#sizes.observe(this.#box)
  }

  readonly #onVisible = (): void => {
    if (this.#box) this.#markRead(this.#box)
  }

  /** Up to the last one that is on the screen. */
  #markRead(box: HTMLElement): void {
    if (document.visibilityState !== 'visible' || this.thread !== undefined || !this.#hasBegun)
      return
    const chat = this.ui.client.chat(this.chatId).getSnapshot()
    if (!chat || chat.unread === 0 || this.ui.client.status.getSnapshot() !== 'online') return
    const seq = this.#isStuck ? chat.lastSeq : lastOnScreen(box)
    if (seq <= chat.readSeq || seq <= this.#reading) return
    this.#reading = seq
    this.ui.run(this.ui.client.markRead(this.chatId, seq).finally(() => (this.#reading = 0)))
  }
  #reading = 0

  /** What comes while somebody looks is read out. */
  #announce(): void {
    const last = this.#conversation?.view.getSnapshot().messages.at(-1)
    if (!last || last.seq <= this.#announced) return
    const isFirst = this.#announced === 0
    this.#announced = last.seq
    if (isFirst || last.sender === this.ui.client.me.getSnapshot()?.username) return
    const name = nameOf(
      this.ui,
      memberOf(this.ui.client.chat(this.chatId).getSnapshot(), last.sender),
    )
    this.ui.announce(this.ui.t.says(name, lineOf(this.ui, last)))
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (event.key === 'End') this.toEnd()
    if (step === undefined) return
    const all = [...this.querySelectorAll<HTMLElement>('.message')]
    const at = all.findIndex((element) => element.matches(':focus, :focus-within'))
    const next = at < 0 ? all.at(-1) : all[at + step]
    if (!next) return
    event.preventDefault()
    next.focus({ preventScroll: true })
    next.scrollIntoView({ block: 'nearest' })
  }
}

export function beginning({ t }: Ui, count: number): TemplateResult {
  return html`<div class="beginning">
    <span class="wave-hand" aria-hidden="true">👋</span>
    <p>${t.beginning}${count === 0 ? html`<br />${t.sayHello}` : nothing}</p>
  </div>`
}

function isOneRun(one: Message, next: Message): boolean {
  return (
    one.sender === next.sender &&
    one.kind !== 'system' &&
    next.kind !== 'system' &&
    Date.parse(next.createdAt) - Date.parse(one.createdAt) < RUN_MS
  )
}

function lastOnScreen(box: HTMLElement): number {
  const { bottom } = box.getBoundingClientRect()
  const all = [...box.querySelectorAll<HTMLElement>('[data-seq]')]
  const last = all.findLast((element) => element.getBoundingClientRect().top < bottom - 8)
  return Number(last?.dataset.seq ?? 0)
}
