/** Who may become a member of a group. */
import type { Db } from '../store/db.ts'
import { type Candidate, selectCandidates } from '../store/memberships.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'
import { SYSTEM } from './rights.ts'
import { isUsername } from './text.ts'

export interface People {
  usernames: readonly string[]
  /** Where the names are from, for errors. */
  field: string
  chatId?: string | undefined
}

/**
 * [GROUP-5] Those of these who are not members yet; until the end of the transaction their accounts
 * stay. Taken before the chat's lock, as a deletion does it.
 * @throws not_found, forbidden for the first name that cannot be added
 */
export async function findPeople(
  { settings }: Core,
  tx: Db,
  actor: Pick<Actor, 'id'>,
  { usernames, field, chatId }: People,
): Promise<Candidate[]> {
  const names = [...new Set(usernames)]
  const rows = await selectCandidates(tx, {
    usernames: names.filter(isUsername),
    adderId: actor.id,
    writeFrom: settings.privacy.writeFrom,
    chatId,
  })
  const found = new Map(rows.map((row) => [row.username, row]))
  return names
    .map((name) => checkCandidate(found.get(name), `${field}/${usernames.indexOf(name)}`))
    .filter((row) => !row.is_member)
}

function checkCandidate(row: Candidate | undefined, field: string): Candidate {
  if (!row) throw new ChatError('not_found', { field, detail: 'There is no such user' })
  const mayCome = row.active && !row.blocked && !row.refuses && row.username !== SYSTEM
  if (row.is_member || mayCome) return row
  // A block is not told: it answers like a deactivated account, and like one that takes no strangers.
  throw new ChatError('forbidden', { field, detail: 'This user cannot be added by you' })
}

/** @throws group_full */
export function checkRoom({ settings }: Core, members: number): void {
  const { maxMembers } = settings.groups
  if (members > maxMembers)
    throw new ChatError('group_full', { detail: `A group has at most ${maxMembers} members` })
}
