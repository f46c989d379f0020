/** What the database holds, for the checker, and what the server's own check says of it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Rows } from './evidence.ts'

const CHECK_MS = 60_000
const execute = promisify(execFile)

export type Query = (text: string) => Promise<any[]>

/**
 * Writes down each change of a message with the transaction that makes it: rows have the last one
 * alone. It is the suite's own, and the server knows nothing of it.
 */
export const WRITE_CHANGES_DOWN = `
  CREATE TABLE change_log (
    chat_id uuid NOT NULL, change integer NOT NULL, seq integer NOT NULL, erased boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO microchatter.change_log (chat_id, change, seq, erased)
    VALUES (NEW.chat_id, NEW.change, NEW.seq, coalesce(NEW.content ? 'deletedAt', false));
    RETURN NULL;
  END $$;
  CREATE TRIGGER log_change AFTER UPDATE ON messages FOR EACH ROW
  WHEN (NEW.change IS DISTINCT FROM OLD.change) EXECUTE FUNCTION log_change()`

const MESSAGES = `
  SELECT m.chat_id AS "chatId", m.seq, u.username AS sender, m.client_id AS "clientId", m.body,
    m.change, (extract(epoch FROM m.created_at) * 1000)::float8 AS "createdAt",
    m.content ->> 'kind' AS kind, m.content -> 'event' AS event,
    m.content ? 'deletedBy' AS "isErased", m.content ->> 'deletedAt' AS "deletedAt",
    m.content ->> 'expiresAt' AS "expiresAt"
  FROM messages m JOIN users u ON u.id = m.sender_id ORDER BY m.chat_id, m.seq`

const MEMBERS = `
  SELECT m.chat_id AS "chatId", u.username AS user, m.read_seq AS "readSeq",
    m.cleared_seq AS "clearedSeq" FROM members m JOIN users u ON u.id = m.user_id`

const LEFT = `
  SELECT m.chat_id AS "chatId", u.username AS user, max(m.seq) AS seq
  FROM messages m, jsonb_array_elements_text(m.content -> 'event' -> 'userIds') AS e(id), users u
  WHERE m.content -> 'event' ->> 'type' = 'member.removed' AND u.id = e.id::bigint
  GROUP BY m.chat_id, u.username`

/** What was set, by the keys of the calls that set it. */
const VALUES = `
  SELECT concat_ws(' ', 'text', chat_id, seq) AS key, body AS value FROM messages
  UNION ALL
  SELECT concat_ws(' ', 'erased', chat_id, seq), 'yes' FROM messages WHERE content ? 'deletedAt'
  UNION ALL
  SELECT concat_ws(' ', 'reaction', r.chat_id, r.seq, u.username, r.emoji), 'yes'
  FROM reactions r JOIN users u ON u.id = r.user_id
  UNION ALL
  SELECT concat_ws(' ', 'pin', chat_id, seq), 'yes' FROM pins
  UNION ALL
  SELECT concat_ws(' ', 'vote', v.chat_id, v.seq, u.username),
    string_agg(v.option::text, ',' ORDER BY v.option)
  FROM votes v JOIN users u ON u.id = v.user_id GROUP BY v.chat_id, v.seq, u.username
  UNION ALL
  SELECT concat_ws(' ', 'star', k.chat_id, k.seq, u.username), 'yes'
  FROM marks k JOIN users u ON u.id = k.user_id WHERE k.starred_at IS NOT NULL
  UNION ALL
  SELECT concat_ws(' ', 'hidden', k.chat_id, k.seq, u.username), 'yes'
  FROM marks k JOIN users u ON u.id = k.user_id WHERE k.deleted
  UNION ALL
  SELECT concat_ws(' ', 'draft', m.chat_id, u.username), m.draft ->> 'body'
  FROM members m JOIN users u ON u.id = m.user_id WHERE m.draft IS NOT NULL
  UNION ALL
  SELECT concat_ws(' ', 'member', m.chat_id, u.username), 'yes'
  FROM members m JOIN users u ON u.id = m.user_id
  UNION ALL
  SELECT concat_ws(' ', 'title', id), title FROM chats WHERE title IS NOT NULL`

/** `hasLog`: WRITE_CHANGES_DOWN was done at the beginning. */
export async function selectRows(query: Query, hasLog: boolean): Promise<Rows> {
  const members = await query(MEMBERS)
  const left = await query(LEFT)
  const chats = await query('SELECT id, last_seq AS "lastSeq", changes FROM chats')
  const values = await query(VALUES)
  return {
    messages: await query(MESSAGES),
    chats: chats.map((chat) => ({
      ...chat,
      members: members.filter(({ chatId }) => chatId === chat.id),
      left: left.filter(({ chatId }) => chatId === chat.id),
    })),
    values: new Map(values.map(({ key, value }) => [key, value])),
    scheduled: await query('SELECT id, failed FROM scheduled'),
    ...(hasLog ? { changes: await query(LOGGED) } : {}),
  }
}

const LOGGED = `
  SELECT chat_id AS "chatId", change, seq, erased,
    (extract(epoch FROM at) * 1000)::float8 AS at
  FROM change_log ORDER BY chat_id, change, at`

/** What an operator runs: `microchatter check`. @returns its drifts, one line each */
export async function runCheck(dist: string, env: Record<string, string>): Promise<string[]> {
  const { stdout } = await execute(process.execPath, [join(dist, 'main.js'), 'check', '--json'], {
    env: { PATH: process.env.PATH, ...env },
    timeout: CHECK_MS,
  }).catch((error: { stdout?: string; stderr?: string }) => ({
    stdout: error.stdout || JSON.stringify({ drifts: [error.stderr || 'check did not end'] }),
  }))
  return (JSON.parse(stdout) as { drifts: unknown[] }).drifts.map((drift) => JSON.stringify(drift))
}
