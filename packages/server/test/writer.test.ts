import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Sent } from '../src/domain/batch.ts'
import { ChatError } from '../src/domain/errors.ts'
import { Writer } from '../src/domain/writer.ts'
import { insertBlock } from '../src/store/blocks.ts'
import { bumpRights, insertDirectChat } from '../src/store/chats.ts'
import { selectChat } from '../src/store/members.ts'
import { insertUser } from '../src/store/users.ts'
import { engines, freshDatabase, skipOf, type TestDatabase } from './support/databases.ts'

const LISTENER = { onWritten: () => undefined, onDoubt: () => undefined }

for (const engine of engines)
  describe(`writer on ${engine}`, { skip: skipOf(engine) }, () => {
    let one: TestDatabase
    let written: Sent[]
    let writer: Writer

    before(async () => {
      one = await freshDatabase(engine)
    })
    after(() => one.drop())

    async function user(name: string) {
      const username = `${name}-${randomUUID()}`
      const row = await insertUser(one.db, { username })
      assert(row)
      return { id: row.id, username }
    }

    async function pair() {
      written = []
      writer = new Writer(one.db, {
        ...LISTENER,
        onWritten: (chats) => {
          for (const { messages } of chats) written.push(...messages)
        },
      })
      const [a, b] = [await user('a'), await user('b')]
      const { id } = await insertDirectChat(one.db, {
        id: randomUUID(),
        userId: a.id,
        otherId: b.id,
      })
      return { a, b, id }
    }

    type Sender = { id: number; username: string }
    function send(chatId: string, sender: Sender, body: string, clientId: string = randomUUID()) {
      return writer.send({ chatId, sender, clientId, body })
    }

    async function rows(chatId: string) {
      return one.db.query<{ seq: number; sender_id: number; body: string }>(
        'SELECT seq, sender_id, body FROM messages WHERE chat_id = $1 ORDER BY seq',
        [chatId],
      )
    }

    test('[SEND-3] a repeat is the first message after 25 hours and after 90 days, and in a new process', async () => {
      const { a, id } = await pair()
      const draft = { chatId: id, sender: a, clientId: randomUUID(), body: 'once' }
      const first = await writer.send(draft)
      await writer.send({ ...draft, clientId: randomUUID(), body: 'later' })
      for (const age of ['25 hours', '90 days']) {
        await one.db.query(
          `UPDATE messages SET created_at = created_at - $2::interval WHERE chat_id = $1`,
          [id, age],
        )
        assert.equal(
          (await new Writer(one.db, LISTENER).send(draft)).message.seq,
          first.message.seq,
        )
      }
      assert.equal((await rows(id)).length, 2)
    })

    test('[SEND-2] 50 concurrent senders into one chat give seq 1…N without gap or repeat', async () => {
      const { a, id } = await pair()
      const senders = [a]
      while (senders.length < 50) senders.push(await user('many'))
      // A direct chat has two members; the numbering knows any number.
      await one.db.query(`UPDATE chats SET kind = 'group' WHERE id = $1`, [id])
      await one.db.query(
        'INSERT INTO members (chat_id, user_id) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING',
        [id, senders.map((sender) => sender.id)],
      )
      const others = new Writer(one.db, LISTENER)
      const writers = [writer, others]
      const sent = await Promise.all(
        senders.flatMap((sender, index) =>
          Array.from({ length: 20 }, (_, n) =>
            writers[index % 2]!.send({
              chatId: id,
              sender,
              clientId: randomUUID(),
              body: `${index}/${n}`,
            }),
          ),
        ),
      )
      const seqs = sent.map(seqOf).sort((x, y) => x - y)
      assert.deepEqual(
        seqs,
        Array.from({ length: 1_000 }, (_, index) => index + 1),
      )
      assert.deepEqual(
        (await rows(id)).map(({ seq }) => seq),
        seqs,
      )
      // Each sender's messages keep their order.
      for (const [index] of senders.entries()) {
        const mine = sent.slice(index * 20, index * 20 + 20).map(seqOf)
        assert.deepEqual(
          mine,
          [...mine].sort((x, y) => x - y),
        )
      }
    })

    test('[SEND-3] the same clientId 20 times at once is one message', async () => {
      const { a, id } = await pair()
      const clientId = randomUUID()
      const other = new Writer(one.db, LISTENER)
      const sent = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (n % 2 ? other : writer).send({ chatId: id, sender: a, clientId, body: 'once' }),
        ),
      )
      assert.deepEqual([...new Set(sent.map(seqOf))], [1])
      assert.equal((await rows(id)).length, 1)
      assert.equal((await send(id, a, 'once', clientId)).message.seq, 1)
    })

    test('[SEND-3] the same clientId with other content is refused, alone', async () => {
      const { a, id } = await pair()
      const clientId = randomUUID()
      const both = [send(id, a, 'first', clientId), send(id, a, 'second', clientId)]
      const results = await Promise.allSettled([...both, send(id, a, 'third')])
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      )
      await assert.rejects(send(id, a, 'fourth', clientId), isError('client_id_reused'))
      assert.deepEqual(
        (await rows(id)).map(({ body }) => body),
        ['first', 'third'],
      )
    })

    test('[SEND-5] one bad message in a batch fails alone', async () => {
      const { a, b, id } = await pair()
      const results = await Promise.allSettled([
        send(id, a, 'good 1'),
        // PostgreSQL refuses NUL; the domain would have refused it before.
        send(id, b, 'bad \0'),
        send(id, a, 'good 2'),
        send(id, b, 'good 3'),
      ])
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
      )
      assert.deepEqual(
        (await rows(id)).map(({ body }) => body),
        ['good 1', 'good 2', 'good 3'],
      )
    })

    test('[SEND-4] a block counts from its commit on, whatever is cached', async () => {
      const { a, b, id } = await pair()
      await send(id, a, 'before')
      await one.db.transaction(async (tx) => {
        await bumpRights(tx, id)
        await insertBlock(tx, b.id, a.id)
      })
      await assert.rejects(send(id, a, 'after'), isError('blocked'))
      await assert.rejects(send(id, b, 'after'), isError('blocked'))
      assert.equal((await rows(id)).length, 1)
    })

    test('[SEND-4] of blocks and sends that race, none is stored after the block', async () => {
      const { a, b, id } = await pair()
      const sends = Array.from({ length: 200 }, (_, n) => send(id, a, `${n}`))
      const blocked = one.db.transaction(async (tx) => {
        const { lastSeq } = await bumpRights(tx, id)
        await insertBlock(tx, b.id, a.id)
        return lastSeq
      })
      const later = Array.from({ length: 200 }, (_, n) => send(id, a, `later ${n}`))
      const results = await Promise.allSettled([...sends, ...later])
      const stored = results.filter(({ status }) => status === 'fulfilled').length
      assert.equal(stored, await blocked)
      assert.equal((await rows(id)).length, stored)
    })

    test('[SEND-3] a retry of what was sent before the block gets its first answer', async () => {
      const { a, b, id } = await pair()
      const clientId = randomUUID()
      const first = await send(id, a, 'hello', clientId)
      await one.db.transaction(async (tx) => {
        await bumpRights(tx, id)
        await insertBlock(tx, b.id, a.id)
      })
      const again: Sent = await send(id, a, 'hello', clientId)
      assert.equal(again.message.seq, first.message.seq)
    })

    test('[READ-1] sending moves my own read seq, and the chat onto both lists', async () => {
      const { a, b, id } = await pair()
      await send(id, a, 'one')
      await send(id, a, 'two')
      await send(id, b, 'three')
      const [mine] = await selectChat(one.db, id, [a.id])
      const [theirs] = await selectChat(one.db, id, [b.id])
      assert.deepEqual([mine?.last_seq, mine?.read_seq], [3, 2])
      assert.deepEqual([theirs?.last_seq, theirs?.read_seq], [3, 3])
      assert.notEqual(mine?.active_day, null)
      assert.notEqual(theirs?.active_day, null)
    })

    test('[SEND-6] what is published is committed, once, in the order of seq', async () => {
      const { a, b, id } = await pair()
      await Promise.all(Array.from({ length: 300 }, (_, n) => send(id, n % 2 ? a : b, String(n))))
      assert.deepEqual(
        written.map(({ message }) => message.seq),
        Array.from({ length: 300 }, (_, index) => index + 1),
      )
      const stored = await rows(id)
      assert.deepEqual(
        written.map(({ message }) => message.body),
        stored.map(({ body }) => body),
      )
    })

    test('strangers and chats that are not there answer the same', async () => {
      const { id } = await pair()
      const stranger = await user('stranger')
      await assert.rejects(send(id, stranger, 'hi'), isError('not_found'))
      await assert.rejects(send(randomUUID(), stranger, 'hi'), isError('not_found'))
    })

    test('more than the queue holds is refused, and what was taken is written', async () => {
      const { a, id } = await pair()
      const results = await Promise.allSettled(
        Array.from({ length: 8_300 }, (_, n) => send(id, a, String(n))),
      )
      const stored = results.filter(({ status }) => status === 'fulfilled').length
      assert.equal(stored, 8_192)
      assert.equal((await rows(id)).length, stored)
      const refused = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult
      assert(isError('busy')(refused.reason))
    })
  })

function isError(code: string) {
  return (error: unknown) => error instanceof ChatError && error.code === code
}

function seqOf({ message }: Sent): number {
  return message.seq
}
