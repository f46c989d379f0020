/** A server of a bench under the eyes of V8's profilers, from the moment its load begins. */
import type { Round, Running, ServerCommand } from './bench.ts'
import { Inspector, inspectable } from './inspector.ts'
import type { CpuProfile, HeapProfile } from './profiles.ts'

/** In microseconds; V8's default of 1,000 is coarse for functions that run thousands of times. */
const TIME_STEP = 500
/** In bytes, on average. */
const HEAP_STEP = 16_384

export interface Profiles {
  cpu: CpuProfile
  heap: HeapProfile
}
export interface Wanted {
  database: 'postgres' | 'embedded'
  /** Of the heap, what is left at the end instead of all that was allocated. */
  kept: boolean
}

/**
 * A round like the given one in which the first Microchatter on `database` is profiled. The load
 * begins with the first `tick` after its start, or when the same is said twice in a row, as each
 * second of a load does; it ends when the bench stops the server. `finish` ends it where the bench
 * does not. A bench of several loads is profiled in all of them.
 */
export function profiled(round: Round, { database, kept }: Wanted) {
  let watched: { inspector: Inspector; begun: boolean } | undefined
  let profiles: Promise<Profiles> | undefined
  let isTaken = false
  let ready: Promise<unknown> = Promise.resolve()
  const finish = () => {
    if (watched?.begun)
      profiles ??= ready.then(() => end((watched as { inspector: Inspector }).inspector))
    return profiles
  }
  const start = async (command: ServerCommand): Promise<Running> => {
    if (isTaken || command.kind === 'script' || command.database !== database)
      return round.start(command)
    isTaken = true
    const { port, settings } = await inspectable()
    const running = await round.start({
      ...command,
      settings: { ...command.settings, ...settings },
    })
    watched = { inspector: await Inspector.open(port), begun: false }
    round.defer(() => watched?.inspector.close())
    const stop = async () => {
      await finish()
      await running.stop()
    }
    return { ...running, stop }
  }
  const beginOnce = () => {
    if (!watched || watched.begun) return
    watched.begun = true
    ready = begin(watched.inspector, kept)
  }
  const tick = () => {
    beginOnce()
    round.tick()
  }
  let said = ''
  const say = (what: string) => {
    if (what === said) beginOnce()
    said = what
    round.say(what)
  }
  return { round: { ...round, start, tick, say }, finish }
}

async function begin(inspector: Inspector, kept: boolean): Promise<void> {
  const collected = !kept
  await Promise.all([
    inspector.ask('Profiler.enable'),
    inspector.ask('Profiler.setSamplingInterval', { interval: TIME_STEP }),
    inspector.ask('HeapProfiler.enable'),
    inspector.ask('HeapProfiler.startSampling', {
      samplingInterval: HEAP_STEP,
      includeObjectsCollectedByMajorGC: collected,
      includeObjectsCollectedByMinorGC: collected,
    }),
    inspector.ask('Profiler.start'),
  ])
}

async function end(inspector: Inspector): Promise<Profiles> {
  const { profile: cpu } = await inspector.ask<{ profile: CpuProfile }>('Profiler.stop')
  await inspector.ask('HeapProfiler.collectGarbage')
  const answer = await inspector.ask<{ profile: HeapProfile }>('HeapProfiler.stopSampling')
  return { cpu, heap: answer.profile }
}
