import type { Session } from '@microchatter/protocol'
import { basic, Device, signJwt } from '../people.ts'
import type { Cast, Online } from '../scene.ts'

/** Log-in in three ways, the list of sessions, and an end to one of them; then everyone goes online. */
export async function logIn(cast: Cast): Promise<Online> {
  await threeWays(cast)
  const laptop = await sessionsOf(cast)
  return connect(cast, laptop)
}

async function threeWays({ story, alice, bob, carol, place }: Cast): Promise<void> {
  story.step('Logging in: Basic, a JWT, and the session that either gives')
  const wrong = alice.as(basic(alice.username, 'wrong password'))
  story.fits('a wrong password is 401', await wrong.refused('POST', '/users/login'), {
    status: 401,
    code: 'bad_credentials',
  })
  for (const [person, way] of [
    [alice, 'Basic'],
    [bob, 'a JWT'],
    [carol, 'Basic, by the password of the old site'],
  ] as const) {
    const { token, expiresAt, user } = await person.login()
    story.same(`${user.username} logs in with ${way}`, user.username, person.username)
    if (person === alice) story.show({ token: `${token.slice(0, 12)}…`, expiresAt, user })
    person.authorization = `Bearer ${token}`
    await person.ask('GET', '/users/me')
  }
  story.holds(
    'each has a session now',
    [alice, bob, carol].every(({ token }) => isSession(token)),
  )
  // Bob's socket is to show what becomes of a JWT.
  bob.authorization = `Bearer ${signJwt(place.secret, { sub: bob.username, name: 'Bob' })}`
}

function isSession(token: string): boolean {
  return token.startsWith('mcs_')
}

/** Returns the token of Alice's second device. */
async function sessionsOf({ story, alice }: Cast): Promise<string> {
  story.step('Sessions: Alice looks where she is logged in, and ends one')
  const credentials = alice.as(basic(alice.username, 'correct horse battery'))
  const laptop = await credentials.login()
  const lost = await credentials.login()
  const { items } = await alice.ask<{ items: Session[] }>('GET', '/users/me/sessions')
  story.same('three sessions', items.length, 3)
  story.same('one of them is the one that asks', items.filter(({ current }) => current).length, 1)
  story.show(items[0])
  const lostPhone = alice.as(`Bearer ${lost.token}`)
  const ofLost = await lostPhone.ask<{ items: Session[] }>('GET', '/users/me/sessions')
  const id = ofLost.items.find(({ current }) => current)?.id
  const ended = await alice.fetch('DELETE', `/users/me/sessions/${id}`)
  story.fits('she ends that of a lost phone', ended, { status: 204 })
  story.fits('whose token is 401 from now on', await lostPhone.refused('GET', '/users/me'), {
    status: 401,
    code: 'bad_credentials',
  })
  return laptop.token
}

async function connect(cast: Cast, laptopToken: string): Promise<Online> {
  const { story, alice, bob, place } = cast
  story.step('Sockets: Alice on her phone and her laptop, Bob with his JWT')
  const phone = await alice.connect()
  const laptop = await alice.connect({ token: laptopToken })
  const bobs = await bob.connect()
  story.holds(
    'three sockets are connected',
    [phone, laptop, bobs].every((d) => d.socket.connected),
  )
  const stranger = new Device(place.url, { token: 'mcs_made-up' })
  const refusal = await stranger.connected().then(
    () => ({}),
    (error: Error & { data?: object }) => error.data ?? {},
  )
  stranger.socket.disconnect()
  story.fits('a made-up token gets none', refusal, { code: 'bad_credentials' })
  return { ...cast, phone, laptop, bobs }
}
