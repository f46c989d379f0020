import { type TLiteral, type TUnion, Type, type TProperties, type TSchema } from 'typebox'
import { LIMITS } from './limits.ts'

/** Every object on the wire is closed: an unknown field is an error, never ignored. */
export function closed<T extends TProperties>(properties: T, description?: string) {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  })
}

export const opt = Type.Optional

/** One of these words. */
export function oneOf<const V extends readonly string[]>(values: V, description?: string) {
  return Type.Union(
    values.map((value) => Type.Literal(value)),
    description === undefined ? {} : { description },
  ) as unknown as TUnion<{ -readonly [K in keyof V]: TLiteral<V[K] & string> }>
}

export const Username = Type.String({
  minLength: 1,
  maxLength: LIMITS.username,
  description: 'The name that the site gave this user; the key of a user everywhere.',
})
export const Time = Type.String({ description: 'ISO 8601, in UTC, with milliseconds.' })
/** A time as it is asked for. */
export const ExactTime = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$',
  description: 'ISO 8601, in UTC.',
})
export const Name = Type.String({ minLength: 1, maxLength: LIMITS.name })
export const WebUrl = Type.String({
  maxLength: LIMITS.url,
  pattern: '^https?://[^\\s\\u0000-\\u001f\\u007f]+$',
  description: 'An http or https address.',
})
export const Uuid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
  description: 'A UUID in its 36-character form.',
})
export const ChatId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'The id of a chat, opaque.',
})
export const Seq = Type.Integer({
  minimum: 0,
  maximum: LIMITS.seq,
  description: "A message's number in its chat: 1, 2, 3 … without gap; 0 is before the first.",
})
export const Limit = Type.Integer({ minimum: 1, maximum: LIMITS.page, default: 50 })
export const Cursor = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'The `nextCursor` of the page before.',
})

/** One page of a list; `nextCursor` is left out on the last page. */
export function page<T extends TSchema>(item: T, description?: string) {
  return closed({ items: Type.Array(item), nextCursor: opt(Cursor) }, description)
}
