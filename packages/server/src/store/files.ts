/** Files: uploads, what messages have of them, and what nobody has any more. */
import type { Db } from './db.ts'

export interface FileRow extends Record<string, unknown> {
  id: string
  owner_id: number
  name: string
  size: number
  received: number
  claimed: string | null
  parts: unknown
  details: FileDetails | null
}

/** What it is, by its bytes. */
export interface FileDetails {
  kind: 'image' | 'video' | 'audio' | 'file'
  type: string
  width?: number
  height?: number
  placeholder?: string
  thumbnail?: true
}

export interface NewFile {
  id: string
  ownerId: number
  name: string
  size: number
  claimed: string | undefined
  /** It goes then, unless a message has it. */
  hours: number
}

const COLUMNS = 'id, owner_id, name, size, received, claimed, parts, details'

/** false: with it, the files of its owner would have more than `maxBytes`. */
export async function insertFile(db: Db, file: NewFile, maxBytes: number): Promise<boolean> {
  const { id, ownerId, name, size, claimed, hours } = file
  const rows = await db.query(
    `INSERT INTO files (id, owner_id, name, size, claimed, expires_at)
     SELECT $1, $2, $3, $4::bigint, $5, now() + make_interval(hours => $6)
     WHERE $4::bigint + (SELECT coalesce(sum(size), 0) FROM files WHERE owner_id = $2) <= $7::bigint RETURNING id`,
    [id, ownerId, name, size, claimed, hours, maxBytes],
  )
  return rows.length > 0
}

/** undefined: there is none, or it is someone else's, or it is going. */
export async function selectFile(db: Db, id: string, ownerId: number) {
  const [row] = await db.query<FileRow>(
    `SELECT ${COLUMNS} FROM files WHERE id = $1 AND owner_id = $2 AND NOT gone`,
    [id, ownerId],
  )
  return row
}

/** From now on only this writer may save how far it is. */
export async function takeFile(db: Db, id: string, of: { ownerId: number; writer: string }) {
  const [row] = await db.query<FileRow>(
    `UPDATE files SET writer = $2 WHERE id = $1 AND owner_id = $3 AND NOT gone AND details IS NULL RETURNING ${COLUMNS}`,
    [id, of.writer, of.ownerId],
  )
  return row
}

export interface Saved {
  id: string
  writer: string
  received: number
  parts: unknown
}

/** false: another writer has taken it over, or it is gone. */
export async function saveProgress(db: Db, { id, writer, received, parts }: Saved) {
  const rows = await db.query(
    `UPDATE files SET received = $3, parts = $4
     WHERE id = $1 AND writer = $2 AND NOT gone AND details IS NULL RETURNING id`,
    [id, writer, received, parts === undefined ? null : JSON.stringify(parts)],
  )
  return rows.length > 0
}

/** It is whole: what it is, and how many bytes are served. false: that was said before, or it is gone. */
export async function settleFile(db: Db, id: string, size: number, details: FileDetails) {
  const rows = await db.query(
    `UPDATE files SET size = $2, received = $2, details = $3, parts = NULL, writer = NULL
     WHERE id = $1 AND NOT gone AND details IS NULL RETURNING id`,
    [id, size, JSON.stringify(details)],
  )
  return rows.length > 0
}

/**
 * Files that are whole, held for an hour, in which they can be put into a message. Those of this owner
 * alone; without one, whoever's they are.
 */
export async function holdFiles(db: Db, ids: readonly string[], ownerId?: number) {
  return db.query<FileRow>(
    `UPDATE files SET held_until = now() + interval '1 hour'
     WHERE id = ANY($1::uuid[]) AND ($2::bigint IS NULL OR owner_id = $2) AND NOT gone
     RETURNING ${COLUMNS}`,
    [ids, ownerId],
  )
}

/**
 * These messages do not have this file any more, or any one: what no other message has goes soon.
 */
export async function releaseFiles(
  db: Db,
  chatId: string,
  seqs: readonly number[],
  fileId?: string,
): Promise<void> {
  await db.query(
    `WITH gone AS (
       DELETE FROM message_files WHERE chat_id = $1 AND seq = ANY($2::int[])
         AND ($3::uuid IS NULL OR file_id = $3) RETURNING file_id)
     UPDATE files SET expires_at = now() WHERE id IN (SELECT file_id FROM gone)`,
    [chatId, seqs, fileId],
  )
}

/**
 * This file, or all unsent ones of a user: they go once nobody holds them to send them. false: there is none,
 * or messages have it.
 */
export async function expireFiles(db: Db, of: { id: string } | { ownerId: number }) {
  const rows = await db.query(
    `UPDATE files SET expires_at = now()
     WHERE ${'id' in of ? 'id' : 'owner_id'} = $1 AND expires_at IS NOT NULL RETURNING id`,
    ['id' in of ? of.id : of.ownerId],
  )
  return rows.length > 0
}

/**
 * Files whose time has come and that no message has, not even one that waits for its time: nobody gets them
 * any more. Another node may have begun with them. What a message has after all is kept, and counts as of
 * who sent that one.
 */
export async function takeLeftovers(db: Db, limit: number): Promise<FileRow[]> {
  return db
    .query<FileRow>(
      `WITH due AS MATERIALIZED (
       SELECT id, owner_id FROM files
       WHERE expires_at <= now() AND (held_until IS NULL OR held_until <= now()) ORDER BY expires_at LIMIT $1
       FOR UPDATE SKIP LOCKED),
     judged AS MATERIALIZED (
       SELECT id, (SELECT m.sender_id FROM message_files l JOIN messages m USING (chat_id, seq)
           WHERE l.file_id = due.id LIMIT 1) AS sender_id,
         (SELECT true FROM scheduled s, jsonb_path_query(s.extras, '$.files[*].id') AS w(id)
           WHERE s.user_id = due.owner_id AND lower(w.id #>> '{}') = due.id::text LIMIT 1) IS TRUE AS waits
       FROM due)
     UPDATE files f SET gone = f.gone OR NOT (j.sender_id IS NOT NULL OR j.waits),
       owner_id = coalesce(j.sender_id, f.owner_id),
       expires_at = CASE WHEN j.sender_id IS NOT NULL AND NOT f.gone THEN NULL
         WHEN j.waits AND NOT f.gone THEN now() + interval '1 hour'
         ELSE now() + interval '1 minute' END
     FROM judged j WHERE f.id = j.id RETURNING f.gone, ${COLUMNS.replaceAll(/\w+/g, 'f.$&')}`,
      [limit],
    )
    .then((rows) => rows.filter((row) => row.gone === true))
}

/** Its bytes are deleted. */
export async function deleteFile(db: Db, id: string): Promise<void> {
  await db.query('DELETE FROM files WHERE id = $1 AND gone', [id])
}

/** Those of these ids that there are. */
export async function selectKnownFiles(db: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>('SELECT id FROM files WHERE id = ANY($1::uuid[])', [
    ids,
  ])
  return rows.map(({ id }) => id)
}

export interface FileKey {
  chatId: string
  seq: number
  fileId: string
}

export interface SeenFile extends FileRow {
  chat_id: string
  seq: number
}

/** Those of these files that the user may see, by the messages that have them [FILE-4]. */
export async function selectSeenFiles(db: Db, userId: number, keys: readonly FileKey[]) {
  return db.query<SeenFile>(
    `SELECT k.chat_id, k.seq, ${COLUMNS.replaceAll(/\w+/g, 'f.$&')}
     FROM unnest($2::uuid[], $3::int[], $4::uuid[]) AS k(chat_id, seq, file_id)
     JOIN message_files l USING (chat_id, seq, file_id)
     JOIN files f ON f.id = k.file_id AND NOT f.gone AND f.details IS NOT NULL
     JOIN messages m ON m.chat_id = k.chat_id AND m.seq = k.seq
       AND NOT coalesce(m.content ? 'deletedAt', false)
       AND coalesce((m.content ->> 'expiresAt')::timestamptz > now(), true)
     CROSS JOIN LATERAL (SELECT has_marks FROM members WHERE chat_id = k.chat_id AND user_id = $1
       AND cleared_seq < k.seq LIMIT 1) b
     JOIN users u ON u.id = $1 AND u.active AND u.username IS NOT NULL
     WHERE NOT EXISTS (SELECT FROM marks d WHERE b.has_marks AND d.user_id = $1
       AND d.chat_id = k.chat_id AND d.seq = k.seq AND d.deleted)`,
    [
      userId,
      keys.map(({ chatId }) => chatId),
      keys.map(({ seq }) => seq),
      keys.map(({ fileId }) => fileId),
    ],
    'select_seen_files',
  )
}

/** The message has it from now on, as it has those that it was sent with. */
export async function attachFile(db: Db, { chatId, seq, fileId }: FileKey): Promise<void> {
  await db.query(
    `WITH kept AS (
       UPDATE files SET expires_at = NULL, held_until = NULL WHERE id = $3 AND NOT gone RETURNING id)
     INSERT INTO message_files (chat_id, seq, file_id) SELECT $1, $2, id FROM kept`,
    [chatId, seq, fileId],
  )
}
