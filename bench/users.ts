/** The users of a load, with whom they have chats, and what they write. */
import { randomUUID } from 'node:crypto'
import { Connection } from './http.ts'
import { signJwt } from './jwt.ts'

/** With whom a user has chats: all pairs of 1,000 users would be half a million. */
const PARTNERS = 8
const OPENING = 32
const BODY_BYTES = 100
/** Of the number that a body begins with. */
export const DIGITS = 12
const FILLER = 'x'.repeat(BODY_BYTES - DIGITS)

export interface User {
  username: string
  url: string
  token: string
  /** The name of its room where the server has no chats, as long as a chat's id. */
  room: string
  partners: { user: User; chatId: string }[]
}

export interface Crowd {
  /** The nodes of one server; each has its share of the users. */
  urls: readonly string[]
  /** Signs the tokens of user0, user1, …; '': a server that asks for none. */
  secret: string
  users: number
}

export function makeUsers({ urls, secret, users }: Crowd): User[] {
  return Array.from({ length: users }, (_, index): User => {
    const username = `user${index}`
    const token = secret === '' ? '' : signJwt(secret, username)
    const url = urls[index % urls.length] ?? ''
    return { username, url, token, room: randomUUID(), partners: [] }
  })
}

/** Chats are named by the room of the other one, until they are opened. */
export function pair(users: readonly User[]): void {
  for (const user of users) {
    const others = new Set<User>()
    while (others.size < Math.min(PARTNERS, users.length - 1)) {
      const other = anyOf(users)
      if (other !== user) others.add(other)
    }
    user.partners = [...others].map((other) => ({ user: other, chatId: other.room }))
  }
}

/** The users have to be known. One message to each partner: no chat is new while it is measured. */
export async function openChats({ url, token, partners }: User): Promise<void> {
  const connection = new Connection(url)
  for (const partner of partners) {
    const path = `/chats/users/${partner.user.username}/messages`
    const body = { body: 'Hello' }
    const answer = await connection.send({ method: 'POST', path, token, body })
    partner.chatId = (JSON.parse(answer.body) as { chatId: string }).chatId
  }
  connection.close()
}

export function anyOf<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T
}

export function bodyOf(number: number): string {
  return String(number).padStart(DIGITS, '0') + FILLER
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
