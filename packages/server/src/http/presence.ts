import type { PresenceQuery } from '@microchatter/protocol'
import { getPresence } from '../domain/presence.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onGetPresence(call: Call<{ query: PresenceQuery }>): Promise<Answer> {
  return ok(await getPresence(call.core, call.actor, call.query))
}
