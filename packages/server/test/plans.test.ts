/**
 * What the hot statements read in a database of a million messages: by index, no more than they
 * return, and nothing sorted but a page. A table's statistics must not matter: new ones have none.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import {
  insertDirectChat,
  selectChatSeqs,
  selectDirectChat,
  selectRights,
  touchChats,
} from '../src/store/chats.ts'
import type { Db } from '../src/store/db.ts'
import { updateDelivered } from '../src/store/delivered.ts'
import { releaseFiles, selectSeenFiles, takeLeftovers } from '../src/store/files.ts'
import { selectHeads } from '../src/store/heads.ts'
import { selectLabels } from '../src/store/labels.ts'
import {
  selectChangedChats,
  selectChat,
  selectChats,
  selectFreshChats,
  selectMembers,
  selectSeqs,
  updateReadSeq,
} from '../src/store/members.ts'
import {
  insertMessages,
  selectMessages,
  selectMessagesAfter,
  selectChanged,
  selectSent,
  selectThread,
} from '../src/store/messages.ts'
import { selectChangedMarks, selectMarks, selectStars } from '../src/store/marks.ts'
import { readChats, selectUnread, selectUnreadIds } from '../src/store/unread.ts'
import { selectSeen, updateLastSeen } from '../src/store/presence.ts'
import { selectSession } from '../src/store/sessions.ts'
import { selectUser, selectUserById } from '../src/store/users.ts'
import { freshDatabase, skipOf, type TestDatabase } from './support/databases.ts'
import { type Bounds, explain, judge } from './support/plans.ts'

const CHATS = 20_000
const MESSAGES = 50
/** The chats of the user with the most of them, two each hour. */
const MINE = 5_000
const USERS = MINE + CHATS / MINE + 2
const PAGE = 50
/** Chats of each other user. */
const OTHERS = (2 * CHATS) / MINE
/** Chats with a message on one day: they are sorted for a page of the list. */
const DAY = 48

describe('plans', { skip: skipOf('postgres') }, () => {
  let one: TestDatabase
  let me: number
  const chatIds: string[] = []

  before(async () => {
    one = await freshDatabase('postgres')
    await seed(one)
    const rows = await one.db.query<{ id: string; low_id: number }>(
      'SELECT id, low_id FROM chats ORDER BY last_at DESC LIMIT 400',
    )
    me = Math.min(...rows.map(({ low_id }) => low_id))
    for (const { id, low_id } of rows) if (low_id === me) chatIds.push(id)
    assert(chatIds.length >= 64)
  })
  after(() => one.drop())

  const HOT: Record<string, [Bounds, (tx: Db) => Promise<unknown>]> = {
    'a page of the list': [
      { rows: PAGE, sorted: PAGE + 2 * DAY },
      (tx) => selectChats(tx, me, { ...LIST, after: undefined }),
    ],
    'a page in the middle of the list': [
      { rows: PAGE, sorted: PAGE + 2 * DAY },
      async (tx) => {
        const [row] = await tx.query<{ id: string; day: string; at: string }>(
          `SELECT c.id, m.active_day::text AS day, c.last_at::text AS at
           FROM members m JOIN chats c ON c.id = m.chat_id
           WHERE m.user_id = $1 AND m.active_day = current_date - 50 LIMIT 1`,
          [me],
        )
        assert(row)
        const after = { pinned: false, activeDay: row.day, lastAt: row.at, id: row.id }
        return selectChats(tx, me, { ...LIST, after })
      },
    ],
    'what a client starts with': [
      { rows: 2 * PAGE, sorted: 2 * PAGE + 2 * DAY },
      (tx) => selectFreshChats(tx, me, { chats: 2 * PAGE, requests: 20 }),
    ],
    'a page of the requests': [
      { rows: 1 },
      (tx) => selectChats(tx, me, { ...LIST, requests: true, after: undefined }),
    ],
    'the labels of all chats': [{ rows: 1 }, (tx) => selectLabels(tx, me)],
    // Each chat of the user, once, to sort those that are unread.
    'chats with something unread': [
      { rows: MINE, sorted: MINE },
      (tx) => selectUnreadIds(tx, me, 5_001),
    ],
    'everything is read': [
      { rows: 64 },
      async (tx) => {
        await touchChats(tx, chatIds.slice(0, 64))
        await readChats(tx, me, chatIds.slice(0, 64))
      },
    ],
    'one chat': [{ rows: 2 }, (tx) => selectChat(tx, chatIds[0]!, [me])],
    'members of a page': [
      { rows: 2 * PAGE },
      (tx) => selectMembers(tx, chatIds.slice(0, PAGE), 50),
    ],
    'a page of history': [
      { rows: PAGE },
      (tx) => selectMessages(tx, { chatId: chatIds[9]!, from: 1, to: PAGE }),
    ],
    'bounds of a history': [{ rows: 1 }, (tx) => selectChatSeqs(tx, chatIds[9]!, me)],
    'new messages of open chats': [
      { rows: 100 },
      (tx) =>
        selectMessagesAfter(
          tx,
          chatIds.slice(0, 10).map((chatId) => ({ chatId, seq: MESSAGES - 10 })),
          PAGE,
        ),
    ],
    'heads of open chats': [
      { rows: 10 },
      (tx) =>
        selectSeqs(
          tx,
          chatIds.slice(0, 10).map((chatId) => ({ userId: me, chatId })),
        ),
    ],
    'chats that changed since an hour ago': [
      { rows: 2 * DAY },
      (tx) =>
        selectChangedChats(tx, [{ userId: me, since: new Date(Date.now() - 3_600_000) }], 201),
    ],
    'what changed for 64 who come back': [
      { rows: 64 * OTHERS },
      (tx) =>
        selectChangedChats(
          tx,
          others().map((userId) => ({ userId, since: new Date(Date.now() - 3_600_000) })),
          201,
        ),
    ],
    'heads of 64 who are online': [
      { rows: 64 * OTHERS },
      (tx) => selectHeads(tx, others(), new Date(Date.now() - 3_600_000)),
    ],
    'unread of 64': [{ rows: 64 * OTHERS }, (tx) => selectUnread(tx, others())],
    // Each chat of the user, once.
    'unread of all': [{ rows: 1, read: MINE }, (tx) => selectUnread(tx, [me])],
    'rights of a batch': [
      { rows: 2 * 64 },
      (tx) => selectRights(tx, chatIds.slice(0, 64), 'everyone'),
    ],
    'a batch of messages': [{ rows: 64 }, (tx) => insertMessages(tx, batch({ touch: false }))],
    'the first batch of a day': [
      { rows: 2 * 64 },
      (tx) => insertMessages(tx, batch({ touch: true })),
    ],
    'a batch with more than text': [
      { rows: 2 * 64 },
      (tx) =>
        insertMessages(
          tx,
          batch({ touch: false }).map((one) => ({
            ...one,
            expireAfter: 60,
            messages: one.messages.map((message) => ({
              ...message,
              rich: { content: { thread: 1, reply: 2 }, mentioned: [me] },
            })),
          })),
        ),
    ],
    'what changed of messages': [
      { rows: 100 },
      (tx) =>
        selectChanged(
          tx,
          chatIds.slice(0, 10).map((chatId) => ({ chatId, change: 0 })),
          100,
        ),
    ],
    'a page of a thread': [
      { rows: PAGE },
      (tx) =>
        selectThread(tx, { chatId: chatIds[9]!, thread: 1, before: MESSAGES + 1, limit: PAGE }),
    ],
    'marks of a page': [
      { rows: PAGE },
      (tx) => selectMarks(tx, { userId: me, chatId: chatIds[9]!, from: 1, to: PAGE }),
    ],
    'marks that changed': [
      { rows: 64 },
      (tx) =>
        selectChangedMarks(
          tx,
          others().map((userId) => ({ userId, since: new Date() })),
          100,
        ),
    ],
    stars: [{ rows: PAGE }, (tx) => selectStars(tx, me, { limit: PAGE })],
    'what was sent before': [
      { rows: 64 },
      (tx) =>
        selectSent(
          tx,
          chatIds.slice(0, 64).map((chatId) => ({ chatId, senderId: me, clientId: randomUUID() })),
        ),
    ],
    'a read mark': [
      { rows: 1 },
      async (tx) => {
        await touchChats(tx, [chatIds[3]!])
        await updateReadSeq(tx, { chatId: chatIds[3]!, userId: me, seq: MESSAGES, back: false })
      },
    ],
    'what is delivered': [
      { rows: 64 },
      (tx) =>
        updateDelivered(
          tx,
          chatIds.slice(0, 64).map((chatId) => ({ chatId, userId: me, seq: MESSAGES })),
        ),
    ],
    // The viewer's groups are looked for among its chats, once.
    'whom one may see': [{ rows: 200, read: MINE }, (tx) => selectSeen(tx, seen(200), 'contacts')],
    'when users went': [
      { rows: 64 },
      (tx) =>
        updateLastSeen(
          tx,
          others().map((userId) => [userId, new Date()]),
        ),
    ],
    'the chat of a pair': [{ rows: 1 }, (tx) => selectDirectChat(tx, me, me + 5)],
    'a new chat': [
      { rows: 2 },
      (tx) => insertDirectChat(tx, { id: randomUUID(), userId: me, otherId: me }),
    ],
    'links to a page of files': [
      { rows: PAGE },
      async (tx) => {
        const rows = await tx.query<{ chatId: string; seq: number; fileId: string }>(
          `SELECT chat_id AS "chatId", seq, file_id AS "fileId" FROM message_files
           WHERE chat_id = ANY($1::uuid[]) LIMIT ${PAGE}`,
          [chatIds],
        )
        assert.equal(rows.length, PAGE)
        const found = await selectSeenFiles(tx, me, rows)
        assert.equal(found.length, PAGE)
      },
    ],
    'files of a message, released': [
      { rows: 1 },
      (tx) => releaseFiles(tx, chatIds[0]!, [MESSAGES]),
    ],
    'files that are due': [{ rows: 100 }, (tx) => takeLeftovers(tx, 100)],
    'a user by name': [{ rows: 1 }, (tx) => selectUser(tx, 'plan77')],
    'a user by id': [{ rows: 1 }, (tx) => selectUserById(tx, me)],
    'a session': [{ rows: 1 }, (tx) => selectSession(tx, Buffer.alloc(32))],
  }
  const seen = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ viewerId: me, username: `plan${index + 2}` }))
  const others = () => Array.from({ length: 64 }, (_, index) => me + 1 + index)
  const LIST = { archived: false, unread: undefined, limit: PAGE }

  function batch({ touch }: { touch: boolean }) {
    return chatIds
      .slice(0, 64)
      .sort()
      .map((chatId) => ({
        chatId,
        rightsRev: 0,
        touch,
        messages: [{ senderId: me, clientId: randomUUID(), body: 'hello' }],
      }))
  }

  for (const state of ['new', 'analysed'] as const)
    describe(`of ${state} tables`, () => {
      if (state === 'analysed')
        before(() => one.db.transaction((tx) => tx.query('ANALYZE'), { maxMs: 60_000 }))
      for (const [name, [bounds, work]] of Object.entries(HOT))
        test(`[READ-3] ${name}`, async () => {
          const statements = await explain(one.db, work)
          assert(statements.length > 0)
          for (const statement of statements) judge(statement, bounds)
        })
    })

  test('a statement against these rules is found', async () => {
    const [sorted] = await explain(one.db, (tx) =>
      tx.query('SELECT * FROM members WHERE user_id = $1 ORDER BY changed_at LIMIT 5', [me]),
    )
    assert(sorted)
    assert.throws(() => judge(sorted, { rows: 5, sorted: MINE }), /reads 5000 rows/)
    assert.throws(() => judge(sorted, { rows: 5, read: MINE }), /sorts 5000 rows/)
    const [all] = await explain(one.db, (tx) =>
      tx.query("SELECT * FROM messages WHERE body = 'no' LIMIT 1"),
    )
    assert(all)
    assert.throws(() => judge(all, { rows: 1e9 }), /reads all of messages/)
  })
})

/** Written round by round, as time does it: the messages of one chat are not beside each other. */
async function seed({ url, db: { schema } }: TestDatabase): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`SET search_path TO "${schema}"; SET timezone TO 'UTC'; SET jit TO off;
      SET synchronous_commit TO off`)
    await client.query(
      `INSERT INTO users (username) SELECT 'plan' || i FROM generate_series(1, ${USERS}) i`,
    )
    await client.query(`
      INSERT INTO chats (id, kind, low_id, high_id, last_seq, active_day, last_at, changed_at, changed_day)
      SELECT md5(k::text)::uuid, 'direct', u.first + low, u.first + high, ${MESSAGES}, at::date, at, at, at::date
      FROM (SELECT k, CASE WHEN k < ${MINE} THEN 0 ELSE k % ${MINE} + 1 END AS low,
                CASE WHEN k < ${MINE} THEN k + 1 ELSE k % ${MINE} + 1 + k / ${MINE} END AS high,
                now() - (k % ${MINE}) * interval '30 minutes' AS at
              FROM generate_series(0, ${CHATS - 1}) k) c,
           (SELECT min(id) AS first FROM users WHERE username LIKE 'plan%') u`)
    await client.query(`
      INSERT INTO members (chat_id, user_id, read_seq, active_day, changed_day)
      SELECT c.id, u.id, ${MESSAGES - 1}, c.active_day, c.active_day
      FROM chats c, unnest(ARRAY[c.low_id, c.high_id]) AS u(id)`)
    await client.query(`
      INSERT INTO messages (chat_id, seq, sender_id, client_id, body, created_at)
      SELECT c.id, s, CASE WHEN s % 2 = 0 THEN c.low_id ELSE c.high_id END,
        md5(c.id::text || s)::uuid, repeat('x', 60), c.last_at - (${MESSAGES} - s) * interval '1 minute'
      FROM generate_series(1, ${MESSAGES}) s, chats c`)
    // One in each chat, and as many that nobody has.
    await client.query(`
      INSERT INTO files (id, owner_id, name, size, details, expires_at)
      SELECT md5('file' || c.id || e)::uuid, c.low_id, 'a.txt', 1,
        '{"kind": "file", "type": "text/plain"}', CASE WHEN e = 1 THEN now() END
      FROM chats c, generate_series(0, 1) e`)
    await client.query(`
      INSERT INTO message_files (chat_id, seq, file_id)
      SELECT id, last_seq, md5('file' || id || 0)::uuid FROM chats`)
  } finally {
    await client.end()
  }
}
