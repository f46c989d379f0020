import { createHash } from 'node:crypto'
import type { Database, Db } from '../store/db.ts'
import { insertAnswer, lockKey, selectAnswer } from '../store/idempotency.ts'
import type { Actor } from './core.ts'
import { ChatError } from './errors.ts'

/** A deed in one transaction; where the caller gave a key, one for all calls with it. */
export type Once = <T>(deed: (tx: Db) => Promise<T>) => Promise<T>

/**
 * [ERR-4] What is done and the answer that is kept are one transaction: where the word of its commit is
 * lost, the same call again finds both or neither, and a call that failed has left nothing.
 */
export function onceByKey(
  db: Database,
  actor: Actor,
  { key, request }: { key: string; request: unknown },
): Once {
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw new ChatError('invalid', {
      field: 'Idempotency-Key',
      detail: 'The key must be 1 to 200 visible ASCII characters, e.g. a UUID',
    })
  const hash = createHash('sha256').update(JSON.stringify(request, withoutPassword)).digest()
  const id = { userId: actor.id, key }
  return <T>(deed: (tx: Db) => Promise<T>) =>
    db.transaction(async (tx) => {
      if (!(await lockKey(tx, id))) throw inProgress()
      const first = await selectAnswer(tx, id)
      if (first && !hash.equals(first.request_hash)) throw reused()
      if (first) return first.answer as T
      const answer = await deed(tx)
      await insertAnswer(tx, { ...id, hash, answer })
      return answer
    })
}

/** A fast hash of a password has no place in a database. */
function withoutPassword(name: string, value: unknown): unknown {
  return name === 'password' ? '' : value
}

function inProgress(): ChatError {
  return new ChatError('in_progress', {
    detail: 'The first call with this key is still at work; try again in a second',
    retryAfterMs: 1_000,
  })
}

function reused(): ChatError {
  return new ChatError('idempotency_key_reused', {
    field: 'Idempotency-Key',
    detail: 'This key was used for another request; make a new one for each request',
  })
}
