/** The memory of a process as Linux sees it. */
import { readFileSync } from 'node:fs'

const QUIET_MS = 2_000
const READINGS = 5
const APART_MS = 200

export function rssKb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kb === undefined) throw new Error(`The memory of process ${pid} is not known`)
  return Number(kb)
}

/** After a rest, the least of some readings. */
export async function settledRssKb(pid: number): Promise<number> {
  await sleep(QUIET_MS)
  const readings: number[] = []
  for (let left = READINGS; left > 0; left -= 1) {
    readings.push(rssKb(pid))
    await sleep(APART_MS)
  }
  return Math.min(...readings)
}

/** Of y over x, by least squares. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const x = mean((point) => point.x)
  const y = mean((point) => point.y)
  const covariance = mean((point) => (point.x - x) * (point.y - y))
  return covariance / mean((point) => (point.x - x) ** 2)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
