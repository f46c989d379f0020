import type { Db } from './db.ts'

export interface NodeRow extends Record<string, unknown> {
  id: string
  has_bus: boolean
  seen_at: Date
  /** As the node names it; null: it does not. */
  process: string | null
}

export async function beat(
  db: Db,
  { id, hasBus, process }: { id: string; hasBus: boolean; process: string | undefined },
): Promise<void> {
  await db.query(
    `INSERT INTO nodes (id, has_bus, process) VALUES ($1, $2, $3)
     ON CONFLICT (id) DO UPDATE SET seen_at = now(), has_bus = $2`,
    [id, hasBus, process],
  )
}

/** Other nodes that gave a sign within 20 s; those silent for an hour are forgotten. */
export async function selectOtherNodes(db: Db, id: string): Promise<NodeRow[]> {
  await db.query(`DELETE FROM nodes WHERE seen_at < now() - interval '1 hour'`)
  return db.query<NodeRow>(
    `SELECT id, has_bus, seen_at, process FROM nodes
     WHERE id <> $1 AND seen_at > now() - interval '20 seconds'`,
    [id],
  )
}

export async function deleteNode(db: Db, id: string): Promise<void> {
  await db.query('DELETE FROM nodes WHERE id = $1', [id])
}
