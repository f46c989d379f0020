import type { Chat, User } from '@microchatter/protocol'
import { basic } from '../people.ts'
import type { Scene } from '../scene.ts'

export async function administer(scene: Scene): Promise<void> {
  await findAndUpdate(scene)
  await deactivate(scene)
  await resetPassword(scene)
  await sendAsSystem(scene)
  await deleteUser(scene)
}

async function findAndUpdate({ story, admin, alice, bobs }: Scene) {
  story.step('Admins: search and update')
  const found = await admin.ask<{ items: User[] }>('GET', `/users?search=${alice.username}`)
  story.same(
    'a search by the start of the name',
    found.items.map((user) => user.username),
    [alice.username],
  )
  const changed = await admin.ask<User>('PATCH', `/users/${alice.username}`, {
    displayName: 'Alice A.',
  })
  story.fits('a new display name', changed, { displayName: 'Alice A.' })
  story.same('those who know her are told: user.updated', await bobs.next('user.updated'), {
    username: alice.username,
    displayName: 'Alice A.',
  })
}

async function deactivate({ story, admin, bob, bobs }: Scene) {
  story.step('Admins: deactivate and activate')
  await admin.ask('PATCH', `/users/${bob.username}`, { active: false })
  story.fits("Bob's socket is closed, with a reason", await bobs.next('session.closed'), {
    reason: 'account_deactivated',
  })
  const refusal = await bob.refused('GET', '/chats')
  story.fits('REST answers him 403', refusal, { status: 403, code: 'deactivated' })
  await admin.ask('PATCH', `/users/${bob.username}`, { active: true })
  const back = await bob.fetch('GET', '/chats')
  story.fits('activated again, he is back', back, { status: 200 })
}

const NEW_PASSWORD = 'another horse entirely'

async function resetPassword({ story, admin, alice, phone }: Scene) {
  story.step('Admins: reset a password')
  await admin.ask('PATCH', `/users/${alice.username}`, { password: NEW_PASSWORD })
  story.fits('her phone is logged out', await phone.next('session.closed'), {
    reason: 'session_revoked',
  })
  story.fits('her session is 401', await alice.refused('GET', '/users/me'), { status: 401 })
  const old = alice.as(basic(alice.username, 'correct horse battery'))
  story.fits('her old password too', await old.refused('POST', '/users/login'), { status: 401 })
  alice.authorization = basic(alice.username, NEW_PASSWORD)
  const { token, user } = await alice.login()
  story.fits('with the new one she logs in', user, { username: alice.username })
  alice.authorization = `Bearer ${token}`
}

async function sendAsSystem({ story, admin, carol }: Scene) {
  story.step('Admins: a message from the site itself')
  const device = await carol.connect()
  const sent = await admin.sendTo(carol, 'Maintenance tonight at ten', { as: 'system' })
  const arrived = await device.next('message.created')
  story.show(arrived)
  story.same('Carol has it, from "system"', arrived, { ...sent, sender: 'system' })
  const answer = { chatId: sent.chatId, body: 'Thanks' }
  story.fits('nobody can answer it', await device.refused('message.send', answer), {
    code: 'forbidden',
  })
  const mine = { body: 'I am the site', as: 'system' }
  const path = `/chats/users/${carol.username}/messages`
  story.fits('and only admins can send it', await carol.refused('POST', path, mine), {
    status: 403,
    code: 'admin_only',
  })
}

async function deleteUser({ story, admin, alice, bob, chatId }: Scene) {
  story.step('Admins: delete an account; its messages stay, without a name')
  const device = await alice.connect()
  const theirs = await alice.history(chatId)
  const deleted = await admin.fetch('DELETE', `/users/${bob.username}`)
  story.fits('DELETE /users/… answers 204', deleted, { status: 204 })
  story.same('Alice is told: user.removed', await device.next('user.removed'), {
    username: bob.username,
  })
  const chat = await alice.ask<Chat>('GET', `/chats/${chatId}`)
  const other = chat.members.find(({ username }) => username !== alice.username)
  story.fits('in their chat, the other has no name any more', other ?? {}, {
    removed: true,
    username: undefined,
  })
  const left = await alice.history(chatId)
  story.same('every message is still there', left.length, theirs.length)
  story.holds(
    'his without a sender',
    left.every((message) => message.sender !== bob.username),
  )
  story.fits('his token is 401', await bob.refused('GET', '/chats'), {
    status: 401,
    code: 'bad_credentials',
  })
  const late = await alice.refused('POST', `/chats/${chatId}/messages`, { body: 'Bob?' })
  story.fits('and there is nobody to write to', late, { status: 403, code: 'forbidden' })
}
