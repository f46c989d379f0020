/** `microchatter users import`: CSV or NDJSON, line by line, in bounded memory. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { LIMITS } from '@microchatter/protocol'
import { parse } from 'csv-parse'
import { isKnownHash } from '../domain/passwords.ts'
import { checkUsername, cleanName } from '../domain/text.ts'
import type { Database } from '../store/db.ts'
import { type ImportedUser, importUsers } from '../store/users.ts'
import { type Progress, startProgress } from './progress.ts'

export interface ImportOptions {
  /** A path, or '-' for stdin. */
  file: string
  /** Without it, by the ending of the file. */
  format?: 'csv' | 'ndjson' | undefined
  /** Checks the file and writes nothing. */
  dryRun: boolean
  out: NodeJS.WritableStream
  err: NodeJS.WritableStream
}
export interface ImportResult {
  added: number
  updated: number
  unchanged: number
  bad: number
}

/** One line of the file: a user to be, or what is wrong with the line. */
type Line = { number: number; fields: Record<string, unknown> } | { number: number; fault: string }

const BATCH = 5_000
const LINE_BYTES = 65_536
/** Bad lines that are named; more are only counted. */
const NAMED_FAULTS = 1_000
const COLUMNS = ['username', 'password', 'displayName', 'picture', 'role'] as const

/** Bad lines are reported by number and do not stop it. The same file again changes nothing. */
export async function importUsersFile(db: Database, options: ImportOptions): Promise<ImportResult> {
  const { file, dryRun, out, err } = options
  const input = file === '-' ? process.stdin : createReadStream(file)
  const total = file === '-' ? 0 : (await stat(file)).size
  const progress = startProgress(err, { total, label: 'Importing' })
  const run = new ImportRun(dryRun ? undefined : db, err)
  try {
    for await (const line of linesOf(counted(input, progress), formatOf(options)))
      await run.take(line)
    await run.flush()
  } finally {
    progress.stop()
  }
  const { added, updated, unchanged, bad } = run.result
  const verb = dryRun ? 'Checked, wrote nothing' : 'Done'
  out.write(
    `${verb}: ${added} new, ${updated} changed, ${unchanged} as before, ${bad} bad lines.\n`,
  )
  return run.result
}

function formatOf({ file, format }: ImportOptions): 'csv' | 'ndjson' {
  if (format) return format
  if (/\.csv$/i.test(file)) return 'csv'
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson'
  throw new Error(`Cannot tell what ${file} is: say --format csv or --format ndjson`)
}

async function* counted(input: Readable, progress: Progress): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes += chunk.length
    progress.update(bytes)
    yield chunk
  }
}

function linesOf(input: AsyncIterable<Buffer>, format: 'csv' | 'ndjson'): AsyncGenerator<Line> {
  return format === 'csv' ? csvLines(input) : jsonLines(input)
}

class ImportRun {
  readonly result: ImportResult = { added: 0, updated: 0, unchanged: 0, bad: 0 }
  readonly #db: Database | undefined
  readonly #err: NodeJS.WritableStream
  /** By username, with the line that named it: within one batch a name comes once. */
  #batch = new Map<string, { user: ImportedUser; number: number }>()

  constructor(db: Database | undefined, err: NodeJS.WritableStream) {
    this.#db = db
    this.#err = err
  }

  async take(line: Line): Promise<void> {
    const user = 'fault' in line ? line.fault : toUser(line.fields)
    if (typeof user === 'string') return this.#report(line.number, user)
    const twin = this.#batch.get(user.username)
    if (twin)
      return this.#report(line.number, `${quoted(user.username)} is on line ${twin.number} too`)
    this.#batch.set(user.username, { user, number: line.number })
    if (this.#batch.size >= BATCH) await this.flush()
  }

  async flush(): Promise<void> {
    const users = [...this.#batch.values()].map(({ user }) => user)
    this.#batch.clear()
    if (users.length === 0) return
    const { inserted, updated } = this.#db
      ? await importUsers(this.#db, users)
      : { inserted: users.length, updated: 0 }
    this.result.added += inserted
    this.result.updated += updated
    this.result.unchanged += users.length - inserted - updated
  }

  #report(number: number, fault: string): void {
    this.result.bad += 1
    if (this.result.bad <= NAMED_FAULTS) this.#err.write(`Line ${number}: ${fault}\n`)
    if (this.result.bad === NAMED_FAULTS + 1) this.#err.write('More bad lines are only counted.\n')
  }
}

/** A user, or what is wrong with the line. */
function toUser(fields: Record<string, unknown>): ImportedUser | string {
  const unknown = Object.keys(fields).find((name) => !COLUMNS.includes(name as 'username'))
  if (unknown !== undefined)
    return `${quoted(unknown)} is not a field; the fields are ${COLUMNS.join(', ')}`
  const wrong = COLUMNS.find((name) => fields[name] != null && typeof fields[name] !== 'string')
  if (wrong !== undefined) return `${wrong} must be a text`
  const text = fields as Partial<Record<string, string | null>>
  return (
    faultOf(text) ?? {
      username: text.username ?? '',
      password: text.password || null,
      displayName: cleanName(text.displayName ?? '') ?? null,
      picture: text.picture || null,
      role: text.role === 'admin' ? 'admin' : 'user',
    }
  )
}

function faultOf(text: Partial<Record<string, string | null>>): string | undefined {
  const { username, password, picture, role } = text
  if (!username) return 'username is missing'
  if ([...username].length > LIMITS.username)
    return `username has more than ${LIMITS.username} characters`
  try {
    checkUsername(username)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  if (password && !isKnownHash(password))
    return 'password must be a hash: an MD5 of 32 hex digits, bcrypt ($2y$…) or argon2 ($argon2id$…); never put plain passwords into a file'
  if (picture && !(/^https?:\/\/\S+$/.test(picture) && picture.length <= LIMITS.url))
    return `picture must be an http or https address of at most ${LIMITS.url} characters`
  if (role && role !== 'user' && role !== 'admin') return 'role must be user or admin'
  return undefined
}

async function* csvLines(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const parser = parse({
    bom: true,
    columns: columnsOf,
    info: true,
    max_record_size: LINE_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  })
  const records = feed(parser, input)
  for await (const { record, info } of records) {
    const { lines: number, error } = info
    if (error) yield { number, fault: 'has more or fewer columns than the header' }
    else yield { number, fields: record }
  }
}

interface CsvRecord {
  record: Record<string, string>
  info: { lines: number; error?: unknown }
}

/** Feeds by hand: an error of the input or of the parser ends the loop that reads. */
async function* feed(
  parser: ReturnType<typeof parse>,
  input: AsyncIterable<Buffer>,
): AsyncGenerator<CsvRecord> {
  const fed = (async () => {
    for await (const chunk of input)
      if (!parser.write(chunk)) await new Promise((resolve) => parser.once('drain', resolve))
    parser.end()
  })()
  fed.catch((error: Error) => parser.destroy(error))
  yield* parser as AsyncIterable<CsvRecord>
  await fed
}

function columnsOf(header: string[]): string[] {
  const names = header.map((name) => (name === 'display_name' ? 'displayName' : name))
  const unknown = names.find((name) => !COLUMNS.includes(name as 'username'))
  if (unknown !== undefined || !names.includes('username'))
    throw new Error(
      unknown === undefined
        ? 'The first line must name the columns, among them username'
        : `The column ${quoted(unknown)} is not known; the columns are ${COLUMNS.join(', ')}`,
    )
  return names
}

async function* jsonLines(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  for await (const { number, text } of splitLines(input)) {
    if (text === undefined) yield { number, fault: `has more than ${LINE_BYTES} bytes` }
    else if (text.trim() !== '') yield { number, ...parseLine(text) }
  }
}

function parseLine(text: string): { fields: Record<string, unknown> } | { fault: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { fields: value as Record<string, unknown> }
  } catch {
    // Said below.
  }
  return { fault: 'is not a JSON object' }
}

/** Lines without their end; `text` is undefined for one that is too long, which is not kept. */
async function* splitLines(
  input: AsyncIterable<Buffer>,
): AsyncGenerator<{ number: number; text: string | undefined }> {
  let number = 1
  let parts: Buffer[] = []
  let bytes = 0
  const take = () => {
    const text = bytes > LINE_BYTES ? undefined : Buffer.concat(parts).toString('utf8')
    parts = []
    bytes = 0
    return { number: number++, text: text?.replace(/^\uFEFF|\r$/g, '') }
  }
  const add = (part: Buffer) => {
    bytes += part.length
    if (bytes <= LINE_BYTES) parts.push(part)
    else parts = []
  }
  for await (const chunk of input) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, end))
      from = end + 1
      yield take()
    }
    add(chunk.subarray(from))
  }
  if (bytes > 0) yield take()
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}
