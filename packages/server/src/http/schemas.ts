/** The schemas of the protocol by their names, and what they say in words. */
import * as protocol from '@microchatter/protocol'

/** The part of JSON Schema that the protocol uses. */
export interface Schema {
  type?: string
  const?: unknown
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  description?: string
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
}

/** Objects of the protocol by name. */
export const OBJECTS = new Map<string, Schema>(
  Object.entries(protocol as Record<string, unknown>).filter((entry): entry is [string, Schema] => {
    const [, value] = entry
    return typeof value === 'object' && value !== null && 'properties' in value
  }),
)

// An optional field holds a copy of its schema, so what is compared is what they say.
const NAMES = new Map([...OBJECTS].map(([name, schema]) => [JSON.stringify(schema), name]))

export function nameOf(schema: Schema): string | undefined {
  return schema.properties ? NAMES.get(JSON.stringify(schema)) : undefined
}

/** '1 to 128 characters', 'at most 50 items', '0 or more'; '' where nothing bounds it. */
export function boundsOf(schema: Schema): string {
  const { minLength, maxLength, minimum, maximum, maxItems } = schema
  const parts = [
    range(minLength, maxLength, ' characters'),
    range(minimum, maximum, ''),
    range(undefined, maxItems, ' items'),
    schema.default === undefined ? '' : `${JSON.stringify(schema.default)} by default`,
  ]
  return parts.filter((part) => part !== '').join('; ')
}

function range(from: number | undefined, to: number | undefined, unit: string): string {
  const text = (value: number) => value.toLocaleString('en-US')
  if (from !== undefined && to !== undefined) return `${text(from)} to ${text(to)}${unit}`
  if (to !== undefined) return `at most ${text(to)}${unit}`
  if (from !== undefined) return `${text(from)} or more${unit}`
  return ''
}

export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}
