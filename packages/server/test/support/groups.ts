/** People in groups, and how they see them. */
import assert from 'node:assert/strict'
import type { Chat, Member } from '@microchatter/protocol'
import type { Mailbox } from '../../../client/src/merge/mailbox.ts'
import { newPerson, type Person, type TestServer } from './server.ts'

export function newPeople(server: TestServer, count: number): Promise<Person[]> {
  return Promise.all(Array.from({ length: count }, () => newPerson(server)))
}

/** The first one owns it. */
export async function newGroup([owner, ...others]: Person[], more: object = {}): Promise<Chat> {
  assert(owner)
  const members = others.map(({ username }) => username)
  return owner.ask<Chat>('POST', '/chats', { kind: 'group', title: 'Group', members, ...more })
}

/** [SYNC-1] What the client keeps is what a fetch would give. */
export async function assertFresh(one: Person, state: Mailbox): Promise<void> {
  const listed = await one.chats('?limit=100')
  const archived = await one.chats('?archived=true&limit=100')
  const fresh = new Map([...listed, ...archived].map((chat) => [chat.id, comparable(chat)]))
  const kept = new Map([...state.chats].map(([id, chat]) => [id, comparable(chat)]))
  assert.deepEqual(sorted(kept), sorted(fresh))
  for (const [chatId, messages] of state.open) assert.deepEqual(messages, await one.history(chatId))
}

/** `rev` moves with what others alone see; the order of members is not told. */
function comparable(view: Chat): Omit<Chat, 'rev'> {
  const { rev: _, ...chat } = view
  const nameOf = ({ username = '' }: Member) => username
  return { ...chat, members: chat.members.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) }
}

function sorted<T>(map: Map<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

export function until(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
