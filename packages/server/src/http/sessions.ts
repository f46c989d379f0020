import { closed } from '@microchatter/protocol'
import { type Static, Type } from 'typebox'
import { listSessions, logIn, revokeSession, revokeSessions } from '../domain/sessions.ts'
import { type Answer, type Call, NOTHING, ok } from './route.ts'

export const SessionParams = closed({
  id: Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'The id of a session; `current` is the one that asks.',
  }),
})
export type SessionParams = Static<typeof SessionParams>

export async function onLogIn({ site, core, actor, userAgent }: Call): Promise<Answer> {
  return ok(await logIn(core, actor, { sign: site.sign, userAgent }))
}

export async function onListSessions({ core, actor }: Call): Promise<Answer> {
  return ok(await listSessions(core, actor))
}

export async function onRevokeSessions({ core, actor }: Call): Promise<Answer> {
  await revokeSessions(core, actor.id)
  return NOTHING
}

export async function onRevokeSession(call: Call<{ params: SessionParams }>): Promise<Answer> {
  await revokeSession(call.core, call.actor, call.params.id)
  return NOTHING
}
