/** What is at work now: a bar on a terminal, a line now and then elsewhere. */
import progress from 'cli-progress'

const LINE_MS = 5_000

export interface Progress {
  say(what: string): void
  tick(): void
  stop(): void
}

export function startProgress(total: number): Progress {
  return process.stderr.isTTY ? bar(total) : lines(total)
}

function bar(total: number): Progress {
  const format = '{bar} {percentage} %  {duration_formatted}  {what}'
  const shown = new progress.SingleBar({ format, hideCursor: true, stream: process.stderr })
  shown.start(total, 0, { what: '' })
  return {
    say: (what) => shown.update({ what }),
    tick: () => shown.increment(),
    stop: () => shown.stop(),
  }
}

function lines(total: number): Progress {
  let done = 0
  let last = ''
  let saidAt = 0
  return {
    say(what) {
      const now = performance.now()
      if (what === last || now - saidAt < LINE_MS) return
      process.stderr.write(`${done} of ${total}  ${what}\n`)
      last = what
      saidAt = now
    },
    tick() {
      done += 1
    },
    stop: () => undefined,
  }
}
