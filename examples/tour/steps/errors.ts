import { basic } from '../people.ts'
import type { Scene } from '../scene.ts'

const NOWHERE = '00000000-0000-7000-8000-000000000000'

export async function showErrors({ story, place, chatId, alice, bob, carol, bobs }: Scene) {
  story.step('Errors: one stable code each, over REST and over the socket')
  const stranger = await carol.refused('GET', `/chats/${chatId}`)
  story.show(stranger)
  story.fits("someone else's chat is 404", stranger, { status: 404, code: 'not_found' })
  const none = await carol.refused('GET', `/chats/${NOWHERE}`)
  story.same('just as one that does not exist', none, stranger)
  const send = { chatId: NOWHERE, body: 'Anyone?' }
  story.fits('over the socket, too', await bobs.refused('message.send', send), {
    code: 'not_found',
  })
  const path = `/chats/users/nobody${place.suffix}-here/messages`
  story.fits('so is a user that is not there', await alice.refused('POST', path, { body: 'Hi' }), {
    status: 404,
    code: 'not_found',
  })
  const empty = await alice.refused('POST', `/chats/${chatId}/messages`, { body: '' })
  story.show(empty)
  story.fits('an invalid field is 400, and named', empty, { code: 'invalid', field: '/body' })
  const unknown = await alice.refused('PATCH', `/chats/${chatId}`, { colour: 'red' })
  story.fits('so is one that does not exist', unknown, { status: 400, code: 'invalid' })
  const register = { username: `dave${place.suffix}` }
  story.fits('what admins may is 403', await bob.refused('POST', '/users/register', register), {
    status: 403,
    code: 'admin_only',
  })
  const nobody = alice.as(basic('nobody-at-all', 'no password'))
  story.fits(
    'an unknown user is 401, as a wrong password is',
    await nobody.refused('GET', '/chats'),
    {
      status: 401,
      code: 'bad_credentials',
    },
  )
}
