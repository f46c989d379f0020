/** What is done at a time: scheduled messages [I14], and those that disappear [I16]. */
import { type Evidence, groupBy, type Violation } from './evidence.ts'
import type { Call } from './history.ts'

/** What was begun and is not known to be done is tried again after 5 s. */
const SENT_WITHIN_MS = 8_000
const ERASED_WITHIN_MS = 5_000

export function* timed(evidence: Evidence): Iterable<Violation> {
  yield* scheduledOnes(evidence)
  yield* disappearing(evidence)
  yield* erasedOnce(evidence)
}

/** [I14] */
function* scheduledOnes({ calls, messages, scheduled, faults, at }: Evidence): Iterable<Violation> {
  const byClientId = groupBy(messages, ({ clientId }) => clientId)
  const waiting = new Map(scheduled.map((one) => [one.id, one]))
  for (const call of calls) {
    const { kind, outcome, clientId = '', dueAt = 0 } = call
    if (kind !== 'schedule' || outcome !== 'ok') continue
    const [row, ...others] = byClientId.get(clientId) ?? []
    const wait = waiting.get(clientId)
    const isLate = at > mostOf(faults, { from: dueAt, withinMs: SENT_WITHIN_MS })
    if (others.length > 0) yield late(call, `is sent ${others.length + 1} times`)
    else if (row && row.createdAt < dueAt) yield late(call, 'was sent before its time')
    else if (row && wait && isLate) yield late(call, 'was sent, and is still on the list')
    else if (!row && !wait) yield late(call, 'was not sent, and is not on the list')
    else if (!row && wait?.failed === null && isLate) yield late(call, 'was not sent at its time')
  }
}

function late(call: Call, what: string): Violation {
  return {
    rule: 'I14',
    text: `${call.body} of ${call.user}, which was scheduled, ${what}`,
    calls: [call],
  }
}

/** Until then a deed may be done that is due at `from`: faults that are in its way are waited for. */
function mostOf(
  faults: Evidence['faults'],
  { from, withinMs }: { from: number; withinMs: number },
): number {
  let most = from + withinMs
  for (const fault of faults)
    if (fault.from < most && fault.to > from) most = Math.max(most, fault.to + withinMs)
  return most
}

/** [I16] */
function* disappearing({ messages, faults, at }: Evidence): Iterable<Violation> {
  for (const { chatId, seq, deletedAt, expiresAt } of messages) {
    if (expiresAt === null || deletedAt !== null) continue
    const most = mostOf(faults, { from: Date.parse(expiresAt), withinMs: ERASED_WITHIN_MS })
    if (at > most)
      yield { rule: 'I16', text: `message ${seq} of chat ${chatId} has not disappeared`, calls: [] }
  }
}

/** [I16] */
function* erasedOnce({ messages, changes = [], faults }: Evidence): Iterable<Violation> {
  const byPlace = groupBy(changes, ({ chatId, seq }) => `${chatId} ${seq}`)
  for (const { chatId, seq, deletedAt, isErased } of messages) {
    const made = byPlace.get(`${chatId} ${seq}`) ?? []
    const ends = made.filter(({ erased }) => erased)
    const what = `message ${seq} of chat ${chatId}`
    if (ends.length > 1)
      yield { rule: 'I16', text: `${what} was erased ${ends.length} times`, calls: [] }
    const [end] = ends
    if (!end || deletedAt === null || isErased) continue
    const most = mostOf(faults, { from: Date.parse(deletedAt), withinMs: ERASED_WITHIN_MS })
    if (end.at > most || end.at < Date.parse(deletedAt)) {
      const ms = Math.round(end.at - Date.parse(deletedAt))
      yield { rule: 'I16', text: `${what} was erased ${ms} ms after its time`, calls: [] }
    }
  }
}
