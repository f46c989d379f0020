/** Messages by REST: each of the connections has one request on its way. */
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { Connection } from './http.ts'
import type { Talk, TalkOptions } from './talk.ts'
import { anyOf, bodyOf, inTurns, makeUsers, openChats, pair, type User } from './users.ts'

const HEAD_END = '\r\n\r\n'
const READ_BYTES = 65_536
/** Node reads into it and hands it over in the same turn, so one is enough for all connections. */
const shared = Buffer.alloc(READ_BYTES)

/** `connections` is also how many messages are in flight: the number of one tells its connection. */
export function talkByRest(options: TalkOptions, connections: number): Talk {
  const { urls, secret, on } = options
  const users = makeUsers(options)
  const ends: Exchange[] = []
  return {
    copies: 0,
    async open() {
      pair(users)
      if (secret !== '') {
        await inTurns(users, becomeKnown)
        await inTurns(users, openChats)
      }
      for (let index = 0; index < connections; index += 1)
        ends.push(new Exchange(urls[index % urls.length] ?? '', on.failed))
      await Promise.all(ends.map(({ opened }) => opened))
    },
    send(number) {
      const { token, partners } = anyOf(users)
      const body = `{"body":"${bodyOf(number)}","clientId":"${randomUUID()}"}`
      const path = `/chats/${anyOf(partners).chatId}/messages`
      ends[number % connections]?.post({ path, token, body }, () => on.acknowledged(number))
    },
  }
}

async function becomeKnown({ url, token }: User): Promise<void> {
  const connection = new Connection(url)
  await connection.send({ path: '/unread', token })
  connection.close()
}

interface Post {
  path: string
  token: string
  /** ASCII. */
  body: string
}

class Exchange {
  readonly opened: Promise<void>
  readonly #socket: Socket
  readonly #host: string
  readonly #onFailure: (text: string) => void
  #onAnswer: () => void = () => undefined
  #received = ''

  constructor(url: string, onFailure: (text: string) => void) {
    const { hostname, port, host } = new URL(url)
    this.#host = host
    this.#onFailure = onFailure
    const callback = (count: number, bytes: Uint8Array) => {
      this.#onText((bytes as Buffer).toString('latin1', 0, count))
      return true
    }
    const onread = { buffer: shared, callback }
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread })
    this.opened = new Promise((resolve) => this.#socket.once('connect', resolve))
    this.#socket.on('error', (error) => onFailure(error.message))
    this.#socket.on('close', () => onFailure('a connection ended'))
  }

  post({ path, token, body }: Post, onAnswer: () => void): void {
    this.#onAnswer = onAnswer
    const authorization = token === '' ? '' : `authorization: Bearer ${token}\r\n`
    this.#socket.write(
      `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n${authorization}content-type: application/json\r\ncontent-length: ${body.length}${HEAD_END}${body}`,
      'latin1',
    )
  }

  #onText(text: string): void {
    const all = this.#received + text
    const headEnd = all.indexOf(HEAD_END)
    const length = Number(/content-length: (\d+)/i.exec(all)?.[1] ?? Number.NaN)
    if (headEnd < 0 || all.length < headEnd + HEAD_END.length + length) {
      this.#received = all
      return
    }
    this.#received = ''
    if (all.startsWith('HTTP/1.1 201')) this.#onAnswer()
    else this.#onFailure(`a message was refused: ${all.slice(0, 600)}`)
  }
}
