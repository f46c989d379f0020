/** How far a long command is: one line on a terminal that is drawn anew, nothing where there is none. */
import { MultiBar, type Options, type Params } from 'cli-progress'

export interface Progress {
  /** So many more are done. */
  add(amount: number): void
  /** A line that stays, terminal or not. */
  say(line: string): void
  /** The progress goes from the screen; what was said stays. */
  stop(): void
}

interface ProgressOptions {
  label: string
  unit: 'bytes' | 'rows'
  /** undefined: nobody knows, so there is no share and no time left. */
  total: number | undefined
}

export function showProgress(stream: NodeJS.WritableStream, options: ProgressOptions): Progress {
  return 'isTTY' in stream && stream.isTTY === true ? drawn(stream, options) : plain(stream)
}

function plain(stream: NodeJS.WritableStream): Progress {
  return {
    add: () => undefined,
    say: (line) => void stream.write(`${line}\n`),
    stop: () => undefined,
  }
}

function drawn(stream: NodeJS.WritableStream, options: ProgressOptions): Progress {
  const bars = new MultiBar({
    stream,
    format: (_options: Options, params: Params) => draw(params, options),
    clearOnComplete: true,
    // A line that was said has taken the place of the bar.
    forceRedraw: true,
    // The terminal is left as it is, so there is nothing to restore when a signal ends the process.
    linewrap: true,
    gracefulExit: false,
    etaBuffer: 50,
  })
  const bar = bars.create(options.total ?? 0, 0)
  return {
    add: (amount) => bar.increment(amount),
    say: (line) => bars.log(`${line}\n`),
    stop() {
      // What was said since the last drawing is on the screen only after another one.
      bars.update()
      bars.stop()
    },
  }
}

const WIDTH = 24

function draw(params: Params, { label, unit, total }: ProgressOptions): string {
  const { value, progress, eta, startTime } = params
  const seconds = Math.max((Date.now() - startTime) / 1_000, 0.001)
  const rate = `${amountOf(value / seconds, unit)}/s`
  if (total === undefined) return `${label}  ${amountOf(value, unit)}  ${rate}`
  const full = Math.round(progress * WIDTH)
  const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full)
  const share = `${Math.floor(progress * 100)}%`
  return `${label}  ${bar} ${share}  ${amountOf(value, unit)} of ${amountOf(total, unit)}  ${rate}  ${left(eta)}`
}

function amountOf(amount: number, unit: ProgressOptions['unit']): string {
  if (unit === 'rows') return `${Math.round(amount).toLocaleString('en')} rows`
  const mib = amount / 1_048_576
  return mib < 1 ? `${Math.round(amount / 1_024)} KiB` : `${mib.toFixed(1)} MiB`
}

/** `seconds` is a word until there is a rate to tell it by. */
function left(seconds: unknown): string {
  if (typeof seconds !== 'number') return ''
  const minutes = Math.floor(seconds / 60)
  return `${minutes}:${String(Math.round(seconds % 60)).padStart(2, '0')} left`
}
