/** A stream of bytes as numbered lines. What is no usable line is told as one, and the rest goes on. */
import { isUtf8 } from 'node:buffer'

/** Bytes of a line, of a CSV record over several lines too: more is dropped as it comes, never kept. */
export const MAX_LINE = 65_536

export interface Line {
  /** From 1. */
  number: number
  text: string
  /** What is wrong with the line, in place of its text. */
  problem?: string
}

const TOO_LONG = `longer than ${MAX_LINE} bytes; shorten it, or look for a line break that is missing`
const NOT_UTF8 = 'not UTF-8; convert the file (iconv -f latin1 -t utf-8) and import it again'

/**
 * Lines end in LF or CRLF, which is taken off; a byte order mark at the start is taken off, too.
 * Yields the lines of one chunk at a time.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line[]> {
  const splitter = new Splitter()
  for await (const chunk of chunks) yield splitter.push(chunk)
  yield splitter.end()
}

class Splitter {
  #number = 0
  #open: Buffer = Buffer.alloc(0)
  /** The open line is too long already: its bytes are dropped up to its end. */
  #dropping = false

  push(chunk: Buffer): Line[] {
    const last = chunk.lastIndexOf(10)
    if (last < 0) {
      this.#keep(chunk)
      return []
    }
    const whole = Buffer.concat([this.#open, chunk.subarray(0, last)])
    const lines = this.#toLines(whole)
    this.#dropping = false
    this.#open = Buffer.alloc(0)
    this.#keep(chunk.subarray(last + 1))
    return lines
  }

  end(): Line[] {
    return this.#open.length > 0 || this.#dropping ? this.#toLines(this.#open) : []
  }

  #keep(bytes: Buffer): void {
    this.#dropping ||= this.#open.length + bytes.length > MAX_LINE
    this.#open = this.#dropping ? Buffer.alloc(0) : Buffer.concat([this.#open, bytes])
  }

  #toLines(bytes: Buffer): Line[] {
    // One decoding for all is several times faster than one for each.
    const lines = isUtf8(bytes)
      ? bytes
          .toString()
          .split('\n')
          .map((text) => this.#toLine(text))
      : splitBytes(bytes).map((part) => this.#toLine(isUtf8(part) ? part.toString() : undefined))
    const [first] = lines
    if (this.#dropping && first) lines[0] = { number: first.number, text: '', problem: TOO_LONG }
    return lines
  }

  #toLine(text: string | undefined): Line {
    this.#number += 1
    const number = this.#number
    if (text === undefined) return { number, text: '', problem: NOT_UTF8 }
    if (isTooLong(text)) return { number, text: '', problem: TOO_LONG }
    const bare = number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text
    return { number, text: bare.endsWith('\r') ? bare.slice(0, -1) : bare }
  }
}

function splitBytes(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    parts.push(bytes.subarray(start, end))
    start = end + 1
  }
  return [...parts, bytes.subarray(start)]
}

function isTooLong(text: string): boolean {
  return text.length * 3 > MAX_LINE && Buffer.byteLength(text) > MAX_LINE
}
