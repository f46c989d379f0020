import type {
  AddedMembers,
  Chat,
  EventData,
  Invite,
  InvitePreview,
  OpenGroup,
} from '@microchatter/protocol'
import type { Device } from '../people.ts'
import type { Scene } from '../scene.ts'

export interface InGroup extends Scene {
  groupId: string
  carols: Device
}

type System = EventData<'message.created'>['event']

/** What a device is told of a group, as a message in it. */
async function told(device: Device, type: string): Promise<System> {
  return (await device.next('message.created', ({ event }) => event?.type === type)).event
}

export async function makeGroup(scene: Scene): Promise<InGroup> {
  const { story, alice, bob, bobs, carol } = scene
  story.step('A group: made, and seen at once by all who are in it')
  const carols = await carol.connect()
  const group = await alice.ask<Chat>('POST', '/chats', {
    kind: 'group',
    title: 'Saturday ride',
    members: [bob.username],
  })
  const { id: groupId, title, role, memberCount } = group
  story.show({ id: groupId, title, role, memberCount })
  story.fits('Alice owns it', group, { role: 'owner', memberCount: 2 })
  const his = await bobs.next('chat.created', ({ id }) => id === groupId)
  story.fits('Bob has it', his, { title, role: 'member' })
  const path = `/chats/${groupId}/members`
  const usernames = [carol.username]
  const added = await alice.ask<AddedMembers>('POST', path, { usernames })
  story.same('Carol is added', added, { added: usernames, memberCount: 3 })
  story.fits('and has it', await carols.next('chat.created'), { id: groupId, memberCount: 3 })
  const { member } = await bobs.next('member.added')
  story.fits('Bob is told: member.added', member, { username: carol.username, role: 'member' })
  const news = await told(bobs, 'member.added')
  story.same('by a message of the group, too', news, { type: 'member.added', usernames })
  const { items } = await bob.ask<{ items: object[] }>('GET', path)
  story.same('three are on the list of members', items.length, 3)
  return { ...scene, groupId, carols }
}

export async function giveRights(scene: InGroup) {
  const { story, groupId, alice, bob, bobs, carols, carol } = scene
  story.step('Roles and rights: only admins post')
  const path = `/chats/${groupId}`
  const settings = (permissions: object) => ({ settings: { permissions } })
  await alice.ask('PATCH', path, settings({ post: 'admin' }))
  const set = await bobs.next('group.updated')
  story.fits('all are told: group.updated', set, settings({ post: 'admin' }))
  const send = { chatId: groupId, body: 'At ten?' }
  const refusal = await bobs.refused('message.send', send)
  story.fits('Bob, a member, cannot write', refusal, { code: 'forbidden' })
  await alice.ask('PATCH', `${path}/members/${bob.username}`, { role: 'admin' })
  const { member } = await bobs.next('member.updated')
  story.fits('Alice makes him an admin', member, { username: bob.username, role: 'admin' })
  const { message } = await bobs.ask('message.send', send)
  const arrived = await carols.next('message.created', ({ seq }) => seq === message.seq)
  story.same('and now he can', arrived, message)
  const hers = await carol.refused('PATCH', path, { title: 'My ride' })
  story.fits('Carol cannot rename it: 403', hers, { status: 403, code: 'forbidden' })
  await bob.ask('PATCH', path, { title: 'Sunday ride' })
  const renamed = await carols.next('group.updated', ({ title }) => title === 'Sunday ride')
  story.fits('Bob can', renamed, { title: 'Sunday ride', memberCount: 3 })
  story.fits('which is a message of the group', (await told(bobs, 'group.updated')) ?? {}, {
    type: 'group.updated',
  })
  await alice.ask('PATCH', path, settings({ post: 'member' }))
}

export async function mentionAll({ story, groupId, phone, carol, carols }: InGroup) {
  story.step('Mentions: of all, with a counter')
  const body = { chatId: groupId, body: 'Who comes along?', mentionAll: true } as const
  const refusal = await carols.refused('message.send', body)
  story.fits('for admins only, unless the group says otherwise', refusal, { code: 'forbidden' })
  const { message } = await phone.ask('message.send', body)
  const mentions = async () => (await carol.ask<Chat>('GET', `/chats/${groupId}`)).mentions
  story.same('Carol is mentioned once', await mentions(), 1)
  await carols.ask('chat.read', { chatId: groupId, seq: message.seq })
  story.same('and no more, once she has read it', await mentions(), undefined)
}

const SLOW_SECONDS = 2

export async function slowDown({ story, groupId, alice, carols }: InGroup) {
  story.step('Slow mode: one message in two seconds')
  const slow = (slowModeSeconds: number) =>
    alice.ask('PATCH', `/chats/${groupId}`, { settings: { slowModeSeconds } })
  await slow(SLOW_SECONDS)
  const send = { chatId: groupId, body: 'Me!' }
  await carols.ask('message.send', send)
  const refusal = await carols.refused('message.send', send)
  story.show(refusal)
  story.fits("Carol's next one is too soon", refusal, { code: 'slow_mode' })
  await new Promise((resolve) => setTimeout(resolve, refusal.retryAfterMs))
  const again = await carols.call('message.send', send)
  story.holds('after `retryAfterMs` it goes', again.ok)
  await slow(0)
}

export async function joinByLink({ story, groupId, carol, carols, bob, bobs, admin }: InGroup) {
  story.step('Leaving, and coming back by a link that lets one in')
  const left = await carol.fetch('DELETE', `/chats/${groupId}/members/me`)
  story.fits('Carol leaves: 204', left, { status: 204 })
  story.fits('her devices are told', await carols.next('chat.removed'), { chatId: groupId })
  const gone = { username: carol.username, memberCount: 2 }
  story.fits('and the others: member.removed', await bobs.next('member.removed'), gone)
  const invite = await bob.ask<Invite>('POST', `/chats/${groupId}/invites`, { maxUses: 1 })
  story.show(invite)
  const path = `/chats/invites/${invite.code}`
  const preview = await carol.ask<InvitePreview>('GET', path)
  story.same('who has the link sees where it leads', preview, {
    title: 'Sunday ride',
    memberCount: 2,
  })
  const joined = await carol.ask<Chat>('POST', path)
  story.fits('and joins', joined, { id: groupId, role: 'member', memberCount: 3 })
  const news = await told(bobs, 'member.joined')
  story.same('Bob sees her come', news?.type, 'member.joined')
  const late = await admin.refused('POST', path)
  story.fits('for anyone else it has ended: 404', late, { status: 404, code: 'not_found' })
}

export async function joinOpenGroup({ story, place, bob, bobs, carol }: InGroup) {
  story.step('Open groups: found and joined by anyone')
  const title = `Repair café${place.suffix}`
  const open = { kind: 'group', title, settings: { open: true } }
  const { id } = await bob.ask<Chat>('POST', '/chats', open)
  const find = async () => {
    const path = `/chats/open?search=${encodeURIComponent(title.toLowerCase())}`
    return (await carol.ask<{ items: OpenGroup[] }>('GET', path)).items
  }
  story.same('Carol finds it', await find(), [{ chatId: id, title, memberCount: 1 }])
  const joined = await carol.ask<Chat>('POST', `/chats/${id}/join`)
  story.fits('and joins', joined, { id, memberCount: 2 })
  story.same('it says so from now on', (await find())[0]?.joined, true)
  story.fits('Bob sees her come', await bobs.next('member.added', ({ chatId }) => chatId === id), {
    memberCount: 2,
  })
}

export async function handOver({ story, groupId, alice, bob, bobs, carol, phone }: InGroup) {
  story.step('Handing a group over')
  const members = `/chats/${groupId}/members`
  const last = await alice.refused('DELETE', `${members}/me`)
  story.fits('the last owner cannot leave: 409', last, { status: 409, code: 'last_owner' })
  await alice.ask('PATCH', `${members}/${bob.username}`, { role: 'owner' })
  const { member } = await bobs.next('member.updated')
  story.fits('Bob owns it now, too', member, { username: bob.username, role: 'owner' })
  await alice.ask('DELETE', `${members}/me`)
  await phone.next('chat.removed', ({ chatId }) => chatId === groupId)
  const gone = await alice.refused('GET', `/chats/${groupId}`)
  story.fits('she leaves, and it is 404 to her', gone, { status: 404, code: 'not_found' })
  story.same('Bob sees her go', (await told(bobs, 'member.left'))?.type, 'member.left')
  await bob.ask('DELETE', `${members}/${carol.username}`)
  const news = await told(bobs, 'member.removed')
  story.same('he removes Carol', news?.usernames, [carol.username])
  const out = await carol.refused('POST', `/chats/${groupId}/messages`, { body: 'Why?' })
  story.fits('from then on it is 404 to her', out, { status: 404, code: 'not_found' })
}
