/** Times, sizes and lengths, as people of a language write them. */
import type { Texts } from './texts/en.ts'

const DAY_MS = 86_400_000
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

export class Format {
  readonly #texts: Texts
  readonly #language: string
  readonly #time: Intl.DateTimeFormat
  readonly #weekday: Intl.DateTimeFormat
  readonly #date: Intl.DateTimeFormat
  readonly #longDate: Intl.DateTimeFormat
  readonly #full: Intl.DateTimeFormat

  constructor(language: string, texts: Texts) {
    this.#language = language
    this.#texts = texts
    this.#time = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' })
    this.#weekday = new Intl.DateTimeFormat(language, { weekday: 'short' })
    this.#date = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' })
    this.#longDate = new Intl.DateTimeFormat(language, {
      weekday: 'long',
      day: 'numeric',
      month: 'long',
    })
    this.#full = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
  }

  time(iso: string | number): string {
    return this.#time.format(new Date(iso))
  }

  full(iso: string): string {
    return this.#full.format(new Date(iso))
  }

  /** In a list: the time of today, the weekday of this week, the date before. */
  short(iso: string): string {
    const days = daysAgo(iso)
    if (days === 0) return this.time(iso)
    if (days === 1) return this.#texts.yesterday
    return (days < 7 ? this.#weekday : this.#date).format(new Date(iso))
  }

  /** Above the messages of a day. */
  day(iso: string | number): string {
    const days = daysAgo(iso)
    if (days === 0) return this.#texts.today
    if (days === 1) return this.#texts.yesterday
    return this.#longDate.format(new Date(iso))
  }

  bytes(size: number): string {
    const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3))
    return new Intl.NumberFormat(this.#language, {
      style: 'unit',
      unit: UNITS[power] ?? 'byte',
      unitDisplay: 'short',
      maximumFractionDigits: power > 1 ? 1 : 0,
    }).format(size / 1_000 ** power)
  }

  count(value: number): string {
    return value > 99 ? `${this.#number(99)}+` : this.#number(value)
  }

  #number(value: number): string {
    return new Intl.NumberFormat(this.#language).format(value)
  }
}

/** 1:05 */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

export function isSameDay(one: string | number, other: string | number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString()
}

function daysAgo(iso: string | number): number {
  const midnight = (date: Date) =>
    new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
  return Math.round((midnight(new Date()) - midnight(new Date(iso))) / DAY_MS)
}
