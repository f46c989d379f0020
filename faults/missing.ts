/** What open chats lack, fetched as a careful client does [MERGE-7, MERGE-10]. */
import type { Mailbox } from '../packages/client/src/merge/mailbox.ts'

const PAGE = 100
/** One that gets no further waits for the next event. */
const PAGES = 500

export class Missing {
  readonly #state: Mailbox
  readonly #fetch: (path: string) => Promise<any>
  readonly #atWork = new Set<string>()

  /** `fetch` gives undefined where there is nothing to be had. */
  constructor(state: Mailbox, fetch: (path: string) => Promise<any>) {
    this.#state = state
    this.#fetch = fetch
  }

  /** Whenever something has come. */
  look(): void {
    for (const chatId of this.#state.wants.keys())
      void this.#once(`messages ${chatId}`, () => this.#fetchMessages(chatId))
    for (const chatId of this.#state.wantsChanges.keys())
      void this.#once(`changes ${chatId}`, () => this.#fetchChanges(chatId))
  }

  /** `step` until it says that it is done; not twice at the same time. */
  async #once(what: string, step: () => Promise<boolean>): Promise<void> {
    if (this.#atWork.has(what)) return
    this.#atWork.add(what)
    for (let left = PAGES; left > 0 && (await step()); ) left -= 1
    this.#atWork.delete(what)
  }

  async #fetchMessages(chatId: string): Promise<boolean> {
    const after = this.#state.wants.get(chatId)
    if (after === undefined) return false
    const page = await this.#fetch(`/chats/${chatId}/messages?after=${after}&limit=${PAGE}`)
    if (page) this.#state.page(chatId, after, page)
    return page !== undefined
  }

  async #fetchChanges(chatId: string): Promise<boolean> {
    const after = this.#state.wantsChanges.get(chatId)
    if (after === undefined) return false
    const page = await this.#fetch(`/chats/${chatId}/changes?after=${after}&limit=${PAGE}`)
    if (page) this.#state.changes(chatId, page)
    return page !== undefined
  }
}
