/** What events have told of a group, over what its view says [MERGE-12]. */
import type { Chat, EventData, Member } from '../protocol.ts'
import { SHOWN_MEMBERS } from '../limits.ts'
import { pick } from '../pick.ts'

/** A moment of a chat: `rev` and `lastSeq` only grow, so any two moments can be told apart. */
export type Moment = Pick<Chat, 'rev' | 'lastSeq'>
/** What all members share, as of a moment. */
type Shared = Omit<EventData<'group.updated'>, 'chatId' | 'memberCount'>
/** One of the members as of a moment; undefined: in it no more. */
type Membership = Moment & { member: Member | undefined }
type Count = Moment & { memberCount: number }

export type ToldMember = Moment & {
  chatId: string
  memberCount: number
  member: Member | undefined
  username?: string
}

const SHARED = 'title picture description settings metadata'

export class GroupEvents {
  #shared: Shared | undefined
  #count: Count | undefined
  /** By username. */
  readonly #memberships = new Map<string, Membership>()

  update(told: EventData<'group.updated'>): void {
    const { chatId: _, memberCount, ...shared } = told
    this.#shared = newest(this.#shared, shared)
    this.#counted({ ...shared, memberCount })
  }

  member(told: ToldMember): Membership & { username: string } {
    const { memberCount, member, rev, lastSeq } = told
    const username = told.username ?? member?.username ?? ''
    const before = this.#memberships.get(username)
    this.#memberships.set(username, newest(before, { rev, lastSeq, member }))
    this.#counted({ rev, lastSeq, memberCount })
    return { username, rev, lastSeq, member }
  }

  #counted({ rev, lastSeq, memberCount }: Count): void {
    this.#count = newest(this.#count, { rev, lastSeq, memberCount })
  }

  over(view: Chat, me: string): Chat {
    if (view.kind !== 'group') return view
    const [shared, count] = [this.#shared, this.#count]
    const since = [...this.#memberships].filter(([, one]) => isNewer(one, view))
    const names = new Set(since.map(([name]) => name))
    const members = [
      ...view.members.filter(({ username = '' }) => !names.has(username)),
      ...since.flatMap(([, { member }]) => (member ? [member] : [])),
    ]
    const { memberCount = 0 } = newest<Moment & { memberCount?: number }>(count, view)
    const own = since.find(([name]) => name === me)?.[1].member
    const group = newest<Moment>(shared, view)
    return {
      ...pick(view, SHARED, false),
      ...pick(group, SHARED),
      memberCount,
      ...(own?.role ? { role: own.role } : {}),
      members: memberCount > SHOWN_MEMBERS ? [] : members,
      rev: Math.max(view.rev, shared?.rev ?? 0, count?.rev ?? 0),
    }
  }
}

/** What is told stays, unless what is known is of a later moment. */
export function newest<T extends Moment>(known: T | undefined, told: T): T {
  return known && isNewer(known, told) ? known : told
}

function isNewer(one: Moment, other: Moment): boolean {
  return one.rev === other.rev ? one.lastSeq > other.lastSeq : one.rev > other.rev
}
