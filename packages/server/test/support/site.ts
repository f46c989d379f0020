/** A few users of a server, each with one client, that do the same by REST or by socket. */
import assert from 'node:assert/strict'
import type { Message, ReadState } from '@microchatter/protocol'
import { ClientState } from './client.ts'
import { admin, type Device, newPerson, type Person, type TestServer } from './server.ts'
import { comeBack } from './watch.ts'

export interface User {
  person: Person
  state: ClientState
  /** undefined: it is away. */
  device: Device | undefined
}

type Via = 'rest' | 'socket'

export class Site {
  /** Of those chats that someone was told of, by the names of the two. */
  readonly chatIds = new Map<string, string>()

  private constructor(
    readonly admin: Person,
    readonly users: readonly User[],
  ) {}

  static async open(server: TestServer, count: number): Promise<Site> {
    const people = await Promise.all(Array.from({ length: count }, () => newPerson(server)))
    const users = people.map((person) => {
      return { person, state: new ClientState(person.username), device: undefined }
    })
    const site = new Site(admin(server), users)
    for (const user of users) await site.comeBack(user)
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

  async comeBack(user: User): Promise<void> {
    user.device = await comeBack(user.person, user.state)
  }

  async leave(user: User): Promise<void> {
    user.device?.close()
    user.device = undefined
  }

  /** [SOCK-3] It is away then. */
  async deactivate(user: User): Promise<void> {
    const { person, device } = user
    await this.admin.ask('PATCH', `/users/${person.username}`, { active: false })
    assert.equal((await person.fetch('GET', '/chats')).body.code, 'deactivated')
    await device?.disconnected()
    user.device = undefined
    await this.admin.ask('PATCH', `/users/${person.username}`, { active: true })
  }

  /** To a user, or into a chat where its id is known. */
  async send(
    { person, device, state }: User,
    { via, chatId, to }: { via: Via; chatId: string | undefined; to: string },
    sent: { body: string; clientId: string },
  ): Promise<{ code?: string; message?: Message }> {
    if (via === 'rest' || !chatId || !device) {
      const isKnown = chatId !== undefined && via === 'socket'
      const path = isKnown ? `/chats/${chatId}/messages` : `/chats/users/${to}/messages`
      const { status, body } = await person.fetch('POST', path, sent)
      return status < 300 ? { message: body } : { code: body.code }
    }
    const answer = await device.call('message.send', { chatId, ...sent })
    if (answer.error) return { code: answer.error.code }
    state.message(answer.message)
    return { message: answer.message }
  }

  async read(
    { person, device, state }: User,
    { via, chatId }: { via: Via; chatId: string },
    body: { seq: number; unread: boolean },
  ): Promise<{ code?: string; read?: ReadState }> {
    if (via === 'rest' || !device) {
      const answer = await person.fetch('PUT', `/chats/${chatId}/read`, body)
      return answer.status < 300 ? { read: answer.body } : { code: answer.body.code }
    }
    const answer = await device.call('chat.read', { chatId, ...body })
    if (answer.error) return { code: answer.error.code }
    state.read(answer.read)
    return { read: answer.read }
  }

  /** undefined: none any more. Gives the code of the refusal. */
  async setDraft(
    { person, device, state }: User,
    { via, chatId }: { via: Via; chatId: string },
    body: string | undefined,
  ): Promise<string | undefined> {
    if (via === 'rest' || !device) {
      const sent = body === undefined ? undefined : { body }
      const method = sent ? 'PUT' : 'DELETE'
      return (await person.fetch(method, `/chats/${chatId}/draft`, sent)).body?.code
    }
    const draft = body === undefined ? null : { body }
    const answer = await device.call('draft.set', { chatId, draft })
    if (!answer.error) state.draft(answer.draft)
    return answer.error?.code
  }
}
