/** CPU time that processes have used, user and system, as Linux tells it; undefined elsewhere. */
import { readFileSync } from 'node:fs'

/** /proc counts in hundredths of a second. */
const TICK_US = 10_000
/** Of the fields after the name: utime, stime, and the same of children that have ended. */
const OWN = 11
const ENDED = 13

/** Of the processes alone. */
export function cpuUs(pids: readonly number[]): number | undefined {
  try {
    return pids.reduce((sum, pid) => sum + used(pid).own, 0)
  } catch {
    return undefined
  }
}

/** With its children, those that have ended included: a PostgreSQL by its first process. */
export function cpuUsWithChildren(pid: number): number | undefined {
  try {
    const { own, ended } = used(pid)
    return childrenOf(pid).reduce((sum, child) => sum + (cpuUs([child]) ?? 0), own + ended)
  } catch {
    return undefined
  }
}

function used(pid: number): { own: number; ended: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name stands in brackets, and may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const at = (first: number) => (Number(fields[first]) + Number(fields[first + 1])) * TICK_US
  return { own: at(OWN), ended: at(ENDED) }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
  return text.split(' ').filter(Boolean).map(Number)
}
