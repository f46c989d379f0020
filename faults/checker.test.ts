/** The checker itself: a sound history is green, and each thing that may go wrong is seen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from './checker.ts'
import type { Evidence } from './evidence.ts'
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
  const plain = { change: 0, createdAt: 0, kind: null, isErased: null }
  return { ...of, ...plain, deletedAt: null, expiresAt: null, ...more }
}

function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    calls: [send(1), send(2)],
    messages: [row(1), row(2)],
    chats: [
      {
        id: CHAT,
        lastSeq: 2,
        changes: 0,
        left: [],
        members: [
          { user: 'ann', readSeq: 2, clearedSeq: 0 },
          { user: 'bob', readSeq: 1, clearedSeq: 0 },
        ],
      },
    ],
    heardOf: new Map([['bob', new Map([[CHAT, 2]])]]),
    values: new Map([
      [`text ${CHAT} 1`, 'text 1'],
      [`text ${CHAT} 2`, 'text 2'],
    ]),
    scheduled: [],
    differences: [],
    numberedTwice: [],
    faults: [],
    at: 0,
    deaths: [],
    drifts: [],
    broken: [],
    ...more,
  }
}

/** Of message 2: its key says what it sets. */
function change(id: number, of: string, value: string, more: Partial<Call> = {}): Call {
  const { clientId: _, body: __, seq: ___, ...call } = send(id)
  return { ...call, kind: 'change', key: `${of} ${CHAT} 2`, value, at: 2, ...more }
}

const LATER = 'client-3'
/** Due at 1,000 ms. */
function scheduled(more: Partial<Call> = {}): Call {
  return send(3, { kind: 'schedule', dueAt: 1_000, ...more })
}
const sentLater = row(3, { createdAt: 1_100 })

const GROUP = { id: CHAT, lastSeq: 2, changes: 0 }
const ANN = { user: 'ann', readSeq: 2, clearedSeq: 0 }

/** Message 2 was to disappear at 1,000 ms. */
const EXPIRES = { expiresAt: new Date(1_000).toISOString() }
const gone = row(2, { body: '', change: 1, deletedAt: EXPIRES.expiresAt })
const erased = (change: number, at: number) => ({ chatId: CHAT, change, seq: 2, erased: true, at })

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
    { chats: [{ id: CHAT, lastSeq: 5, changes: 0, members: [], left: [] }], heardOf: new Map() },
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
  'a change is lost': ['I7', { calls: [send(1), send(2), change(3, 'pin', 'yes')] }],
  'an edit is lost': ['I7', { calls: [send(1), send(2), change(3, 'text', 'new')] }],
  'the earlier of two edits stays': [
    'I7',
    {
      calls: [send(1), send(2), change(3, 'text', 'new'), change(4, 'text', 'newer')],
      values: new Map([[`text ${CHAT} 2`, 'new']]),
    },
  ],
  'an edit of what was sent twice is lost': [
    'I7',
    {
      calls: [
        send(1),
        send(2, {
          attempts: [
            { at: 20, ms: 5, via: 'rest', result: 'cut', clean: false },
            { at: 22, ms: 3, via: 'rest', result: 'ok', clean: true },
          ],
        }),
        change(3, 'text', 'new'),
      ],
    },
  ],
  'nobody made a change': ['I7', { values: new Map([[`pin ${CHAT} 2`, 'yes']]) }],
  'a deletion is lost': ['I7', { calls: [send(1), send(2), change(3, 'erased', 'yes')] }],
  'what is deleted was changed': [
    'I7',
    { calls: [send(1), send(2), change(3, 'erased', 'yes'), change(4, 'pin', 'yes')] },
  ],
  'a reaction has outlived its message': [
    'I7',
    { messages: [row(1), gone], values: new Map([[`reaction ${CHAT} 2 ann x`, 'yes']]) },
  ],
  'a text is not as it was sent': ['I1', { values: new Map([[`text ${CHAT} 2`, 'other']]) }],
  'two messages have one change': [
    'I13',
    {
      messages: [row(1, { change: 1 }), row(2, { change: 1 })],
      chats: [{ ...GROUP, changes: 1, members: [ANN], left: [] }],
    },
  ],
  'a change is left out': [
    'I13',
    {
      messages: [row(1), row(2, { change: 2 })],
      changes: [erased(2, 0)],
      chats: [{ ...GROUP, changes: 2, members: [ANN], left: [] }],
    },
  ],
  'a device was told of two changes with one number': ['I13', { numberedTwice: ['change 1 …'] }],
  'a scheduled message was not sent': [
    'I14',
    {
      calls: [send(1), send(2), scheduled()],
      scheduled: [{ id: LATER, failed: null }],
      at: 60_000,
    },
  ],
  'a scheduled message is gone': ['I14', { calls: [send(1), send(2), scheduled()] }],
  'a scheduled message was sent twice': [
    'I14',
    { calls: [send(1), send(2), scheduled()], messages: [row(1), row(2), sentLater, sentLater] },
  ],
  'a scheduled message was sent early': [
    'I14',
    { calls: [send(1), send(2), scheduled({ dueAt: 2_000 })], messages: [sentLater] },
  ],
  'a message has not disappeared': [
    'I16',
    { messages: [row(1), row(2, EXPIRES)], at: 60_000, faults: [{ from: 0, to: 2_000 }] },
  ],
  'a message was erased twice': [
    'I16',
    { messages: [row(1), gone], changes: [erased(1, 1_100), erased(2, 1_200)] },
  ],
  'a message was erased late': ['I16', { messages: [row(1), gone], changes: [erased(1, 9_000)] }],
  'who was removed was told what came then': [
    'I15',
    {
      heardOf: new Map([['bob', new Map([[CHAT, 2]])]]),
      chats: [{ ...GROUP, members: [ANN], left: [{ user: 'bob', seq: 2 }] }],
    },
  ],
  'a read mark went back': ['I11', { calls: [send(1), send(2), look(3, 'read', 2)] }],
  'a message came in spite of a block': [
    'I12',
    { calls: [send(1), send(2), look(3, 'block'), look(4, 'look', 1), look(5, 'look', 2)] },
  ],
  'someone was told of a chat of others': [
    'I15',
    { heardOf: new Map([['eve', new Map([[CHAT, 2]])]]) },
  ],
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

test('changes whose order is open, and what a fault has held up, are fine', () => {
  const lost = [
    { at: 40, ms: 5, via: 'rest' as const, result: 'cut', clean: false },
    { at: 50, ms: 5, via: 'rest' as const, result: 'ok', clean: true },
  ]
  const calls = [
    send(1),
    send(2),
    // The first attempt of this one may have been done after the next one.
    change(3, 'text', 'new', { attempts: lost }),
    change(4, 'text', 'newer'),
    change(5, 'pin', 'yes', { answeredAt: 75 }),
    change(6, 'pin', '', { answeredAt: 72 }),
    change(7, 'star', 'yes', { outcome: 'refused', code: 'not_found' }),
    scheduled({ clientId: 'client-9' }),
  ]
  const found = check(
    evidence({
      calls,
      values: new Map([
        [`text ${CHAT} 1`, 'text 1'],
        [`text ${CHAT} 2`, 'new'],
        [`pin ${CHAT} 2`, 'yes'],
      ]),
      scheduled: [{ id: 'client-9', failed: null }],
      at: 12_000,
      faults: [{ from: 500, to: 8_000 }],
    }),
  )
  assert.deepEqual(found, [])
})

test('the smallest history comes first', () => {
  const calls = [send(1, { invokedAt: 90, answeredAt: 95 }), send(2), send(3)]
  const [first] = check(evidence({ calls }))
  assert.equal(first?.rule, 'I1')
})
