/** What a page says of itself: Open Graph, Twitter's cards, and plain HTML, in this order. */
import { Parser } from 'htmlparser2'
import { undisguised } from './text.ts'

export interface PageMeta {
  title?: string
  description?: string
  siteName?: string
  /** The address of its image. */
  image?: string
}

const LENGTHS = { title: 200, description: 400, siteName: 100 }
const NAMES: Record<keyof PageMeta, readonly string[]> = {
  title: ['og:title', 'twitter:title', 'title'],
  description: ['og:description', 'twitter:description', 'description'],
  siteName: ['og:site_name', 'application-name'],
  image: ['og:image:secure_url', 'og:image:url', 'og:image', 'twitter:image', 'twitter:image:src'],
}
/** Of a head. */
const TAGS = 1_000
const CHUNK = 4_096
/** Where a page may say by itself how it is encoded. */
const CHARSET_BYTES = 2_048

/** Of the head of a page. */
export function readPageMeta(bytes: Buffer, type: string): PageMeta {
  const found = new Map<string, string>()
  let title: string | undefined
  let isOver = false
  let tags = 0
  const parser = new Parser({
    onopentag(name, { property, name: named, content }) {
      tags += 1
      if (name === 'body' || tags > TAGS) isOver = true
      if (isOver) return
      const key = (property ?? named)?.toLowerCase()
      if (name === 'title') title ??= ''
      if (name === 'meta' && key && content && !found.has(key)) found.set(key, content)
    },
    ontext(text) {
      if (title !== undefined && !isOver && !found.has('title')) title += text
    },
    onclosetag(name) {
      if (name === 'title' && title !== undefined && !found.has('title')) found.set('title', title)
      if (name === 'head') isOver = true
    },
  })
  const text = decode(bytes, type)
  // What an open element costs grows with their number: of a page without an end no more is read than a head has.
  for (let at = 0; at < text.length && !isOver; at += CHUNK)
    parser.write(text.slice(at, at + CHUNK))
  const first = (names: readonly string[]) =>
    names.map((name) => found.get(name)).find((text) => text !== undefined && /\S/.test(text))
  const meta: PageMeta = {}
  for (const key of ['title', 'description', 'siteName'] as const) {
    const text = clean(first(NAMES[key]) ?? '', LENGTHS[key])
    if (text !== '') meta[key] = text
  }
  const image = first(NAMES.image)?.trim()
  if (image !== undefined) meta.image = image
  return meta
}

function decode(bytes: Buffer, type: string): string {
  const head = bytes.subarray(0, CHARSET_BYTES).toString('latin1')
  const label = /charset=["']?([\w-]+)/i.exec(type)?.[1] ?? /charset=["']?([\w-]+)/i.exec(head)?.[1]
  try {
    return new TextDecoder(label).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}

/** One line, without what disguises it. */
function clean(text: string, length: number): string {
  const line = undisguised(text.replaceAll(/\s+/g, ' '))
  const characters = [...line]
  if (characters.length <= length) return line
  return `${characters
    .slice(0, length - 1)
    .join('')
    .trimEnd()}…`
}
