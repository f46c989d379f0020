/** Requests against the schemas of their row: what does not fit is refused, and nothing is mended. */
import { Ajv } from 'ajv'
import { ChatError } from '../domain/errors.ts'
import { invalid } from '../domain/invalid.ts'

interface Part {
  schema: { properties?: Record<string, { type?: string }> }
  httpPart?: string
}
type Verdict = { value: unknown } | { error: ChatError }

/** For fastify: compiles a schema of a body, a query or a path. */
export function createValidator() {
  const ajv = new Ajv()
  return ({ schema, httpPart }: Part) => {
    const fits = ajv.compile(schema)
    const isText = httpPart === 'body' || !hasTypedFields(schema)
    return (data: unknown): Verdict => {
      const value = isText ? data : read(schema, data as Record<string, unknown>)
      if (fits(value)) return { value }
      if (httpPart !== 'body') return { error: withPlainField(invalid(fits.errors)) }
      return { error: value === null ? bodyMissing() : invalid(fits.errors) }
    }
  }
}

/**
 * In an address all is text: whole numbers and flags are read as such where the schema has them. Ajv's
 * own coercion reads 1e400 as an integer, and then bounds it by nothing.
 */
function read({ properties = {} }: Part['schema'], data: Record<string, unknown>): unknown {
  const entries = Object.entries(data).map(([name, value]) => {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined
    return [name, typeof value === 'string' ? readText(value, type) : value]
  })
  return Object.fromEntries(entries)
}

/** Without them nothing has to be read as something else. */
function hasTypedFields({ properties = {} }: Part['schema']): boolean {
  return Object.values(properties).some(({ type }) => type === 'integer' || type === 'boolean')
}

function readText(text: string, type: string | undefined): unknown {
  if (type === 'integer' && /^-?\d{1,20}$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return text
}

function bodyMissing(): ChatError {
  return new ChatError('invalid', {
    detail:
      'This call needs a body, `{}` at least; send JSON, with `Content-Type: application/json`',
  })
}

/** Fields of a query and of a path have plain names, where those of a body are JSON pointers. */
export function withPlainField(error: ChatError): ChatError {
  const { field, detail } = error.info
  if (field === undefined || !field.startsWith('/')) return error
  const bare = (text: string) => (text.startsWith('/') ? text.slice(1) : text)
  return new ChatError(error.code, {
    ...error.info,
    field: bare(field),
    ...(detail === undefined ? {} : { detail: bare(detail) }),
  })
}
