/** The checks of what is done at a time. */
import type { Check } from './check.ts'

/** [TIME-1] What says when it goes is erased then, and nothing else is. */
export const EXPIRING: Check = {
  name: 'expiring',
  sql: (within) => `
    SELECT chat_id, NULL::bigint,
      'message ' || seq || ' is to be erased at ' || coalesce(e.expires_at::text, 'no time'),
      coalesce(m.expires_at::text, 'no time') || ', as it says'
    FROM (SELECT * FROM expiring WHERE ${within('chat_id')}) e
    FULL JOIN (
      SELECT chat_id, seq, (content ->> 'expiresAt')::timestamptz AS expires_at
      FROM messages WHERE ${within('chat_id')} AND content ? 'expiresAt') m USING (chat_id, seq)
    WHERE e.expires_at IS DISTINCT FROM m.expires_at`,
}

/** Where no node has been at work for a minute, nothing is overdue. */
export const DUE: Check = {
  name: 'due',
  sql: () => `
    SELECT d.chat_id, d.user_id, d.what || ' was due at ' || d.at,
      'done within a minute, as a node is at work'
    FROM (
      SELECT chat_id, NULL::bigint AS user_id, 'the end of message ' || seq AS what,
        expires_at AS at FROM expiring
      UNION ALL
      SELECT chat_id, user_id, 'a scheduled message', try_at FROM scheduled WHERE failed IS NULL
      UNION ALL
      SELECT chat_id, user_id, 'a reminder of message ' || seq, due_at FROM reminders
      WHERE NOT told) d
    WHERE d.at < now() - interval '1 minute' AND EXISTS (
      SELECT FROM nodes WHERE started_at < now() - interval '1 minute'
        AND seen_at > now() - interval '10 seconds')`,
}
