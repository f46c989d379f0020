/** The load of the send bench, as a process of its own: sockets, chats, messages in flight. */
import { createHmac, randomUUID } from 'node:crypto'
import type { WebSocket } from 'ws'
import { type Figures, Meter } from './meter.ts'
import { openSocket } from './wire.ts'

export interface Plan {
  url: string
  /** Signs the tokens of the users; undefined: the relay, which knows none. */
  secret: string | undefined
  sockets: number
  windows: number[]
  warmUpMs: number
  measureMs: number
}
export type Report =
  | { kind: 'second' }
  | { kind: 'figures'; window: number; figures: Figures }
  | { kind: 'end' }

/** With whom a user has chats: all pairs of 1,000 users would be half a million. */
const PARTNERS = 8
const OPENING = 32
const BODY_BYTES = 100
const DIGITS = 12
const STALL_MS = 10_000
const FILLER = 'x'.repeat(BODY_BYTES - DIGITS)
const BODY_AT = '"body":"'

interface User {
  username: string
  token: string
  /** The relay's name for it, as long as a chat's id. */
  room: string
  partners: { user: User; chatId: string }[]
}

class Load {
  readonly #plan: Plan
  readonly #users: User[]
  #sockets: WebSocket[] = []
  #meter: Meter | undefined
  #failure: Error | undefined

  constructor(plan: Plan) {
    this.#plan = plan
    this.#users = makeUsers(plan)
  }

  async open(): Promise<void> {
    const { secret } = this.#plan
    const onFrame = (packet: string) => this.#onPacket(packet)
    this.#sockets = await inTurns(this.#users, ({ token, room, username }) => {
      const auth = secret === undefined ? { room, username } : { token }
      return openSocket(this.#plan.url, { auth, onFrame })
    })
    for (const socket of this.#sockets) {
      socket.removeAllListeners('close')
      socket.once('close', (code) => this.#fail(`a socket was closed while at work, code ${code}`))
    }
    if (secret !== undefined) await inTurns(this.#users, (user) => openChats(this.#plan.url, user))
  }

  /** Warms up, measures, and lets what is on its way arrive. */
  async run(window: number, onSecond: () => void): Promise<Figures> {
    const { warmUpMs, measureMs } = this.#plan
    const meter = new Meter(window, (number) => this.#send(number))
    this.#meter = meter
    meter.start()
    await this.#watch(meter, { forMs: warmUpMs, onSecond })
    meter.measure()
    await this.#watch(meter, { forMs: measureMs, onSecond })
    const figures = meter.finish()
    const until = Date.now() + STALL_MS
    while (meter.open > 0 && Date.now() < until) await sleep(5)
    if (meter.open > 0) throw new Error(`${meter.open} messages never came`)
    return figures
  }

  #send(number: number): void {
    const index = Math.floor(Math.random() * this.#users.length)
    const { partners } = this.#users[index] as User
    const { chatId } = partners[Math.floor(Math.random() * partners.length)] as { chatId: string }
    const body = String(number).padStart(DIGITS, '0') + FILLER
    const draft = `{"chatId":"${chatId}","body":"${body}","clientId":"${randomUUID()}"}`
    // The number is the id of the acknowledgement, too.
    this.#sockets[index]?.send(`42${number}["message.send",${draft}]`)
  }

  #onPacket(packet: string): void {
    if (!this.#meter) return
    if (packet.startsWith('3')) {
      const end = packet.indexOf('[')
      if (packet.startsWith('[{"ok":true', end))
        this.#meter.acknowledged(Number(packet.slice(1, end)))
      else this.#fail(`a message was refused: ${packet.slice(end)}`)
    } else if (packet.startsWith('2["message.created"')) {
      const from = packet.indexOf(BODY_AT) + BODY_AT.length
      this.#meter.arrived(Number(packet.slice(from, from + DIGITS)))
    }
  }

  #fail(text: string): void {
    this.#failure ??= new Error(text)
  }

  async #watch(meter: Meter, { forMs, onSecond }: { forMs: number; onSecond: () => void }) {
    const end = performance.now() + forMs
    let moved = { completed: meter.completed, at: performance.now() }
    for (let left = forMs; left > 0; left = end - performance.now()) {
      await sleep(Math.min(left, 1_000))
      if (this.#failure) throw this.#failure
      if (meter.completed > moved.completed)
        moved = { completed: meter.completed, at: performance.now() }
      if (performance.now() - moved.at > STALL_MS) throw new Error('no message came for 10 s')
      onSecond()
    }
  }
}

function makeUsers({ sockets, secret }: Plan): User[] {
  const users = Array.from({ length: sockets }, (_, index): User => {
    const username = `user${index}`
    const token = secret === undefined ? '' : signJwt(secret, username)
    return { username, token, room: randomUUID(), partners: [] }
  })
  for (const user of users) {
    const others = new Set<User>()
    while (others.size < Math.min(PARTNERS, users.length - 1)) {
      const other = users[Math.floor(Math.random() * users.length)] as User
      if (other !== user) others.add(other)
    }
    user.partners = [...others].map((other) => ({ user: other, chatId: other.room }))
  }
  return users
}

function signJwt(secret: string, sub: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const iat = Math.floor(Date.now() / 1_000)
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub, iat, exp: iat + 3_600 })}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** One message to each partner makes the chat. */
async function openChats(url: string, { token, partners }: User): Promise<void> {
  for (const partner of partners) {
    const response = await fetch(`${url}/chats/users/${partner.user.username}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ body: 'Hello' }),
    })
    const message = (await response.json()) as { chatId: string }
    if (response.status !== 201) throw new Error(`no chat: ${JSON.stringify(message)}`)
    partner.chatId = message.chatId
  }
}

/** A few at a time; results in the order of the items. */
async function inTurns<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T)
    }
  }
  await Promise.all(Array.from({ length: OPENING }, worker))
  return results
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function report(message: Report): void {
  process.send?.(message)
}

async function work(plan: Plan): Promise<void> {
  const load = new Load(plan)
  await load.open()
  for (const window of plan.windows) {
    const figures = await load.run(window, () => report({ kind: 'second' }))
    report({ kind: 'figures', window, figures })
  }
  report({ kind: 'end' })
}

process.once('message', (plan: Plan) => {
  work(plan).then(
    () => process.disconnect(),
    (error: Error) => {
      process.stderr.write(`${error.message}\n`)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => process.exit(0))
