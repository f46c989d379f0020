/** The OpenAPI 3.1 document of the table of routes. */
import { ERRORS, Problem } from '@microchatter/protocol'
import { errorsOf, needsLogIn, type Route } from './route.ts'
import { groupBy, nameOf, OBJECTS, type Schema } from './schemas.ts'
import { topicOf } from './topics.ts'

type Json = Record<string, unknown>

export function toOpenApi(
  routes: readonly Route[],
  { publicUrl, version }: { publicUrl: string; version: string },
): Json {
  const used = new Set<string>()
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route, used) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Microchatter',
      version,
      summary: 'A mailbox and real-time chat for the users a website already has',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    ...(publicUrl === '' ? {} : { servers: [{ url: publicUrl }] }),
    security: [{ bearer: [] }, { basic: [] }],
    paths,
    components: { securitySchemes: SECURITY, schemas: toComponents(used) },
  }
}

const SECURITY = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'A session token of `POST /users/login`, or a JWT of the site.',
  },
  basic: { type: 'http', scheme: 'basic', description: 'In production over HTTPS only.' },
}

function toOperation(route: Route, used: Set<string>): Json {
  const { name, summary, body, access, path } = route
  return {
    operationId: name,
    summary: access === 'admin' ? `${summary} (admins)` : summary,
    tags: [topicOf(path)],
    ...(needsLogIn(route) ? {} : { security: [] }),
    parameters: toParameters(route, used),
    ...(body ? { requestBody: { required: true, content: content(body, used) } } : {}),
    responses: { ...toAnswers(route, used), ...toProblems(route, used) },
  }
}

function toParameters({ params, query, idempotent }: Route, used: Set<string>): Json[] {
  const list = (schema: Schema | undefined, place: 'path' | 'query') =>
    Object.entries(schema?.properties ?? {}).map(([name, { description, ...property }]) => ({
      name,
      in: place,
      required: schema?.required?.includes(name) === true,
      ...(description === undefined ? {} : { description }),
      schema: toRefs(property, used),
    }))
  return [
    ...list(params as Schema | undefined, 'path'),
    ...list(query as Schema | undefined, 'query'),
    ...(idempotent === true ? [IDEMPOTENCY_KEY] : []),
  ]
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'With the same key, the same request is done once, and answered alike, for 48 hours.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,200}$' },
}

function toAnswers({ answers, path }: Route, used: Set<string>): Json {
  const type = TYPES.find(([ending]) => path.endsWith(ending))?.[1]
  return Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      {
        description: ANSWERS[status] ?? 'Done',
        ...(schema === null ? {} : { content: content(schema, used, type) }),
      },
    ]),
  )
}

const TYPES = [
  ['.css', 'text/css'],
  ['.js', 'text/javascript'],
  ['/docs', 'text/html'],
] as const
const ANSWERS: Record<string, string> = { 200: 'Done', 201: 'Made', 204: 'Done; nothing to say' }

function toProblems(route: Route, used: Set<string>): Json {
  const byStatus = groupBy(errorsOf(route), (code) => ERRORS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('. '),
        content: content(Problem, used, 'application/problem+json'),
      },
    ]),
  )
}

function content(schema: Schema, used: Set<string>, type = 'application/json'): Json {
  return { [type]: { schema: toRefs(schema, used) } }
}

/** Objects that have a name are referred to. */
function toRefs(schema: Schema, used: Set<string>): Json {
  const name = nameOf(schema)
  if (name === undefined) return withRefs(schema, used)
  used.add(name)
  return { $ref: `#/components/schemas/${name}` }
}

function withRefs(schema: Schema, used: Set<string>): Json {
  const { properties, items, anyOf, ...rest } = schema
  return {
    ...rest,
    ...(anyOf && { anyOf: anyOf.map((one) => toRefs(one, used)) }),
    ...(items && { items: toRefs(items, used) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, toRefs(one, used)]),
      ),
    }),
  }
}

/** Those that are used, and those that they use: a set that grows is walked to its end. */
function toComponents(used: Set<string>): Json {
  const components: Json = {}
  for (const name of used) components[name] = withRefs(OBJECTS.get(name) ?? {}, used)
  return components
}
