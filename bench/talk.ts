/** What the generator speaks: how its users connect, and how a numbered message leaves. */
import { randomUUID } from 'node:crypto'
import { Connection } from './http.ts'
import { signJwt } from './jwt.ts'
import type { OnBytes } from './wire.ts'
import { openWire, type Wire } from './wire.ts'

export interface TalkOptions {
  /** The nodes of one server; each has its share of the users. */
  urls: readonly string[]
  /** Signs the tokens of user0, user1, …; '': a server that asks for none. */
  secret: string
  users: number
  on: TalkEvents
}
export interface TalkEvents {
  acknowledged: (number: number) => void
  arrived: (number: number) => void
  failed: (text: string) => void
}
export interface Talk {
  /** How often each message arrives. */
  copies: number
  open(): Promise<void>
  send(number: number): void
}

/** With whom a user has chats: all pairs of 1,000 users would be half a million. */
const PARTNERS = 8
const OPENING = 32
export const BODY_BYTES = 100
export const DIGITS = 12
export const FILLER = 'x'.repeat(BODY_BYTES - DIGITS)
const ZERO = 48
const NINE = 57
const REFUSED_SHOWN = 300

export interface User {
  username: string
  url: string
  token: string
  /** The name of its room where the server has no chats, as long as a chat's id. */
  room: string
  partners: { user: User; chatId: string }[]
}

/** 1:1 messages from random users to random partners of theirs. */
export function talkInPairs(options: TalkOptions): Talk {
  const { users, wires, open } = members(options)
  return {
    copies: 1,
    async open() {
      pair(users)
      await open()
      if (options.secret !== '') await inTurns(users, openChats)
    },
    send(number) {
      const index = Math.floor(Math.random() * users.length)
      const { partners } = users[index] as User
      const { chatId } = partners[Math.floor(Math.random() * partners.length)] as { chatId: string }
      wires[index]?.send(sendCall(chatId, number))
    },
  }
}

/** One user writes to all the others, in one chat. */
export function talkInGroup(options: TalkOptions, chatId: string): Talk {
  const { users, wires, open } = members(options)
  for (const user of users) user.room = chatId
  return {
    copies: users.length - 1,
    open,
    send: (number) => wires[0]?.send(sendCall(chatId, number)),
  }
}

function members({ urls, secret, users: count, on }: TalkOptions) {
  const users = Array.from({ length: count }, (_, index): User => {
    const username = `user${index}`
    const token = secret === '' ? '' : signJwt(secret, username)
    const url = urls[index % urls.length] ?? ''
    return { username, url, token, room: randomUUID(), partners: [] }
  })
  const wires: Wire[] = []
  const onPacket = reader(on)
  const open = async () => {
    const opened = await inTurns(users, ({ url, token, room, username }) => {
      const auth = secret === '' ? { room, username } : { token }
      return openWire(url, { auth, onPacket })
    })
    for (const wire of opened) wire.onEnd = (reason) => on.failed(`a socket ended: ${reason}`)
    wires.push(...opened)
  }
  return { users, wires, open }
}

/** The number of a message is the id of its acknowledgement, too. */
function sendCall(chatId: string, number: number): string {
  const body = String(number).padStart(DIGITS, '0') + FILLER
  const draft = `{"chatId":"${chatId}","body":"${body}","clientId":"${randomUUID()}"}`
  return `2${number}["message.send",${draft}]`
}

const EVENT = Buffer.from('["message.created"')
const OK = Buffer.from('[{"ok":true')
const BODY = Buffer.from('"body":"')

/** No text is made of what comes, and no JSON is parsed. */
function reader({ acknowledged, arrived, failed }: TalkEvents): OnBytes {
  return (bytes, from, to) => {
    const isEvent = bytes[from] === ZERO + 2
    if (isEvent) {
      if (startsWith(bytes, from + 1, EVENT)) arrived(bodyNumber(bytes, from + EVENT.length, to))
      return
    }
    let at = from + 1
    while (isDigit(bytes[at])) at += 1
    if (startsWith(bytes, at, OK)) acknowledged(numberAt(bytes, from + 1, at))
    else failed(`a message was refused: ${bytes.toString('latin1', at, at + REFUSED_SHOWN)}`)
  }
}

function bodyNumber(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at += 1)
    if (bytes[at] === BODY[0] && startsWith(bytes, at, BODY))
      return numberAt(bytes, at + BODY.length, at + BODY.length + DIGITS)
  return -1
}

function startsWith(bytes: Buffer, from: number, wanted: Buffer): boolean {
  for (let index = 0; index < wanted.length; index += 1)
    if (bytes[from + index] !== wanted[index]) return false
  return true
}

/** Not a number (a message that is not the bench's own): NaN or what nobody waits for. */
export function numberAt(bytes: Buffer, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at += 1) number = number * 10 + (bytes[at] as number) - ZERO
  return number
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

export function pair(users: readonly User[]): void {
  for (const user of users) {
    const others = new Set<User>()
    while (others.size < Math.min(PARTNERS, users.length - 1)) {
      const other = users[Math.floor(Math.random() * users.length)] as User
      if (other !== user) others.add(other)
    }
    user.partners = [...others].map((other) => ({ user: other, chatId: other.room }))
  }
}

/** One message to each partner makes the chat, so that none is new while it is measured. */
async function openChats({ url, token, partners }: User): Promise<void> {
  const connection = new Connection(url)
  for (const partner of partners) {
    const path = `/chats/users/${partner.user.username}/messages`
    const body = { body: 'Hello' }
    const answer = await connection.send({ method: 'POST', path, token, body })
    partner.chatId = (JSON.parse(answer.body) as { chatId: string }).chatId
  }
  connection.close()
}

/** A few at a time; results in the order of the items. */
export async function inTurns<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++)
      results[index] = await work(items[index] as T)
  }
  await Promise.all(Array.from({ length: OPENING }, worker))
  return results
}
