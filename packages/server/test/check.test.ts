/** `microchatter check`: clean after real use, and every kind of drift is found. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { checkDatabase, type CheckResult } from '../src/cli/check.ts'
import { Writer } from '../src/domain/writer.ts'
import { CHAT_CHECKS, type Drift, OTHER_CHECKS } from '../src/store/check.ts'
import { bumpRights, insertDirectChat, touchChats } from '../src/store/chats.ts'
import type { Database, Db } from '../src/store/db.ts'
import { updateDelivered } from '../src/store/delivered.ts'
import { clearChat, showChat, updateMember, updateReadSeq } from '../src/store/members.ts'
import { insertUser } from '../src/store/users.ts'
import {
  type Engine,
  engines,
  freshDatabase,
  skipOf,
  type TestDatabase,
} from './support/databases.ts'
import { createDatabase } from './support/postgres.ts'
import { run } from './support/process.ts'
import {
  admin,
  newName,
  newPerson,
  type Person,
  startServer,
  type TestServer,
} from './support/server.ts'

const check = (db: Database) => checkDatabase(db, { err: new PassThrough() })

async function makeUser(db: Database) {
  const username = newName()
  const row = await insertUser(db, { username })
  assert(row)
  return { id: row.id, username }
}

/** Two users, and a chat with three messages: of the first, the second, the first. */
async function makeChat(db: Database): Promise<Made> {
  const [ann, bob] = [await makeUser(db), await makeUser(db)]
  const { id } = await insertDirectChat(db, { id: randomUUID(), userId: ann.id, otherId: bob.id })
  const writer = new Writer(db, { onWritten: () => undefined, onDoubt: () => undefined })
  for (const sender of [ann, bob, ann]) {
    await writer.send({ chatId: id, sender, clientId: randomUUID(), body: 'hello' })
    // The embedded clock counts milliseconds: no two messages are of the same moment.
    await sleep(2)
  }
  return { id, ann: ann.id, bob: bob.id, other: randomUUID() }
}

const OF_CHAT = 'WHERE chat_id = $chat'
const OF_BOB = `${OF_CHAT} AND user_id = $bob`
const CHAT = 'WHERE id = $chat'
const MEMBER = 'INSERT INTO members (chat_id, user_id, active_day) VALUES'
const GROUP = `UPDATE chats SET kind = 'group', low_id = NULL, high_id = NULL ${CHAT};
  UPDATE members SET role = 'owner' ${OF_BOB}`
const EMPTY = `DELETE FROM messages ${OF_CHAT};
  UPDATE chats SET last_seq = 0, active_day = NULL ${CHAT};
  UPDATE members SET read_seq = 0, active_day = NULL ${OF_CHAT}`

/** What is done to a chat of one's own, and what is found: check, user, what is there; what should be. */
const DRIFTS: { [what: string]: { sql: string; finds: string[] } } = {
  nothing: { sql: 'SELECT 1', finds: [] },
  'a message is gone': {
    sql: `DELETE FROM messages ${OF_CHAT} AND seq = 2; UPDATE members SET read_seq = 0 ${OF_BOB}`,
    finds: ['seq: message 2 has seq 3; 2', 'unread bob: unread is 3; 2'],
  },
  'the last message is gone': {
    sql: `DELETE FROM messages ${OF_CHAT} AND seq = 3`,
    finds: [
      'last_seq: last_seq is 3; 2',
      'last_at: last_at is <time>; <time>, as the last message',
      'unread bob: unread is 1; 0',
    ],
  },
  'a seq comes twice': {
    sql: `INSERT INTO messages SELECT chat_id, seq, sender_id, gen_random_uuid(), body, created_at
      FROM messages ${OF_CHAT} AND seq = 3`,
    finds: ['seq: message 4 has seq 3; 4', 'unread bob: unread is 1; 2'],
  },
  'last_seq is too large': {
    sql: `UPDATE chats SET last_seq = 4 ${CHAT}`,
    finds: [
      'last_seq: last_seq is 4; 3',
      'unread ann: unread is 1; 0',
      'unread bob: unread is 2; 1',
    ],
  },
  'a message is older than the one before': {
    sql: `UPDATE messages SET created_at = created_at + interval '1 hour' ${OF_CHAT} AND seq = 2`,
    finds: ['created_at: message 3 is of <time>; <time> or later, as the one before'],
  },
  'last_at is another time': {
    sql: `UPDATE chats SET last_at = last_at - interval '1 millisecond' ${CHAT}`,
    finds: ['last_at: last_at is <time>; <time>, as the last message'],
  },
  'last_at is before the opening': {
    sql: `${EMPTY}; UPDATE chats SET last_at = created_at - interval '1 millisecond' ${CHAT}`,
    finds: ['last_at: last_at is <time>; <time> or later'],
  },
  'messages of no chat': {
    sql: `INSERT INTO messages VALUES ('$other', 1, $ann, gen_random_uuid(), 'hello', now())`,
    finds: ['messages: no such chat, and messages of it: 1; none'],
  },
  'a sender who is no member': {
    sql: `UPDATE messages SET sender_id = 1 ${OF_CHAT} AND seq = 2`,
    finds: ['sender #1: no member, and messages: 1; none'],
  },
  'a sender who is not there': {
    sql: `UPDATE messages SET sender_id = 987654321 ${OF_CHAT} AND seq = 2`,
    finds: ['sender #987654321: no such user, and messages: 1; none'],
  },
  'a clientId comes twice': {
    sql: `UPDATE messages SET client_id = '$other' ${OF_CHAT} AND sender_id = $ann`,
    finds: ['client_id ann: messages with clientId <id>: 2; 1'],
  },
  'a member of no chat': {
    sql: `INSERT INTO members (chat_id, user_id) VALUES ('$other', $ann)`,
    finds: ['members ann: no such chat, and a member; none'],
  },
  'a member who is not there': {
    sql: `${GROUP}; UPDATE chats SET member_count = 3 ${CHAT};
      ${MEMBER} ($chat, 987654321, current_date)`,
    finds: ['members #987654321: no such user, and a member; none'],
  },
  'the two are in the wrong order': {
    sql: `UPDATE chats SET low_id = high_id, high_id = low_id ${CHAT}`,
    finds: [
      'pair: a direct chat of low_id $bob and high_id $ann; of two users, the smaller id first',
    ],
  },
  'one of the two is not named': {
    sql: `UPDATE chats SET low_id = NULL ${CHAT}`,
    finds: [
      'pair: a direct chat of low_id null and high_id $bob; of two users, the smaller id first',
    ],
  },
  'one of the two has no row': {
    sql: `DELETE FROM members ${OF_BOB}`,
    finds: ['pair bob: no row of a member; one', 'sender bob: no member, and messages: 1; none'],
  },
  'a third in a direct chat': {
    sql: `${MEMBER} ($chat, 1, current_date)`,
    finds: ['pair #1: a member beside the two; none'],
  },
  'a counter below 0': {
    sql: `UPDATE chats SET rev = -1 ${CHAT}`,
    finds: ['counters: rev is -1, rights_rev 0; 0 or more'],
  },
  'read past the end': {
    sql: `UPDATE members SET read_seq = 4 ${OF_BOB}`,
    finds: ['read_seq bob: cleared_seq is 0, read_seq 4, last_seq 3; 0 or more and in this order'],
  },
  'cleared past what is read': {
    sql: `UPDATE members SET cleared_seq = 3 ${OF_BOB}`,
    finds: ['read_seq bob: cleared_seq is 3, read_seq 2, last_seq 3; 0 or more and in this order'],
  },
  'cleared below 0': {
    sql: `UPDATE members SET cleared_seq = -1 ${OF_BOB}`,
    finds: ['read_seq bob: cleared_seq is -1, read_seq 2, last_seq 3; 0 or more and in this order'],
  },
  'delivered past the end': {
    sql: `UPDATE members SET delivered_seq = 4 ${OF_BOB}`,
    finds: ['delivered_seq bob: delivered_seq is 4; 0 to 3'],
  },
  'a member is at another day than the chat': {
    sql: `UPDATE members SET active_day = NULL ${OF_BOB}`,
    finds: ['active_day bob: active_day is null; <day>, as the chat says'],
  },
  'the chat is at another day than its last message': {
    sql: `UPDATE chats SET active_day = active_day + 2 ${CHAT};
      UPDATE members SET active_day = active_day + 2 ${OF_CHAT}`,
    finds: ['active_day: active_day is <day>; <day>, as the last message'],
  },
  'a day without a message': {
    sql: `${EMPTY}; UPDATE chats SET active_day = current_date ${CHAT};
      UPDATE members SET active_day = current_date ${OF_CHAT}`,
    finds: ['active_day: active_day is <day>; null'],
  },
  'a message is on no list': {
    sql: `UPDATE chats SET active_day = NULL ${CHAT}; UPDATE members SET active_day = NULL ${OF_BOB}`,
    finds: ['listed bob: active_day is null; <day> or later, as the last message'],
  },
  'a chat is listed by a day before its last message': {
    sql: `UPDATE chats SET active_day = NULL ${CHAT};
      UPDATE members SET active_day = active_day - 2 ${OF_BOB}`,
    finds: ['listed bob: active_day is <day>; <day> or later, as the last message'],
  },
  'a request in a group': {
    sql: `UPDATE chats SET kind = 'group', low_id = NULL, high_id = NULL ${CHAT};
      UPDATE members SET role = 'owner', request = 'pending' ${OF_BOB}`,
    finds: ['request bob: request is pending, in a group chat; null'],
  },
  'a change that a sync would not find': {
    sql: `UPDATE members SET changed_day = changed_day - 1 ${OF_BOB}`,
    finds: ['changed_day bob: changed_day is <day>; <day> or later'],
  },
  'a number of members that is not theirs': {
    sql: `${GROUP}; UPDATE chats SET member_count = 3 ${CHAT}`,
    finds: ['member_count: member_count is 3; 2'],
  },
  'a group that nobody owns': {
    sql: `${GROUP}; UPDATE members SET role = 'admin' ${OF_BOB}`,
    finds: ['owner: a group without an owner; one or more'],
  },
  'a group of nobody, who sent its messages': {
    sql: `${GROUP}; DELETE FROM members ${OF_CHAT}; UPDATE chats SET member_count = 0 ${CHAT}`,
    finds: [],
  },
  'a member who has left': {
    sql: `${GROUP}; INSERT INTO departures (user_id, chat_id, rev) VALUES ($bob, $chat, 1)`,
    finds: ['departures bob: has left, and is a member; one of the two'],
  },
  'one who has left a direct chat': {
    sql: `INSERT INTO departures (user_id, chat_id, rev) VALUES (1, $chat, 1)`,
    finds: ['departures #1: has left no group; one of the two'],
  },
  'a group that is open by half': {
    sql: `${GROUP}; UPDATE chats SET settings = '{"open": true}' ${CHAT}`,
    finds: ['is_open: is_open is false; as settings.open'],
  },
  'a message that disappears, and is not to be erased': {
    sql: `UPDATE messages SET content = '{"expiresAt": "2999-01-01T00:00:00.000Z"}' ${OF_CHAT}
      AND seq = 2`,
    finds: ['expiring: message 2 is to be erased at no time; <time>, as it says'],
  },
  'a message that stays, and is to be erased': {
    sql: `INSERT INTO expiring VALUES ($chat, 2, '2999-01-01')`,
    finds: ['expiring: message 2 is to be erased at <time>; no time, as it says'],
  },
  'what is overdue beside a node at work': {
    sql: `INSERT INTO nodes (id, started_at, has_bus)
      VALUES (gen_random_uuid(), now() - interval '2 minutes', false);
      INSERT INTO reminders VALUES ($bob, $chat, 2, now() - interval '2 minutes')`,
    finds: [
      'due bob: a reminder of message 2 was due at <time>; done within a minute, as a node is at work',
    ],
  },
  'a file that a message does not show': {
    sql: `INSERT INTO files (id, owner_id, name, size) VALUES ('$other', $ann, 'a', 1);
      INSERT INTO message_files VALUES ($chat, 2, '$other')`,
    finds: ['message_files: message 2 keeps a file that it does not show; neither or both'],
  },
  'a file that is not kept': {
    sql: `UPDATE messages SET content = '{"files": [{"id": "$other"}]}' ${OF_CHAT} AND seq = 2`,
    finds: ['message_files: message 2 shows a file that is not kept for it; neither or both'],
  },
  'a file that is gone': {
    sql: `UPDATE messages SET content = '{"files": [{"id": "$other"}]}' ${OF_CHAT} AND seq = 2;
      INSERT INTO message_files VALUES ($chat, 2, '$other')`,
    finds: ['message_files: message 2 has a file that is gone; neither or both'],
  },
  'two direct chats of two': {
    sql: `INSERT INTO chats (id, kind, low_id, high_id) VALUES ('$other', 'direct', $ann, $bob);
      INSERT INTO members (chat_id, user_id) VALUES ('$other', $ann), ('$other', $bob)`,
    finds: ['direct ann: direct chats with user #$bob: 2; 1'],
  },
  'a block of someone who is not there': {
    sql: 'INSERT INTO blocks VALUES ($ann, 987654321)',
    finds: ['blocks ann: a block of user #987654321; of users who are there'],
  },
  'a block of oneself': {
    sql: 'INSERT INTO blocks VALUES ($ann, $ann)',
    finds: ['blocks ann: a block of user #$ann; of someone else'],
  },
  'a block without a chat': {
    sql: 'INSERT INTO blocks VALUES ($ann, 1)',
    finds: ['blocks ann: a block of user #1; with a direct chat of the two'],
  },
  'a message after a block': {
    sql: `INSERT INTO blocks VALUES ($ann, $bob, now() - interval '1 minute')`,
    finds: [
      'blocks ann: a block of user #$bob; later than the last message: it is of <time>, that of <time>',
    ],
  },
  'personal data of a deleted account': {
    sql: `UPDATE users SET username = NULL, active = false, picture = 'https://x.test' WHERE id = $bob`,
    finds: ['erased bob: a deleted account with personal data; none of them'],
  },
}

for (const engine of engines)
  describe(`check on ${engine}`, { skip: skipOf(engine) }, () => {
    let one: TestDatabase
    before(async () => {
      one = await freshDatabase(engine)
    })
    after(() => one.drop())

    test('after messages, blocks, deletions and all else, there is none', async (t) => {
      const { server, close } = await startApart(engine)
      t.after(close)
      await useAll(server)
      if (engine === 'embedded') await server.close()
      const { code, out, err } = await run(['check'], server.env)
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, /^Checked 7 chats, 53 messages, 12 members: no drift\.\n$/)
      const { out: json } = await run(['check', '--json'], server.env)
      assert.deepEqual(JSON.parse(json), {
        chats: 7,
        messages: 53,
        members: 12,
        drifts: [],
        more: 0,
      })
    })

    test('[SYNC-3] of two transactions at midnight, the one from before it may come last', async () => {
      const { id, ann, bob } = await makeChat(one.db)
      const changes: Record<string, (tx: Db) => Promise<unknown>> = {
        touchChats: (tx) => touchChats(tx, [id]),
        updateMember: (tx) => updateMember(tx, id, ann, { pinned: true }),
        showChat: (tx) => showChat(tx, id, ann),
        clearChat: (tx) => clearChat(tx, { chatId: id, userId: ann, seq: 3 }),
        updateDelivered: async (tx) => {
          const moved = await updateDelivered(tx, [{ chatId: id, userId: bob, seq: 3 }])
          assert.equal(moved.length, 1)
        },
        updateReadSeq: (tx) => updateReadSeq(tx, { chatId: id, userId: ann, seq: 3, back: false }),
      }
      for (const [name, change] of Object.entries(changes)) {
        // What `touchChats` leaves when its day is the next one.
        await one.db.query(`
          UPDATE chats SET changed_day = current_date + 1 WHERE id = '${id}';
          UPDATE members SET changed_day = current_date + 1 WHERE chat_id = '${id}'`)
        await one.db.transaction(async (tx) => {
          await bumpRights(tx, id)
          await change(tx)
        })
        const { drifts } = await check(one.db)
        assert.deepEqual(
          drifts.filter(({ chatId }) => chatId === id),
          [],
          name,
        )
      }
      const [chat] = await one.db.query<{ is_kept: boolean }>(
        `SELECT changed_day > current_date AS is_kept FROM chats WHERE id = '${id}'`,
      )
      assert(chat?.is_kept)
    })

    test('every kind of drift is found, each by itself, and only once', async () => {
      const chats = new Map<string, Made>()
      for (const what of Object.keys(DRIFTS)) chats.set(what, await makeChat(one.db))
      // What the database itself would refuse.
      await one.db.query(`ALTER TABLE messages DROP CONSTRAINT messages_pkey;
        DROP INDEX messages_once; ALTER TABLE chats DROP CONSTRAINT chats_low_id_high_id_key`)
      for (const [what, { sql }] of Object.entries(DRIFTS))
        await one.db.query(fillIn(sql, chats.get(what)!))
      const { drifts, more, ...counts } = await check(one.db)
      const left = new Set(drifts)
      for (const [what, { finds }] of Object.entries(DRIFTS)) {
        const made = chats.get(what)!
        const found = drifts.filter((drift) => isOf(drift, made))
        assert.deepEqual(found.map((drift) => toLine(drift, made)).sort(), finds.sort(), what)
        for (const drift of found) left.delete(drift)
      }
      assert.deepEqual([...left], [])
      assert.equal(more, 0)
      const cases = chats.size
      assert.deepEqual([counts.chats, counts.members], [cases + 2, 2 * cases + 4])
      const names = new Set(drifts.map((drift) => drift.check))
      const silent = [...CHAT_CHECKS, ...OTHER_CHECKS].filter(({ name }) => !names.has(name))
      assert.deepEqual(
        silent.map(({ name }) => name),
        ['system'],
      )
    })

    test('of many drifts the first 100 are told, in one pass over many ranges', async () => {
      await one.db.query(`
        UPDATE users SET username = 'was-system' WHERE username = 'system';
        INSERT INTO chats (id, kind, low_id, high_id, rev, member_count)
        SELECT gen_random_uuid(), 'group', NULL, NULL, -1, 0 FROM generate_series(1, 2500)`)
      const before = await check(one.db)
      assert.equal(before.drifts.length, 100)
      assert(before.more > 2_400)
      await one.db.query('UPDATE chats SET rev = 0 WHERE rev < 0')
      const after = await check(one.db)
      const all = (result: CheckResult) => result.drifts.length + result.more
      // One of them stems from the test before.
      assert.equal(all(before) - all(after), 2_501)
      assert(after.drifts.some(({ found }) => found === 'there is no user "system"'))
    })
  })

describe('the command', { skip: skipOf('postgres') }, () => {
  let one: TestDatabase
  before(async () => {
    one = await freshDatabase('postgres')
  })
  after(() => one.drop())
  const command = (...args: string[]) =>
    run(['check', ...args], { DATABASE_URL: one.url, MICROCHATTER_SCHEMA: one.db.schema })

  test('prints a line for each drift, and ends with 1', async () => {
    const { id, bob } = await makeChat(one.db)
    await one.db.query('UPDATE members SET read_seq = 4 WHERE user_id = $1', [bob])
    const { code, out } = await command()
    assert.equal(code, 1)
    const [row] = await one.db.query<{ username: string }>(
      'SELECT username FROM users WHERE id = $1',
      [bob],
    )
    assert.deepEqual(out.split('\n'), [
      `read_seq: chat ${id}, user "${row?.username}": cleared_seq is 0, read_seq 4, last_seq 3; should be 0 or more and in this order`,
      'Checked 1 chat, 3 messages, 2 members: 1 drift.',
      '',
    ])
    const { out: json } = await command('--json')
    assert.deepEqual(JSON.parse(json).drifts, [
      {
        check: 'read_seq',
        chatId: id,
        userId: bob,
        username: row?.username,
        found: 'cleared_seq is 0, read_seq 4, last_seq 3',
        due: '0 or more and in this order',
      },
    ])
  })

  test('changes nothing, not even the schema', async () => {
    await one.db.query('DELETE FROM migrations')
    const { code, err } = await command()
    assert.equal(code, 1)
    assert.match(err, /lacks 0001_start\.sql.*microchatter migrate/)
    assert.deepEqual(await one.db.query('SELECT * FROM migrations'), [])
  })
})

interface Made {
  id: string
  ann: number
  bob: number
  /** An id for another chat, or for a message. */
  other: string
}

function fillIn(sql: string, { id, other, ann, bob }: Made): string {
  const values: Record<string, string> = { chat: `'${id}'`, other, ann: `${ann}`, bob: `${bob}` }
  return sql.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? '')
}

function isOf({ chatId, userId }: Drift, { id, other, ann, bob }: Made): boolean {
  return chatId === undefined ? userId === ann || userId === bob : [id, other].includes(chatId)
}

function toLine({ check, userId, found, due }: Drift, { ann, bob }: Made): string {
  const names = new Map([
    [ann, 'ann'],
    [bob, 'bob'],
  ])
  const user = userId === undefined ? '' : ` ${names.get(userId) ?? `#${userId}`}`
  return `${check}${user}: ${found}; ${due}`
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00/g, '<time>')
    .replaceAll(/\d{4}-\d\d-\d\d/g, '<day>')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/(?<=(#|low_id |high_id ))\d+/g, (id) => {
      const name = names.get(Number(id))
      return name === undefined ? id : `$${name}`
    })
}

/** A server whose data are still there after its end. */
async function startApart(engine: Engine) {
  const folder = await mkdtemp(join(tmpdir(), 'microchatter-check-'))
  const database = engine === 'postgres' ? await createDatabase() : undefined
  const server = await startServer(engine, {
    MICROCHATTER_DATA_DIR: folder,
    ...(database ? { DATABASE_URL: database.url } : {}),
  })
  return {
    server,
    async close() {
      await server.close()
      await database?.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Of everything that changes a chat, something. */
async function useAll(server: TestServer): Promise<void> {
  const [ann, bob, cat, dan] = await Promise.all([1, 2, 3, 4].map(() => newPerson(server)))
  assert(ann && bob && cat && dan)
  const { chatId } = await ann.sendTo(bob, 'one')
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => (n % 2 ? ann : bob).sendTo(n % 2 ? bob : ann, `${n}`)),
  )
  await bob.ask('PUT', `/chats/${chatId}/read`, { seq: 41 })
  await bob.ask('PUT', `/chats/${chatId}/read`, { seq: 20, unread: true })
  await ann.ask('PATCH', `/chats/${chatId}`, { archived: true, muted: true, pinned: true })
  const sendAt = new Date(Date.now() + 3_600_000).toISOString()
  await ann.ask('POST', `/chats/${chatId}/scheduled`, { body: 'later', sendAt })
  await bob.ask('PUT', `/chats/${chatId}/messages/20/reminder`, { at: sendAt })
  await bob.sendTo(ann, 'again')
  await bob.ask('DELETE', `/chats/${chatId}`)
  await ann.sendTo(ann, 'to myself')
  await cat.ask('POST', '/chats', { username: ann.username })
  await cat.ask('PUT', `/users/me/blocks/${bob.username}`)
  await dan.sendTo(cat, 'before the block')
  await cat.ask('PUT', `/users/me/blocks/${dan.username}`)
  await admin(server).sendTo(dan, 'a notice', { as: 'system' })
  await dan.ask('PATCH', '/users/me', { displayName: 'Dan D.' })
  await bob.sendTo(ann, 'back')
  await ann.ask('DELETE', `/chats/${chatId}`)
  await useGroup([ann, bob, cat, dan])
  await admin(server).ask('DELETE', `/users/${dan.username}`)
  await ann.ask('POST', '/chats', { username: bob.username })
}

/** Seven messages; in the end ann and dan are in it. */
async function useGroup([ann, bob, cat, dan]: [Person, Person, Person, Person]): Promise<void> {
  const group = { kind: 'group', title: 'Group', members: [bob.username, dan.username] }
  const { id } = await ann.ask('POST', '/chats', group)
  await ann.ask('PATCH', `/chats/${id}`, { title: 'Open', settings: { open: true } })
  await ann.ask('PATCH', `/chats/${id}/members/${bob.username}`, { role: 'admin' })
  await cat.ask('POST', `/chats/${id}/join`)
  await bob.ask('DELETE', `/chats/${id}/members/${cat.username}`)
  await ann.ask('POST', `/chats/${id}/messages`, { body: 'hello' })
  await bob.ask('DELETE', `/chats/${id}/members/me`)
}
