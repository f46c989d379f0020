/** Who is there, on which devices, and whom they write to. */
import { nowSeconds, signJwt } from '../bench/jwt.ts'
import { Device, type Site } from './device.ts'
import { type GroupOf, openGroup } from './groups.ts'
import type { Random } from './random.ts'
import type { ChatOf } from './workload.ts'

export const SECRET = 'a secret of the fault suite, long enough for HS256'
/** The server's clock may be behind by this. */
const CLOCK_SECONDS = 3 * 3_600
const CHATS_OF_EACH = 5
/** So many users, a group. */
const USERS_OF_GROUP = 4

export async function invite(
  site: Site,
  { users, devices: count }: { users: number; devices: number },
): Promise<Device[]> {
  const devices = Array.from({ length: Math.max(users, count) }, (_, index) => {
    const name = `u${index % users}`
    return new Device(site, name, index, signJwt(SECRET, name, nowSeconds() - CLOCK_SECONDS))
  })
  // The first valid token of a name makes the user [AUTH-1].
  for (const device of devices.slice(0, users)) await device.rest('GET', '/users/me')
  return devices
}

interface People {
  devices: readonly Device[]
  devicesOf(user: string): Device[]
}

export async function openChats(people: People, random: Random) {
  const names = [...new Set(people.devices.map(({ user }) => user))]
  const chats: ChatOf[] = []
  for (const users of pairsOf(names, random)) {
    const [device] = people.devicesOf(users[0])
    const { body } = (await device?.rest('POST', '/chats', { username: users[1] })) ?? {}
    chats.push({ id: body.id, users })
  }
  const groups: GroupOf[] = []
  for (let left = Math.floor(names.length / USERS_OF_GROUP); left > 0; left -= 1) {
    const device = random.of(people.devices)
    groups.push(await openGroup(device, { names, random, isFleeting: left === 1 }))
  }
  return { chats, groups }
}

function pairsOf(names: readonly string[], random: Random): [string, string][] {
  const pairs = new Set<string>()
  const each = Math.min(CHATS_OF_EACH, names.length - 1)
  for (const user of names)
    while ([...pairs].filter((pair) => pair.split(' ').includes(user)).length < each) {
      const other = random.of(names.filter((name) => name !== user))
      pairs.add([user, other].toSorted().join(' '))
    }
  return [...pairs].map((pair) => pair.split(' ') as [string, string])
}
