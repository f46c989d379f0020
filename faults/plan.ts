/** Which faults strike, in which order: all of it follows from the seed. */
import { FAULTS, type Fault } from './kinds.ts'
import { Random } from './random.ts'
import type { Setting } from './world.ts'

export interface Stage {
  index: number
  setting: Setting
  seed: number
  faults: readonly Fault[]
}

/** One server and database for so many faults at most. */
const FAULTS_OF_STAGE = 25
const SETTINGS: readonly Setting[] = ['postgres', 'embedded', 'clock', 'small disk']

/** Each kind at least once where there is room for it, the others by their weight. */
export function planOf(
  seed: number,
  count: number,
  only: readonly string[],
  settings: readonly Setting[] = SETTINGS,
): Stage[] {
  const random = new Random(seed)
  const kinds = FAULTS.filter(({ id }) => only.length === 0 || isOneOf(id, only))
  if (kinds.length === 0) throw new Error(`There is no such fault; they are ${namesOf(FAULTS)}`)
  const weighted = kinds.flatMap((fault) => Array.from({ length: fault.weight ?? 1 }, () => fault))
  const chosen = shuffled(kinds, random).slice(0, count)
  while (chosen.length < count) chosen.push(random.of(weighted))
  const placed = shuffled(chosen, random).map((fault) => ({
    fault,
    setting: settingOf(fault, settings, random),
  }))
  const stages: Stage[] = []
  for (const setting of SETTINGS) {
    const here = placed.filter((one) => one.setting === setting).map(({ fault }) => fault)
    for (let from = 0; from < here.length; from += FAULTS_OF_STAGE)
      stages.push({
        index: stages.length,
        setting,
        seed: random.between(1, 0x7fffffff),
        faults: here.slice(from, from + FAULTS_OF_STAGE),
      })
  }
  return stages
}

/** Most of the work is on PostgreSQL, as in production. */
function settingOf({ on }: Fault, settings: readonly Setting[], random: Random): Setting {
  const possible = on.filter((setting) => settings.includes(setting))
  return random.chance(75) ? (possible[0] as Setting) : random.of(possible)
}

/** F10 stands for F10a to F10c. */
function isOneOf(id: string, only: readonly string[]): boolean {
  return only.some((name) => id === name || id.replace(/[a-z]$/, '') === name)
}

function namesOf(faults: readonly Fault[]): string {
  return faults.map(({ id }) => id).join(', ')
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items]
  return items.map(() => left.splice(random.between(0, left.length - 1), 1)[0] as T)
}
