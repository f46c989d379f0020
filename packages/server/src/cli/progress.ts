import { SingleBar } from 'cli-progress'

export interface Progress {
  /** How far it is, in the unit of `total`. */
  update(done: number): void
  stop(): void
}

/** A bar on a terminal; nothing elsewhere. `unit` is said after the rate's number. */
export function startProgress(
  stream: NodeJS.WritableStream,
  { total, label }: { total: number; label: string },
): Progress {
  const isTerminal = 'isTTY' in stream && stream.isTTY === true
  if (!isTerminal || total === 0) return { update: () => undefined, stop: () => undefined }
  const bar = new SingleBar({
    stream,
    format: `${label} {bar} {percentage} % | {duration_formatted} | about {eta_formatted} left`,
    etaBuffer: 50,
    clearOnComplete: true,
  })
  bar.start(total, 0)
  return { update: (done) => bar.update(Math.min(done, total)), stop: () => bar.stop() }
}
