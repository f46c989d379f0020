/**
 * Does `work` at every beat, unless the last round is still at it. Returns the way to end it, which
 * resolves when no round is at work any more.
 */
export function startRounds(everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let atWork: Promise<void> | undefined
  const timer = setInterval(() => {
    atWork ??= work().finally(() => (atWork = undefined))
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await atWork
  }
}
