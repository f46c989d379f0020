import type { Db } from './db.ts'

export interface InviteRow extends Record<string, unknown> {
  code: string
  chat_id: string
  created_at: Date
  /** null: the account was deleted. */
  created_by: string | null
  expires_at: Date | null
  max_uses: number | null
  uses: number
}

const LIVE = `(expires_at IS NULL OR expires_at > now()) AND (max_uses IS NULL OR uses < max_uses)`
const COLUMNS = `i.code, i.chat_id, i.created_at, u.username AS created_by, i.expires_at, i.max_uses,
  i.uses`

export interface NewInvite {
  code: string
  chatId: string
  createdBy: number
  expiresAt: Date | undefined
  maxUses: number | undefined
}

/** false: the chat has `most` that can be used. The caller holds the chat's lock. */
export async function insertInvite(tx: Db, invite: NewInvite, most: number): Promise<boolean> {
  const { code, chatId, createdBy, expiresAt, maxUses } = invite
  await tx.query(`DELETE FROM invites WHERE chat_id = $1 AND NOT (${LIVE})`, [chatId])
  const rows = await tx.query(
    `INSERT INTO invites (code, chat_id, created_by, expires_at, max_uses)
     SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM invites WHERE chat_id = $2) < $6
     RETURNING code`,
    [code, chatId, createdBy, expiresAt, maxUses, most],
  )
  return rows.length === 1
}

/** Those of a chat that can be used, the oldest first. */
export async function selectInvites(db: Db, chatId: string): Promise<InviteRow[]> {
  return db.query<InviteRow>(
    `SELECT ${COLUMNS} FROM invites i JOIN users u ON u.id = i.created_by
     WHERE i.chat_id = $1 AND ${LIVE} ORDER BY i.created_at, i.code`,
    [chatId],
  )
}

/** undefined: it is unknown, or cannot be used any more. */
export async function selectInvite(db: Db, code: string): Promise<InviteRow | undefined> {
  const [row] = await db.query<InviteRow>(
    `SELECT ${COLUMNS} FROM invites i JOIN users u ON u.id = i.created_by
     WHERE i.code = $1 AND ${LIVE}`,
    [code],
  )
  return row
}

/** Counts one more who has joined by it; false: it cannot be used any more. */
export async function updateInviteUses(tx: Db, code: string): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE invites SET uses = uses + 1 WHERE code = $1 AND ${LIVE} RETURNING code`,
    [code],
  )
  return rows.length === 1
}

export async function deleteInvite(tx: Db, chatId: string, code: string): Promise<boolean> {
  const rows = await tx.query(
    'DELETE FROM invites WHERE chat_id = $1 AND code = $2 RETURNING code',
    [chatId, code],
  )
  return rows.length === 1
}
