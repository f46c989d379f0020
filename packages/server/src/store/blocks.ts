import type { Db, Nth } from './db.ts'

export interface BlockRow extends Record<string, unknown> {
  username: string
  display_name: string | null
  picture: string | null
  created_at: Date
}

/** false where it stood already. */
export async function insertBlock(db: Db, blocker: number, blocked: number): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)
     ON CONFLICT DO NOTHING RETURNING blocker_id`,
    [blocker, blocked],
  )
  return rows.length === 1
}

export async function deleteBlock(db: Db, blocker: number, blocked: number): Promise<boolean> {
  const rows = await db.query(
    'DELETE FROM blocks WHERE blocker_id = $1 AND blocked_id = $2 RETURNING blocker_id',
    [blocker, blocked],
  )
  return rows.length === 1
}

/** Whom this user blocks has changed: its devices that are away hear of it when they come back. */
export async function touchBlocks(tx: Db, userId: number): Promise<void> {
  await tx.query('UPDATE users SET blocks_at = now() WHERE id = $1', [userId])
}

/** For which of these users that has changed since then, by their places in the list. */
export async function selectBlocksChanged(
  db: Db,
  keys: readonly { userId: number; since: Date }[],
): Promise<number[]> {
  const rows = await db.query<Nth>(
    `SELECT k.nth::int AS nth
     FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS k(id, since, nth)
     JOIN users u ON u.id = k.id AND u.blocks_at >= k.since`,
    [keys.map(({ userId }) => userId), keys.map(({ since }) => since)],
    'select_blocks_changed',
  )
  return rows.map(({ nth }) => nth - 1)
}

/** Of all whom this user has blocked. */
export async function selectBlockedNames(db: Db, blocker: number): Promise<string[]> {
  const rows = await db.query<{ username: string }>(
    `SELECT u.username FROM blocks b JOIN users u ON u.id = b.blocked_id
     WHERE b.blocker_id = $1 AND u.username IS NOT NULL`,
    [blocker],
    'select_blocked_names',
  )
  return rows.map(({ username }) => username)
}

/** Which of these (blocker, username) there are, by their places in the list. */
export async function selectBlocked(
  db: Db,
  pairs: readonly { blocker: number; username: string }[],
): Promise<number[]> {
  const rows = await db.query<Nth>(
    `SELECT k.nth::int AS nth
     FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS k(blocker_id, username, nth)
     JOIN users u ON u.username = k.username
     JOIN blocks b ON b.blocker_id = k.blocker_id AND b.blocked_id = u.id`,
    [pairs.map(({ blocker }) => blocker), pairs.map(({ username }) => username)],
    'select_blocked',
  )
  return rows.map(({ nth }) => nth - 1)
}

/** Those of these users who have blocked that one. */
export async function selectBlockers(db: Db, blocked: number, userIds: readonly number[]) {
  const rows = await db.query<{ blocker_id: number }>(
    'SELECT blocker_id FROM blocks WHERE blocked_id = $1 AND blocker_id = ANY($2::bigint[])',
    [blocked, userIds],
    'select_blockers',
  )
  return rows.map(({ blocker_id }) => blocker_id)
}

export async function hasBlocked(db: Db, blocker: number, blocked: number): Promise<boolean> {
  const rows = await db.query('SELECT FROM blocks WHERE blocker_id = $1 AND blocked_id = $2', [
    blocker,
    blocked,
  ])
  return rows.length === 1
}

/**
 * Takes the locks of the two users, so that neither comes into a group meanwhile, then those of this
 * chat and of all groups that both are in, in the order of ids. Returns the groups.
 */
export async function lockShared(
  tx: Db,
  { chatId, userIds }: { chatId: string; userIds: [number, number] },
): Promise<string[]> {
  await tx.query('SELECT 1 FROM users WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [
    userIds,
  ])
  const rows = await tx.query<{ id: string }>(
    `SELECT c.id FROM chats c WHERE c.id = $1 OR c.id IN (
       SELECT a.chat_id FROM members a JOIN members b ON b.chat_id = a.chat_id AND b.user_id = $3
       JOIN chats g ON g.id = a.chat_id AND g.kind = 'group' WHERE a.user_id = $2)
     ORDER BY c.id FOR UPDATE OF c`,
    [chatId, ...userIds],
  )
  return rows.map(({ id }) => id).filter((id) => id !== chatId)
}

/** By username, those after `after`. */
export async function selectBlocks(
  db: Db,
  blocker: number,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<BlockRow[]> {
  return db.query<BlockRow>(
    `SELECT u.username, u.display_name, u.picture, b.created_at
     FROM blocks b JOIN users u ON u.id = b.blocked_id
     WHERE b.blocker_id = $1 AND u.username IS NOT NULL AND ($2::text IS NULL OR u.username > $2)
     ORDER BY u.username LIMIT $3`,
    [blocker, after, limit],
  )
}
