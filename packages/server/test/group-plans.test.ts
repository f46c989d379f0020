/** What the statements about a group of 10,000 members read: for most of what happens, a few rows. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { bumpRights } from '../src/store/chats.ts'
import type { Db } from '../src/store/db.ts'
import { selectDepartures } from '../src/store/departures.ts'
import { selectHeads } from '../src/store/heads.ts'
import { bumpGroup, lockChatOf, selectOpenGroups } from '../src/store/groups.ts'
import { insertInvite, selectInvites } from '../src/store/invites.ts'
import { selectContactIds } from '../src/store/contacts.ts'
import {
  deleteMember,
  hasOtherOwner,
  insertMembers,
  promoteHeirs,
  selectMember,
  selectMemberPage,
  selectRole,
  updateRole,
} from '../src/store/memberships.ts'
import { insertMessages, selectMessages } from '../src/store/messages.ts'
import { insertSystemMessage } from '../src/store/system.ts'
import { freshDatabase, skipOf, type TestDatabase } from './support/databases.ts'
import { type Bounds, explain, judge } from './support/plans.ts'

const MEMBERS = 10_000
const OPEN = 2_000
const PAGE = 50
const GROUP = randomUUID()

describe('plans of a large group', { skip: skipOf('postgres') }, () => {
  let one: TestDatabase
  let first: number
  before(async () => {
    one = await freshDatabase('postgres')
    first = await seed(one.db)
  })
  after(() => one.drop())

  const send = (tx: Db, touch: boolean, rightsRev = 0) =>
    insertMessages(tx, [
      {
        chatId: GROUP,
        rightsRev,
        touch,
        messages: [{ senderId: first, clientId: randomUUID(), body: 'hello' }],
      },
    ])
  const tell = (tx: Db) =>
    insertSystemMessage(tx, {
      chatId: GROUP,
      actorId: first,
      event: { type: 'member.added', userIds: [first + 1, first + 2] },
    })
  const page = (tx: Db, after?: { role: 'member'; userId: number }) =>
    selectMemberPage(tx, GROUP, { search: undefined, after, limit: PAGE })

  const CASES: Record<string, [Bounds, (tx: Db) => Promise<unknown>]> = {
    'a message': [{ rows: 1 }, (tx) => send(tx, false)],
    // All are looked at, twice; none is written.
    'a message after someone has archived it': [
      { rows: 1, read: MEMBERS },
      async (tx) => {
        await bumpRights(tx, GROUP)
        await send(tx, true, 1)
      },
    ],
    'a system message, and its names': [
      { rows: 2 },
      async (tx) => {
        const { seq } = await tell(tx)
        await selectMessages(tx, { chatId: GROUP, from: seq, to: seq })
      },
    ],
    'a change of the group': [
      { rows: 1 },
      async (tx) => {
        await lockChatOf(tx, GROUP, first)
        await selectRole(tx, GROUP, first)
        await bumpGroup(tx, GROUP)
      },
    ],
    'who comes': [
      { rows: 2 },
      (tx) =>
        insertMembers(tx, {
          chatId: GROUP,
          userIds: [first + MEMBERS, first + MEMBERS + 1],
          role: 'member',
          fromNow: true,
        }),
    ],
    'who goes': [
      { rows: 1 },
      async (tx) => {
        await selectMember(tx, GROUP, 'member77')
        await hasOtherOwner(tx, GROUP, first)
        await deleteMember(tx, GROUP, first + 77)
        await updateRole(tx, GROUP, first + 78, 'admin')
      },
    ],
    'the first page of members': [{ rows: PAGE, sorted: 3 * PAGE }, (tx) => page(tx)],
    'members by the start of a name': [
      { rows: 1, read: MEMBERS, sorted: MEMBERS },
      (tx) => selectMemberPage(tx, GROUP, { search: 'MEMBER77', after: undefined, limit: PAGE }),
    ],
    'a page in the middle': [
      { rows: PAGE, sorted: 3 * PAGE },
      (tx) => page(tx, { role: 'member', userId: first + MEMBERS / 2 }),
    ],
    'an heir': [
      { rows: 1, read: MEMBERS, sorted: MEMBERS },
      async (tx) => {
        await updateRole(tx, GROUP, first, 'member')
        await promoteHeirs(tx, [GROUP])
      },
    ],
    'a page of open groups': [
      { rows: PAGE },
      (tx) =>
        selectOpenGroups(tx, first, {
          search: 'Group 1',
          after: ['group 1100', randomUUID()],
          limit: PAGE,
        }),
    ],
    links: [
      { rows: 2 },
      async (tx) => {
        const code = randomUUID()
        const invite = { code, chatId: GROUP, createdBy: first, expiresAt: undefined, maxUses: 1 }
        await insertInvite(tx, invite, 50)
        await selectInvites(tx, GROUP)
      },
    ],
    'what 64 have left': [
      { rows: 64 },
      (tx) =>
        selectDepartures(
          tx,
          Array.from({ length: 64 }, (_, n) => ({ userId: first + n, since: new Date(0) })),
          201,
        ),
    ],
    'heads of 64 who are in it or have left': [
      { rows: 2 * 64 },
      (tx) =>
        selectHeads(
          tx,
          Array.from({ length: 64 }, (_, n) => first + n),
          new Date(Date.now() - 3_600_000),
        ),
    ],
    'contacts, but not of a large group': [
      { rows: 1 },
      (tx) => selectContactIds(tx, first + 5, 1_000),
    ],
  }
  /** Without statistics a page is sorted out of all that there is: of a group, or of the open ones. */
  const PAGES = ['the first page of members', 'a page in the middle', 'a page of open groups']
  const boundsOf = (name: string, bounds: Bounds, state: string) =>
    state === 'new' && PAGES.includes(name) ? { ...bounds, read: MEMBERS, sorted: MEMBERS } : bounds

  for (const state of ['new', 'analysed'] as const)
    describe(`of ${state} tables`, () => {
      if (state === 'analysed')
        before(() => one.db.transaction((tx) => tx.query('ANALYZE'), { maxMs: 60_000 }))
      for (const [name, [bounds, work]] of Object.entries(CASES))
        test(`[GROUP-9] ${name}`, async () => {
          const statements = await explain(one.db, work)
          assert(statements.length > 0)
          for (const statement of statements) judge(statement, boundsOf(name, bounds, state))
        })
    })

  test('[MERGE-6] who is told of a message that brings the chat back, and whose rows are written', async () => {
    const [hidden, archived, muted] = [first + 10, first + 11, first + 12]
    await one.db.query(
      `UPDATE members SET active_day = CASE WHEN user_id <> $1 THEN active_day END,
         archived = user_id <> $1, muted_until = CASE WHEN user_id = $3 THEN 'infinity'::timestamptz END
       WHERE user_id = ANY(ARRAY[$1, $2, $3]::bigint[])`,
      [hidden, archived, muted],
    )
    await bumpRights(one.db, GROUP)
    const [numbered] = await send(one.db, true, 1)
    assert.deepEqual(numbered?.appeared?.sort(), [hidden, archived])
    const written = await one.db.query<{ user_id: number }>(
      `SELECT user_id FROM members WHERE xmin = (SELECT xmin FROM chats WHERE id = $1)
       ORDER BY user_id`,
      [GROUP],
    )
    assert.deepEqual(
      written.map(({ user_id }) => user_id),
      [first, hidden, archived, muted],
    )
    const [next] = await send(one.db, false, 1)
    assert.equal(next?.appeared, null)
  })
})

/** The group, 2,000 open ones of nobody else, and as many who have left each of them. Returns the owner's id. */
async function seed(db: Db): Promise<number> {
  await db.query(
    `INSERT INTO users (username) SELECT 'member' || i FROM generate_series(0, ${MEMBERS + 1}) i`,
  )
  const [row] = await db.query<{ first: number }>(
    `SELECT min(id) AS first FROM users WHERE username LIKE 'member%'`,
  )
  assert(row)
  const { first } = row
  await db.query(
    `INSERT INTO chats (id, kind, title, member_count, last_seq, active_day)
     VALUES ($1, 'group', 'Large', ${MEMBERS}, 0, current_date)`,
    [GROUP],
  )
  await db.query(
    `INSERT INTO members (chat_id, user_id, role, active_day)
     SELECT $1, $2 + i, CASE WHEN i = 0 THEN 'owner' WHEN i < 3 THEN 'admin' ELSE 'member' END,
       current_date FROM generate_series(0, ${MEMBERS - 1}) i`,
    [GROUP, first],
  )
  await db.query(
    `INSERT INTO chats (id, kind, title, is_open, member_count, settings)
     SELECT md5('open' || i)::uuid, 'group', 'Group ' || i, true, 1, '{"open": true}'
     FROM generate_series(1, ${OPEN}) i`,
  )
  await db.query(
    `INSERT INTO departures (user_id, chat_id, rev)
     SELECT $1 + i, md5('open' || i)::uuid, 1 FROM generate_series(1, ${OPEN}) i`,
    [first],
  )
  return first
}
