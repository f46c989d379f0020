/** Direct chats: one for each pair of users [CHAT-1]. */
import type { Chat, OpenChatBody } from '@microchatter/protocol'
import { uuidv7 } from 'uuidv7'
import { bumpRights, insertDirectChat, selectDirectChat, shareGroup } from '../store/chats.ts'
import type { Db } from '../store/db.ts'
import { showChat } from '../store/members.ts'
import type { UserRow } from '../store/users.ts'
import { getChat, tellDevices, viewChat } from './chats.ts'
import { doubting } from './changing.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import type { Once } from './idempotency.ts'
import { strangerRefused, SYSTEM } from './rights.ts'
import { userNotFound } from './users.ts'

interface Pair {
  userId: number
  otherId: number
}
interface PairOf extends Pair {
  other: UserRow
}

/** The direct chat with this user, made if there is none, and put on my list. */
export async function openChat(
  core: Core,
  actor: Actor,
  body: OpenChatBody,
  once: Once,
): Promise<{ created: boolean; chat: Chat }> {
  const pair = await pairWith(core, actor, usernameOf(body))
  const known = await findChatOf(core, pair)
  if (known === undefined) await checkNewChat(core, actor, pair)
  const id = known ?? uuidv7()
  const open = () => once((tx) => openPair(tx, pair, { id, isKnown: known !== undefined }))
  const { created, isNew, chat } = await doubting(core, id, open)
  keep(core, pair, chat.id)
  if (isNew) {
    core.bus.publish({ kind: 'rights', chatId: chat.id })
    tellDevices(core, actor, 'chat.created', chat)
  }
  return { created, chat }
}

/** The direct chat with this user, on my list or not; undefined: there is none, or none that I see. */
export async function findChatWith(
  core: Core,
  actor: Actor,
  username: string,
): Promise<Chat | undefined> {
  const id = await findChatOf(core, await pairWith(core, actor, username))
  if (id === undefined) return undefined
  return getChat(core, actor, id).catch((error: unknown) => {
    // The other has opened it, and written nothing.
    if (error instanceof ChatError && error.code === 'not_found') return undefined
    throw error
  })
}

function usernameOf(body: OpenChatBody): string {
  const { kind: _, username, ...others } = body
  if (username === undefined)
    throw new ChatError('invalid', {
      field: '/username',
      detail: 'A direct chat needs a `username`; for a group, send `kind: "group"`',
    })
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new ChatError('invalid', {
      field: `/${other}`,
      detail: `A direct chat has no ${other}; for a group, send \`kind: "group"\``,
    })
  return username
}

/** `isNew`: on my list. */
async function openPair(tx: Db, pair: Pair, wanted: { id: string; isKnown: boolean }) {
  const { id, created } = await makeChatOf(tx, pair, wanted)
  const { chat, isListed } = await viewChat(tx, id, pair.userId)
  if (isListed) return { created, isNew: false, chat }
  await bumpRights(tx, id)
  await showChat(tx, id, pair.userId)
  return { created, isNew: true, chat: (await viewChat(tx, id, pair.userId)).chat }
}

/** The direct chat of two users; a new one is on nobody's list until something puts it there. */
export async function directChat(
  core: Core,
  actor: Pick<Actor, 'id' | 'username'>,
  username: string,
): Promise<string> {
  const pair = await pairWith(core, actor, username)
  return pairChat(core, pair, () => checkNewChat(core, actor, pair))
}

/** The chat of two, made if there is none; `beforeMaking` may refuse that. */
export async function pairChat(
  core: Core,
  pair: Pair,
  beforeMaking?: () => Promise<void>,
): Promise<string> {
  const known = await findChatOf(core, pair)
  if (known === undefined) await beforeMaking?.()
  const wanted = { id: known ?? uuidv7(), isKnown: known !== undefined }
  const { id } = await makeChatOf(core.db, pair, wanted)
  keep(core, pair, id)
  return id
}

async function pairWith(core: Core, { id }: Pick<Actor, 'id'>, username: string): Promise<PairOf> {
  const other = await core.identity.user(username)
  if (!other) throw userNotFound()
  return { userId: id, otherId: other.id, other }
}

/** [PRIV-2] @throws forbidden, rate_limited */
async function checkNewChat(
  core: Core,
  { id, username }: Pick<Actor, 'id' | 'username'>,
  { other }: PairOf,
): Promise<void> {
  if (username === SYSTEM) return
  core.limits.newChats.take(id)
  if (id === other.id) return
  const writeFrom = other.write_from ?? core.settings.privacy.writeFrom
  if (writeFrom === 'nobody') throw strangerRefused()
  if (writeFrom === 'contacts' && !(await shareGroup(core.db, id, other.id)))
    throw strangerRefused()
}

async function findChatOf(core: Core, pair: Pair): Promise<string | undefined> {
  const known = core.writer.directChats.get(keyOf(pair))
  return known ?? selectDirectChat(core.db, pair.userId, pair.otherId)
}

async function makeChatOf(db: Db, pair: Pair, { id, isKnown }: { id: string; isKnown: boolean }) {
  return isKnown ? { id, created: false } : insertDirectChat(db, { id, ...pair })
}

/** Once it is committed: it never changes. */
function keep(core: Core, pair: Pair, id: string): void {
  core.writer.directChats.set(keyOf(pair), id)
}

function keyOf({ userId, otherId }: Pair): string {
  return `${Math.min(userId, otherId)} ${Math.max(userId, otherId)}`
}
