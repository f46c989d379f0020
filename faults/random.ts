/** Chance that can be had again: the same seed gives the same faults. */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { uniformInt } from 'pure-rand/distribution/uniformInt'

export class Random {
  readonly #generator

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed)
  }

  /** A whole number; both ends are possible. */
  between(least: number, most: number): number {
    return uniformInt(this.#generator, least, most)
  }

  chance(percent: number): boolean {
    return this.between(1, 100) <= percent
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)]
    if (item === undefined) throw new Error('There is nothing to choose from')
    return item
  }

  /** A generator of its own: what others take from this one does not change it. */
  fork(): Random {
    return new Random(this.between(0, 0x7fffffff))
  }
}
