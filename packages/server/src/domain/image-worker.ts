/**
 * Decodes images and writes them anew, in a process of its own: what a crafted image can do to the decoder
 * ends with it. It has no environment, and one image at a time.
 */
import sharp, { type Sharp } from 'sharp'

export interface ImageRequest {
  id: number
  bytes: Uint8Array
  /** Only the small one is wanted. */
  small: boolean
}

export interface ImageDone {
  id: number
  /** Without metadata; left out where only the small one is wanted. */
  image?: Uint8Array
  type: string
  width: number
  height: number
  thumbnail: Uint8Array
  placeholder: string
}

/** `refused`: why, for its sender. */
export type ImageAnswer = ImageDone | { id: number; refused: string }

/** Pixels of all frames: what a phone takes, and a long animation. */
const PIXELS = 64_000_000
const FRAMES = 500
const SIDE = 16_384
const SMALL = 640
const TINY = 16
const ANIMATED = new Set(['gif', 'webp'])

class Refused extends Error {}

async function work({ id, bytes, small }: ImageRequest): Promise<ImageAnswer> {
  const meta = await sharp(bytes, { limitInputPixels: false, pages: -1 }).metadata()
  const { format, width, pageHeight, height: whole, pages = 1 } = meta
  const height = pageHeight ?? whole
  if (pages > FRAMES) throw new Refused(`it has ${pages} frames, and may have ${FRAMES}`)
  if (Math.max(width, height) > SIDE || width * height * pages > PIXELS)
    throw new Refused(
      `it has ${width} × ${height} pixels${pages > 1 ? ` in ${pages} frames` : ''}; a side may have ${SIDE}, all of it ${PIXELS / 1e6} million`,
    )
  const options = { limitInputPixels: PIXELS, failOn: 'error' as const }
  const still = sharp(bytes, options).autoOrient()
  const thumbnail = still.clone().resize(SMALL, SMALL, { fit: 'inside', withoutEnlargement: true })
  const tiny = still.clone().resize(TINY, TINY, { fit: 'inside' }).webp({ quality: 20 })
  const turned = (meta.orientation ?? 1) >= 5
  const isAnimated = pages > 1 && ANIMATED.has(format ?? '')
  const source = isAnimated ? sharp(bytes, { ...options, animated: true }) : still.clone()
  const [image, shown, placeholder] = [
    small ? undefined : await encode(source, String(format), isAnimated),
    await thumbnail.webp({ quality: 78 }).toBuffer(),
    await tiny.toBuffer(),
  ]
  return {
    id,
    ...(image ? { image } : {}),
    type: TYPES[format ?? ''] ?? 'image/png',
    width: turned ? height : width,
    height: turned ? width : height,
    thumbnail: shown,
    placeholder: placeholder.toString('base64'),
  }
}

const TYPES: Record<string, string> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  heif: 'image/avif',
}

/** In its own format, without metadata, in the colours of the web. */
function encode(image: Sharp, format: string, isAnimated: boolean): Promise<Buffer> {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality: 88 }).toBuffer()
    case 'webp':
      return image.webp({ quality: 88, effort: isAnimated ? 2 : 4 }).toBuffer()
    case 'gif':
      return image.gif({ effort: 3 }).toBuffer()
    case 'heif':
      return image.avif({ quality: 60, effort: 2 }).toBuffer()
    default:
      return image.png().toBuffer()
  }
}

process.on('message', (request: ImageRequest) => {
  const { id } = request
  work(request).then(answer, (error: unknown) =>
    answer({
      id,
      refused:
        error instanceof Refused ? error.message : 'it is damaged, or not all of it has come',
    }),
  )
})

function answer(message: ImageAnswer): void {
  process.send?.(message)
}
// Its parent has gone.
process.on('disconnect', () => process.exit(0))
