import type { Value } from '@microchatter/client'
import { LitElement } from 'lit'

/** An element that draws again when a value which it has used in `render` changes. */
export abstract class Watching extends LitElement {
  readonly #watched = new Map<Value<unknown>, () => void>()
  #used = new Set<Value<unknown>>()

  /** What it is now. */
  protected watch<T>(value: Value<T>): T {
    this.#used.add(value)
    if (!this.#watched.has(value))
      this.#watched.set(
        value,
        value.subscribe(() => this.requestUpdate()),
      )
    return value.getSnapshot()
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    this.#used = new Set()
    super.update(changed)
    for (const [value, end] of this.#watched) {
      if (this.#used.has(value)) continue
      end()
      this.#watched.delete(value)
    }
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.requestUpdate()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const end of this.#watched.values()) end()
    this.#watched.clear()
  }
}

/** A piece of an element of ours: drawn into the same shadow root, under the same style sheet. */
export abstract class Part extends Watching {
  protected override createRenderRoot(): this {
    return this
  }
}
