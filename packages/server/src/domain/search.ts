/** Finding messages again: what the actor sees of its chats, and nothing else [SEARCH-1]. */
import type { Message, SearchQuery } from '@microchatter/protocol'
import { type Hit, selectHits } from '../store/findable.ts'
import { selectMessagesAt } from '../store/messages.ts'
import { type Actor, type Core, isUuid } from './core.ts'
import { decodeCursor, encodeCursor, isTimeKey } from './cursor.ts'
import { ChatError } from './errors.ts'
import { findBounds, marksOf } from './history.ts'
import { type Mask, masksFor } from './masks.ts'
import { toMessage, withMy } from './message-view.ts'
import { checkText } from './text.ts'

/** Of one user that are looked into, those with the newest messages first. */
const CHATS = 500

export async function searchMessages(core: Core, actor: Actor, query: SearchQuery) {
  const { q = '', from, kind, has, after, before, limit = 20, cursor } = query
  const words = wordsOf(checkText(q, '/q'))
  if (words.whole + words.last === '' && !from && !kind && !has)
    throw new ChatError('invalid', { detail: 'Say what to look for: `q`, `from`, `kind` or `has`' })
  const sender = from === undefined ? undefined : await core.identity.user(from)
  if (from !== undefined && !sender) return { items: [] }
  const within =
    query.chatId === undefined
      ? undefined
      : await findBounds(core, { ...actor, admin: false }, query.chatId)
  const hits = await selectHits(core.db, {
    userId: actor.id,
    language: core.settings.search.language,
    words,
    chatId: within?.chatId,
    senderId: sender?.id,
    kind,
    has,
    after,
    before,
    behind: cursor === undefined ? undefined : behindOf(cursor),
    chats: CHATS,
    limit: limit + 1,
  })
  const page = hits.slice(0, limit)
  const last = page.at(-1)
  return {
    items: await readHits(core, actor, page),
    ...(hits.length > limit && last
      ? { nextCursor: encodeCursor([last.at, last.chat_id, String(last.seq)]) }
      : {}),
  }
}

/** The last word may be the beginning of one, unless something stands behind it. */
function wordsOf(q: string): { whole: string; last: string } {
  const last = /\S+$/.exec(q)?.[0] ?? ''
  return { whole: q.slice(0, q.length - last.length).trim(), last }
}

function behindOf(cursor: string) {
  const [at = '', chatId = '', seq = ''] = decodeCursor(cursor, 3)
  if (!at.endsWith('+00') || !isTimeKey(at) || !isUuid(chatId) || !/^\d{1,9}$/.test(seq))
    throw new ChatError('invalid_cursor', { field: '/cursor' })
  return { at, chatId, seq: Number(seq) }
}

/** As the actor has them; without what it has deleted for itself, and what those say whom it has blocked. */
async function readHits(core: Core, actor: Actor, hits: readonly Hit[]): Promise<Message[]> {
  const found = hits.filter((hit) => hit.is_found)
  const rows = found.length === 0 ? [] : await selectMessagesAt(core.db, found)
  const messages = new Map(rows.map((row) => [`${row.chat_id} ${row.seq}`, toMessage(row)]))
  const maskOf = masksFor(core, actor)
  const views = new Map<string, Mask>()
  for (const own of byChat(found)) {
    const [{ chat_id: chatId, kind, cleared_seq: cleared, has_marks: hasMarks }] = own
    const mask = await maskOf({ kind, cleared })
    const marks = await marksOf(core, actor, { chatId, hasMarks }, own)
    views.set(chatId, (message) => mask(withMy(message, marks.get(message.seq))))
  }
  return found.flatMap(({ chat_id, seq }) => {
    const message = messages.get(`${chat_id} ${seq}`)
    const view = message && views.get(chat_id)?.(message)
    return !view || view.hidden || view.my?.deleted || view.deletedAt !== undefined ? [] : [view]
  })
}

/** None of them is empty. */
function byChat(hits: readonly Hit[]): Iterable<[Hit, ...Hit[]]> {
  const chats = new Map<string, [Hit, ...Hit[]]>()
  for (const hit of hits) {
    const known = chats.get(hit.chat_id)
    if (known) known.push(hit)
    else chats.set(hit.chat_id, [hit])
  }
  return chats.values()
}
