/**
 * Random commands of users who write to each other in direct chats and groups, by REST and by sockets,
 * against a model: after each of them every client has, by its events alone, what the model has; at the
 * end, a fetch says the same. Seeds, and more runs: test/support/seed.ts.
 */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Engine, engines, skipOf } from './support/databases.ts'
import type { ModelReport, ModelRuns } from './support/model-runs.ts'
import { RUNS, SEED } from './support/seed.ts'

/** The embedded engine is one session, and slower. */
const LEAST: Record<Engine, number> = { postgres: 2_000, embedded: 200 }
/** Each has a server of its own. */
const PROCESSES: Record<Engine, number> = { postgres: 2, embedded: 1 }
/** Of a process: one waits while another one works. */
const LANES = 3

const PROGRAM = fileURLToPath(new URL('./support/model-runs.ts', import.meta.url))

function runInProcess(work: ModelRuns): Promise<ModelReport> {
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [JSON.stringify(work)], { execArgv: ['--import', 'tsx'] })
    child.once('message', (report) => resolve(report as ModelReport))
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`It ended with ${code ?? signal}`)))
  })
}

/** Each lane has a seed of its own; with the seed that a failure printed, the first one repeats it. */
function runAll(engine: Engine, runs: number): Promise<ModelReport[]> {
  const runsOfLane = Math.ceil(runs / PROCESSES[engine] / LANES)
  const all = Array.from({ length: PROCESSES[engine] }, (_, nth) => {
    const seeds = Array.from({ length: LANES }, (_, lane) =>
      SEED.seed === undefined ? null : SEED.seed + nth * LANES + lane,
    )
    return runInProcess({ engine, seeds, runsOfLane })
  })
  return Promise.all(all)
}

for (const engine of engines)
  describe(`the model on ${engine}`, { skip: skipOf(engine) }, () => {
    test('[SYNC-1] [SEND-2] [SEND-3] [SEND-4] [MSG-1] [MSG-2] [MSG-3] [MSG-4] [MSG-5] [MSG-6] [EDIT-1] [EDIT-2] [EDIT-4] [REACT-1] [CHANGE-1] [READ-1] [READ-2] [READ-4] [READ-5] [CHAT-3] [CHAT-4] [CHAT-5] [GROUP-1] [GROUP-2] [GROUP-3] [GROUP-4] [GROUP-5] [GROUP-8] [GROUP-10] [GROUP-11] [RECEIPT-1] [RECEIPT-2] [PRIV-2] [PRIV-3] [PRIV-4] [PRIV-5] [MAIL-1] [MAIL-4] state by events = state by fetch = model', async (t) => {
      const least = RUNS ?? LEAST[engine]
      const reports = await runAll(engine, least)
      const [runs, commands] = (['runs', 'commands'] as const).map((name) =>
        reports.reduce((sum, report) => sum + report[name], 0),
      )
      t.diagnostic(`${runs} runs, ${commands} commands`)
      for (const { failure, drifts } of reports) {
        if (failure) assert.fail(failure)
        assert.deepEqual(drifts, [])
      }
      assert((runs ?? 0) >= least)
    })
  })
