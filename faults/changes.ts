/**
 * What people do to messages, to drafts, and to what they have got: each is one call, which is repeated
 * as it is where its answer is lost [ERR-3]. Its `key` is what it sets, its `value` to what.
 */
import type { Message } from '@microchatter/protocol'
import type { Attempted, Device } from './device.ts'
import type { Call } from './history.ts'
import type { Random } from './random.ts'
import { newText } from './texts.ts'

/** Of the newest so many: what is older is left alone. */
const NEWEST = 15
const EMOJI = ['👍', '🎉', '❤️', '👩‍🚀']

interface Changing {
  device: Device
  message: Message
  /** /chats/…/messages/… */
  path: string
  random: Random
}

type Change = (changing: Changing) => Promise<Call>

/** By how often each is done. */
const CHANGES: readonly [weight: number, change: Change, of: 'any' | 'own' | 'poll'][] = [
  [30, edit, 'own'],
  [10, erase, 'own'],
  [25, react, 'any'],
  [10, pin, 'any'],
  [10, star, 'any'],
  [5, eraseForMe, 'any'],
  [15, vote, 'poll'],
]
const DICE = CHANGES.flatMap(([weight, ...one]) => Array.from({ length: weight }, () => one))

/** Nothing, where there is no such message. */
export async function changeMessage(device: Device, chatId: string, random: Random) {
  const [change, of] = random.of(DICE)
  const messages = (device.state.open.get(chatId) ?? []).slice(-NEWEST).filter((message) => {
    if (message.kind === 'system' || message.deletedAt || message.my?.deleted) return false
    if (of === 'poll') return message.kind === 'poll'
    return of === 'any' || (message.sender === device.user && message.kind === undefined)
  })
  if (messages.length === 0) return
  const message = random.of(messages)
  const path = `/chats/${chatId}/messages/${message.seq}`
  await change({ device, message, path, random })
}

interface Asked {
  /** What it sets, beside the message. */
  of: string
  value: string
  socket?: { name: string; body: object }
  rest: { method: string; path: string; body?: object }
}

/** Any attempt may go another way than the one before. */
function ask({ device, message, random }: Changing, { of, value, socket, rest }: Asked) {
  const { chatId, seq } = message
  const key = `${of.split(' ')[0]} ${chatId} ${seq} ${of.split(' ').slice(1).join(' ')}`.trim()
  const attempt = (): Attempted =>
    socket && device.isLive && random.chance(50)
      ? device.bySocket(socket.name, { chatId, seq, ...socket.body })
      : device.byRest(rest.method, rest.path, rest.body)
  const settle = (answer: any) => {
    const { change } = answer?.message ?? answer ?? {}
    return change === undefined ? {} : { change }
  }
  return device.repeat({ kind: 'change', chatId, at: seq, key, value }, attempt, settle)
}

function edit(changing: Changing): Promise<Call> {
  const body = newText(changing.random)
  return ask(changing, {
    of: 'text',
    value: body,
    socket: { name: 'message.edit', body: { body } },
    rest: { method: 'PATCH', path: changing.path, body: { body } },
  })
}

function erase(changing: Changing): Promise<Call> {
  return ask(changing, {
    of: 'erased',
    value: 'yes',
    socket: { name: 'message.delete', body: {} },
    rest: { method: 'DELETE', path: changing.path },
  })
}

function eraseForMe(changing: Changing): Promise<Call> {
  return ask(changing, {
    of: `hidden ${changing.device.user}`,
    value: 'yes',
    socket: { name: 'message.delete', body: { for: 'me' } },
    rest: { method: 'DELETE', path: `${changing.path}?for=me` },
  })
}

function react(changing: Changing): Promise<Call> {
  const { device, path, random } = changing
  const emoji = random.of(EMOJI)
  const on = random.chance(75)
  return ask(changing, {
    of: `reaction ${device.user} ${emoji}`,
    value: on ? 'yes' : '',
    socket: { name: 'reaction.set', body: { emoji, on } },
    rest: {
      method: on ? 'PUT' : 'DELETE',
      path: `${path}/reactions/${encodeURIComponent(emoji)}`,
    },
  })
}

function pin(changing: Changing): Promise<Call> {
  return toggle(changing, { of: 'pin', path: `${changing.path}/pin` })
}

function star(changing: Changing): Promise<Call> {
  return toggle(changing, { of: `star ${changing.device.user}`, path: `${changing.path}/star` })
}

function toggle(changing: Changing, { of, path }: { of: string; path: string }): Promise<Call> {
  const on = changing.random.chance(70)
  return ask(changing, {
    of,
    value: on ? 'yes' : '',
    rest: { method: on ? 'PUT' : 'DELETE', path },
  })
}

function vote(changing: Changing): Promise<Call> {
  const { device, path, random } = changing
  const options = random.chance(85) ? [random.between(0, 2)] : []
  return ask(changing, {
    of: `vote ${device.user}`,
    value: options.join(','),
    rest: { method: 'PUT', path: `${path}/vote`, body: { options } },
  })
}

/** [MAIL-1] */
export function setDraft(device: Device, chatId: string, random: Random): Promise<Call> {
  const draft = random.chance(75) ? { body: newText(random) } : null
  const key = `draft ${chatId} ${device.user}`
  const path = `/chats/${chatId}/draft`
  return device.repeat({ kind: 'change', chatId, key, value: draft?.body ?? '' }, () =>
    device.isLive && random.chance(60)
      ? device.bySocket('draft.set', { chatId, draft })
      : device.byRest(draft ? 'PUT' : 'DELETE', path, draft ?? undefined),
  )
}

/** [RECEIPT-1] */
export async function tellDelivered(device: Device, chatId: string, random: Random) {
  const seq = device.state.open.get(chatId)?.at(-1)?.seq
  if (seq === undefined) return
  await device.repeat({ kind: 'delivered', chatId }, () =>
    device.isLive && random.chance(80)
      ? device.bySocket('chat.delivered', { chatId, seq })
      : device.byRest('PUT', `/chats/${chatId}/delivered`, { seq }),
  )
}
