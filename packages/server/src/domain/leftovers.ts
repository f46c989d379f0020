/**
 * Deletes the bytes of files that nobody has any more [FILE-6]: uploads that were not sent, files of messages
 * that were deleted or have expired, and what a node left half done when it died.
 *
 *   each few seconds: rows whose time has come and that no message has → marked → bytes → row
 *   once a day: bytes whose row is not there, as after a restored backup
 */
import type { Blobs } from '../blobs/blobs.ts'
import type { Database } from '../store/db.ts'
import { deleteFile, type FileRow, selectKnownFiles, takeLeftovers } from '../store/files.ts'
import { isUuid } from './core.ts'
import { imageKey, thumbnailKey, toUpload } from './files.ts'
import { startRounds } from './rounds.ts'

const PAUSE_MS = 5_000
const BATCH = 20
const SWEEP_MS = 86_400_000
/** What is younger may be of a row that is just being written. */
const YOUNG_MS = 86_400_000
const KEYS = 1_000
const ID_CHARS = 36

export interface Leftovers {
  stop(): Promise<void>
}

export function startLeftovers(
  db: Database,
  blobs: Blobs,
  onProblem: (error: unknown) => void,
): Leftovers {
  let isStopped = false
  let sweepAt = performance.now() + PAUSE_MS
  const endRounds = startRounds(PAUSE_MS, async () => {
    try {
      await removeLeftovers(db, blobs)
      if (performance.now() < sweepAt) return
      sweepAt = performance.now() + SWEEP_MS
      await sweepBlobs(db, blobs, () => isStopped)
    } catch (error) {
      onProblem(error)
    }
  })
  return {
    stop() {
      isStopped = true
      return endRounds()
    },
  }
}

async function removeLeftovers(db: Database, blobs: Blobs): Promise<void> {
  for (let isMore = true; isMore; ) {
    const rows = await takeLeftovers(db, BATCH)
    isMore = rows.length === BATCH
    const done = await Promise.allSettled(rows.map((row) => removeFile(db, blobs, row)))
    for (const result of done) if (result.status === 'rejected') throw result.reason
  }
}

async function removeFile(db: Database, blobs: Blobs, row: FileRow): Promise<void> {
  if (!row.details) await blobs.abandon(toUpload(row))
  await blobs.remove(thumbnailKey(row.id))
  await blobs.remove(imageKey(row.id))
  await blobs.remove(row.id)
  // Last: as long as it is there, the bytes are looked for again.
  await deleteFile(db, row.id)
}

/** Bytes that no row knows. */
export async function sweepBlobs(
  db: Database,
  blobs: Blobs,
  isStopped: () => boolean = () => false,
): Promise<void> {
  let keys: string[] = []
  const look = async () => {
    const known = new Set(await selectKnownFiles(db, [...new Set(keys.map(idOf))]))
    for (const key of keys) if (!known.has(idOf(key))) await blobs.remove(key)
    keys = []
  }
  for await (const { key, at } of blobs.list()) {
    if (isStopped()) return
    // What is not ours stays.
    if (!isUuid(idOf(key)) || Date.now() - at.getTime() < YOUNG_MS) continue
    keys.push(key)
    if (keys.length >= KEYS) await look()
  }
  await look()
}

function idOf(key: string): string {
  return key.slice(0, ID_CHARS)
}
