/**
 * Writes what the client knows of the wire, as plain types: packages/client/src/protocol.ts from the schemas of
 * packages/protocol, and packages/client/src/api.ts from the server's table of routes. `--check` says whether they are
 * as they should be, and writes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CALLS, ERRORS, EVENTS, LIMITS } from '@microchatter/protocol'
import type { Route } from '../packages/server/src/http/route.ts'
import { ROUTES } from '../packages/server/src/http/routes.ts'
import { nameOf, OBJECTS, type Schema } from '../packages/server/src/http/schemas.ts'

const FOLDER = new URL('../packages/client/src/', import.meta.url)
const HEAD = '/** Made by scripts/client-api.ts; `npm run client:api` writes it anew. */\n'
/** Objects that are named somewhere. */
const used = new Set<string>()

function typeOf(schema: Schema): string {
  const name = nameOf(schema)
  if (name !== undefined) {
    used.add(name)
    return name
  }
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' | ')
  if (typeof schema.const === 'string') return `'${schema.const}'`
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  switch (schema.type ?? '') {
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`
    case 'object':
      return schema.properties ? `{ ${fieldsOf(schema)} }` : 'Record<string, unknown>'
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type ?? ''
    default:
      return 'unknown'
  }
}

function fieldsOf({ properties = {}, required = [] }: Schema): string {
  const fields = Object.entries(properties).map(([name, schema]) => {
    const words = schema.description === undefined ? '' : `/** ${schema.description} */\n`
    return `${words}${name}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`
  })
  return fields.join('\n')
}

function interfaces(): string {
  const done = new Map<string, string>()
  while (done.size < used.size)
    for (const name of used) {
      if (done.has(name)) continue
      const schema = OBJECTS.get(name) ?? {}
      const words = schema.description === undefined ? '' : `/** ${schema.description} */\n`
      done.set(name, `${words}export interface ${name} {\n${fieldsOf(schema)}\n}`)
    }
  return [...done]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]) => text)
    .join('\n\n')
}

function callOf(route: Route): string {
  const { name, summary, answers } = route
  const parts = ['params', 'query', 'body'].flatMap((part) => {
    const schema = (route as unknown as Record<string, Schema | undefined>)[part]
    return schema && Object.keys(schema.properties ?? {}).length > 0 ? [schema] : []
  })
  const isNeeded = parts.some(({ required = [] }) => required.length > 0)
  const input = parts.map(typeOf).join(' & ')
  const answer = Object.values(answers).map((one) => (one ? typeOf(one as Schema) : 'undefined'))
  const taken = input === '' ? '' : `input${isNeeded ? '' : '?'}: ${input}`
  return `  /** ${summary}. */\n  ${name}(${taken}): Promise<${[...new Set(answer)].join(' | ')}>`
}

function writeApi(): string {
  const routes = ROUTES.filter(
    (route) => (route.access === 'user' || route.access === 'admin') && !('bytes' in route),
  )
  const calls = routes.map(callOf)
  const table = routes.map(
    ({ name, method, path, body }) => `  ${name}: '${method} ${path}${body ? ' {}' : ''}',`,
  )
  return `${HEAD}import type { ${[...used].sort().join(', ')} } from './protocol.ts'

/** \`{}\` stands behind those that take a body. */
export const CALLS: Record<keyof Api, string> = {
${table.join('\n')}
}

/** Every call by REST: what is in its path, its query and its body goes in together. */
export interface Api {
${calls.join('\n')}
}
`
}

function writeProtocol(): string {
  const events = Object.entries(EVENTS).map(
    ([name, schema]) => `  '${name}': ${typeOf(schema as Schema)}`,
  )
  const calls = Object.entries(CALLS).map(
    ([name, { request, answer }]) =>
      `  '${name}': { request: ${typeOf(request as Schema)}; answer: ${typeOf(answer as Schema)} }`,
  )
  for (const name of ['Problem', 'CallError']) used.add(name)
  return `${HEAD}export const LIMITS = ${JSON.stringify(LIMITS)} as const

/** The codes of the server's errors. */
export type ErrorCode = ${Object.keys(ERRORS)
    .map((code) => `'${code}'`)
    .join(' | ')}

/** What the server tells: name → what it carries. */
export interface Events {
${events.join('\n')}
}
export type EventName = keyof Events
export type EventData<N extends EventName> = Events[N]

/** What can be asked by socket. */
export interface Calls {
${calls.join('\n')}
}
export type CallName = keyof Calls
export type CallBody<N extends CallName> = Calls[N]['request']
export type CallAnswer<N extends CallName> = Calls[N]['answer']

${interfaces()}
`
}

/** As it is before and after formatting. */
const squeezed = (text: string) => text.replaceAll(/[\s,;|()"'/*]+/g, '')

const files = { 'api.ts': writeApi(), 'protocol.ts': writeProtocol() }
for (const [name, text] of Object.entries(files)) {
  const path = fileURLToPath(new URL(name, FOLDER))
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (squeezed(readFileSync(path, 'utf8')) !== squeezed(text)) {
    process.stdout.write(
      `packages/client/src/${name} is not as the server has it: npm run client:api\n`,
    )
    process.exitCode = 1
  }
}
