/** Messages that tell what happened to a group. */
import { randomUUID } from 'node:crypto'
import type { Content } from './content.ts'
import type { Db } from './db.ts'
import { APPEARED, STAYS_ARCHIVED } from './members.ts'

export interface SystemMessage {
  seq: number
  clientId: string
  /** As PostgreSQL writes it. */
  createdAt: string
  /** Those on whose lists the chat came back. */
  appeared: number[]
}

const INSERT = `
  WITH old AS (SELECT active_day FROM chats WHERE id = $1),
  c AS (
    UPDATE chats SET last_seq = last_seq + 1, last_at = greatest(last_at, now()),
      active_day = greatest(chats.active_day, current_date)
    FROM old WHERE id = $1
    RETURNING id, last_seq, last_at, chats.active_day,
      old.active_day IS DISTINCT FROM chats.active_day AS touch),
  inserted AS (
    INSERT INTO messages (chat_id, seq, sender_id, client_id, body, created_at, content)
    SELECT id, last_seq, $2, $3, '', last_at, $4::jsonb FROM c),
  sent AS (
    UPDATE members SET read_seq = c.last_seq
    FROM c WHERE members.chat_id = c.id AND members.user_id = $2 AND NOT c.touch),
  touched AS (
    UPDATE members SET active_day = c.active_day,
      archived = ${STAYS_ARCHIVED},
      read_seq = CASE WHEN members.user_id = $2 THEN c.last_seq ELSE members.read_seq END
    FROM c WHERE members.chat_id = c.id AND c.touch
      AND (members.active_day IS DISTINCT FROM c.active_day OR members.archived
        OR members.user_id = $2))
  SELECT last_seq AS seq, last_at::text AS last_at, CASE WHEN touch THEN ${APPEARED} END AS appeared
  FROM c`

/**
 * The next message of the chat, whose lock the transaction holds. It does to the chat and to its
 * members what any message does (store/messages.ts): the actor has read it, and on a new day all have
 * the chat on their lists.
 */
export async function insertSystemMessage(
  tx: Db,
  {
    chatId,
    actorId,
    event,
  }: { chatId: string; actorId: number; event: NonNullable<Content['event']> },
): Promise<SystemMessage> {
  const clientId = randomUUID()
  const content: Content = { kind: 'system', event }
  const [row] = await tx.query<{ seq: number; last_at: string; appeared: number[] | null }>(
    INSERT,
    [chatId, actorId, clientId, JSON.stringify(content)],
  )
  if (!row) throw new Error('A system message of no chat')
  return { seq: row.seq, clientId, createdAt: row.last_at, appeared: row.appeared ?? [] }
}
