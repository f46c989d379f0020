/**
 * The rules MERGE-…: whatever the order in which events, answers, syncs and pages of history come, and
 * however often, the client ends with what the server has. Seeds: test/support/seed.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { type Delivery, Log, type Step } from './support/log.ts'
import { SEED } from './support/seed.ts'

const who = fc.constantFrom('me' as const, 'bob' as const)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        does: fc.constant('send'),
        by: who,
        here: fc.boolean(),
        to: fc.constantFrom('thread' as const, 'reply' as const, 'mention' as const),
      },
      { requiredKeys: ['does', 'by', 'here'] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('change'),
      by: who,
      here: fc.boolean(),
      share: fc.constantFrom(0.1, 0.5, 1),
    }),
  },
  fc.record({
    does: fc.constant('star'),
    here: fc.boolean(),
    share: fc.constantFrom(0.1, 0.5, 1),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('read'),
      by: who,
      here: fc.boolean(),
      share: fc.constantFrom(0, 0.5, 1),
    }),
  },
  fc.record({ does: fc.constant('deliver'), by: who, share: fc.constantFrom(0.5, 1) }),
  fc.record({ does: fc.constantFrom('pin', 'archive', 'delete', 'open', 'others') }),
)
const steps = fc.array(step, { maxLength: 12 })
/** Something read at a moment, which may come later: 0 to 1 is the share of what is kept or was fetched. */
const extra = fc.record({
  kind: fc.constantFrom('sync' as const, 'page' as const, 'list' as const),
  at: fc.nat(12),
  share: fc.constantFrom(0, 0.5, 1),
})
type Extra = typeof extra extends fc.Arbitrary<infer T> ? T : never
const RUNS = { numRuns: 3_000, ...SEED }

/** A chat with a message, and a client that has just come. */
function begin() {
  const log = new Log()
  log.run({ does: 'send', by: 'bob', here: false })
  const state = new Mailbox('me')
  state.open.set(log.chatId, [])
  state.sync(log.sync({ kept: 0, reset: true }))
  return { log, state }
}

function read(log: Log, { kind, share }: Extra): Delivery {
  const after = Math.round(share * log.lastSeq)
  if (kind === 'page') {
    const page = log.page(after)
    return {
      label: `page after ${after}`,
      apply: (state) => state.page(log.chatId, after, page),
    }
  }
  if (kind === 'sync') {
    const result = log.sync({ kept: after, change: Math.round(share * log.changes), reset: false })
    return { label: `sync ${result.cursor}`, apply: (state) => state.sync(result) }
  }
  const view = log.view()
  const apply = log.isListed ? (state: Mailbox) => state.view(view) : () => undefined
  return { label: `list ${view.rev}/${view.lastSeq}`, apply }
}

/** Runs the steps, with what is read between them. */
function runAll(log: Log, all: Step[], extras: Extra[]): Delivery[] {
  return all.flatMap((one, index) => [
    ...extras.filter(({ at }) => at === index).map((more) => read(log, more)),
    ...log.run(one),
  ])
}

/** In an order that the scheduler chooses; those of `twice` come once more. */
async function deliver(
  s: fc.Scheduler,
  state: Mailbox,
  deliveries: Delivery[],
  twice: boolean[],
): Promise<void> {
  const again = deliveries.filter((_, index) => twice[index % twice.length])
  for (const delivery of [...deliveries, ...again])
    void s.schedule(Promise.resolve(delivery), delivery.label).then((one) => one.apply(state))
  await s.waitIdle()
}

function assertSame(log: Log, state: Mailbox): void {
  const { chatId } = log
  // What another member alone sees moves the server's rev, and is not told.
  const views = [...state.chats.values()].map((chat) => ({ ...chat, rev: log.view().rev }))
  assert.deepEqual(views, log.isListed ? [log.view()] : [])
  if (!log.isListed) return assert.deepEqual(state.open.get(chatId) ?? [], [])
  if (!state.open.has(chatId)) state.open.set(chatId, [])
  for (let after = state.wants.get(chatId); after !== undefined; after = state.wants.get(chatId))
    state.page(chatId, after, log.page(after))
  for (const after of state.wantsChanges.values()) state.changes(chatId, log.changesAfter(after))
  assert.deepEqual(state.open.get(chatId), log.visible())
}

const booleans = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 })

test('[MERGE-1] [MERGE-2] [MERGE-3] [MERGE-4] [MERGE-7] [MERGE-9] any order, and twice, ends the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      steps,
      fc.array(extra, { maxLength: 3 }),
      booleans,
      async (s, all, extras, twice) => {
        const { log, state } = begin()
        await deliver(s, state, runAll(log, all, extras), twice)
        assertSame(log, state)
      },
    ),
    RUNS,
  )
})

test('[MERGE-10] what was lost shows by the next view: a gap in the messages, or in the changes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), steps, booleans, async (s, all, arrives) => {
      const { log, state } = begin()
      // What is mine alone is not in a view: it comes with a sync.
      const told = runAll(
        log,
        all.filter(({ does }) => does !== 'star' && does !== 'delete'),
        [],
      )
      const came = told.filter((_, index) => arrives[index % arrives.length])
      await deliver(s, state, came, [false])
      state.view(log.view())
      assertSame(log, state)
    }),
    RUNS,
  )
})

test('[MERGE-7] a view brings the next message; one that is further on shows a gap', () => {
  const { log, state } = begin()
  const { chatId } = log
  const send = () => log.run({ does: 'send', by: 'bob', here: false })
  send()
  state.view(log.view())
  assert.deepEqual([state.open.get(chatId), [...state.wants]], [log.messages, []])
  send()
  send()
  state.view(log.view())
  assert.deepEqual([...state.wants], [[chatId, 2]])
  for (const event of send()) event.apply(state)
  assert.deepEqual([state.gaps, [...state.wants]], [1, [[chatId, 2]]])
  state.page(chatId, 2, log.page(2))
  assert.deepEqual([state.open.get(chatId), [...state.wants]], [log.messages, []])
})

test('[MERGE-5] [MERGE-6] a chat that becomes known by what comes, in any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), steps, booleans, async (s, all, twice) => {
      const log = new Log()
      const state = new Mailbox('me')
      const first: Step = { does: 'send', by: 'bob', here: false }
      await deliver(s, state, runAll(log, [first, ...all], []), twice)
      assertSame(log, state)
    }),
    RUNS,
  )
})

test('[SYNC-1] [MERGE-8] what was lost on the way comes with the sync, whatever else came', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.tuple(steps, steps),
      booleans,
      fc.boolean(),
      async (s, [before, after], arrives, reset) => {
        const { log, state } = begin()
        const told = runAll(log, before, [])
        const came = told.filter((_, index) => arrives[index % arrives.length])
        await deliver(s, state, came, [false])
        const kept = state.open.get(log.chatId)?.at(-1)?.seq
        state.sync(log.sync({ kept, change: state.changeOf(log.chatId), reset }))
        const late = reset ? [] : told
        await deliver(s, state, [...late, ...runAll(log, after, [])], [false])
        assertSame(log, state)
      },
    ),
    RUNS,
  )
})

test('[MERGE-11] what I have deleted is without its text, but not in quotes; of what is deleted for all nothing is mine', () => {
  const { log, state } = begin()
  const { chatId } = log
  const [first] = log.messages
  assert(first)
  const reply = { seq: 1, sender: 'bob', body: first.body }
  const second = { ...first, seq: 2, clientId: '2', body: 'why?', reply }
  state.message(second)
  const my = { rev: 1, deleted: true, reactions: ['👍'] }
  state.view({ ...log.view(), lastMessage: { ...first, body: '', my } })
  const kept = () => state.open.get(chatId) ?? []
  assert.deepEqual(
    kept().map(({ body }) => body),
    ['', 'why?'],
  )
  assert.deepEqual([kept()[0]?.my, kept()[1]?.reply], [my, reply])
  const deletedAt = new Date(0).toISOString()
  state.changed({ ...first, body: '', deletedAt, deletedBy: 'bob', change: 1 })
  assert.deepEqual([kept()[0]?.my, kept()[0]?.deletedAt], [undefined, deletedAt])
})
