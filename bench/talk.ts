/** What the generator speaks: how its users connect, and how a numbered message leaves. */
import { randomUUID } from 'node:crypto'
import { anyOf, bodyOf, type Crowd, DIGITS, inTurns, makeUsers, openChats, pair } from './users.ts'
import { type OnBytes, openWire, type Wire } from './wire.ts'

export interface TalkOptions extends Crowd {
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

const ZERO = 48
const NINE = 57
const REFUSED_SHOWN = 300

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
      wires[index]?.send(sendCall(anyOf(users[index]?.partners ?? []).chatId, number))
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

function members(options: TalkOptions) {
  const { secret, on } = options
  const users = makeUsers(options)
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
  const draft = `{"chatId":"${chatId}","body":"${bodyOf(number)}","clientId":"${randomUUID()}"}`
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
