/** What is a link or a mention in a plain text. Nothing of a text is ever taken for HTML. */
import { html, type TemplateResult } from 'lit'

/** Linear: each character is looked at once. */
const LINK = /https?:\/\/[^\s<>"\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]+/gi
/** Of a sentence, not of the address. */
const TAIL = '.,;:!?\'")]}»”’'
const EMOJI_ONLY =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200D|\uFE0F|\s)+$/u

type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string }

/** `names` are those of mentioned people, as they stand behind an @. */
function piecesOf(body: string, names: readonly string[] = []): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const found of body.matchAll(LINK)) {
    const text = trimmed(found[0])
    const href = hrefOf(text)
    if (!href) continue
    pieces.push(...mentionsOf(body.slice(from, found.index), names))
    pieces.push({ kind: 'link', text, href })
    from = found.index + text.length
  }
  pieces.push(...mentionsOf(body.slice(from), names))
  return pieces
}

export function richText(body: string, names: readonly string[] = []): TemplateResult[] {
  return piecesOf(body, names).map((piece) => {
    if (piece.kind === 'link')
      return html`<a href=${piece.href} target="_blank" rel="noopener noreferrer nofollow" dir="auto"
        >${piece.text}</a
      >`
    if (piece.kind === 'mention') return html`<b class="mention">${piece.text}</b>`
    return html`${piece.text}`
  })
}

/** A few emoji and nothing else: shown large. */
export function isEmojiOnly(body: string): boolean {
  return body.length <= 24 && body.trim() !== '' && EMOJI_ONLY.test(body)
}

function trimmed(link: string): string {
  let end = link.length
  while (end > 0 && TAIL.includes(link.charAt(end - 1))) end -= 1
  // Brackets that were opened in the address belong to it.
  if (link.charAt(end) === ')' && link.includes('(')) end += 1
  return link.slice(0, end)
}

function hrefOf(text: string): string | undefined {
  try {
    const url = new URL(text)
    // `bank.example@evil.example` is no address that people mean.
    return url.username === '' && url.password === '' ? url.href : undefined
  } catch {
    return undefined
  }
}

/** One look at each character, however many names there are. */
function mentionsOf(text: string, names: readonly string[]): Piece[] {
  if (names.length === 0 || !text.includes('@')) return text === '' ? [] : [{ kind: 'text', text }]
  const longest = [...new Set(names)]
    .filter(Boolean)
    .sort((one, other) => other.length - one.length)
  const pattern = new RegExp(`@(?:${longest.map(escaped).join('|')})`, 'gu')
  const pieces: Piece[] = []
  let from = 0
  for (const found of text.matchAll(pattern)) {
    if (found.index > from) pieces.push({ kind: 'text', text: text.slice(from, found.index) })
    pieces.push({ kind: 'mention', text: found[0] })
    from = found.index + found[0].length
  }
  if (from < text.length) pieces.push({ kind: 'text', text: text.slice(from) })
  return pieces
}

function escaped(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&')
}
