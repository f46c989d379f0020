/** How long each of many took, done one after the other. */
export async function repeat(forMs: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + forMs
  for (let now = performance.now(); now < end; ) {
    await work()
    const after = performance.now()
    times.push(after - now)
    now = after
  }
  return times
}

export function percentiles(times: readonly number[]): { p50: number; p99: number } {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
