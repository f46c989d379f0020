/** A picture and a voice note, made by arithmetic: the package carries no files for them. */
import { crc32, deflateSync } from 'node:zlib'

const WIDTH = 960
const HEIGHT = 640
type Colour = readonly [red: number, green: number, blue: number]
const SKY: Colour = [38, 62, 120]
const GLOW: Colour = [252, 196, 140]
const SUN: Colour = [255, 240, 205]
const HILLS: readonly { colour: Colour; top: number; waves: readonly [number, number] }[] = [
  { colour: [120, 108, 150], top: 0.6, waves: [5.3, 11] },
  { colour: [70, 76, 118], top: 0.7, waves: [3.1, 8] },
  { colour: [30, 40, 70], top: 0.82, waves: [4.2, 6] },
]

/** A sunrise behind hills, as PNG. */
export function picture(): Buffer {
  const rows = Buffer.alloc(HEIGHT * (1 + WIDTH * 3))
  for (let y = 0; y < HEIGHT; y += 1)
    for (let x = 0; x < WIDTH; x += 1)
      rows.set(colourAt(x / WIDTH, y / HEIGHT), y * (1 + WIDTH * 3) + 1 + x * 3)
  const head = Buffer.alloc(13)
  head.writeUInt32BE(WIDTH, 0)
  head.writeUInt32BE(HEIGHT, 4)
  // 8 bits, RGB.
  head.set([8, 2], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 3 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function colourAt(x: number, y: number): Colour {
  const hill = HILLS.findLast(({ top, waves: [long, short] }, index) => {
    const ridge = Math.sin(x * long + index * 2) * 0.05 + Math.sin(x * short + index) * 0.02
    return y > top + ridge
  })
  if (hill) return hill.colour
  const far = Math.hypot((x - 0.64) * 1.5, y - 0.5)
  if (far < 0.075) return SUN
  return mix(mix(SKY, GLOW, Math.min(1, y * 1.5)), SUN, Math.max(0, 0.55 - far * 1.6))
}

function mix(one: Colour, other: Colour, part: number): Colour {
  const at = (index: 0 | 1 | 2) => Math.round(one[index] * (1 - part) + other[index] * part)
  return [at(0), at(1), at(2)]
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

const RATE = 8_000
const SECONDS = 7
const BARS = 64

/** Someone who hums, as WAV, with its loudness over time. */
export function voice(): { bytes: Buffer; durationMs: number; waveform: number[] } {
  const count = RATE * SECONDS
  const samples = Buffer.alloc(count * 2)
  for (let n = 0; n < count; n += 1)
    samples.writeInt16LE(Math.round(12_000 * loudness(n / RATE) * tone(n / RATE)), n * 2)
  const waveform = Array.from({ length: BARS }, (_, bar) =>
    Math.round(100 * loudness(((bar + 0.5) / BARS) * SECONDS)),
  )
  return {
    bytes: Buffer.concat([wavHead(samples.length), samples]),
    durationMs: SECONDS * 1_000,
    waveform,
  }
}

/** 0 to 1: syllables, words, and a breath now and then. */
function loudness(t: number): number {
  const syllable = Math.abs(Math.sin(t * 9))
  const word = 0.55 + 0.45 * Math.sin(t * 3.1 + Math.sin(t * 1.7))
  const breath = Math.min(1, Math.abs(Math.sin(t * 1.1)) * 2.5)
  return Math.min(1, syllable * word * breath)
}

function tone(t: number): number {
  const phase = 2 * Math.PI * (165 * t + 3 * Math.sin(t * 2.4))
  return Math.sin(phase) * 0.6 + Math.sin(phase * 2) * 0.25 + Math.sin(phase * 3) * 0.15
}

/** PCM, mono, 16 bits. */
function wavHead(bytes: number): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + bytes, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(RATE, 24)
  head.writeUInt32LE(RATE * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(bytes, 40)
  return head
}
