/**
 * A share of the runs against the model, on a server and in a process of its own: both cores have work,
 * and the runner's hooks on every promise, a sixth of the time of a test, are not there (measured).
 */
import { inspect } from 'node:util'
import fc from 'fast-check'
import { checkDatabase } from '../../src/cli/check.ts'
import { type Beginning, BEGINNINGS, begin, COMMANDS, countCommands, DEVICES } from './commands.ts'
import type { Engine } from './databases.ts'
import { compare, settle } from './model-compare.ts'
import { Model } from './model.ts'
import { Site } from './site.ts'
import { startServer, type TestServer, withDatabase } from './server.ts'

export interface ModelRuns {
  engine: Engine
  /** One for each lane: runs of a lane come one after the other, each with users of its own. */
  seeds: (number | null)[]
  runsOfLane: number
}
export interface ModelReport {
  runs: number
  commands: number
  /** What `microchatter check` says after all of it. */
  drifts: object[]
  failure?: string
}

const MOST_COMMANDS = 16

async function runAll({ engine, seeds, runsOfLane }: ModelRuns): Promise<ModelReport> {
  const server = await startServer(engine)
  try {
    const lanes = seeds.map((seed) => runLane(server, runsOfLane, seed))
    const ended = await Promise.allSettled(lanes)
    const failed = ended.find((lane) => lane.status === 'rejected')
    return {
      runs: ended.reduce((sum, lane) => sum + (lane.status === 'fulfilled' ? lane.value : 0), 0),
      commands: countCommands(),
      drifts: engine === 'postgres' ? await findDrifts(server) : [],
      ...(failed ? { failure: inspect(failed.reason, { depth: 9 }) } : {}),
    }
  } finally {
    await server.close()
  }
}

async function runLane(server: TestServer, numRuns: number, seed: number | null) {
  let done = 0
  const property = fc.asyncProperty(
    BEGINNINGS,
    fc.commands(COMMANDS, { maxCommands: MOST_COMMANDS, size: 'max' }),
    async (beginnings, commands) => {
      await runOne(server, beginnings, commands)
      done += 1
    },
  )
  await fc.assert(property, { numRuns, ...(seed === null ? {} : { seed }) })
  return done
}

async function runOne(
  server: TestServer,
  beginnings: readonly Beginning[],
  commands: Iterable<fc.AsyncCommand<Model, Site>>,
): Promise<void> {
  const site = await Site.open(server, DEVICES)
  try {
    const model = new Model(site.users.map(({ person }) => person.username))
    await begin(model, site, beginnings)
    await settle(model, site)
    await fc.asyncModelRun(() => ({ model, real: site }), commands)
    await compare(model, site)
  } finally {
    site.close()
  }
}

function findDrifts(server: TestServer): Promise<object[]> {
  return withDatabase(
    server,
    async (db) => (await checkDatabase(db, { err: process.stderr })).drifts,
  )
}

process.once('disconnect', () => process.exit())
const report = await runAll(JSON.parse(process.argv[2] ?? '') as ModelRuns)
process.send?.(report, () => process.disconnect())
