import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { ChatError } from '../domain/errors.ts'

const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i

/**
 * JSON in UTF-8 and nothing else; undefined where the call takes no body. `__proto__` becomes an own
 * field here, which the closed schemas refuse like any other that they do not know.
 * @throws wrong_type, invalid_utf8, invalid_json
 */
export function parseBody(request: FastifyRequest, bytes: Buffer): unknown {
  if (bytes.length === 0 || !request.routeOptions.schema?.body) return undefined
  const type = request.headers['content-type']
  if (type === undefined || !JSON_TYPE.test(type))
    throw new ChatError('wrong_type', {
      detail: 'Send the body as JSON, with `Content-Type: application/json`',
    })
  if (!isUtf8(bytes))
    throw new ChatError('invalid_utf8', { detail: 'The body has bytes that are not UTF-8' })
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new ChatError('invalid_json', { detail: (error as Error).message })
  }
}
