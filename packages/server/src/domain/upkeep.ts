/** What is done now and then, whoever calls. */
import type { Database } from '../store/db.ts'
import { deleteOldDepartures } from '../store/departures.ts'
import { deleteOldKeys } from '../store/idempotency.ts'
import { deleteOldPreviews } from '../store/previews.ts'
import { deleteExpiredSessions } from '../store/sessions.ts'
import { deleteOldErased, selectRawMd5s, swapPassword } from '../store/users.ts'
import { createPasswords } from './passwords.ts'

const PAUSE_MS = 60_000
const HASHES = 20

export interface Upkeep {
  stop(): Promise<void>
}

/**
 * Wraps MD5s that wait for their first log-in, one at a time beside the log-ins, and deletes what has
 * expired. `onProblem` is told once per round that failed; the next round tries again.
 */
export function startUpkeep(
  db: Database,
  { idleDays, onProblem }: { idleDays: number; onProblem: (error: unknown) => void },
): Upkeep {
  const passwords = createPasswords({ concurrency: 1 })
  let stopped = false
  let wake = () => {}

  async function wrapMd5s(): Promise<void> {
    for (;;) {
      const rows = await selectRawMd5s(db, HASHES)
      for (const { id, password } of rows) {
        if (stopped) return
        await swapPassword(db, id, password, await passwords.wrapMd5(password))
      }
      if (rows.length < HASHES) return
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        await wrapMd5s()
        await deleteExpiredSessions(db, idleDays)
        await deleteOldKeys(db)
        await deleteOldErased(db)
        await deleteOldDepartures(db)
        await deleteOldPreviews(db)
      } catch (error) {
        onProblem(error)
      }
      if (!stopped) await pause()
    }
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PAUSE_MS).unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const running = run()
  return {
    async stop() {
      stopped = true
      wake()
      await running
    },
  }
}
