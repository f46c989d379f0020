/** Something that changes, and who wants to know: as React's `useSyncExternalStore` and the like take it. */
export interface Value<T> {
  /** The same object until it changes. */
  getSnapshot(): T
  /** @returns the way to end it */
  subscribe(listener: () => void): () => void
}

export class Source<T> implements Value<T> {
  #value: T
  readonly #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  // Bound, since they are handed on by themselves.
  readonly getSnapshot = (): T => this.#value

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of this.#listeners) listener()
  }
}
