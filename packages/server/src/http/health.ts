import { closed } from '@microchatter/protocol'
import { Type } from 'typebox'
import { ChatError } from '../domain/errors.ts'
import { type Answer, ok, type PublicCall } from './route.ts'

export const Health = closed({ status: Type.Literal('ok') })

/** The process is there. */
export async function onLive(): Promise<Answer> {
  return ok({ status: 'ok' })
}

/** It can do its work: traffic may be sent here. */
export async function onReady({ site }: PublicCall): Promise<Answer> {
  const { ok: isReady, detail = 'The server is not ready' } = await site.ready()
  if (!isReady) throw new ChatError('unavailable', { detail, retryAfterMs: 1_000 })
  return ok({ status: 'ok' })
}
