/** Several values a key; a key without values is not kept. */
export class Sets<K, V> {
  readonly #sets = new Map<K, Set<V>>()

  add(key: K, value: V): void {
    const known = this.#sets.get(key)
    if (known) known.add(value)
    else this.#sets.set(key, new Set([value]))
  }

  delete(key: K, value: V): void {
    const known = this.#sets.get(key)
    known?.delete(value)
    if (known?.size === 0) this.#sets.delete(key)
  }

  /** What is there now: it may be changed while it is gone through. */
  of(key: K): V[] {
    return [...(this.#sets.get(key) ?? [])]
  }

  has(key: K): boolean {
    return this.#sets.has(key)
  }
}
