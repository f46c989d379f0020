/**
 * 1:1 messages over XMPP. ejabberd archives a message before it delivers it, so one that has arrived
 * counts as acknowledged, too: asking for acknowledgements would cost it more.
 */
import { connect, type Socket } from 'node:net'
import type { Talk, TalkOptions } from './talk.ts'
import { anyOf, bodyOf, DIGITS, inTurns, makeUsers, pair, type User } from './users.ts'

export const PASSWORD = 'bench'
const OPEN_MS = 20_000
const READ_BYTES = 65_536
const BODY = '<body>'
const MESSAGE_END = '</message>'
const STREAM =
  "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
const BIND = "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
/** Node reads into it and hands it over in the same turn, so one is enough for all sockets. */
const shared = Buffer.alloc(READ_BYTES)

export function talkOverXmpp(options: TalkOptions): Talk {
  const { on } = options
  const users = makeUsers(options)
  let streams: Stream[] = []
  const onMessage = (number: number) => {
    on.acknowledged(number)
    on.arrived(number)
  }
  return {
    copies: 1,
    async open() {
      pair(users)
      streams = await inTurns(users, (user) => openStream(user, { onMessage, onEnd: on.failed }))
    },
    send(number) {
      const index = Math.floor(Math.random() * users.length)
      const { username } = anyOf(users[index]?.partners ?? []).user
      streams[index]?.send(
        `<message type='chat' id='${number}' to='${username}@localhost'><body>${bodyOf(number)}</body></message>`,
      )
    },
  }
}

interface Events {
  onMessage: (number: number) => void
  onEnd: (reason: string) => void
}

/** What is waited for → what is said then; the last one has nothing to say. */
function dialogueOf({ username }: User): { until: string; say: string }[] {
  const plain = Buffer.from(`\0${username}\0${PASSWORD}`).toString('base64')
  const auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`
  return [
    { until: '</stream:features>', say: auth },
    { until: '<success', say: STREAM },
    { until: '</stream:features>', say: BIND },
    { until: '</iq>', say: '<presence/>' },
    { until: '<presence', say: '' },
  ]
}

function openStream(user: User, events: Events): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a stream did not open')), OPEN_MS)
    const onOpen = () => {
      clearTimeout(timer)
      resolve(stream)
    }
    const onEnd = (reason: string) => {
      reject(new Error(reason))
      events.onEnd(reason)
    }
    const stream = new Stream(user, { ...events, onEnd, onOpen })
  })
}

class Stream {
  readonly #socket: Socket
  readonly #events: Events & { onOpen: () => void }
  readonly #dialogue: { until: string; say: string }[]
  #received = ''

  constructor(user: User, events: Events & { onOpen: () => void }) {
    this.#events = events
    this.#dialogue = dialogueOf(user)
    const { hostname, port } = new URL(user.url)
    const callback = (count: number, bytes: Uint8Array) => {
      this.#onText((bytes as Buffer).toString('latin1', 0, count))
      return true
    }
    const onread = { buffer: shared, callback }
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread })
    this.#socket.on('error', (error) => events.onEnd(error.message))
    this.#socket.on('close', () => events.onEnd(`a stream ended: ${this.#received.slice(-300)}`))
    this.send(STREAM)
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  #onText(text: string): void {
    this.#received += text
    const [step] = this.#dialogue
    if (step) this.#proceed(step)
    else this.#readMessages()
  }

  #proceed({ until, say }: { until: string; say: string }): void {
    if (!this.#received.includes(until)) return
    this.#received = ''
    this.#dialogue.shift()
    if (say === '') this.#events.onOpen()
    else this.send(say)
  }

  #readMessages(): void {
    let from = 0
    for (;;) {
      const end = this.#received.indexOf(MESSAGE_END, from)
      if (end < 0) break
      const body = this.#received.indexOf(BODY, from) + BODY.length
      this.#events.onMessage(Number(this.#received.slice(body, body + DIGITS)))
      from = end + MESSAGE_END.length
    }
    this.#received = this.#received.slice(from)
  }
}
