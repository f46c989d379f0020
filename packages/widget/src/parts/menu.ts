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
  }
  declare ui: Pick<Ui, 't'>
  declare items: MenuItem[] | undefined
  declare choose: ((emoji: string) => void) | undefined
  #before: Element | null = null

  override connectedCallback(): void {
    super.connectedCallback()
    this.popover = 'auto'
    this.addEventListener('toggle', this.#onToggle)
  }

  open(at: Element | { x: number; y: number }, items: MenuItem[]): void {
    if (items.length === 0) return
    this.choose = undefined
    this.items = items
    void this.#show(at)
  }

  openEmoji(at: Element, choose: (emoji: string) => void): void {
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
    return html`<div class="menu" role="menu" @keydown=${this.#onKey}>${this.items?.map(one) ?? nothing}</div>`
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
    await this.updateComplete
    this.#before = (this.getRootNode() as ShadowRoot).activeElement
    this.showPopover()
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
    this.hidePopover()
  }

  readonly #onToggle = (event: Event): void => {
    if ((event as ToggleEvent).newState !== 'closed') return
    this.items = undefined
    this.choose = undefined
    if (this.#before instanceof HTMLElement && this.#before.isConnected) this.#before.focus()
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
