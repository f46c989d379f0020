/** A file of a message: an image, a film, sound, or something to be downloaded. */
import type { File } from '@microchatter/client'
import { html, nothing, svg, type TemplateResult } from 'lit'
import { duration } from '../format.ts'
import { icon } from '../icons.ts'
import type { Ui } from '../ui.ts'
import { Part } from '../watching.ts'

const LONGEST = 320
const BARS = 40

export class FilePart extends Part {
  static override properties = {
    ui: { attribute: false },
    chatId: { attribute: false },
    seq: { attribute: false },
    file: { attribute: false },
    url: { state: true },
    thumbnailUrl: { state: true },
    isPlaying: { state: true },
    at: { state: true },
  }
  declare ui: Ui
  declare chatId: string
  declare seq: number
  declare file: File
  declare url: string | undefined
  declare thumbnailUrl: string | undefined
  declare isPlaying: boolean
  /** Of the sound, 0 to 1. */
  declare at: number
  #audio: HTMLAudioElement | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.file.kind !== 'file') void this.#link()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#audio?.pause()
  }

  async #link(): Promise<string | undefined> {
    const link = await this.ui.client
      .fileLink(this.chatId, this.seq, this.file.id)
      .catch(() => undefined)
    // The same picture under a new address would be fetched again.
    this.url ??= link?.url
    this.thumbnailUrl ??= link?.thumbnailUrl
    return link?.url
  }

  override render(): TemplateResult {
    const { kind } = this.file
    if (kind === 'image') return this.#image()
    if (kind === 'video') return this.#video()
    if (kind === 'audio') return this.#sound()
    return this.#download()
  }

  protected override updated(): void {
    const { width = 4, height = 3 } = this.file
    if (this.file.kind === 'file' || this.file.kind === 'audio') return
    const shown = Math.min(1, LONGEST / Math.max(width, height)) * width
    this.style.setProperty('--ratio', String(width / height))
    this.style.setProperty('--width', `${Math.max(120, Math.round(shown))}px`)
    const canvas = this.querySelector('canvas')
    if (canvas && this.file.placeholder) void paint(canvas, this.file.placeholder)
  }

  #image(): TemplateResult {
    const { name } = this.file
    const open = async () => {
      const url = await this.#link()
      if (url) this.ui.show({ url, name })
    }
    return html`<button class="image" @click=${() => void open()} aria-label="${this.ui.t.photo}: ${name}">
      ${this.file.placeholder ? html`<canvas width="32" height="32"></canvas>` : nothing}
      ${this.url ? html`<img src=${this.thumbnailUrl ?? this.url} alt="" />` : nothing}
    </button>`
  }

  #video(): TemplateResult {
    return html`<video controls preload="metadata" src=${this.url ?? nothing} @error=${this.#renew}
      aria-label="${this.ui.t.video}: ${this.file.name}"></video>`
  }

  /** Its address has ended: with the next one it goes on where it was. */
  readonly #renew = async ({ target }: Event): Promise<void> => {
    const media = target as HTMLMediaElement
    const { currentTime } = media
    const before = this.url
    this.url = undefined
    const url = await this.#link()
    if (!url || url === before) return
    await this.updateComplete
    media.currentTime = currentTime
    if (currentTime > 0) await media.play().catch(() => undefined)
  }

  #sound(): TemplateResult {
    const { durationMs = 0, waveform = [], name, voice } = this.file
    const { t } = this.ui
    const label = this.isPlaying ? t.pause : t.play
    return html`<div class="sound">
      <button class="round" aria-label="${label}: ${voice ? t.voice : name}" @click=${() => void this.#play()}>
        ${icon(this.isPlaying ? 'pause' : 'play')}
      </button>
      <svg class="wave" viewBox="0 0 ${BARS * 4} 32" preserveAspectRatio="none" aria-hidden="true">
        ${wave(waveform, this.at ?? 0)}
      </svg>
      <span class="length">${durationMs > 0 ? duration(durationMs) : ''}</span>
    </div>`
  }

  async #play(): Promise<void> {
    if (this.isPlaying) return this.#audio?.pause()
    if (!this.#audio) {
      const url = await this.#link()
      if (!url) return
      const audio = new Audio(url)
      this.#audio = audio
      audio.onplay = () => (this.isPlaying = true)
      audio.onpause = audio.onended = () => (this.isPlaying = false)
      audio.ontimeupdate = () => {
        const length = (this.file.durationMs ?? audio.duration * 1_000) / 1_000
        this.at = length > 0 ? audio.currentTime / length : 0
      }
    }
    this.ui.run(this.#audio.play())
  }

  #download(): TemplateResult {
    const { name, size } = this.file
    const open = async () => {
      const url = await this.#link()
      if (!url) return
      const link = Object.assign(document.createElement('a'), { href: url, download: name })
      link.click()
    }
    return html`<button class="download" @click=${() => void open()} aria-label="${this.ui.t.download}: ${name}">
      <span class="round">${icon('file')}</span>
      <span class="two-lines"><b dir="auto">${name}</b><small>${this.ui.format.bytes(size)}</small></span>
    </button>`
  }
}

function wave(loudness: readonly number[], at: number): TemplateResult[] {
  return Array.from({ length: BARS }, (_, bar) => {
    const level = loudness[Math.floor((bar * loudness.length) / BARS)] ?? 8
    const height = 3 + (level / 100) * 27
    const isPlayed = bar / BARS < at
    return waveBar(bar * 4, height, isPlayed)
  })
}

function waveBar(x: number, height: number, isPlayed: boolean): TemplateResult {
  return svg`<rect class=${isPlayed ? 'played' : ''} x=${x} y=${(32 - height) / 2} width="2.4" height=${height} rx="1.2" />`
}

/** Drawn, and not shown as `data:`, which a site's policy may not allow. */
async function paint(canvas: HTMLCanvasElement, base64: string): Promise<void> {
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/webp' }))
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  } catch {
    // A browser that cannot decode it shows the plain colour behind.
  }
}
