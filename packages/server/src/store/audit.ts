import type { Db } from './db.ts'

export interface AuditEntry {
  actor: string
  action: string
  target?: string | undefined
  address?: string | undefined
}

export async function insertAudit(db: Db, { actor, action, target, address }: AuditEntry) {
  await db.query('INSERT INTO audit (actor, action, target, address) VALUES ($1, $2, $3, $4)', [
    actor,
    action,
    target,
    address,
  ])
}
