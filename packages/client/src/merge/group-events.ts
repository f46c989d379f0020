/** What events have told of a group, over what its view says [MERGE-12]. */
import type { Chat, EventData, Member } from '../protocol.ts'
import { LIMITS } from '../protocol.ts'

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

const SHARED = ['title', 'picture', 'description', 'settings', 'metadata']

export class GroupEvents {
  #shared: Shared | undefined
  #count: Count | undefined
  /** By username. */
  readonly #memberships = new Map<string, Membership>()

  update(told: EventData<'group.updated'>): void {
    const { chatId: _, memberCount, ...shared } = told
    if (!this.#shared || !isNewer(this.#shared, shared)) this.#shared = shared
    this.#counted({ ...shared, memberCount })
  }

  member(told: ToldMember): Membership & { username: string } {
    const { memberCount, member, rev, lastSeq } = told
    const username = told.username ?? member?.username ?? ''
    const before = this.#memberships.get(username)
    if (!before || !isNewer(before, told)) this.#memberships.set(username, { rev, lastSeq, member })
    this.#counted({ rev, lastSeq, memberCount })
    return { username, rev, lastSeq, member }
  }

  #counted({ rev, lastSeq, memberCount }: Count): void {
    if (!this.#count || !isNewer(this.#count, { rev, lastSeq }))
      this.#count = { rev, lastSeq, memberCount }
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
    const memberCount = count && isNewer(count, view) ? count.memberCount : (view.memberCount ?? 0)
    const own = since.find(([name]) => name === me)?.[1].member
    const group = shared && isNewer(shared, view) ? shared : view
    const rest = Object.entries(view).filter(([name]) => !SHARED.includes(name))
    return {
      ...(Object.fromEntries(rest) as Chat),
      ...Object.fromEntries(Object.entries(group).filter(([name]) => SHARED.includes(name))),
      memberCount,
      ...(own?.role ? { role: own.role } : {}),
      members: memberCount > LIMITS.shownMembers ? [] : members,
      rev: Math.max(view.rev, shared?.rev ?? 0, count?.rev ?? 0),
    }
  }
}

export function isNewer(one: Moment, other: Moment): boolean {
  return one.rev === other.rev ? one.lastSeq > other.lastSeq : one.rev > other.rev
}
