/** What pops up beside something: a menu, and emoji to choose from. */
import { html, nothing, type TemplateResult } from 'lit'
import type { MenuItem, Ui } from '../ui.ts'
import { Part } from '../watching.ts'

const EDGE_PX = 8
/** The first ones stand in a row of their own. */
const EMOJI = [
  '👍 ❤️ 😂 😮 😢 🙏 🎉 🔥',
  '😀 😄 😁 😅 😊 🙂 😉 😍 🥰 😘 😜 🤪 🤗 🤔 🤨 😐 🙄 😏 😴 🤤 😷 🤒 🤯 🥳 😎 🤓 😕 😟 😳 🥺 😭 😱 😤 😡 🤬 😈 💀 💩 🤡 👻 👽 🤖',
  '👋 🤚 🖐️ ✋ 👌 🤌 🤏 ✌️ 🤞 🤟 🤘 🤙 👈 👉 👆 👇 ☝️ 👎 ✊ 👊 👏 🙌 🫶 🤝 💪 🧠 👀 💋 👶 🧑 👩 👨 🧓 🕺 💃 🚶 🏃 🧘',
  '🧡 💛 💚 💙 💜 🖤 🤍 🤎 💔 💯 💥 💫 💦 💤 ✅ ❌ ❓ ❗ ⚠️ ⏰ 📅 📌 📎 ✏️ 📦 💡 🔑 🔒 🔔 🎁 🏆 🎯 🎵 🎬 📷 💻 📱 📧 💰 🧾 🛒',
  '🐶 🐱 🐭 🐰 🦊 🐻 🐼 🐨 🐯 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🦆 🦉 🐝 🦋 🐢 🐙 🐬 🐳 🌵 🌲 🌻 🌹 🍀 🍁 🌍 🌙 ☀️ ⛅ 🌧️ ❄️ 🌈',
  '🍎 🍌 🍇 🍓 🍒 🍑 🥑 🥦 🥕 🌽 🍞 🧀 🍳 🥞 🍕 🍔 🍟 🌮 🍣 🍜 🍦 🍩 🍪 🎂 🍫 ☕ 🍵 🍺 🍷 🥂 ⚽ 🏀 🎾 🎮 🎲 🚗 🚲 ✈️ 🚀 🏠 🏖️ ⛰️',
].map((row) => row.split(' '))

export class MenuPart extends Part {
  static override properties = {
    ui: { attribute: false },
    items: { state: true },
    choose: { state: true },
    react: { state: true },
  }
  declare ui: Pick<Ui, 't'>
  declare items: MenuItem[] | undefined
  declare choose: ((emoji: string) => void) | undefined
  /** Above the items. */
  declare react: ((emoji: string) => void) | undefined
  #at: Element | { x: number; y: number } | undefined
  #before: Element | null = null

  override connectedCallback(): void {
    super.connectedCallback()
    // By hand: an `auto` one would close when the finger goes up whose long press has opened it.
    this.popover = 'manual'
  }

  open(
    at: Element | { x: number; y: number },
    items: MenuItem[],
    onReact?: (emoji: string) => void,
  ): void {
    if (items.length === 0) return
    this.react = onReact
    this.choose = undefined
    this.items = items
    void this.#show(at)
  }

  openEmoji(at: Element | { x: number; y: number }, choose: (emoji: string) => void): void {
    this.items = undefined
    this.choose = choose
    void this.#show(at)
  }

  override render(): TemplateResult {
    if (this.choose) return this.#emoji(this.choose)
    const one = ({
      text,
      onChoose,
      isDanger,
    }: MenuItem) => html`<button role="menuitem" class=${isDanger ? 'danger' : ''}
      @click=${() => {
        this.#close()
        onChoose()
      }}>${text}</button>`
    return html`<div class="menu" role="menu" @keydown=${this.#onKey}>
      ${this.react && this.items ? this.#reactions(this.react) : nothing}${this.items?.map(one) ?? nothing}</div>`
  }

  #reactions(react: (emoji: string) => void): TemplateResult {
    const { t } = this.ui
    const [first = []] = EMOJI
    const one = (emoji: string) =>
      html`<button role="menuitem" aria-label="${t.react}: ${emoji}" @click=${() => {
        this.#close()
        react(emoji)
      }}>${emoji}</button>`
    const more = () => {
      const at = this.#at
      this.#close()
      // After the menu has closed, which forgets what it showed.
      if (at) setTimeout(() => this.openEmoji(at, react))
    }
    return html`<div class="quick" role="group" aria-label=${t.react}>${first.slice(0, 6).map(one)}
      <button role="menuitem" aria-label=${t.moreEmoji} @click=${more}>+</button></div>`
  }

  #emoji(choose: (emoji: string) => void): TemplateResult {
    const one = (emoji: string) =>
      html`<button aria-label=${emoji} @click=${() => {
        this.#close()
        choose(emoji)
      }}>${emoji}</button>`
    return html`<div class="emoji" role="group" aria-label=${this.ui.t.emoji} @keydown=${this.#onKey}>
      ${EMOJI.map((row) => html`<div>${row.map(one)}</div>`)}</div>`
  }

  async #show(at: Element | { x: number; y: number }): Promise<void> {
    this.#at = at
    await this.updateComplete
    if (!this.matches(':popover-open')) {
      this.#before = (this.getRootNode() as ShadowRoot).activeElement
      this.showPopover()
    }
    addEventListener('pointerdown', this.#onOutside, { capture: true })
    addEventListener('keydown', this.#onEscape, { capture: true })
    const { width, height } = this.getBoundingClientRect()
    const beside =
      at instanceof Element ? at.getBoundingClientRect() : new DOMRect(at.x, at.y, 0, 0)
    const isRtl = getComputedStyle(this).direction === 'rtl'
    const left = isRtl ? beside.right - width : beside.left
    const hasRoomBelow = beside.bottom + height + EDGE_PX < innerHeight
    const top = hasRoomBelow ? beside.bottom + 4 : beside.top - height - 4
    this.#move(clamp(left, innerWidth - width), clamp(top, innerHeight - height))
    this.querySelector('button')?.focus()
  }

  #move(left: number, top: number): void {
    this.style.setProperty('left', `${left}px`)
    this.style.setProperty('top', `${top}px`)
  }

  #close(): void {
    removeEventListener('pointerdown', this.#onOutside, { capture: true })
    removeEventListener('keydown', this.#onEscape, { capture: true })
    if (!this.matches(':popover-open')) return
    this.hidePopover()
    this.items = undefined
    this.choose = undefined
    this.react = undefined
    if (this.#before instanceof HTMLElement && this.#before.isConnected) this.#before.focus()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#close()
  }

  readonly #onOutside = (event: Event): void => {
    if (!event.composedPath().includes(this)) this.#close()
  }

  readonly #onEscape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    this.#close()
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const columns = this.choose ? 8 : 1
    const step = {
      ArrowDown: columns,
      ArrowUp: -columns,
      ArrowRight: 1,
      ArrowLeft: -1,
      Tab: event.shiftKey ? -1 : 1,
    }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const all = [...this.querySelectorAll<HTMLElement>('button')]
    const at = all.findIndex((button) => button.matches(':focus'))
    all[(at + step + all.length) % all.length]?.focus()
  }
}

function clamp(value: number, most: number): number {
  return Math.max(EDGE_PX, Math.min(value, most - EDGE_PX))
}
