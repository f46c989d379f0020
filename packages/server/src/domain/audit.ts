import type { Db } from '../store/db.ts'
import { insertAudit } from '../store/audit.ts'
import type { Actor } from './core.ts'

/** Writes down what an admin did; in the transaction of the deed, where it has one. */
export async function audit(
  db: Db,
  { username: actor, address }: Actor,
  action: string,
  target: string | null,
): Promise<void> {
  await insertAudit(db, { actor, action, target: target ?? undefined, address })
}
