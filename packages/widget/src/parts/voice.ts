/** Sound from the microphone, and how loud it was. */
const BARS = 60
const LONGEST_MS = 600_000
const LISTEN_MS = 50

export interface Recorded {
  blob: Blob
  durationMs: number
  /** 0 to 100. */
  waveform: number[]
}

export class Recorder {
  readonly #recorder: MediaRecorder
  readonly #stream: MediaStream
  readonly #context = new AudioContext()
  readonly #startedAt = performance.now()
  readonly #loudness: number[] = []
  readonly #chunks: Blob[] = []
  readonly #timer: ReturnType<typeof setInterval>
  /** With the milliseconds so far. */
  onTick: (ms: number) => void = () => undefined
  /** It has become too long. */
  onFull: () => void = () => undefined

  /** @throws where the browser or its user gives no microphone */
  static async start(): Promise<Recorder> {
    return new Recorder(await navigator.mediaDevices.getUserMedia({ audio: true }))
  }

  private constructor(stream: MediaStream) {
    this.#stream = stream
    try {
      this.#recorder = new MediaRecorder(stream)
    } catch (error) {
      for (const track of stream.getTracks()) track.stop()
      throw error
    }
    this.#recorder.ondataavailable = ({ data }) => this.#chunks.push(data)
    this.#recorder.start(1_000)
    const analyser = this.#context.createAnalyser()
    this.#context.createMediaStreamSource(stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
      this.#loudness.push(Math.min(100, Math.round(Math.sqrt(power) * 250)))
      this.onTick(this.#ms)
      if (this.#ms > LONGEST_MS) this.onFull()
    }, LISTEN_MS)
  }

  get #ms(): number {
    return performance.now() - this.#startedAt
  }

  async stop(): Promise<Recorded> {
    const durationMs = Math.round(this.#ms)
    const stopped = new Promise((resolve) => (this.#recorder.onstop = resolve))
    this.#recorder.stop()
    await stopped
    this.cancel()
    const type = this.#recorder.mimeType.split(';')[0] || 'audio/webm'
    return { blob: new Blob(this.#chunks, { type }), durationMs, waveform: this.#bars() }
  }

  cancel(): void {
    clearInterval(this.#timer)
    if (this.#recorder.state !== 'inactive') this.#recorder.stop()
    for (const track of this.#stream.getTracks()) track.stop()
    if (this.#context.state !== 'closed') void this.#context.close()
  }

  #bars(): number[] {
    const all = this.#loudness
    const count = Math.min(BARS, all.length)
    return Array.from({ length: count }, (_, bar) => {
      const part = all.slice((bar * all.length) / count, ((bar + 1) * all.length) / count)
      return Math.max(0, ...part)
    })
  }
}
