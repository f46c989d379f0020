/**
 * Which of many messages are drawn: a stretch of them, named by the seq at its ends, so that it stays where it is
 * when others come before or behind it. 100,000 messages cost the page no more than 200.
 */
export interface Numbered {
  seq: number
}

const FIRST = 60
const STEP = 50
const MOST = 200

export class Stretch {
  /** undefined: the last FIRST. */
  #from: number | undefined
  /** undefined: to the end. */
  #to: number | undefined

  get isToEnd(): boolean {
    return this.#to === undefined
  }

  /** Back to the newest. */
  reset(): void {
    this.#from = undefined
    this.#to = undefined
  }

  of<T extends Numbered>(items: readonly T[]): T[] {
    const [start, end] = this.#bounds(items)
    return items.slice(start, end)
  }

  /** @returns false: there are no more before it */
  up(items: readonly Numbered[]): boolean {
    const [start, end] = this.#bounds(items)
    if (start === 0) return false
    const first = Math.max(0, start - STEP)
    this.#set(items, first, Math.min(end, first + MOST))
    return true
  }

  /** @returns false: there are no more behind it */
  down(items: readonly Numbered[]): boolean {
    const [start, end] = this.#bounds(items)
    if (end >= items.length) return false
    const last = Math.min(items.length, end + STEP)
    this.#set(items, Math.max(start, last - MOST), last)
    return true
  }

  /** Around this one. */
  around(items: readonly Numbered[], seq: number): void {
    const at = indexOf(items, seq)
    this.#set(items, Math.max(0, at - FIRST / 2), Math.min(items.length, at + FIRST / 2))
  }

  /** It does not move on by itself any more: the one who looks has scrolled away from the end. */
  hold(items: readonly Numbered[]): void {
    const [start, end] = this.#bounds(items)
    this.#set(items, start, end)
  }

  #set(items: readonly Numbered[], start: number, end: number): void {
    this.#from = items[start]?.seq
    this.#to = end >= items.length ? undefined : items[end - 1]?.seq
  }

  #bounds(items: readonly Numbered[]): [start: number, end: number] {
    const end = this.#to === undefined ? items.length : indexOf(items, this.#to + 1)
    if (this.#from === undefined) return [Math.max(0, end - FIRST), end]
    const start = indexOf(items, this.#from)
    return [Math.min(start, end), end]
  }
}

/** Where the first one with this seq, or a larger one, is. */
export function indexOf(items: readonly Numbered[], seq: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((items[middle] as Numbered).seq < seq) low = middle + 1
    else high = middle
  }
  return low
}
