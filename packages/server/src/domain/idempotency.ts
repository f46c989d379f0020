import { createHash } from 'node:crypto'
import { claimKey, releaseKey, storeAnswer } from '../store/idempotency.ts'
import type { Actor, Core } from './core.ts'
import { ChatError } from './errors.ts'

export interface Answer {
  status: number
  body: unknown
}

/**
 * The same `Idempotency-Key` with the same request gives the first call's answer, for 48 hours. A call
 * that failed frees the key.
 */
export async function once(
  core: Core,
  actor: Actor,
  { key, request }: { key: string; request: unknown },
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw new ChatError('invalid', {
      field: 'Idempotency-Key',
      detail: 'The key must be 1 to 200 visible ASCII characters, e.g. a UUID',
    })
  const hash = createHash('sha256').update(JSON.stringify(request, withoutPassword)).digest()
  const first = await claimKey(core.db, { userId: actor.id, key, hash })
  if (first) return replay(first, hash)
  try {
    const answer = await work()
    await storeAnswer(core.db, {
      userId: actor.id,
      key,
      status: answer.status,
      answer: answer.body,
    })
    return answer
  } catch (error) {
    // What went wrong first is what is told; a key that stays claimed is free after a minute.
    await releaseKey(core.db, actor.id, key).catch(() => undefined)
    throw error
  }
}

/** A fast hash of a password has no place in a database. */
function withoutPassword(name: string, value: unknown): unknown {
  return name === 'password' ? '' : value
}

function replay(
  first: { request_hash: Buffer; status: number | null; answer: unknown },
  hash: Buffer,
): Answer {
  if (!hash.equals(first.request_hash))
    throw new ChatError('idempotency_key_reused', {
      field: 'Idempotency-Key',
      detail: 'This key was used for another request; make a new one for each request',
    })
  if (first.status === null)
    throw new ChatError('in_progress', {
      detail: 'The first call with this key is still at work; try again in a second',
      retryAfterMs: 1_000,
    })
  return { status: first.status, body: first.answer }
}
