/** What the database holds, for the checker, and what the server's own check says of it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ChatEvidence, MessageEvidence } from './checker.ts'

const CHECK_MS = 60_000
const execute = promisify(execFile)

export type Query = (text: string) => Promise<any[]>

export async function selectRows(
  query: Query,
): Promise<{ chats: ChatEvidence[]; messages: MessageEvidence[] }> {
  const messages = await query(
    `SELECT m.chat_id AS "chatId", m.seq, u.username AS sender, m.client_id AS "clientId", m.body
     FROM messages m JOIN users u ON u.id = m.sender_id ORDER BY m.chat_id, m.seq`,
  )
  const members = await query(
    `SELECT m.chat_id AS "chatId", u.username AS user, m.read_seq AS "readSeq",
       m.cleared_seq AS "clearedSeq" FROM members m JOIN users u ON u.id = m.user_id`,
  )
  const chats = await query('SELECT id, last_seq AS "lastSeq" FROM chats')
  return {
    messages,
    chats: chats.map(({ id, lastSeq }) => ({
      id,
      lastSeq,
      members: members.filter(({ chatId }) => chatId === id),
    })),
  }
}

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
