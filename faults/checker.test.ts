/** The checker itself: a sound history is green, and each thing that may go wrong is seen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, type Evidence } from './checker.ts'
import type { Call } from './history.ts'

const CHAT = 'c1'

function send(id: number, more: Partial<Call> = {}): Call {
  return {
    id,
    kind: 'send',
    user: 'ann',
    device: 0,
    chatId: CHAT,
    clientId: `client-${id}`,
    body: `text ${id}`,
    invokedAt: 10 * id,
    answeredAt: 10 * id + 5,
    outcome: 'ok',
    seq: id,
    attempts: [{ at: 10 * id, ms: 5, via: 'rest', result: 'ok', clean: true }],
    ...more,
  }
}

function row(seq: number, more: object = {}) {
  const of = { chatId: CHAT, seq, sender: 'ann', clientId: `client-${seq}`, body: `text ${seq}` }
  return { ...of, ...more }
}

function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    calls: [send(1), send(2)],
    messages: [row(1), row(2)],
    chats: [
      {
        id: CHAT,
        lastSeq: 2,
        members: [
          { user: 'ann', readSeq: 2, clearedSeq: 0 },
          { user: 'bob', readSeq: 1, clearedSeq: 0 },
        ],
      },
    ],
    heardOf: new Map([['bob', new Set([CHAT])]]),
    differences: [],
    deaths: [],
    drifts: [],
    broken: [],
    ...more,
  }
}

function look(id: number, kind: Call['kind'], seq?: number): Call {
  const { clientId: _, body: __, seq: ___, ...call } = send(id)
  return { ...call, kind, user: 'bob', ...(seq === undefined ? {} : { seq }) }
}

test('a sound history is green', () => {
  assert.deepEqual(check(evidence()), [])
})

const WRONG: Record<string, [rule: string, Partial<Evidence>]> = {
  'an acknowledged message is not there': ['I1', { calls: [send(1), send(2), send(3)] }],
  'a message was never sent': ['I2', { calls: [send(1)] }],
  'a message is stored for someone else': ['I2', { messages: [row(1), row(2, { sender: 'bob' })] }],
  'a message is stored twice': [
    'I3',
    { messages: [row(1), row(2), row(3, { body: 'text 2', clientId: 'client-2' })] },
  ],
  'two answers of a message differ': [
    'I3',
    { calls: [send(1), send(2), send(3, { ...send(2), again: true, seq: 1 })] },
  ],
  'a seq is left out': ['I4', { messages: [row(1), row(3, { body: 'text 2' })] }],
  'the last seq of a chat is not that of its last message': [
    'I4',
    { chats: [{ id: CHAT, lastSeq: 5, members: [] }], heardOf: new Map() },
  ],
  'a later message has the smaller seq': [
    'I5',
    { calls: [send(1, { invokedAt: 90, answeredAt: 95 }), send(2)] },
  ],
  'a burst changed its order': [
    'I6',
    {
      calls: [
        send(2, { burst: 1, invokedAt: 1, answeredAt: 9 }),
        send(1, { burst: 1, invokedAt: 2, answeredAt: 9 }),
      ],
    },
  ],
  'a client differs from a fetch': ['I8', { differences: ['device 1 of bob: …'] }],
  'a read mark went back': ['I11', { calls: [send(1), send(2), look(3, 'read', 2)] }],
  'a message came in spite of a block': [
    'I12',
    { calls: [send(1), send(2), look(3, 'block'), look(4, 'look', 1), look(5, 'look', 2)] },
  ],
  'someone was told of a chat of others': ['I15', { heardOf: new Map([['eve', new Set([CHAT])]]) }],
  'a call was never answered': ['I18', { calls: [send(1), send(2), send(3, { outcome: 'open' })] }],
  'an answer was late': [
    'I18',
    {
      calls: [
        send(1),
        send(2, { attempts: [{ at: 0, ms: 9_000, via: 'rest', result: 'ok', clean: true }] }),
      ],
    },
  ],
  'a process ended': ['I19', { deaths: ['ended with SIGSEGV'] }],
}

for (const [name, [rule, more]] of Object.entries(WRONG))
  test(`${rule}: ${name}`, () => {
    const rules = check(evidence(more)).map((violation) => violation.rule)
    assert(rules.includes(rule), `found only ${rules.join(', ') || 'nothing'}`)
  })

test('a block that held, a mark that was put back on purpose, and late answers of a network are fine', () => {
  const calls = [
    send(1),
    send(2, { attempts: [{ at: 0, ms: 9_000, via: 'rest', result: 'timeout', clean: false }] }),
    look(3, 'block'),
    look(4, 'look', 2),
    look(5, 'look', 2),
    look(6, 'unblock'),
    look(7, 'read', 2),
    { ...look(8, 'read', 1), back: true },
  ]
  assert.deepEqual(check(evidence({ calls })), [])
})

test('the smallest history comes first', () => {
  const calls = [send(1, { invokedAt: 90, answeredAt: 95 }), send(2), send(3)]
  const [first] = check(evidence({ calls }))
  assert.equal(first?.rule, 'I1')
})
