/** What users do meanwhile: mostly sends, and all else that changes what others see. */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import { changeMessage, setDraft, tellDelivered } from './changes.ts'
import type { Device } from './device.ts'
import { changeGroup, type GroupOf } from './groups.ts'
import type { Call } from './history.ts'
import type { Random } from './random.ts'
import { newText } from './texts.ts'
import { schedule } from './timed.ts'

/** A direct chat. */
export interface ChatOf {
  id: string
  users: [string, string]
}

export interface Crowd {
  devices: readonly Device[]
  chats: ChatOf[]
  groups: readonly GroupOf[]
  devicesOf(user: string): Device[]
}

export interface Load {
  messages: number
  /** Milliseconds between what one device does; once it is answered, the pause begins. */
  pauseMs?: number
  /** Every send a second time at once, by another way. */
  isTwice?: boolean
  /** Pairs that block and unblock each other while others write there as fast as they can. */
  blocks?: number
  /** Texts that the database refuses. */
  isPoisoned?: boolean
  /** Pairs without a chat who write to each other first, at the same moment. */
  newPairs?: number
}

const PAUSE_MS = 100
const BLOCKED_MS = 250
/** Messages that are scheduled while a fault is at work. */
const SCHEDULED = 6

export async function work(crowd: Crowd, random: Random, load: Load): Promise<void> {
  const { devices } = crowd
  const each = Math.ceil(load.messages / devices.length)
  const workers = devices.map((device) => {
    const own = random.fork()
    return useDevice(crowd, device, { random: own, load, messages: each })
  })
  const pairs = Array.from({ length: load.blocks ?? 0 }, () =>
    blockAndUnblock(crowd, random.fork()),
  )
  const keepers = crowd.groups.map((group) =>
    keepGroup(crowd, group, { random: random.fork(), load }),
  )
  const firsts = Array.from({ length: load.newPairs ?? 0 }, () => meetAtOnce(crowd, random.fork()))
  await Promise.all([...workers, ...pairs, ...keepers, ...firsts])
}

/** [TIME-3] */
export async function scheduleSome(
  { chats, groups, devices }: Crowd,
  random: Random,
): Promise<void> {
  const sends = Array.from({ length: SCHEDULED }, () => {
    const device = random.of(devices)
    const own = [...chats, ...groups].filter(({ users }) => users.includes(device.user))
    return schedule(device, random.of(own).id, random)
  })
  await Promise.all(sends)
}

interface Turn {
  random: Random
  load: Load
  messages: number
}

/** Most of what one does is to send; what else it does comes on top. */
async function useDevice(
  { chats, groups }: Crowd,
  device: Device,
  { random, load, messages }: Turn,
): Promise<void> {
  const own = [...chats, ...groups].filter(({ users }) => users.includes(device.user))
  if (own.length === 0) return
  for (let left = messages; left > 0; ) {
    const { id } = random.of(own)
    const dice = random.between(1, 120)
    if (dice <= 8) await read(device, id, random)
    else if (dice <= 12) await edit(device, id, random)
    else if (dice === 13) await remove(device, id)
    else if (dice <= 25) {
      const count = Math.min(left, random.between(2, 6))
      await sendBurst(device, id, { count, random })
      left -= count
    } else if (dice <= 100) {
      await sendOne(device, id, { random, load })
      left -= 1
    } else await changeSomething(device, id, random)
    await sleep(random.between(0, 2 * (load.pauseMs ?? PAUSE_MS)))
  }
}

export function changeSomething(device: Device, chatId: string, random: Random): Promise<unknown> {
  const dice = random.between(1, 20)
  if (dice === 1) return setDraft(device, chatId, random)
  if (dice === 2) return tellDelivered(device, chatId, random)
  return changeMessage(device, chatId, random)
}

/** Now and then someone comes or goes, or the group gets another name. */
async function keepGroup(
  crowd: Crowd,
  group: GroupOf,
  { random, load }: Omit<Turn, 'messages'>,
): Promise<void> {
  if (load.messages === 0) return
  for (let left = random.between(0, 2); left > 0; left -= 1) {
    await sleep(random.between(0, 1_000))
    await changeGroup(random.of(crowd.devicesOf(group.owner)), group, random)
  }
}

interface SendOptions {
  random: Random
  load?: Load
}

async function sendOne(device: Device, chatId: string, { random, load }: SendOptions) {
  const poison = load?.isPoisoned === true && random.chance(5)
  const body = `${newText(random)}${poison ? ' poison' : ''}`
  const clientId = randomUUID()
  const extras = extrasOf(device, chatId, random)
  const send = () =>
    sendAs(device, { chatId, body, clientId, random, extras, ...(poison && { poison }) })
  await (load?.isTwice ? Promise.all([send(), send()]) : send())
}

/** Most are plain; some answer, stand in a thread, or ask. */
function extrasOf({ state }: Device, chatId: string, random: Random): object {
  const dice = random.between(1, 100)
  if (dice <= 3) return { poll: { options: ['yes', 'no', 'neither'] } }
  const last = state.open.get(chatId)?.at(-1)
  if (!last || last.kind === 'system' || last.thread !== undefined || dice > 12) return {}
  return dice <= 8 ? { reply: last.seq } : { thread: last.seq }
}

interface Send {
  chatId: string
  body: string
  clientId: string
  random: Random
  /** What it has beside the text. */
  extras?: object
  poison?: boolean
  again?: boolean
}

/** Any attempt may go another way than the one before. */
export function sendAs(device: Device, { random, extras, ...what }: Send): Promise<Call> {
  const { chatId, body, clientId } = what
  const message = { body, clientId, ...extras }
  return device.repeat(
    { kind: 'send', ...what },
    () =>
      device.isLive && random.chance(65)
        ? device.bySocket('message.send', { chatId, ...message })
        : device.byRest('POST', `/chats/${chatId}/messages`, message),
    (answer) => ({ seq: (answer.message ?? answer).seq }),
  )
}

let bursts = 0

/** Several that do not wait for each other, on one connection. */
async function sendBurst(
  device: Device,
  chatId: string,
  { count, random }: { count: number; random: Random },
): Promise<void> {
  bursts += 1
  const burst = bursts
  const sends = Array.from({ length: count }, () => {
    const what = { chatId, body: newText(random), clientId: randomUUID() }
    return device.repeat(
      { kind: 'send', burst, ...what },
      () => device.bySocket('message.send', what),
      (answer) => ({ seq: answer.message.seq }),
    )
  })
  await Promise.all(sends)
}

async function read(device: Device, chatId: string, random: Random): Promise<void> {
  const last = device.state.chats.get(chatId)?.lastSeq ?? 0
  if (last === 0) return
  const back = random.chance(10)
  const body = back ? { seq: random.between(0, last), unread: true } : { seq: last }
  await device.repeat(
    { kind: 'read', chatId, ...(back && { back }) },
    () =>
      device.isLive && random.chance(50)
        ? device.bySocket('chat.read', { chatId, ...body })
        : device.byRest('PUT', `/chats/${chatId}/read`, body),
    (answer) => ({ seq: (answer.read ?? answer).seq }),
  )
}

async function edit(device: Device, chatId: string, random: Random): Promise<void> {
  const setting = random.of(['pinned', 'muted', 'archived'] as const)
  const body = { [setting]: random.chance(50) }
  await device.repeat({ kind: 'setting', chatId, body: JSON.stringify(body) }, () =>
    device.byRest('PATCH', `/chats/${chatId}`, body),
  )
}

async function remove(device: Device, chatId: string): Promise<void> {
  await device.repeat({ kind: 'delete', chatId }, () => device.byRest('DELETE', `/chats/${chatId}`))
}

/** [SEND-4] The blocker looks at the chat when the block is answered, and again before it ends. */
async function blockAndUnblock(crowd: Crowd, random: Random): Promise<void> {
  const { id, users } = random.of(crowd.chats)
  const [blocker, blocked] = random.chance(50) ? users : [users[1], users[0]]
  const [device] = crowd.devicesOf(blocker)
  const [writer] = crowd.devicesOf(blocked)
  if (!device || !writer) return
  let isOver = false
  const writing = (async () => {
    for (let left = 400; left > 0 && !isOver; left -= 4)
      await sendBurst(writer, id, { count: 4, random })
  })()
  const path = `/users/me/blocks/${encodeURIComponent(blocked)}`
  const look = () =>
    device.repeat(
      { kind: 'look', chatId: id },
      () => device.byRest('GET', `/chats/${id}`),
      (chat) => ({ seq: chat.lastSeq }),
    )
  for (let round = 0; round < 3; round += 1) {
    await sleep(random.between(20, 80))
    await device.repeat({ kind: 'block', chatId: id }, () => device.byRest('PUT', path))
    await look()
    await sleep(BLOCKED_MS)
    await look()
    await device.repeat({ kind: 'unblock', chatId: id }, () => device.byRest('DELETE', path))
  }
  isOver = true
  await writing
}

/** Two who have no chat yet: it is one, whoever comes first [CHAT-1]. */
async function meetAtOnce(crowd: Crowd, random: Random): Promise<void> {
  const one = random.of(crowd.devices)
  const known = new Set(crowd.chats.map(({ users }) => users.toSorted().join(' ')))
  const others = crowd.devices.filter(
    ({ user }) => user !== one.user && !known.has([user, one.user].toSorted().join(' ')),
  )
  if (others.length === 0) return
  const other = random.of(others)
  const users: [string, string] = [one.user, other.user]
  const chat = { id: '', users }
  crowd.chats.push(chat)
  const greet = (from: Device, to: Device) => {
    const message = { body: newText(random), clientId: randomUUID() }
    const path = `/chats/users/${encodeURIComponent(to.user)}/messages`
    return from.repeat(
      { kind: 'send', chatId: '', ...message },
      () => from.byRest('POST', path, message),
      ({ seq, chatId }) => ({ seq, chatId }),
    )
  }
  const sent = await Promise.all([greet(one, other), greet(other, one)])
  const id = sent.find(({ outcome }) => outcome === 'ok')?.chatId
  if (id === undefined) crowd.chats.splice(crowd.chats.indexOf(chat), 1)
  else chat.id = id
}
