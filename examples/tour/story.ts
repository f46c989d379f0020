/** What is told on the screen, and what is checked while it is told. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual, styleText } from 'node:util'

/** Characters of a piece of JSON in the story, and in the report of a failure. */
const SNIPPET = 110
const DUMP = 1_000

export class Story {
  checks = 0
  /** Where the story stands: for the message of a failure. */
  at = 'before the first step'
  #steps = 0

  step(title: string): void {
    this.#steps += 1
    this.at = `step ${this.#steps}, ${title}`
    say(`\n${paint('bold', `${String(this.#steps).padStart(2)}. ${title}`)}`)
  }

  note(text: string): void {
    say(`    ${text}`)
  }

  /** A short piece of JSON, as it came over the wire. */
  show(value: unknown): void {
    say(paint('dim', `      ${short(value, SNIPPET)}`))
  }

  same(text: string, actual: unknown, expected: unknown): void {
    assert(isDeepStrictEqual(actual, expected), failure(text, actual, expected))
    this.#passed(text)
  }

  /** These fields of `actual` are as expected; others may be there. */
  fits(text: string, actual: object, expected: Record<string, unknown>): void {
    const picked = Object.fromEntries(
      Object.keys(expected).map((key) => [key, (actual as Record<string, unknown>)[key]]),
    )
    assert(isDeepStrictEqual(picked, expected), failure(text, actual, expected))
    this.#passed(text)
  }

  holds(text: string, condition: boolean): void {
    assert(condition, text)
    this.#passed(text)
  }

  #passed(text: string): void {
    this.checks += 1
    say(`  ${paint('green', '✓')} ${text}`)
  }
}

function failure(text: string, actual: unknown, expected: unknown): string {
  return `${text}\n    expected ${short(expected, DUMP)}\n    but got  ${short(actual, DUMP)}`
}

function short(value: unknown, length: number): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

const HAS_COLOURS = process.stdout.isTTY && !process.env.NO_COLOR

function paint(style: 'bold' | 'dim' | 'green', text: string): string {
  return HAS_COLOURS ? styleText(style, text) : text
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
