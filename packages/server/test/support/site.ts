/** A few users of a server, with their devices, that do the same by REST or by socket. */
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import type { CallName } from '@microchatter/protocol'
import { Mailbox } from '../../../client/src/merge/mailbox.ts'
import {
  admin,
  type Answer,
  type Device,
  jwtFor,
  newName,
  Person,
  type TestServer,
} from './server.ts'
import { comeBack } from './watch.ts'

export interface Client {
  state: Mailbox
  /** undefined: it is away. */
  device: Device | undefined
}

export interface User {
  person: Person
  clients: readonly Client[]
}

/** By the socket of this client, where it is there, or by REST; undefined: by REST. */
export type Via = Client | undefined

export interface ByRest {
  method: string
  path: string
  body?: unknown
}
export interface BySocket {
  name: CallName
  body: object
  /** [MERGE-9] The answer stands for the event. */
  apply: (state: Mailbox, answer: Record<string, any>) => void
}

export interface Done {
  /** Why it was not done. */
  code?: string
  status?: number
  /** Of REST the body, of a socket the acknowledgement. */
  answer?: any
}

const agent = new Agent({ keepAlive: true })

/** By `node:http`, which takes a third of the time of `fetch` (measured). */
class QuickPerson extends Person {
  override fetch<T = any>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const json = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      authorization: this.authorization,
      ...(json === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
    }
    return new Promise((resolve, reject) => {
      const sent = request(this.server.url + path, { method, headers, agent }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('error', reject).on('end', () => {
          const { statusCode: status = 0 } = answer
          const json = (text === '' ? undefined : JSON.parse(text)) as T
          resolve({ status, headers: new Headers(), body: json })
        })
      })
      sent.on('error', reject).end(json)
    })
  }
}

export class Site {
  /** Of those chats that someone was told of, by their key in the model. */
  readonly chatIds = new Map<string, string>()

  private constructor(
    readonly admin: Person,
    readonly users: readonly User[],
  ) {}

  /** A user for each of these numbers of devices. */
  static async open(server: TestServer, devices: readonly number[]): Promise<Site> {
    const users = await Promise.all(
      devices.map(async (count) => {
        const username = newName()
        const person = new QuickPerson(server, username, `Bearer ${await jwtFor(username)}`)
        const clients = Array.from({ length: count }, (): Client => {
          return { state: new Mailbox(person.username), device: undefined }
        })
        return { person, clients }
      }),
    )
    const site = new Site(admin(server), users)
    await Promise.all(
      users.flatMap((user) => user.clients.map((client) => site.comeBack(user, client))),
    )
    return site
  }

  close(): void {
    for (const { person } of this.users) person.close()
  }

  user(index: number): User {
    const user = this.users[index]
    assert(user)
    return user
  }

  find(username: string): User {
    const user = this.users.find(({ person }) => person.username === username)
    assert(user)
    return user
  }

  async comeBack({ person }: User, client: Client): Promise<void> {
    client.device = await comeBack(person, client.state)
  }

  leave(client: Client): void {
    client.device?.close()
    client.device = undefined
  }

  /** [SOCK-3] All of its devices are away then. */
  async deactivate({ person, clients }: User): Promise<void> {
    await this.admin.ask('PATCH', `/users/${person.username}`, { active: false })
    assert.equal((await person.fetch('GET', '/chats')).body.code, 'deactivated')
    for (const client of clients) {
      await client.device?.disconnected()
      client.device = undefined
    }
    await this.admin.ask('PATCH', `/users/${person.username}`, { active: true })
  }

  async act({ person }: User, via: Via, rest: ByRest, socket?: BySocket): Promise<Done> {
    if (!via?.device || !socket) {
      const { status, body } = await person.fetch(rest.method, rest.path, rest.body)
      return status < 300 ? { status, answer: body } : { status, code: body.code }
    }
    const answer = await via.device.call(socket.name, socket.body)
    if (answer.error) return { code: answer.error.code }
    socket.apply(via.state, answer)
    return { answer }
  }
}
