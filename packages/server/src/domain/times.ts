import { ChatError } from './errors.ts'

const YEAR_MS = 366 * 86_400_000

export function isToCome(time: string): boolean {
  return Date.parse(time) > Date.now()
}

/** A time to come, within a year. @throws invalid */
export function checkTimeToCome(
  time: string,
  { field, leastMs }: { field: string; leastMs: number },
): Date {
  const at = new Date(time)
  const inMs = at.getTime() - Date.now()
  if (inMs >= leastMs && inMs <= YEAR_MS) return at
  const least = leastMs < 1_000 ? 'later than now' : `${leastMs / 1_000} s from now or later`
  throw new ChatError('invalid', { field, detail: `It must be a time ${least}, within a year` })
}
