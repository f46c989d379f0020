/** Groups, and what becomes of them while people are at work. */
import type { Device } from './device.ts'
import type { Call } from './history.ts'
import type { Random } from './random.ts'

export interface GroupOf {
  id: string
  owner: string
  /** All who are ever in it. */
  users: readonly string[]
  /** Those of them who come and go. */
  guests: readonly string[]
}

const LEAST = 5
const MOST = 8
const GUESTS = 2
/** How long a message lasts in a group where they disappear. */
const LASTS_SECONDS = 3
let renamed = 0

export interface NewGroup {
  names: readonly string[]
  random: Random
  /** Its messages disappear. */
  isFleeting: boolean
}

/** The device's user owns it. */
export async function openGroup(
  device: Device,
  { names, random, isFleeting }: NewGroup,
): Promise<GroupOf> {
  const owner = device.user
  const others = names.filter((name) => name !== owner)
  const count = Math.min(random.between(LEAST, MOST) - 1, others.length)
  const users = Array.from(
    { length: count },
    () => others.splice(random.between(0, others.length - 1), 1)[0] as string,
  )
  const guests = users.slice(0, GUESTS)
  const { body } = await device.rest('POST', '/chats', {
    kind: 'group',
    title: 'A group',
    members: users.slice(GUESTS),
    settings: {
      permissions: { pin: 'member' },
      ...(isFleeting ? { expireAfterSeconds: LASTS_SECONDS } : {}),
    },
  })
  const group = { id: body.id, owner, users: [owner, ...users], guests }
  await rename(device, group)
  for (const guest of guests) await setMember(device, group, { guest, isIn: true })
  return group
}

export async function changeGroup(device: Device, group: GroupOf, random: Random): Promise<void> {
  if (group.guests.length === 0 || random.chance(40)) await rename(device, group)
  else await setMember(device, group, { guest: random.of(group.guests), isIn: random.chance(60) })
}

function rename(device: Device, { id: chatId }: GroupOf): Promise<Call> {
  renamed += 1
  const title = `Group ${renamed}`
  return device.repeat({ kind: 'change', chatId, key: `title ${chatId}`, value: title }, () =>
    device.byRest('PATCH', `/chats/${chatId}`, { title }),
  )
}

/** Who was removed, and is removed again, is no member: that is an answer too. */
function setMember(
  device: Device,
  { id: chatId }: GroupOf,
  { guest, isIn }: { guest: string; isIn: boolean },
): Promise<Call> {
  const path = `/chats/${chatId}/members`
  const key = `member ${chatId} ${guest}`
  return device.repeat({ kind: 'change', chatId, key, value: isIn ? 'yes' : '' }, () =>
    isIn
      ? device.byRest('POST', path, { usernames: [guest] })
      : device.byRest('DELETE', `${path}/${encodeURIComponent(guest)}`),
  )
}
