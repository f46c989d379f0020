/** Does `work` at every beat, unless the last round is still at it. Returns the way to end it. */
export function startRounds(everyMs: number, work: () => Promise<void>): () => void {
  let atWork = false
  const timer = setInterval(() => {
    if (atWork) return
    atWork = true
    void work().finally(() => (atWork = false))
  }, everyMs)
  return () => clearInterval(timer)
}
