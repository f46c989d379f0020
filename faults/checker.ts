/**
 * Looks at a history, at the rows and at what clients were left with, and says what is against the
 * rules. It knows nothing of the server.
 *
 *   I1  what was acknowledged is stored, as it was sent       I2  what is stored was sent
 *   I3  a clientId is one message, and all answers agree      I4  seq is 1 to n, without gap or repeat
 *   I5  an answer before a send: the later one has the larger seq
 *   I6  what one connection sent without waiting keeps its order
 *   I7  a change that was acknowledged is there               I8  clients equal a fresh fetch
 *   I10 unread is what is counted                             I11 a read mark only moves forward
 *   I12 nothing is stored after a block                       I13 changes are 1 to n, without gap or repeat
 *   I14 what is scheduled is sent once, at its time           I15 nobody hears of others' chats
 *   I16 what disappears is erased once, at its time           I17 memory is bounded
 *   I18 answers are honest and in time                        I19 no process ended that was not ended
 */
import { changes } from './check-changes.ts'
import { timed } from './check-timed.ts'
import { type Evidence, groupBy, type MessageEvidence, type Violation } from './evidence.ts'
import type { Call } from './history.ts'

/** Answers come within 2 s; the rest is for a machine that does other things too. */
const ANSWER_MS = 2_500
/** Characters of a text that are shown. */
const SHOWN = 40

/** The smallest history first. */
export function check(evidence: Evidence): Violation[] {
  const rows = indexOf(evidence)
  const found = [
    ...acknowledgements(evidence, rows),
    ...changes(evidence),
    ...timed(evidence),
    ...rowsOfChats(evidence, rows),
    ...orderInTime(evidence),
    ...bursts(evidence),
    ...readMarks(evidence),
    ...blocks(evidence),
    ...isolation(evidence),
    ...answers(evidence),
    ...evidence.differences.map((text) => ({ rule: 'I8', text, calls: [] })),
    ...evidence.deaths.map((text) => ({ rule: 'I19', text, calls: [] })),
    ...evidence.drifts.map((text) => ({ rule: 'check', text, calls: [] })),
    ...evidence.broken,
  ]
  return found.sort((a, b) => sizeOf(a) - sizeOf(b))
}

function sizeOf({ calls }: Violation): number {
  return calls.reduce((sum, { attempts }) => sum + 1 + attempts.length, 0)
}

interface Index {
  byClientId: Map<string, MessageEvidence[]>
  byChat: Map<string, MessageEvidence[]>
  /** By their clientId: two calls with one repeat the same send. */
  sends: Map<string, Call>
}

function indexOf({ messages, calls }: Evidence): Index {
  const sends = calls.filter(({ kind }) => kind === 'send' || kind === 'schedule')
  return {
    byClientId: groupBy(messages, ({ clientId }) => clientId),
    byChat: groupBy(messages, ({ chatId }) => chatId),
    sends: new Map(sends.map((call) => [call.clientId ?? '', call])),
  }
}

function* acknowledgements({ calls }: Evidence, { byClientId }: Index): Iterable<Violation> {
  for (const call of calls) {
    if (call.outcome === 'open')
      yield { rule: 'I18', text: `${nameOf(call)} never got an answer that counts`, calls: [call] }
    if (call.kind !== 'send') continue
    const stored = byClientId.get(call.clientId ?? '') ?? []
    if (stored.length > 1)
      yield { rule: 'I3', text: `${nameOf(call)} is stored as ${seqsOf(stored)}`, calls: [call] }
    if (call.outcome !== 'ok') continue
    const [row] = stored
    if (!row)
      yield { rule: 'I1', text: `${nameOf(call)} was acknowledged and is lost`, calls: [call] }
    else if (row.seq !== call.seq || row.chatId !== call.chatId)
      yield {
        rule: 'I3',
        text: `${nameOf(call)} was acknowledged as ${call.seq} and is stored as ${row.seq}`,
        calls: [call],
      }
  }
}

function* rowsOfChats({ chats }: Evidence, { byChat, sends }: Index): Iterable<Violation> {
  for (const { id, lastSeq, members } of chats) {
    const rows = byChat.get(id) ?? []
    for (const [index, row] of rows.entries()) {
      const call = sends.get(row.clientId)
      // What happens to a group is a message that nobody sent.
      if (row.kind !== 'system' && call?.user !== row.sender)
        yield { rule: 'I2', text: `${nameOfRow(row)} was sent by nobody`, calls: [] }
      if (row.seq !== index + 1) {
        const near = rows.slice(Math.max(0, index - 1), index + 1)
        yield {
          rule: 'I4',
          text: `chat ${id} has seqs ${near.map(({ seq }) => seq).join(', ')} where ${index + 1} belongs`,
          calls: near.flatMap(({ clientId }) => sends.get(clientId) ?? []),
        }
        break
      }
    }
    if (rows.length > 0 && lastSeq !== rows.at(-1)?.seq)
      yield {
        rule: 'I4',
        text: `chat ${id} says that its last seq is ${lastSeq}; it is ${rows.at(-1)?.seq}`,
        calls: [],
      }
    for (const { user, readSeq } of members)
      if (readSeq > lastSeq)
        yield { rule: 'I11', text: `${user} has read past the end of chat ${id}`, calls: [] }
  }
}

/** [I5] From the largest seq down: whose answer came before an earlier one's send is at fault. */
function* orderInTime({ calls }: Evidence): Iterable<Violation> {
  const sent = calls.filter(
    ({ kind, outcome, again }) => kind === 'send' && outcome === 'ok' && !again,
  )
  for (const ofChat of groupBy(sent, ({ chatId }) => chatId).values()) {
    let earliest: Call | undefined
    for (const call of ofChat.sort((a, b) => (b.seq ?? 0) - (a.seq ?? 0))) {
      if (earliest && (earliest.answeredAt ?? 0) < call.invokedAt)
        yield {
          rule: 'I5',
          text: `${nameOf(earliest)} was acknowledged as ${earliest.seq} before ${nameOf(call)} was sent, which has ${call.seq}`,
          calls: [earliest, call],
        }
      if (!earliest || (call.answeredAt ?? 0) < (earliest.answeredAt ?? 0)) earliest = call
    }
  }
}

/** [I6] Where all were answered at the first attempt. */
function* bursts({ calls }: Evidence): Iterable<Violation> {
  const burst = calls.filter((call) => call.kind === 'send' && call.burst !== undefined)
  for (const together of groupBy(burst, (call) => String(call.burst)).values()) {
    if (together.some(({ attempts, outcome }) => outcome !== 'ok' || attempts.length > 1)) continue
    for (const [index, call] of together.entries()) {
      const before = together[index - 1]
      if (before && (before.seq ?? 0) > (call.seq ?? 0))
        yield {
          rule: 'I6',
          text: `${nameOf(before)} was sent before ${nameOf(call)} and has the larger seq`,
          calls: [before, call],
        }
    }
  }
}

function* readMarks({ calls, chats }: Evidence): Iterable<Violation> {
  const goBack = new Set(
    calls.filter(({ kind, back }) => kind === 'read' && back).map((call) => markOf(call)),
  )
  const marks = new Map(
    chats.flatMap(({ id, members }) =>
      members.map(({ user, readSeq }) => [markOf({ user, chatId: id }), readSeq] as const),
    ),
  )
  for (const call of calls) {
    if (call.kind !== 'read' || call.outcome !== 'ok' || goBack.has(markOf(call))) continue
    const mark = marks.get(markOf(call))
    if (mark !== undefined && mark < (call.seq ?? 0))
      yield {
        rule: 'I11',
        text: `${call.user} had read chat ${call.chatId} up to ${call.seq}, and the mark is at ${mark}`,
        calls: [call],
      }
  }
}

function markOf({ user, chatId }: { user: string; chatId: string }): string {
  return `${user} ${chatId}`
}

/** [I12] Between a block and its end the blocker looks twice: nothing may have come meanwhile. */
function* blocks({ calls }: Evidence): Iterable<Violation> {
  const byBlocker = groupBy(
    calls.filter(({ kind }) => kind === 'block' || kind === 'unblock' || kind === 'look'),
    markOf,
  )
  for (const ofOne of byBlocker.values()) {
    let first: Call | undefined
    for (const call of ofOne) {
      if (call.kind !== 'look') first = undefined
      else if (!first) first = call.outcome === 'ok' ? call : undefined
      else if (call.outcome === 'ok' && call.seq !== first.seq)
        yield {
          rule: 'I12',
          text: `chat ${call.chatId} grew from ${first.seq} to ${call.seq} while ${call.user} had the other blocked`,
          calls: [first, call],
        }
    }
  }
}

/** [I15] Who was removed has heard what came before that. */
function* isolation({ heardOf, chats }: Evidence): Iterable<Violation> {
  const byId = new Map(chats.map((chat) => [chat.id, chat]))
  for (const [user, heard] of heardOf)
    for (const [chatId, seq] of heard) {
      const { members = [], left = [] } = byId.get(chatId) ?? {}
      if (members.some((one) => one.user === user)) continue
      const end = left.find((one) => one.user === user)?.seq ?? 0
      if (end === 0) yield { rule: 'I15', text: `${user} was told of chat ${chatId}`, calls: [] }
      else if (seq >= end)
        yield {
          rule: 'I15',
          text: `${user} was told of message ${seq} of chat ${chatId}, and left it with ${end}`,
          calls: [],
        }
    }
}

function* answers({ calls }: Evidence): Iterable<Violation> {
  for (const call of calls)
    for (const { result, ms, clean } of call.attempts) {
      if (result === 'internal' && !call.poison)
        yield { rule: 'I18', text: `${nameOf(call)} was answered with internal`, calls: [call] }
      if (clean && result === 'timeout')
        yield { rule: 'I18', text: `${nameOf(call)} was not answered`, calls: [call] }
      if (clean && result !== 'timeout' && ms > ANSWER_MS)
        yield { rule: 'I18', text: `${nameOf(call)} was answered after ${ms} ms`, calls: [call] }
    }
}

function nameOf({ kind, user, body, key, chatId }: Call): string {
  return `${kind} ${(body ?? key)?.slice(0, SHOWN) ?? `in chat ${chatId}`} of ${user}`
}

function nameOfRow({ chatId, seq, body, sender }: MessageEvidence): string {
  return `message ${seq} of chat ${chatId} (${body.slice(0, SHOWN)}) of ${sender}`
}

function seqsOf(rows: readonly MessageEvidence[]): string {
  return rows.map(({ seq }) => seq).join(' and ')
}
