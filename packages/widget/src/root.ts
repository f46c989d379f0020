/** What all elements of ours have in common: who is logged in, language, theme, and what pops up. */
import { ChatError, type GetToken, type Message } from '@microchatter/client'
import {
  html,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { Format } from './format.ts'
import type { DialogPart } from './parts/dialog.ts'
import type { MenuPart } from './parts/menu.ts'
import { type Session, sessionOf } from './session.ts'
import { STYLES } from './styles.ts'
import type { Texts } from './texts/en.ts'
import { textsOf } from './texts/texts.ts'
import { People, type Side, type Ui } from './ui.ts'
import { Watching } from './watching.ts'

const TOAST_MS = 6_000
const SERVER = originOf(import.meta.url)

/** An attribute that is taken away leaves nothing. */
export const TEXT = { fromAttribute: (value: string | null) => value ?? undefined }

export abstract class Root extends Watching {
  static override styles = STYLES
  static override properties: PropertyDeclarations = {
    server: { converter: TEXT },
    tokenUrl: { attribute: 'token-url', converter: TEXT },
    reportUrl: { attribute: 'report-url', converter: TEXT },
    theme: { reflect: true },
    lang: {},
    getToken: { attribute: false },
    texts: { attribute: false },
    toast: { state: true },
    side: { state: true },
  }
  /** Of the chat server; where this script came from, unless given. */
  declare server: string | undefined
  /** Of the site: answers `{ token }` for who is logged in there. */
  declare tokenUrl: string | undefined
  /** Of the site: takes what people report. Without it nothing can be reported. */
  declare reportUrl: string | undefined
  declare theme: 'light' | 'dark' | 'auto' | undefined
  /** In place of `tokenUrl`. */
  declare getToken: GetToken | undefined
  /** In place of ours. */
  declare texts: Partial<Texts> | undefined
  declare protected toast: string | undefined
  declare protected side: Side | undefined
  #session: Session | undefined
  #leave: (() => void) | undefined
  #ui: Ui | undefined
  #toasting: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#join()
    document.addEventListener('visibilitychange', this.#onVisible)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    document.removeEventListener('visibilitychange', this.#onVisible)
    this.#leave?.()
    this.#leave = undefined
    this.#session = undefined
  }

  protected override willUpdate(changed: PropertyValues): void {
    const isOther = ['server', 'tokenUrl', 'getToken'].some((name) => changed.has(name))
    if (isOther) this.#join()
    if (['texts', 'reportUrl', 'lang'].some((name) => changed.has(name)) || isOther)
      this.#ui = undefined
  }

  protected get t(): Texts {
    return textsOf(this.#language, this.texts)
  }

  get #language(): string {
    const near = this.closest('[lang]')?.getAttribute('lang')
    return near || document.documentElement.lang || navigator.language
  }

  #join(): void {
    const { getToken } = this
    const tokenUrl = this.tokenUrl ?? ''
    const server = this.server ?? SERVER
    this.#leave?.()
    this.#leave = undefined
    this.#session = undefined
    if (tokenUrl === '' && !getToken) return
    this.#session = sessionOf({
      server: new URL(server, location.href).href.replace(/\/$/, ''),
      tokenUrl,
      getToken,
    })
    this.#leave = this.#session.use()
  }

  /** After a log-in or a log-out without a new page: asks the site again who is logged in. */
  async refresh(): Promise<void> {
    await this.#session?.refresh()
  }

  /** What the element shows, when somebody is logged in. */
  protected abstract content(ui: Ui): TemplateResult | typeof nothing
  /** What it shows otherwise. */
  protected outside(
    text: string,
    hint: string,
    again?: () => void,
  ): TemplateResult | typeof nothing {
    return html`<div class="root"><div class="empty"><h3>${text}</h3><p>${hint}</p>
      ${again ? html`<button class="primary" @click=${again}>${this.t.again}</button>` : nothing}</div></div>`
  }
  protected openChat(_chatId: string, _seq?: number): void {}
  protected openUser(_username: string): void {}

  override render(): TemplateResult | typeof nothing {
    const { t } = this
    if (!this.#session)
      return this.outside('micro-chatter', 'Set token-url, or the property getToken.')
    const state = this.watch(this.#session)
    const again = () => void this.#session?.start()
    if (state.name === 'connecting') return this.outside(t.connecting, '')
    if (state.name === 'signed out') return this.outside(t.signedOut, t.signedOutHint)
    if (state.name === 'failed') return this.outside(t.failedToLoad, '', again)
    if (this.#ui?.client !== state.client || this.#ui.features !== state.features)
      this.#ui = undefined
    this.#ui ??= this.#makeUi(state.client, state.features)
    if (this.#shown !== state.client) {
      // Of another user nothing stays on the screen.
      if (this.#shown) this.forget()
      this.#shown = state.client
    }
    return html`${keyed(state.client, this.content(this.#ui))}`
  }
  #shown: Ui['client'] | undefined

  /** What is open is of one user. */
  protected forget(): void {
    this.side = undefined
  }

  /** The menu, the dialog, and what is said; to be put into the content once. */
  protected above(ui: Ui): TemplateResult {
    return html`<mc-menu .ui=${ui}></mc-menu><mc-dialog .ui=${ui}></mc-dialog>
      <div class="toast" role="alert" ?hidden=${!this.toast}>${this.toast}</div>
      <div class="hidden live" aria-live="polite"></div>`
  }

  #makeUi(client: Ui['client'], features: Ui['features']): Ui {
    const t = this.t
    const find = <T extends Element>(name: string) =>
      this.renderRoot.querySelector(name) as unknown as T
    const menu = () => find<MenuPart>('mc-menu')
    const dialog = () => find<DialogPart>('mc-dialog')
    return {
      client,
      features,
      t,
      format: new Format(this.#language, t),
      reportUrl: this.reportUrl,
      people: new People(client),
      run: (work) => void work.catch((error: unknown) => this.#onError(error)),
      say: (text) => this.#say(text),
      ask: (question, yes) => dialog().ask(question, yes),
      menu: (at, items, onReact) => menu().open(at, items, onReact),
      emoji: (at, onChoose) => menu().openEmoji(at, onChoose),
      dialog: (kind, chat, message?: Message) => dialog().show(kind, chat, message),
      show: (image) => dialog().showImage(image),
      open: (chatId, seq) => this.openChat(chatId, seq),
      openWith: (username) => this.openUser(username),
      side: (side) => (this.side = side),
      announce: (text) => this.#announce(text),
    }
  }

  #onError(error: unknown): void {
    if (error instanceof ChatError && error.code === 'signed_out') return
    this.#say(error instanceof Error ? error.message : String(error))
  }

  #say(text: string): void {
    this.toast = text
    clearTimeout(this.#toasting)
    this.#toasting = setTimeout(() => (this.toast = undefined), TOAST_MS)
  }

  #announce(text: string): void {
    const live = this.renderRoot.querySelector('.live')
    if (live) live.textContent = text
  }

  /** Nobody looks: others see it. Somebody looks again: perhaps they have logged in meanwhile. */
  readonly #onVisible = (): void => {
    const isVisible = document.visibilityState === 'visible'
    const state = this.#session?.getSnapshot()
    if (isVisible) void this.#session?.compare()
    if (state?.name === 'ready')
      void state.client.setPresence(isVisible ? 'online' : 'away').catch(() => undefined)
    else if (isVisible) void this.#session?.start()
  }
}

function originOf(url: string): string {
  const { origin } = new URL(url)
  return origin === 'null' ? location.origin : origin
}
