/** What a file is, by its first bytes; what its sender or its name says is no more than a hint [FILE-3]. */
import { fileTypeFromBuffer } from 'file-type'
import type { FileDetails } from '../store/files.ts'

/** As many as this looks at. */
export const HEAD_BYTES = 65_536

/** What the server decodes and writes anew. */
const IMAGES = new Set([
  'image/jpeg',
  'image/png',
  'image/apng',
  'image/gif',
  'image/webp',
  'image/avif',
])
/** What browsers play; everything else is only downloaded. */
const PLAYED: Record<string, FileDetails['kind']> = {
  'video/mp4': 'video',
  'video/webm': 'video',
  'video/quicktime': 'video',
  'video/ogg': 'video',
  'audio/mpeg': 'audio',
  'audio/mp4': 'audio',
  'audio/x-m4a': 'audio',
  'audio/aac': 'audio',
  'audio/ogg': 'audio',
  'audio/wav': 'audio',
  'audio/flac': 'audio',
}
/** One container for sound and for pictures that move: which, its sender says. */
const EITHER: Record<string, string> = { 'video/mp4': 'audio/mp4', 'video/webm': 'audio/webm' }
const UNKNOWN = 'application/octet-stream'

export async function typeOf(
  head: Uint8Array,
  claimed: string | undefined,
): Promise<Pick<FileDetails, 'kind' | 'type'>> {
  const found = await fileTypeFromBuffer(head)
  // E.g. `audio/ogg; codecs=opus`.
  const type = found?.mime.split(';')[0] ?? UNKNOWN
  if (IMAGES.has(type)) return { kind: 'image', type }
  const sound = EITHER[type]
  if (sound && claimed?.startsWith('audio/')) return { kind: 'audio', type: sound }
  return { kind: PLAYED[type] ?? 'file', type }
}

/** `image/*` and the like. */
export function isTaken(type: string, allowed: readonly string[]): boolean {
  const [group] = type.split('/')
  return allowed.some((one) => one === '*/*' || one === `${group}/*` || one === type)
}
