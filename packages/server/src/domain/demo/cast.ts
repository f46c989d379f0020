/** Who is in the demo. */
import { insertUser, selectUser } from '../../store/users.ts'
import type { Actor, Core } from '../core.ts'
import { ChatError } from '../errors.ts'
import { editSettings } from '../settings.ts'

const PEOPLE = {
  anna: 'Anna Lind',
  ben: 'Ben Okafor',
  chiara: 'Chiara Rossi',
  dana: 'Dana Levi',
  emil: 'Emil Novak',
  farah: 'Farah Haddad',
  gabriel: 'Gabriel Costa',
  hana: 'Hana Sato',
  iris: 'Iris Moreau',
  jonas: 'Jonas Weber',
} as const

export type Name = keyof typeof PEOPLE
export type Cast = Record<Name, Actor>

const NAMES = Object.keys(PEOPLE) as Name[]

export function isName(word: string): word is Name {
  return Object.hasOwn(PEOPLE, word)
}

/** No site is likely to have such a user. */
export function usernameOf(name: Name): string {
  return `demo-${name}`
}

export function displayNameOf(name: Name): string {
  return PEOPLE[name]
}

export async function enterCast(core: Core): Promise<Cast> {
  const entered: [Name, Actor][] = []
  for (const name of NAMES) entered.push([name, await enter(core, name)])
  return Object.fromEntries(entered) as Cast
}

async function enter(core: Core, name: Name): Promise<Actor> {
  const username = usernameOf(name)
  const actor = await findActor(core, name)
  if (actor) return actor
  await insertUser(core.db, { username, displayName: PEOPLE[name] })
  const made = await findActor(core, name)
  if (!made) throw new Error(`The user "${username}" is missing`)
  // Whatever the site says: in the demo they write to each other.
  await editSettings(core, made, { writeFrom: 'everyone' })
  return made
}

/** @throws forbidden where the user is more than one of the demo */
export async function findActor(core: Core, name: Name): Promise<Actor | undefined> {
  const row = await selectUser(core.db, usernameOf(name))
  if (!row) return undefined
  const { id, username, role, password } = row
  if (!username || role !== 'user' || password !== null)
    throw new ChatError('forbidden', {
      detail: `The user "${usernameOf(name)}" has a password or is an admin, so the demo leaves it alone`,
    })
  return { id, username, admin: false, via: 'jwt' }
}
