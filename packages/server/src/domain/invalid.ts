import { ExactTime, Uuid } from '@microchatter/protocol'
import { ChatError } from './errors.ts'

/** The part of an Ajv error that this reads. */
export interface SchemaFault {
  instancePath: string
  keyword: string
  params: Record<string, unknown>
  message?: string | undefined
}

/** The first fault of a schema check, as an error that says what is wrong and how to mend it. */
export function invalid(faults: readonly SchemaFault[] | null | undefined): ChatError {
  const [fault, ...others] = faults ?? []
  if (!fault) return new ChatError('invalid')
  const { instancePath, params } = fault
  const extra = params.additionalProperty ?? params.missingProperty
  const field = typeof extra === 'string' ? `${instancePath}/${escapePointer(extra)}` : instancePath
  const choices = [fault, ...others].filter(
    (one) => one.keyword === 'const' && one.instancePath === instancePath,
  )
  const words = choices.length > 0 ? choiceOf(choices) : wordsOf(fault)
  return new ChatError('invalid', {
    field,
    detail: `${field === '' ? 'The body' : field} ${words}`,
  })
}

/** A choice of values fails once for each of them. */
function choiceOf(faults: SchemaFault[]): string {
  const values = faults.map(({ params }) => JSON.stringify(params.allowedValue))
  return `must be ${values.join(' or ')}`
}

function escapePointer(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}

const patternOf = (schema: object): string => (schema as { pattern: string }).pattern

const FORMS: Record<string, string> = {
  [patternOf(ExactTime)]: 'must be a time in UTC, like 2027-01-31T12:00:00Z',
  [patternOf(Uuid)]: 'must be a UUID',
}

function wordsOf({ keyword, params, message = 'is wrong' }: SchemaFault): string {
  const limit = String(params.limit)
  switch (keyword) {
    case 'additionalProperties':
      return 'is not a field here; leave it out'
    case 'required':
      return 'is missing'
    case 'type':
      return `must be ${article(String(params.type))}`
    case 'minLength':
      return limit === '1' ? 'must not be empty' : `must have at least ${limit} characters`
    case 'maxLength':
      return `must have at most ${limit} characters`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    case 'minItems':
      return `must have at least ${limit} ${limit === '1' ? 'item' : 'items'}`
    case 'uniqueItems':
      return 'must not have the same item twice'
    case 'maxItems':
      return `must have at most ${limit} items`
    case 'pattern':
      return FORMS[String(params.pattern)] ?? 'does not have the right form; see /docs'
    case 'anyOf':
    case 'enum':
      return 'is not one of the allowed values; see /docs'
    default:
      return message
  }
}

function article(type: string): string {
  return `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`
}
