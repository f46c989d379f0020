/** Who else works on this database, by their heartbeats. */
import type { Database } from '../store/db.ts'
import { beat, deleteNode, selectOtherNodes } from '../store/nodes.ts'
import { startRounds } from './rounds.ts'

const BEAT_MS = 3_000

/** Other nodes that are alive: their heart beats while we look. */
export async function findOtherNodes(db: Database, nodeId: string) {
  const before = await selectOtherNodes(db, nodeId)
  if (before.length === 0) return []
  // One that was killed leaves its last beat behind.
  await new Promise((resolve) => setTimeout(resolve, BEAT_MS + 1_000))
  const seen = new Map(before.map((node) => [node.id, node.seen_at.getTime()]))
  const after = await selectOtherNodes(db, nodeId)
  return after.filter(({ id, seen_at }) => seen_at.getTime() !== seen.get(id))
}

/** Returns the way to end it. A beat that fails is made up for by the next. */
export async function startHeartbeat(
  db: Database,
  { nodeId, hasBus }: { nodeId: string; hasBus: boolean },
): Promise<() => Promise<void>> {
  await beat(db, nodeId, hasBus)
  const endRounds = startRounds(BEAT_MS, () => beat(db, nodeId, hasBus).catch(() => undefined))
  return async () => {
    endRounds()
    await deleteNode(db, nodeId).catch(() => undefined)
  }
}
