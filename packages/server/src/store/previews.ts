import type { Preview } from '@microchatter/protocol'
import type { Db } from './db.ts'

/** What was found behind a link. */
export type FoundPage = Omit<Preview, 'url'>

/** undefined: it was not looked at lately; null: it was, and there is nothing. */
export async function selectPreview(
  db: Db,
  urlHash: Buffer,
): Promise<FoundPage | null | undefined> {
  const [row] = await db.query<{ found: FoundPage | null }>(
    `SELECT found FROM previews WHERE url_hash = $1
       AND fetched_at > now() - CASE WHEN found IS NULL THEN interval '1 hour' ELSE interval '1 day' END`,
    [urlHash],
  )
  return row && row.found
}

export async function savePreview(db: Db, urlHash: Buffer, found: FoundPage | null): Promise<void> {
  await db.query(
    `INSERT INTO previews (url_hash, found) VALUES ($1, $2)
     ON CONFLICT (url_hash) DO UPDATE SET found = excluded.found, fetched_at = now()`,
    [urlHash, found === null ? null : JSON.stringify(found)],
  )
}

export async function deleteOldPreviews(db: Db): Promise<void> {
  await db.query(`DELETE FROM previews WHERE fetched_at < now() - interval '1 day'`)
}
