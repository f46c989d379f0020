/** /widget.js: the bundle that pages of other sites load, so that <micro-chatter> works in them. */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { ChatError } from '../domain/errors.ts'
import type { Answer, PublicCall } from './route.ts'

/** The best first. */
const ENCODINGS = ['br', 'gzip'] as const
type Encoding = (typeof ENCODINGS)[number] | 'identity'

export interface Widget {
  tag(encoding: Encoding): string
  bytes(encoding: Encoding): Promise<Buffer>
}

/** Each encoding is made once, when it is first asked for. */
export function createWidget(plain: Buffer): Widget {
  const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 22)
  const made = new Map<Encoding, Promise<Buffer>>([['identity', Promise.resolve(plain)]])
  return {
    tag: (encoding) => `"${hash}-${encoding}"`,
    bytes(encoding) {
      const bytes = made.get(encoding) ?? compress(plain, encoding)
      made.set(encoding, bytes)
      return bytes
    },
  }
}

function compress(plain: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'gzip') return promisify(gzip)(plain, { level: 9 })
  // 9 of 11: the last two take ten times as long, and save little.
  return promisify(brotliCompress)(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
}

export async function onGetWidget({ site, request }: PublicCall): Promise<Answer> {
  const { widget } = site
  if (!widget)
    throw new ChatError('not_found', {
      detail: 'The widget is not built; `npm run build` in the source makes it, then start again',
    })
  const encoding = encodingOf(request.headers['accept-encoding'])
  const tag = widget.tag(encoding)
  const headers = { ...HEADERS, ETag: tag }
  if (isKnown(request.headers['if-none-match'], tag)) return { status: 304, headers }
  return {
    status: 200,
    type: 'text/javascript; charset=utf-8',
    headers: encoding === 'identity' ? headers : { ...headers, 'Content-Encoding': encoding },
    body: await widget.bytes(encoding),
  }
}

/** A page of any site loads it, by CORS, as modules are; it is the same for everyone. */
const HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cache-Control': 'public, max-age=300, must-revalidate',
  Vary: 'Accept-Encoding',
}

function encodingOf(accepted: string | string[] = ''): Encoding {
  const taken = new Set<string>()
  for (const part of String(accepted).toLowerCase().split(',')) {
    const [name = '', weight = ''] = part.replaceAll(/\s/g, '').split(';')
    if (!/^q=0(\.0*)?$/.test(weight)) taken.add(name)
  }
  return ENCODINGS.find((name) => taken.has(name)) ?? 'identity'
}

function isKnown(tags: string | undefined, tag: string): boolean {
  const known = (tags ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
  return known.includes(tag) || known.includes('*')
}
