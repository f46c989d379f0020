/** What is a link or a mention in a plain text. Nothing of a text is ever taken for HTML. */
import { html, type TemplateResult } from 'lit'

/** Linear: each character is looked at once. */
const LINK = /https?:\/\/[^\s<>"]+/gi
/** Of a sentence, not of the address. */
const TAIL = /[.,;:!?'")\]}»”’]+$/
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
  // Brackets that were opened in the address belong to it.
  const tail = TAIL.exec(link)?.[0] ?? ''
  if (tail.startsWith(')') && link.includes('('))
    return link.slice(0, link.length - tail.length + 1)
  return link.slice(0, link.length - tail.length)
}

function hrefOf(text: string): string | undefined {
  try {
    const url = new URL(text)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
  } catch {
    return undefined
  }
}

function mentionsOf(text: string, names: readonly string[]): Piece[] {
  const pieces: Piece[] = []
  let rest = text
  while (rest !== '') {
    const next = firstOf(rest, names)
    if (!next) {
      pieces.push({ kind: 'text', text: rest })
      break
    }
    if (next.at > 0) pieces.push({ kind: 'text', text: rest.slice(0, next.at) })
    pieces.push({ kind: 'mention', text: `@${next.name}` })
    rest = rest.slice(next.at + next.name.length + 1)
  }
  return pieces
}

function firstOf(text: string, names: readonly string[]) {
  let first: { at: number; name: string } | undefined
  for (const name of names) {
    const at = text.indexOf(`@${name}`)
    if (at < 0) continue
    const isBetter = !first || at < first.at || (at === first.at && name.length > first.name.length)
    if (isBetter) first = { at, name }
  }
  return first
}
