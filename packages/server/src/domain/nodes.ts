/** Who else works on this database, by their heartbeats. */
import { readFileSync, readlinkSync } from 'node:fs'
import type { Database } from '../store/db.ts'
import { hasEnded } from '../store/ended.ts'
import { beat, deleteNode, selectOtherNodes } from '../store/nodes.ts'
import { startRounds } from './rounds.ts'

const BEAT_MS = 3_000
/** What tells Linux hosts and their containers apart, each time they start. */
const PLACE = readPlace()

function readPlace(): string | undefined {
  try {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${bootId} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

function nameOf(pid: number): string | undefined {
  return PLACE && `${PLACE} ${pid}`
}

/** It ran here, and has ended without a word. */
function isGone(name: string | null): boolean {
  const pid = Number(name?.split(' ').at(-1))
  return PLACE !== undefined && name === nameOf(pid) && hasEnded(pid)
}

/** Other nodes that are alive: their heart beats while we look. */
export async function findOtherNodes(db: Database, nodeId: string) {
  const look = async () =>
    (await selectOtherNodes(db, nodeId)).filter((node) => !isGone(node.process))
  const before = await look()
  if (before.length === 0) return []
  // One that was killed elsewhere leaves its last beat behind.
  await new Promise((resolve) => setTimeout(resolve, BEAT_MS + 1_000))
  const seen = new Map(before.map((node) => [node.id, node.seen_at.getTime()]))
  const after = await look()
  return after.filter(({ id, seen_at }) => seen_at.getTime() !== seen.get(id))
}

/** Returns the way to end it. A beat that fails is made up for by the next. */
export async function startHeartbeat(
  db: Database,
  { nodeId, hasBus }: { nodeId: string; hasBus: boolean },
): Promise<() => Promise<void>> {
  const sign = { id: nodeId, hasBus, process: nameOf(process.pid) }
  await beat(db, sign)
  const endRounds = startRounds(BEAT_MS, () => beat(db, sign).catch(() => undefined))
  return async () => {
    await endRounds()
    await deleteNode(db, nodeId).catch(() => undefined)
  }
}
