import { LIMITS, type Message, type Reactor } from '@microchatter/protocol'
import { type MarkRow, upsertMark } from '../store/marks.ts'
import {
  deleteReaction,
  insertReaction,
  type ReactorRow,
  selectEmoji,
  selectReactors,
} from '../store/reactions.ts'
import { changeMessage, type Held, type MessageAddress } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { decodeCursor, type Paging, toPage } from './cursor.ts'
import { checkThere } from './edits.ts'
import { ChatError } from './errors.ts'
import { findBounds, findRow } from './history.ts'
import { checkNoBlock, forbidden } from './rights.ts'
import { answerMy } from './stars.ts'

/** One emoji as Unicode recommends it, all its parts joined. */
const EMOJI = new RegExp('^\\p{RGI_Emoji}$', 'v')

interface Reacting extends MessageAddress {
  emoji: string
  /** false: it is taken back. */
  on: boolean
}

/** Twice is once. The answer is the message, with what is mine of it. */
export async function setReaction(core: Core, actor: Actor, reacting: Reacting): Promise<Message> {
  const { emoji, on, ...address } = reacting
  if (!EMOJI.test(emoji))
    throw new ChatError('invalid', { field: '/emoji', detail: 'A reaction is one Unicode emoji' })
  let mark: MarkRow | undefined
  const message = await changeMessage(
    core,
    actor,
    address,
    async (held) => {
      checkThere(held.content)
      checkNoBlock(held.rights, actor.id)
      if (held.content.kind === 'system') throw forbidden('A message of the system takes none')
      const isChange = on ? await add(held, actor, emoji) : await remove(held, actor, emoji)
      if (!isChange) return undefined
      const { tx, chatId, seq, rev, content } = held
      mark = await upsertMark(tx, { userId: actor.id, chatId, seq, rev })
      return { content: { ...content, reacted: true } }
    },
    (changed, rev) => ({ name: 'reaction.updated', data: { ...changed, rev } }),
  )
  return answerMy(core, actor, message, mark)
}

async function add({ tx, chatId, seq }: Held, { id: userId }: Actor, emoji: string) {
  const known = await selectEmoji(tx, chatId, seq)
  if (known.length >= LIMITS.emoji && !known.includes(emoji))
    throw forbidden(`A message has at most ${LIMITS.emoji} different reactions`)
  return insertReaction(tx, { chatId, seq, emoji, userId })
}

async function remove({ tx, chatId, seq }: Held, { id: userId }: Actor, emoji: string) {
  return deleteReaction(tx, { chatId, seq, emoji, userId })
}

/** Who reacted. */
export async function listReactions(
  core: Core,
  actor: Actor,
  { chatId, seq }: MessageAddress,
  { limit = 50, cursor }: Paging,
) {
  const bounds = await findBounds(core, actor, chatId)
  await findRow(core, bounds, seq)
  const rows = await selectReactors(core.db, {
    chatId: bounds.chatId,
    seq,
    after: cursor === undefined ? undefined : toKey(cursor),
    limit: limit + 1,
  })
  return toPage<ReactorRow, Reactor>(rows, {
    limit,
    item: ({ emoji, username, created_at }) => ({
      emoji,
      username,
      createdAt: created_at.toISOString(),
    }),
    key: (row) => [row.emoji, String(row.user_id)],
  })
}

function toKey(cursor: string) {
  const [emoji = '', userId = ''] = decodeCursor(cursor, 2)
  if (!/^\d{1,15}$/.test(userId)) throw new ChatError('invalid_cursor', { field: '/cursor' })
  return { emoji, userId: Number(userId) }
}
