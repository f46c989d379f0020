import type { Db, Nth } from './db.ts'

export interface SeenKey {
  viewerId: number
  username: string
}

export interface SeenRow extends Nth {
  user_id: number
  username: string
  last_seen_at: Date | null
  /** A chat that both are in; '' where none is needed; null: the viewer may not see this user. */
  via: string | null
}

/**
 * [PRES-3] What viewers may know of users, as one row for each key whose user there is. `visibleTo`
 * holds for who has said nothing. A direct chat is one look; else the groups of each viewer are found
 * once, whatever the number of keys.
 */
export async function selectSeen(db: Db, keys: readonly SeenKey[], visibleTo: string) {
  return db.query<SeenRow>(
    `WITH k AS MATERIALIZED (
       SELECT k.nth, v.id AS viewer_id, u.id, u.username, u.last_seen_at,
         u.id = v.id OR coalesce(u.last_seen_to, $3) = 'everyone' AS is_open,
         u.active AND v.active AND (u.id = v.id OR (
           coalesce(u.last_seen_to, $3) <> 'nobody' AND coalesce(v.last_seen_to, $3) <> 'nobody'
           AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = u.id AND blocked_id = v.id)
           AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = v.id AND blocked_id = u.id)
         )) AS may_see
       FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS k(viewer_id, username, nth)
       JOIN users u ON u.username = k.username JOIN users v ON v.id = k.viewer_id),
     groups AS MATERIALIZED (
       SELECT v.viewer_id, m.chat_id FROM (SELECT DISTINCT viewer_id FROM k WHERE may_see) v
       JOIN members m ON m.user_id = v.viewer_id
       JOIN chats c ON c.id = m.chat_id AND c.kind = 'group')
     SELECT k.nth::int AS nth, k.id AS user_id, k.username, k.last_seen_at,
       CASE WHEN NOT k.may_see THEN NULL WHEN k.is_open THEN '' ELSE coalesce(
         (SELECT c.id FROM chats c JOIN members m ON m.chat_id = c.id AND m.user_id = k.id
          WHERE c.low_id = least(k.viewer_id, k.id) AND c.high_id = greatest(k.viewer_id, k.id)
            AND c.last_seq > 0 AND m.request IS NULL),
         (SELECT g.chat_id FROM groups g JOIN members m ON m.chat_id = g.chat_id AND m.user_id = k.id
          WHERE g.viewer_id = k.viewer_id LIMIT 1))::text END AS via
     FROM k ORDER BY k.nth`,
    [keys.map(({ viewerId }) => viewerId), keys.map(({ username }) => username), visibleTo],
    'select_seen',
  )
}

/** Forward only, and nothing of an account that was deleted. `seen` names no user twice. */
export async function updateLastSeen(db: Db, seen: readonly [userId: number, at: Date][]) {
  await db.query(
    `UPDATE users SET last_seen_at = greatest(users.last_seen_at, k.at)
     FROM unnest($1::bigint[], $2::timestamptz[]) AS k(id, at)
     WHERE users.id = k.id AND users.username IS NOT NULL`,
    [seen.map(([userId]) => userId), seen.map(([, at]) => at)],
    'update_last_seen',
  )
}
