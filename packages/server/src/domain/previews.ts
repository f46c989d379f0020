/**
 * Previews of links [PREVIEW-1], made beside the sends: what a page says of itself becomes a change of the
 * message, a moment after it. Where the queue is full, or a node dies, a message has none.
 */
import { createHash } from 'node:crypto'
import type { File, Message, Preview } from '@microchatter/protocol'
import { uuidv7 } from 'uuidv7'
import { attachFile, holdFiles, insertFile, settleFile } from '../store/files.ts'
import { type FoundPage, savePreview, selectPreview } from '../store/previews.ts'
import type { Written } from './batch.ts'
import { changeMessage } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import type { Files } from './files.ts'
import { firstLink } from './links.ts'
import { isPast } from './message-view.ts'
import { type FetchOptions, fetchOutside } from './outside.ts'
import { type PageMeta, readPageMeta } from './page-meta.ts'
import { SYSTEM } from './rights.ts'

const AT_ONCE = 8
const WAITING = 500
const PAGE_BYTES = 524_288
const IMAGE_BYTES = 4_194_304
/** Of the image that is kept. */
const SIDE = 640
const HOURS = 1

type Sender = Pick<Actor, 'id' | 'username'>

interface Wanted {
  sender: Sender
  chatId: string
  seq: number
  link: string
}

export class Previews {
  readonly #fetchOptions: Pick<FetchOptions, 'allowPrivate' | 'signal'>
  readonly #onProblem: (error: unknown) => void
  readonly #waiting: Wanted[] = []
  #core: Core | undefined
  /** By their senders. */
  readonly #running = new Map<number, Promise<void>>()
  readonly #ending = new AbortController()

  constructor(
    fetchOptions: Pick<FetchOptions, 'allowPrivate'>,
    onProblem: (error: unknown) => void,
  ) {
    this.#fetchOptions = { ...fetchOptions, signal: this.#ending.signal }
    this.#onProblem = onProblem
  }

  start(core: Core): void {
    this.#core = core
  }

  async stop(): Promise<void> {
    this.#core = undefined
    this.#ending.abort()
    await Promise.all(this.#running.values())
  }

  /** Of what was just sent. */
  lookAtWritten(written: readonly Written[]): void {
    for (const { messages } of written)
      for (const { draft, message } of messages)
        if (message.kind === undefined && !draft.rich?.content.noPreview && !message.preview)
          this.lookAt(draft.sender, message)
  }

  lookAt(sender: Sender, { chatId, seq, body }: Message): void {
    const link = firstLink(body)
    if (link === undefined || this.#waiting.length >= WAITING) return
    this.#waiting.push({ sender, chatId, seq, link })
    this.#next()
  }

  #next(): void {
    const core = this.#core
    while (core && this.#running.size < AT_ONCE) {
      // One at a time of each user: whose pages are slow waits for them alone.
      const nth = this.#waiting.findIndex(({ sender }) => !this.#running.has(sender.id))
      const [wanted] = nth < 0 ? [] : this.#waiting.splice(nth, 1)
      if (!wanted) return
      const { id } = wanted.sender
      const running = this.#make(core, wanted)
        .catch(this.#onProblem)
        .finally(() => {
          this.#running.delete(id)
          this.#next()
        })
      this.#running.set(id, running)
    }
  }

  async #make(core: Core, { sender, chatId, seq, link }: Wanted): Promise<void> {
    const found = await this.#find(core, sender, link)
    if (!found || !this.#core) return
    try {
      await addPreview(core, sender, { chatId, seq }, { url: link, ...found })
    } catch (error) {
      // It is gone, or its sender is.
      if (!(error instanceof ChatError)) throw error
    }
  }

  async #find(core: Core, sender: Sender, link: string): Promise<FoundPage | null> {
    const { href } = new URL(link)
    const address = href.replace(/#.*$/, '')
    const key = createHash('sha256').update(address).digest()
    const known = await selectPreview(core.db, key)
    if (known === null) return null
    if (known && (await isThere(core, known.image))) return known
    const found = await this.#fetch(core, sender, address)
    await savePreview(core.db, key, found)
    return found
  }

  async #fetch(core: Core, sender: Sender, url: string): Promise<FoundPage | null> {
    const page = await fetchOutside(url, {
      ...this.#fetchOptions,
      maxBytes: PAGE_BYTES,
      cut: true,
      accept: 'text/html,application/xhtml+xml',
    }).catch(() => undefined)
    if (!page || !/^(text\/html|application\/xhtml\+xml)\b/i.test(page.type)) return null
    const { image: address, ...words } = readPageMeta(page.bytes, page.type)
    const image = await this.#fetchImage(core, sender, { page: page.url, address })
    const found = { ...words, ...(image ? { image } : {}) }
    return found.title === undefined && !image ? null : found
  }

  /** Kept as a small image of our own: who reads the message asks nobody else. */
  async #fetchImage(
    core: Core,
    sender: Sender,
    { page, address }: { page: URL; address: PageMeta['image'] },
  ): Promise<File | undefined> {
    if (!core.files || address === undefined || !URL.canParse(address, page.href)) return undefined
    try {
      const { bytes } = await fetchOutside(new URL(address, page).href, {
        ...this.#fetchOptions,
        maxBytes: IMAGE_BYTES,
        accept: 'image/*',
      })
      // Beside what the same user uploads.
      return await keepImage(core, core.files, { bytes, forId: -sender.id })
    } catch {
      // A preview without one.
      return undefined
    }
  }
}

async function isThere({ db }: Core, image: File | undefined): Promise<boolean> {
  return image === undefined || (await holdFiles(db, [image.id])).length === 1
}

/** `forId`: whose it is in the queue of images. */
async function keepImage(
  core: Core,
  { blobs, images }: Files,
  { bytes, forId }: { bytes: Buffer; forId: number },
): Promise<File> {
  const { thumbnail, width, height, placeholder } = await images.remake(forId, async () => bytes, {
    small: true,
  })
  const system = await core.identity.user(SYSTEM)
  const file = { id: uuidv7(), name: 'preview.webp', size: thumbnail.length }
  const row = { ...file, ownerId: system?.id ?? 0, claimed: undefined, hours: HOURS }
  await insertFile(core.db, row, Number.MAX_SAFE_INTEGER)
  await blobs.put(file.id, thumbnail, 'image/webp')
  const scale = Math.min(1, SIDE / Math.max(width, height))
  const details = {
    kind: 'image',
    type: 'image/webp',
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
    placeholder,
  } as const
  await settleFile(core.db, file.id, file.size, details)
  return { ...file, ...details }
}

/** Where the message still has that link. */
function addPreview(
  core: Core,
  sender: Sender,
  address: { chatId: string; seq: number },
  preview: Preview,
): Promise<Message> {
  // Also the socket that sent it hears of it.
  const by = { ...sender, socket: undefined }
  return changeMessage(core, by, address, async ({ tx, row, content, chatId, seq }) => {
    const isGone = content.deletedAt !== undefined || isPast(content.expiresAt)
    if (isGone || content.noPreview || content.preview || firstLink(row.body) !== preview.url)
      return undefined
    if (preview.image) await attachFile(tx, { chatId, seq, fileId: preview.image.id })
    return { content: { ...content, preview } }
  })
}
