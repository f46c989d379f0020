/** [MERGE-12] Whatever the order in which events and views of a group come, and however often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chat, GroupRole, Member, Message } from '@microchatter/protocol'
import fc from 'fast-check'
import { Mailbox } from '../../client/src/merge/mailbox.ts'
import { SEED } from './support/seed.ts'

type Step =
  | { does: 'send' | 'enter' | 'leave' | 'promote' | 'demote'; who: string }
  | { does: 'rename' | 'describe' | 'clear'; who: string }

interface Delivery {
  label: string
  apply: (state: Mailbox) => void
}

/** A group that ann owns, as a server has it, and what it tells to `me`. */
class GroupLog {
  readonly members = new Map<string, { role: GroupRole; readSeq: number }>()
  #title = 'Group'
  #description: string | undefined
  #rev = 0
  #last: Message | undefined

  constructor() {
    this.members.set('ann', { role: 'owner', readSeq: 0 })
    this.run({ does: 'enter', who: 'me' })
  }

  get isIn(): boolean {
    return this.members.has('me')
  }

  get lastSeq(): number {
    return this.#last?.seq ?? 0
  }

  view(): Chat {
    const me = this.members.get('me')
    return {
      id: 'group',
      kind: 'group',
      title: this.#title,
      ...(this.#description === undefined ? {} : { description: this.#description }),
      role: me?.role ?? 'member',
      memberCount: this.members.size,
      members: [...this.members.keys()].map((name) => this.#member(name)),
      ...(this.#last ? { lastMessage: this.#last } : {}),
      unread: this.lastSeq - (me?.readSeq ?? 0),
      lastSeq: this.lastSeq,
      readSeq: me?.readSeq ?? 0,
      rev: this.#rev,
      updatedAt: this.#last?.createdAt ?? '',
    }
  }

  /** Nothing where it changes nothing. */
  run({ does, who }: Step): Delivery[] {
    const member = this.members.get(who)
    if (does === 'send') return member ? this.#tell(this.#write(who)) : []
    if (does === 'enter') return member ? [] : this.#enter(who)
    if (does === 'leave') return member && who !== 'ann' ? this.#leave(who) : []
    if (does === 'promote' || does === 'demote') {
      const role = does === 'promote' ? 'admin' : 'member'
      if (!member || who === 'ann' || member.role === role) return []
      return this.#change(() => {
        member.role = role
        return ['member.updated', { member: this.#member(who) }]
      })
    }
    return this.#change(() => {
      if (does === 'rename') this.#title = `by ${this.#rev}`
      else this.#description = does === 'describe' ? `of ${this.#rev}` : undefined
      const description = this.#description
      return ['group.updated', { title: this.#title, ...(description ? { description } : {}) }]
    })
  }

  #enter(who: string): Delivery[] {
    const told = this.#change(() => {
      this.members.set(who, { role: 'member', readSeq: this.lastSeq - 1 })
      return ['member.added', { member: this.#member(who) }]
    })
    return who === 'me' ? [...told, eventOf('chat.created', this.view())] : told
  }

  #leave(who: string): Delivery[] {
    const wasIn = this.isIn
    const told = this.#change(() => {
      this.members.delete(who)
      return ['member.removed', { username: who }]
    })
    if (who !== 'me') return told
    return wasIn ? [eventOf('chat.removed', { chatId: 'group', rev: this.#rev })] : []
  }

  #change(make: () => [string, object]): Delivery[] {
    this.#rev += 1
    const message = this.#write('ann')
    const [name, data] = make()
    const moment = { chatId: 'group', rev: this.#rev, lastSeq: this.lastSeq }
    return this.#tell(message, [name, { ...moment, ...data, memberCount: this.members.size }])
  }

  #write(sender: string): Message {
    const seq = this.lastSeq + 1
    const createdAt = new Date(seq).toISOString()
    this.#last = { chatId: 'group', seq, sender, body: `${seq}`, createdAt, clientId: `${seq}` }
    const member = this.members.get(sender)
    if (member) member.readSeq = seq
    return this.#last
  }

  #tell(message: Message, event?: [string, object]): Delivery[] {
    if (!this.isIn) return []
    const told = [eventOf('message.created', message)]
    return event ? [...told, eventOf(...event)] : told
  }

  #member(name: string): Member {
    const member = this.members.get(name) ?? { readSeq: 0 }
    return { username: name, ...member, deliveredSeq: member.readSeq }
  }
}

function eventOf(name: string, data: object): Delivery {
  const copy = structuredClone(data)
  return { label: name, apply: (state) => state.apply(name, structuredClone(copy)) }
}

const who = fc.constantFrom('ann', 'bob', 'cat', 'me')
const step = fc.record({
  does: fc.constantFrom(
    ...(['send', 'enter', 'leave', 'promote', 'demote', 'rename', 'describe', 'clear'] as const),
  ),
  who,
}) as fc.Arbitrary<Step>

function comparable(chat: Chat) {
  const { rev: _, ...rest } = chat
  const byName = (one: Member, other: Member) =>
    (one.username ?? '') < (other.username ?? '') ? -1 : 1
  return { ...rest, members: chat.members.toSorted(byName) }
}

test('[MERGE-12] [MERGE-4] [MERGE-5] events of a group, in any order and twice, end as a fetch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(step, { maxLength: 14 }),
      fc.array(fc.nat(14), { maxLength: 3 }),
      fc.boolean(),
      async (s, steps, views, twice) => {
        const log = new GroupLog()
        const state = new Mailbox('me')
        state.view(log.view())
        const deliveries = steps.flatMap((one, index) => {
          const view = structuredClone(log.view())
          const read = { label: 'view', apply: (to: Mailbox) => to.view(structuredClone(view)) }
          return [...(views.includes(index) && log.isIn ? [read] : []), ...log.run(one)]
        })
        for (const delivery of [...deliveries, ...(twice ? deliveries : [])])
          void s.schedule(Promise.resolve(delivery), delivery.label).then((d) => d.apply(state))
        await s.waitIdle()
        const kept = [...state.chats.values()].map(comparable)
        assert.deepEqual(kept, log.isIn ? [comparable(log.view())] : [])
      },
    ),
    { numRuns: 3_000, ...SEED },
  )
})
