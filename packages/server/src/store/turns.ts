/** Slow mode: `members.slow_until`. */
import type { Db } from './db.ts'

interface Asked {
  chatId: string
  userIds: number[]
  seconds: number
}

/**
 * The turns of those members who may write now are taken; of the others, how many milliseconds each has
 * to wait. The caller holds the chat's lock, and writes in the same transaction.
 */
export async function takeTurns(db: Db, { chatId, userIds, seconds }: Asked) {
  const taken = await db.query<{ user_id: number }>(
    `UPDATE members SET slow_until = clock_timestamp() + make_interval(secs => $3)
     WHERE chat_id = $1 AND user_id = ANY($2::bigint[])
       AND coalesce(slow_until <= clock_timestamp(), true)
     RETURNING user_id`,
    [chatId, userIds, seconds],
  )
  if (taken.length === userIds.length) return new Map<number, number>()
  const waiting = await db.query<{ user_id: number; wait_ms: number }>(
    `SELECT user_id, ceil(extract(epoch FROM slow_until - clock_timestamp()) * 1000)::float8 AS wait_ms
     FROM members WHERE chat_id = $1 AND user_id = ANY($2::bigint[]) AND NOT user_id = ANY($3::bigint[])`,
    [chatId, userIds, taken.map(({ user_id }) => user_id)],
  )
  return new Map(waiting.map(({ user_id, wait_ms }) => [user_id, Math.max(1, wait_ms)]))
}
