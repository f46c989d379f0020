/** What store/check.ts finds of who is in a chat. */
import type { Check } from './check.ts'

export const GROUP_CHECKS: readonly Check[] = [
  {
    name: 'member_count',
    sql: (within) => `
      SELECT c.id, NULL::bigint, 'member_count is ' || c.member_count, n.members::text
      FROM chats c CROSS JOIN LATERAL (
        SELECT count(*) AS members FROM members WHERE chat_id = c.id) n
      WHERE ${within('c.id')} AND c.kind = 'group' AND c.member_count <> n.members`,
  },
  {
    // [GROUP-4]
    name: 'owner',
    sql: (within) => `
      SELECT c.id, NULL::bigint, 'a group without an owner', 'one or more'
      FROM chats c
      WHERE ${within('c.id')} AND c.kind = 'group'
        AND EXISTS (SELECT FROM members WHERE chat_id = c.id)
        AND NOT EXISTS (SELECT FROM members WHERE chat_id = c.id AND role = 'owner')`,
  },
  {
    // Who is here again has not left.
    name: 'departures',
    sql: (within) => `
      SELECT d.chat_id, d.user_id,
        CASE WHEN c.id IS NULL THEN 'has left no group' ELSE 'has left, and is a member' END,
        'one of the two'
      FROM departures d LEFT JOIN chats c ON c.id = d.chat_id AND c.kind = 'group'
      LEFT JOIN members m ON m.chat_id = d.chat_id AND m.user_id = d.user_id
      WHERE ${within('d.chat_id')} AND (c.id IS NULL OR m.user_id IS NOT NULL)`,
  },
  {
    // [GROUP-8]
    name: 'is_open',
    sql: (within) => `
      SELECT c.id, NULL::bigint, 'is_open is ' || c.is_open, 'as settings.open'
      FROM chats c
      WHERE ${within('c.id')} AND c.is_open <> coalesce((c.settings -> 'open')::boolean, false)`,
  },
]
