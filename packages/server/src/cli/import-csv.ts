/**
 * CSV lines as rows. A record may go over several lines inside quotes, so one stray quote could swallow
 * all that follows: a record that is not whole within MAX_LINE, or that does not parse, costs its first
 * line alone, and reading goes on with the second.
 */
import { CsvError, parse } from 'csv-parse/sync'
import { type Line, MAX_LINE } from './import-lines.ts'
import { type Field, FIELDS, KNOWN, type Row } from './import-row.ts'

/** A record whose text is still to be taken apart. */
interface Raw {
  line: number
  text: string
}

const QUOTES =
  'a quote (") is not closed, or stands inside a value; write such a value as "…", and each quote in it as ""'

/** @throws Error where the first line does not name known columns. */
export async function* readCsv(chunks: AsyncIterable<Line[]>): AsyncGenerator<Row[]> {
  const reader = new CsvReader()
  for await (const lines of chunks) yield reader.push(lines)
  yield reader.end()
}

class CsvReader {
  #columns: Field[] | undefined
  /** Lines of a record that is not whole. */
  #open: Line[] = []

  push(lines: Line[]): Row[] {
    return this.#read([...this.#open, ...lines], false)
  }

  end(): Row[] {
    const rows = this.#read(this.#open, true)
    if (!this.#columns) throw new Error(`The file is empty. ${FIRST_LINE}`)
    return rows
  }

  #read(lines: Line[], last: boolean): Row[] {
    const found: (Row | Raw)[] = []
    let start = 0
    while (start < lines.length) {
      const end = endOfRecord(lines, start)
      if (end === 'open' && !last) break
      const record = lines.slice(start, typeof end === 'number' ? end : start + 1)
      const item = typeof end === 'number' ? this.#toItem(record) : badLine(record[0], QUOTES)
      if (item) found.push(item)
      // Of a bad record over several lines, the second may begin a good one.
      start += item && 'problem' in item ? 1 : record.length
    }
    this.#open = lines.slice(start)
    return this.#parseAll(found)
  }

  /** undefined where there is nothing to import: the first line, and empty ones. */
  #toItem(lines: Line[]): Row | Raw | undefined {
    const [first] = lines
    if (!first) return undefined
    const text = lines.map((line) => line.text).join('\n')
    if (!first.problem && text.trim() === '') return undefined
    if (!this.#columns) {
      this.#columns = toColumns(first, text)
      return undefined
    }
    if (first.problem) return badLine(first, first.problem)
    const raw = { line: first.number, text }
    return lines.length === 1 ? raw : this.#toRow(raw, parseTexts([text])[0])
  }

  #parseAll(found: (Row | Raw)[]): Row[] {
    const raws = found.filter((item) => 'text' in item)
    const parsed = parseTexts(raws.map(({ text }) => text))
    let index = 0
    return found.map((item) => ('text' in item ? this.#toRow(item, parsed[index++]) : item))
  }

  #toRow({ line }: Raw, values: string[] | undefined): Row {
    const columns = this.#columns ?? []
    if (!values) return { line, fields: {}, problem: QUOTES }
    if (values.length !== columns.length) {
      const problem = `${values.length} values for ${columns.length} columns; a value with a comma in it, as argon2 hashes have, needs quotes`
      return { line, fields: {}, problem }
    }
    return { line, fields: Object.fromEntries(columns.map((name, at) => [name, values[at]])) }
  }
}

function badLine(line: Line | undefined, problem: string): Row {
  return { line: line?.number ?? 0, fields: {}, problem }
}

/**
 * The line after the record that begins at `start`: outside of quotes, their number is even.
 * 'open': the next lines will tell. 'never': it is not whole within MAX_LINE.
 */
function endOfRecord(lines: Line[], start: number): number | 'open' | 'never' {
  let quotes = 0
  let length = 0
  for (let at = start; at < lines.length; at += 1) {
    const { text, problem } = lines[at] as Line
    if (problem) return at === start ? at + 1 : 'never'
    quotes += countQuotes(text)
    length += text.length + 1
    if (quotes % 2 === 0) return at + 1
    if (length > MAX_LINE) return 'never'
  }
  return 'open'
}

function countQuotes(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1
  return count
}

/** Halves what does not parse until the bad ones stand alone; undefined for those. */
function parseTexts(texts: string[]): (string[] | undefined)[] {
  const values = tryParse(texts)
  if (values?.length === texts.length) return values
  if (texts.length === 1) return [undefined]
  const half = texts.length >> 1
  return [...parseTexts(texts.slice(0, half)), ...parseTexts(texts.slice(half))]
}

function tryParse(texts: string[]): string[][] | undefined {
  try {
    return parse(texts.join('\n'), { record_delimiter: '\n', relax_column_count: true })
  } catch (error) {
    if (error instanceof CsvError) return undefined
    throw error
  }
}

const FIRST_LINE = `The first line names the columns, with commas between: ${KNOWN}; only username is required`

function toColumns({ number, problem }: Line, text: string): Field[] {
  const names = problem ? undefined : parseTexts([text])[0]
  if (!names) throw new Error(`Line ${number} is ${problem ?? 'no CSV'}. ${FIRST_LINE}`)
  const columns = names.map((name) => {
    const field = FIELDS.get(name.trim())
    if (!field) throw new Error(`Unknown column ${quote(name)} in line ${number}. ${FIRST_LINE}`)
    return field
  })
  const twice = columns.find((name, at) => columns.indexOf(name) < at)
  if (twice) throw new Error(`Line ${number} names the column ${twice} twice. ${FIRST_LINE}`)
  if (!columns.includes('username'))
    throw new Error(`Line ${number} names no column username. ${FIRST_LINE}`)
  return columns
}

function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
}
