/**
 * A request: headers → is there such an address → who calls → body → schemas → function → answer.
 * What goes wrong on the way goes through onError.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import cors from '@fastify/cors'
import { closed, LIMITS } from '@microchatter/protocol'
import {
  fastify,
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RouteOptions,
} from 'fastify'
import type { Core } from '../domain/core.ts'
import { type Once, onceByKey } from '../domain/idempotency.ts'
import { ChatError } from '../domain/errors.ts'
import type { SignToken } from '../domain/sessions.ts'
import { actorOf, checkAddress, createAuthentication, DECORATORS } from './access.ts'
import { parseBody } from './body.ts'
import { corsOptions } from './cors.ts'
import { DEMO_ROUTES } from './demo.ts'
import { toDocs } from './docs.ts'
import { STYLE } from './docs-style.ts'
import { onClientError, onError } from './errors.ts'
import { PAGE_POLICY, setHeaders } from './headers.ts'
import { toOpenApi } from './openapi.ts'
import {
  type Answer,
  type Call,
  needsLogIn,
  type RawCall,
  type Route,
  type Site,
  type UserRoute,
} from './route.ts'
import { ROUTES } from './routes.ts'
import { createValidator } from './validation.ts'
import { createWidget } from './widget.ts'

export interface HttpOptions {
  core: Core
  sign: SignToken
  production: boolean
  /** Plain http counts as secure: the operator has said so. */
  insecureHttp: boolean
  publicUrl: string
  /** Exact origins whose pages may read answers. */
  origins: readonly string[]
  /** Addresses of the proxies whose X-Forwarded-… are believed. */
  trustProxy: readonly string[]
  tls?: { key: Buffer; cert: Buffer }
  ready: Site['ready']
  /** The bundle for pages; undefined: it was not built. */
  widget: Buffer | undefined
  demo: Site['demo']
  log: FastifyBaseLogger
  version: string
}

const TIMEOUTS = {
  /** Longer than proxies keep theirs, so that it is never us who close under a request. */
  keepAliveMs: 72_000,
  requestMs: 15_000,
  headersMs: 10_000,
  /** How often node looks for requests that are past these: by itself, every 30 s. */
  checkMs: 2_000,
}
const HEADER_BYTES = 16_384

/** Ready, not yet listening. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const app = createApp(options)
  // Before the plugin: a route keeps the handler that was set when it was made.
  app.setErrorHandler(onError)
  // One logger for all requests: what is logged of one names its id.
  app.setChildLoggerFactory((logger) => logger)
  for (const name of DECORATORS) app.decorateRequest(name, null)
  // Hooks that wait for nothing are not async: each promise would be a turn of its own.
  app.addHook('onRequest', (request, reply, done) => {
    setHeaders(request, reply)
    done()
  })
  await app.register(cors, corsOptions(options.origins, options.production))
  app.addHook('onRequest', checkAddress)
  const levelOf = createLevels()
  app.addHook('onResponse', (request, reply, done) => {
    logAnswer(request, reply, levelOf(reply.statusCode))
    // What was on its way when we began to stop is done; its connection would be kept alive.
    if (!app.server.listening) request.raw.socket.end()
    done()
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, onBody)
  // Read as it comes by the calls that take it; the others refuse it.
  app.addContentTypeParser(BYTES_TYPE, onBytes)
  app.setValidatorCompiler(createValidator())
  const site = createSite(options)
  const routes = options.demo ? [...ROUTES, ...DEMO_ROUTES] : ROUTES
  for (const route of routes) app.route(toRouteOptions(route, options, site))
  await app.ready()
  return app
}

function onBody(
  request: FastifyRequest,
  bytes: Buffer,
  done: (error: Error | null, body?: unknown) => void,
): void {
  let body: unknown
  try {
    body = parseBody(request, bytes)
  } catch (error) {
    return done(error as Error)
  }
  return done(null, body)
}

const BYTES_TYPE = 'application/offset+octet-stream'

function onBytes(
  request: FastifyRequest,
  bytes: IncomingMessage,
  done: (error: Error | null, body?: unknown) => void,
): void {
  const { takesBytes } = request.routeOptions.config as { takesBytes?: boolean }
  if (takesBytes) return done(null, bytes)
  return done(
    new ChatError('wrong_type', {
      detail: 'Send the body as JSON, with `Content-Type: application/json`',
    }),
  )
}

function createApp({ trustProxy, tls, log }: HttpOptions): FastifyInstance {
  const server = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: TIMEOUTS.headersMs,
    connectionsCheckingInterval: TIMEOUTS.checkMs,
  }
  const options: FastifyHttpOptions<Server> = {
    ...(tls ? { https: { ...server, ...tls } } : { http: server }),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: LIMITS.frame,
    requestTimeout: TIMEOUTS.requestMs,
    keepAliveTimeout: TIMEOUTS.keepAliveMs,
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    // What is at work while we stop is answered; the socket closes behind it.
    return503OnClosing: false,
    // The schemas bound what is in a path, and say what is wrong; the headers' bound is the outer one.
    routerOptions: { maxParamLength: HEADER_BYTES },
    // Proxies' forms of an address (`*`, `http://…`) are just not found.
    rewriteUrl: ({ url = '/' }) => (url.startsWith('/') ? url : `/${url}`),
    frameworkErrors: (error, request, reply) => onError(error, request, reply),
    clientErrorHandler: onClientError,
  }
  return fastify(options)
}

function createSite({ publicUrl, version, widget, ...options }: HttpOptions): Site {
  const { core, sign, ready, demo } = options
  const pages = {
    openapi: toOpenApi(ROUTES, { publicUrl, version }),
    docs: toDocs(ROUTES, version),
    style: STYLE,
  }
  return { core, sign, ready, demo, pages, widget: widget && createWidget(widget) }
}

function toRouteOptions(route: Route, options: HttpOptions, site: Site): RouteOptions {
  const { method, path, params, query, body, access } = route
  const isOpen = access === 'public'
  return {
    method,
    url: path,
    schema: {
      ...(params && { params }),
      ...(body && { body }),
      // What watches us may add its own parameters; a call refuses what it does not know.
      ...(!isOpen && { querystring: query ?? closed({}) }),
    },
    ...(needsLogIn(route) && { onRequest: createAuthentication(options, access) }),
    config: { takesBytes: 'bytes' in route },
    handler: async (request, reply) => {
      const answer = await answerCall(route, { request, reply }, site)
      if (answer.type !== undefined) reply.type(answer.type)
      if (answer.type?.startsWith('text/html')) reply.header('Content-Security-Policy', PAGE_POLICY)
      if (answer.headers) reply.headers(answer.headers)
      return reply.code(answer.status).send(answer.body)
    },
  }
}

function answerCall(
  route: Route,
  { request, reply }: Pick<RawCall, 'request' | 'reply'>,
  site: Site,
): Promise<Answer> {
  const raw = { site, core: site.core, params: request.params, request, reply }
  if (route.access === 'public' || route.access === 'link') return route.on(raw)
  const actor = actorOf(request)
  if (!actor) throw new Error(`${route.method} ${route.path} was reached without a user`)
  if ('bytes' in route) return route.on({ ...raw, actor })
  const { params, query, body, headers } = request
  const { core } = site
  const once = onceOf(route, request, { core, actor })
  const userAgent = headers['user-agent']
  return route.on({ site, core, actor, params, query, body, userAgent, once })
}

function onceOf(
  route: UserRoute,
  { headers, params, query, body }: FastifyRequest,
  { core, actor }: Pick<Call, 'core' | 'actor'>,
): Once {
  const key = headers['idempotency-key']
  if (route.idempotent !== true || key === undefined) return (deed) => core.db.transaction(deed)
  const request = [route.name, params, query, body]
  return onceByKey(core.db, actor, { key: String(key), request })
}

type Level = 'error' | 'debug'

/**
 * While a part of the service is away, thousands a second may be told so: one 503 a second is logged,
 * because a log that is read slowly holds up the process that writes it.
 */
function createLevels(): (status: number) => Level {
  let last = Number.NEGATIVE_INFINITY
  return (status) => {
    if (status !== 503) return status >= 500 ? 'error' : 'debug'
    const now = performance.now()
    if (now - last < 1_000) return 'debug'
    last = now
    return 'error'
  }
}

/** No bodies, no headers, no addresses: a path may name people, a query may hold anything. */
function logAnswer(request: FastifyRequest, reply: FastifyReply, level: Level): void {
  const { statusCode: status } = reply
  if (!isLogged(request.log, level)) return
  request.log[level](
    {
      reqId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      status,
      ms: Math.round(reply.elapsedTime),
      user: actorOf(request)?.id,
    },
    'answered',
  )
}

/** Most answers are not: then nothing is put together for them. */
function isLogged(log: FastifyBaseLogger, level: Level): boolean {
  const { isLevelEnabled } = log as { isLevelEnabled?: (level: string) => boolean }
  return isLevelEnabled?.call(log, level) ?? true
}
