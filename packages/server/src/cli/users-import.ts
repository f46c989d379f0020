/** `microchatter users import`: from the file to the database in batches, in bounded memory. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { touchChats } from '../store/chats.ts'
import type { Database } from '../store/db.ts'
import { selectShowingChatIds } from '../store/contacts.ts'
import { type ImportedUser, importUsers, previewImport } from '../store/users.ts'
import { readCsv } from './import-csv.ts'
import { readLines } from './import-lines.ts'
import { readNdjson, type Row, toUser } from './import-row.ts'
import { type Progress, showProgress } from './progress.ts'

type Format = 'csv' | 'ndjson'

export interface ImportOptions {
  /** A path, or '-' for stdin. */
  file: string
  /** Without it, the ending of the file tells. */
  format?: Format | undefined
  /** Counts what would be done, and writes nothing. */
  dryRun: boolean
  out: NodeJS.WritableStream
  err: NodeJS.WritableStream
}

export interface ImportResult {
  /** Rows of the file, without the header and empty lines: the sum of all below. */
  lines: number
  added: number
  updated: number
  unchanged: number
  bad: number
}

const BATCH = 5_000
/** More bad lines than these are only counted. */
const MAX_REPORTED = 1_000
/** Chats that are locked at once: sending waits no longer than that takes. */
const TOUCHED_CHATS = 1_000

/**
 * Bad lines go to `err` by their number and the others are imported; the result goes to `out`.
 * Running the same file again changes nothing. A username that comes twice within one batch of 5,000
 * rows is a bad line the second time; further apart, the later row counts as one of a known user.
 *
 * @throws Error where the file cannot be read, has no known columns, or the database is away: what was
 * imported before stays
 */
export async function importUsersFile(db: Database, options: ImportOptions): Promise<ImportResult> {
  const { file, dryRun, out, err } = options
  const format = options.format ?? formatOf(file)
  const progress = showProgress(err, { label: 'Users', unit: 'bytes', total: await sizeOf(file) })
  const importer = new Importer(db, { dryRun, progress })
  try {
    const lines = readLines(countBytes(open(file), progress))
    const rows = format === 'csv' ? readCsv(lines) : readNdjson(lines)
    for await (const chunk of rows) for (const row of chunk) await importer.take(row)
    await importer.end()
  } catch (error) {
    throw await importer.stopped(error)
  } finally {
    progress.stop()
  }
  out.write(`${summary(importer.result, dryRun)}\n`)
  return importer.result
}

function formatOf(file: string): Format {
  if (/\.csv$/i.test(file)) return 'csv'
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson'
  const name = file === '-' ? 'stdin' : `the name ${file}`
  throw new Error(`From ${name} the format cannot be told: add --format csv or --format ndjson`)
}

function open(file: string): AsyncIterable<Buffer> {
  return file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 262_144 })
}

async function sizeOf(file: string): Promise<number | undefined> {
  if (file === '-') return undefined
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message
    throw new Error(`Cannot read ${file}: ${why}`)
  })
  if (found.isDirectory()) throw new Error(`Cannot read ${file}: it is a folder; name a file`)
  // Of a pipe or a device the size is not known.
  return found.isFile() ? found.size : undefined
}

async function* countBytes(chunks: AsyncIterable<Buffer>, progress: Progress) {
  for await (const chunk of chunks) {
    yield chunk
    progress.add(chunk.length)
  }
}

function summary(result: ImportResult, dryRun: boolean): string {
  const { lines, added, updated, unchanged, bad } = result
  const count = (rows: number) => rows.toLocaleString('en')
  const counts = `${count(lines)} rows: ${count(added)} added, ${count(updated)} updated, ${count(unchanged)} unchanged, ${count(bad)} bad`
  return dryRun ? `Nothing was written. It would be, of ${counts}.` : `Of ${counts}.`
}

class Importer {
  readonly result: ImportResult = { lines: 0, added: 0, updated: 0, unchanged: 0, bad: 0 }
  readonly #db: Database
  readonly #options: { dryRun: boolean; progress: Progress }
  #batch: ImportedUser[] = []
  /** The line of each username of the batch. */
  #lines = new Map<string, number>()
  /** The batch before, on its way: the next is read meanwhile. */
  #writing: Promise<void> = Promise.resolve()

  constructor(db: Database, options: { dryRun: boolean; progress: Progress }) {
    this.#db = db
    this.#options = options
  }

  async take(row: Row): Promise<void> {
    this.result.lines += 1
    const user = toUser(row)
    if (typeof user === 'string') return this.#report(row.line, user)
    const other = this.#lines.get(user.username)
    if (other !== undefined)
      return this.#report(
        row.line,
        `username ${JSON.stringify(user.username)} also on line ${other}`,
      )
    this.#lines.set(user.username, row.line)
    this.#batch.push(user)
    if (this.#batch.length === BATCH) await this.#flush()
  }

  /** What was taken is in the database, or the reason why not is thrown. */
  async end(): Promise<void> {
    await this.#flush()
    await this.#writing
    const unnamed = this.result.bad - MAX_REPORTED
    if (unnamed > 0)
      this.#options.progress.say(`and ${unnamed.toLocaleString('en')} more bad lines`)
  }

  /** What is to be told of an error that ended the reading or the writing. */
  async stopped(error: unknown): Promise<Error> {
    await this.#writing.catch(() => undefined)
    const { added, updated, unchanged } = this.result
    const taken = added + updated + unchanged
    const message = error instanceof Error ? error.message : String(error)
    if (taken === 0 || this.#options.dryRun) return new Error(message, { cause: error })
    const cure = `${taken.toLocaleString('en')} users are in and stay; run the same again for the rest`
    return new Error(`${message} (${cure})`, { cause: error })
  }

  #report(line: number, problem: string): void {
    this.result.bad += 1
    if (this.result.bad <= MAX_REPORTED) this.#options.progress.say(`Line ${line}: ${problem}`)
  }

  async #flush(): Promise<void> {
    const users = this.#batch
    this.#batch = []
    this.#lines.clear()
    await this.#writing
    this.#writing = this.#write(users)
    // The next flush, or the end, awaits it.
    this.#writing.catch(() => undefined)
  }

  async #write(users: ImportedUser[]): Promise<void> {
    if (users.length === 0) return
    const { added, updated } = this.#options.dryRun
      ? await previewImport(this.#db, users)
      : await this.#import(users)
    this.result.added += added
    this.result.updated += updated
    this.result.unchanged += users.length - added - updated
  }

  async #import(users: ImportedUser[]) {
    const { added, updated } = await this.#db.transaction((tx) => importUsers(tx, users))
    // Who shares a chat with them learns of the new names by it.
    const chatIds = updated.length === 0 ? [] : await selectShowingChatIds(this.#db, updated)
    for (let at = 0; at < chatIds.length; at += TOUCHED_CHATS)
      await this.#db.transaction((tx) => touchChats(tx, chatIds.slice(at, at + TOUCHED_CHATS)))
    return { added, updated: updated.length }
  }
}
