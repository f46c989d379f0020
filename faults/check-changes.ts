/** Changes: what was acknowledged is there [I7], and they are numbered [I13]. */
import { type Evidence, groupBy, type MessageEvidence, type Violation } from './evidence.ts'
import { type Call, isUnknown } from './history.ts'

/** Of a message: they go with its text. */
const GO_WITH_IT = new Set(['text', 'reaction', 'pin', 'vote'])
/** They stay with one that was deleted, and go with one that has disappeared. */
const MAY_GO = new Set(['star', 'hidden'])
/** What is one's own alone, and goes when one deletes the chat or leaves it. */
const OWN = new Set(['draft', 'star', 'hidden'])
const SHOWN = 60

export function* changes(evidence: Evidence): Iterable<Violation> {
  yield* values(evidence)
  yield* afterTheEnd(evidence)
  yield* numbers(evidence)
  yield* loggedNumbers(evidence)
}

/** [I7] What is set was set by someone, and nobody was told of something later. */
function* values(evidence: Evidence): Iterable<Violation> {
  const writes = writesByKey(evidence)
  const erased = new Map(
    evidence.messages.flatMap((row) => (row.deletedAt === null ? [] : [[placeOf(row), row]])),
  )
  for (const key of new Set([...writes.keys(), ...evidence.values.keys()])) {
    const [of = '', chatId = '', seq = '', who = seq] = key.split(' ')
    const calls = writes.get(key) ?? []
    const value = evidence.values.get(key) ?? ''
    const end = erased.get(`${chatId} ${seq}`)
    if (end && MAY_GO.has(of)) continue
    if (end && GO_WITH_IT.has(of)) {
      if (value !== '') yield violation(`${key} is still there, and its message is not`, calls)
      continue
    }
    // It has disappeared by itself, perhaps before someone deleted it.
    if (of === 'erased' && end && !end.isErased) continue
    if (OWN.has(of) && hasLeft(evidence, who, chatId)) continue
    // Whom nobody added or removed was there from the beginning.
    if (of === 'member' && calls.length === 0) continue
    if (!isExplained(value, calls))
      yield violation(
        `${key} is ${value.slice(0, SHOWN) || 'nothing'}; it was told otherwise`,
        calls,
      )
  }
}

function violation(text: string, calls: readonly Call[]): Violation {
  const isSent = calls.length > 0 && calls.every(({ kind }) => kind !== 'change')
  return { rule: isSent ? 'I1' : 'I7', text, calls }
}

/** Calls that set something, by what it is; a send sets the text of its message. */
function writesByKey({ calls, messages }: Evidence): Map<string, Call[]> {
  // Of several with one clientId the first one counts.
  const sends = new Map(
    calls
      .toReversed()
      .flatMap((call) => (call.clientId === undefined ? [] : [[call.clientId, call]])),
  )
  const writes = groupBy(
    calls.filter(({ key }) => key !== undefined),
    ({ key }) => key as string,
  )
  for (const row of messages) {
    const send = sends.get(row.clientId)
    if (!send) continue
    const key = `text ${placeOf(row)}`
    // However often it is repeated: it was there before any edit.
    const first = { invokedAt: Number.NEGATIVE_INFINITY, answeredAt: Number.NEGATIVE_INFINITY }
    const sent: Call = { ...send, ...first, value: send.body ?? '', attempts: [] }
    writes.set(key, [sent, ...(writes.get(key) ?? [])])
  }
  return writes
}

function placeOf({ chatId, seq }: Pick<MessageEvidence, 'chatId' | 'seq'>): string {
  return `${chatId} ${seq}`
}

function hasLeft({ calls, chats }: Evidence, user: string, chatId: string): boolean {
  const left = chats.find(({ id }) => id === chatId)?.left ?? []
  return (
    left.some((one) => one.user === user) ||
    calls.some((call) => call.kind === 'delete' && call.user === user && call.chatId === chatId)
  )
}

/** Some call has set it, or none at all; and none that began after that one had ended was answered. */
function isExplained(value: string, calls: readonly Call[]): boolean {
  const answered = calls.filter(({ outcome }) => outcome === 'ok')
  const isLast = (endedAt: number) => answered.every(({ invokedAt }) => invokedAt <= endedAt)
  if (value === '' && isLast(Number.NEGATIVE_INFINITY)) return true
  return calls.some((call) => call.value === value && isLast(endOf(call)))
}

/** Until then it may have been done; one whose answer was lost, at any time. */
function endOf({ outcome, attempts, answeredAt = 0 }: Call): number {
  const isLost = attempts.some(({ result }) => isUnknown(result))
  if (outcome === 'open' || isLost) return Number.POSITIVE_INFINITY
  // A refusal without such an attempt has done nothing.
  return outcome === 'ok' ? answeredAt : Number.NEGATIVE_INFINITY
}

/** [I7] Of a message whose deletion was answered nothing changes any more. */
function* afterTheEnd({ calls }: Evidence): Iterable<Violation> {
  const ends = new Map<string, Call>()
  for (const call of calls) {
    const { chatId, at = 0, key = '', outcome } = call
    if (key.startsWith('erased ') && outcome === 'ok') ends.set(placeOf({ chatId, seq: at }), call)
  }
  for (const call of calls) {
    const end = ends.get(placeOf({ chatId: call.chatId, seq: call.at ?? 0 }))
    const [of = ''] = call.key?.split(' ') ?? []
    if (!end || call.outcome !== 'ok' || !GO_WITH_IT.has(of)) continue
    // An attempt whose answer was lost may have come before.
    if (call.invokedAt > (end.answeredAt ?? 0))
      yield { rule: 'I7', text: `${call.key} was changed after its deletion`, calls: [end, call] }
  }
}

/** [I13] What the rows still have of it: the last change of each message. */
function* numbers({ chats, messages, numberedTwice }: Evidence): Iterable<Violation> {
  for (const text of numberedTwice) yield { rule: 'I13', text, calls: [] }
  const byChat = groupBy(
    messages.filter(({ change }) => change > 0),
    ({ chatId }) => chatId,
  )
  for (const { id, changes: last } of chats) {
    const rows = byChat.get(id) ?? []
    const most = Math.max(0, ...rows.map(({ change }) => change))
    if (most !== last)
      yield numbered(`chat ${id} has counted ${last} changes; the last one is ${most}`)
    for (const [change, of] of groupBy(rows, (row) => String(row.change)))
      if (of.length > 1)
        yield numbered(
          `change ${change} of chat ${id} is of messages ${of.map(({ seq }) => seq).join(' and ')}`,
        )
  }
}

/** [I13] All of them, where they could be written down. */
function* loggedNumbers({ chats, changes: logged }: Evidence): Iterable<Violation> {
  if (!logged) return
  const byChat = groupBy(logged, ({ chatId }) => chatId)
  for (const { id, changes: last } of chats) {
    const rows = byChat.get(id) ?? []
    const wrong = rows.findIndex(({ change }, index) => change !== index + 1)
    if (wrong >= 0 || rows.length !== last)
      yield numbered(
        `chat ${id} has counted ${last} changes and made ${rows.length}; the first one out of place is ${rows[wrong]?.change ?? 'none'}`,
      )
  }
}

function numbered(text: string): Violation {
  return { rule: 'I13', text, calls: [] }
}
