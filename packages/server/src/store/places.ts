/** So many at once; the others wait for their turn, first come, first served. */
interface Waiting {
  enter: () => void
  refuse: (error: unknown) => void
  timer: NodeJS.Timeout
}

export class Places {
  readonly #count: number
  readonly #waitMs: number
  #free: number
  #waiting: Waiting[] = []

  /** `waitMs`: how long anyone waits before it is refused. */
  constructor(count: number, waitMs: number) {
    this.#count = count
    this.#free = count
    this.#waitMs = waitMs
  }

  get areTaken(): boolean {
    return this.#free < this.#count
  }

  /** undefined where there is a place at once. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1
      return undefined
    }
    return new Promise((resolve, reject) => {
      // All wait equally long, so the one whose time is up is the first.
      const timer = setTimeout(
        () => this.#waiting.shift()?.refuse(new Error(`No connection within ${this.#waitMs} ms`)),
        this.#waitMs,
      )
      this.#waiting.push({ enter: resolve, refuse: reject, timer })
    })
  }

  give(): void {
    const next = this.#waiting.shift()
    if (!next) {
      this.#free += 1
      return
    }
    clearTimeout(next.timer)
    next.enter()
  }

  refuseWaiting(error: unknown): void {
    for (const { refuse, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer)
      refuse(error)
    }
  }
}
