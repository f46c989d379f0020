/**
 * A stretch of a chat that is not at its end: what was searched for, or a thread. It comes by pages, and what
 * changes of it meanwhile is taken in by the events.
 */
import type { Client, Message } from '@microchatter/client'

const PAGE = 50

export class Pages {
  readonly #client: Client
  readonly chatId: string
  readonly #thread: number | undefined
  readonly #onChange: () => void
  readonly #ends: (() => void)[]
  items: Message[] = []
  hasBefore = false
  hasAfter = false
  #isLoading = false

  constructor(client: Client, chatId: string, onChange: () => void, thread?: number) {
    this.#client = client
    this.chatId = chatId
    this.#thread = thread
    this.#onChange = onChange
    const names = ['message.updated', 'message.deleted', 'reaction.updated'] as const
    this.#ends = [
      ...names.map((name) => client.on(name, (message) => this.#changed(message))),
      client.on('my.updated', ({ chatId: of, seq, my }) => {
        const message = this.#find(of, seq)
        if (message) this.#changed({ ...message, my })
      }),
      client.on('message.created', (message) => this.add(message)),
    ]
  }

  close(): void {
    for (const end of this.#ends) end()
  }

  async around(seq: number): Promise<void> {
    const head = await this.#head()
    await this.#load({ around: seq }, (items, page) => {
      this.items = [...head, ...items]
      this.hasBefore = page.hasBefore
      this.hasAfter = page.hasAfter
    })
  }

  async older(): Promise<void> {
    // Above a thread stays what it hangs on.
    const [head, rest] =
      this.#thread === undefined ? [[], this.items] : [this.items.slice(0, 1), this.items.slice(1)]
    const before = rest[0]?.seq
    if (before === undefined || !this.hasBefore) return
    await this.#load({ before }, (items, page) => {
      this.items = [...head, ...items, ...rest]
      this.hasBefore = page.hasBefore
    })
  }

  async newer(): Promise<void> {
    const after = this.items.at(-1)?.seq
    if (after === undefined || !this.hasAfter) return
    await this.#load({ after }, (items, page) => {
      this.items = [...this.items, ...items]
      this.hasAfter = page.hasAfter
    })
  }

  /** What a thread hangs on, above it. */
  async #head(): Promise<Message[]> {
    const { chatId } = this
    if (this.#thread === undefined) return []
    return [await this.#client.api.getMessage({ chatId, seq: this.#thread })]
  }

  /** Of a thread. */
  async newest(): Promise<void> {
    const head = await this.#head()
    await this.#load({}, (items, page) => {
      this.items = [...head, ...items]
      this.hasBefore = page.hasBefore
      this.hasAfter = false
    })
  }

  /** One that I have written, or that came. */
  add(message: Message): void {
    if (message.chatId !== this.chatId || this.hasAfter) return
    if (this.#thread === undefined || message.thread !== this.#thread) return
    if (message.seq <= (this.items.at(-1)?.seq ?? 0)) return
    this.items = [...this.items, message]
    this.#onChange()
  }

  /** After something that I did myself: of that there is no event here. */
  async again(seq: number): Promise<void> {
    if (this.#find(this.chatId, seq))
      this.#changed(await this.#client.api.getMessage({ chatId: this.chatId, seq }))
  }

  #find(chatId: string, seq: number): Message | undefined {
    if (chatId !== this.chatId) return undefined
    return this.items.find((message) => message.seq === seq)
  }

  #changed(message: Message): void {
    const known = this.#find(message.chatId, message.seq)
    if (!known || (known.change ?? 0) > (message.change ?? 0)) return
    const { my = known.my, ...shared } = message
    const changed = my ? { ...shared, my } : shared
    this.items = this.items.map((item) => (item === known ? changed : item))
    this.#onChange()
  }

  async #load(
    query: { around?: number; before?: number; after?: number },
    take: (items: Message[], page: { hasBefore: boolean; hasAfter: boolean }) => void,
  ): Promise<void> {
    if (this.#isLoading) return
    this.#isLoading = true
    try {
      const thread = this.#thread === undefined ? {} : { thread: this.#thread }
      const page = await this.#client.api.getHistory({
        chatId: this.chatId,
        limit: PAGE,
        ...thread,
        ...query,
      })
      take(page.items, page)
    } finally {
      this.#isLoading = false
    }
    this.#onChange()
  }
}
