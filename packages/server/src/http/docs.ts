/** /docs: the table of routes, and the calls and events of the socket, as a page to read. */
import { CALLS, ERRORS, EVENTS, LIMITS } from '@microchatter/protocol'
import { Html, html, NONE, prose } from './html.ts'
import { errorsOf, type Route } from './route.ts'
import { boundsOf, groupBy, nameOf, OBJECTS, type Schema } from './schemas.ts'

/** The whole page; its style is docs-style.ts, and it has no script. */
export function toDocs(routes: readonly Route[], version: string): string {
  const groups = groupBy(routes, ({ path }) => groupOf(path))
  const objects = [...OBJECTS].filter(([name]) => !/Body$|Query$|Params$/.test(name))
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Microchatter API</title>
<link rel="stylesheet" href="/docs/style.css">
<div class="page">
<nav aria-label="Contents">
<a class="brand" href="#top">Microchatter</a>
<p class="version">API ${version}</p>
<ul><li><a href="#credentials">Credentials</a><li><a href="#conventions">Conventions</a></ul>
${[...groups].map(([group, list]) =>
  contents(
    group,
    list.map(({ name, path, method }) => [name, `${method} ${path}`]),
  ),
)}
${contents('Socket', [
  ['calls', 'Calls'],
  ['events', 'Events'],
])}
${contents('Reference', [
  ['objects', 'Objects'],
  ['errors', 'Errors'],
])}
</nav>
<main id="top">
<h1>Microchatter API</h1>
${INTRO}
${[...groups].map(([group, list]) => html`<h2 id="${idOf(group)}">${group}</h2>${list.map(toCall)}`)}
<h2 id="calls">Socket calls</h2>
<p>Each is answered by its acknowledgement: <code>{ ok: true, … }</code> with the fields below, or <code>{ ok: false, error: { code, detail } }</code> with a code of the <a href="#errors">catalogue</a>.</p>
${Object.entries(CALLS).map(([name, { request, answer }]) =>
  toSocket(name, 'call', [
    ['Send', request],
    ['Answer', answer],
  ]),
)}
<h2 id="events">Events</h2>
<p>What the server tells, to every socket of those whom it concerns.</p>
${Object.entries(EVENTS).map(([name, schema]) => toSocket(name, 'event', [['Carries', schema]]))}
<h2 id="objects">Objects</h2>
${objects.map(([name, schema]) => html`<section class="card" id="object-${name}"><h3>${name}</h3>${described(schema)}${toFields(schema)}</section>`)}
<h2 id="errors">Errors</h2>
<p>RFC 9457 problem JSON over REST, the same codes over the socket. A <code>code</code> never changes its meaning; the words beside it may.</p>
${toCatalogue()}
</main>
</div>
</html>
`.text
}

const INTRO = html`<p class="lead">REST and Socket.IO, described by the same schemas that check every request. The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
<h2 id="credentials">Credentials</h2>
<p>Send <code>Authorization: Bearer …</code> with a session token of <a href="#logIn">POST /users/login</a> or a JWT that your site has signed, or HTTP Basic with username and password (in production over HTTPS only). Over Socket.IO, connect with <code>auth: { token }</code>. Credentials in an address are refused, because addresses end up in logs.</p>
<h2 id="conventions">Conventions</h2>
<ul class="rules">
<li>Bodies are JSON in UTF-8 with <code>Content-Type: application/json</code>, at most ${LIMITS.frame / 1_024} KB. A field that is not described here is an error. What is empty is left out of answers.</li>
<li>Times are ISO 8601 in UTC. Ids and cursors are opaque.</li>
<li>Lists answer <code>{ items, nextCursor }</code>; send <code>nextCursor</code> back as <code>cursor</code> for the next page.</li>
<li>Sending twice is safe: give every message a <code>clientId</code>, and the other calls that create something an <code>Idempotency-Key</code> header.</li>
<li>Too many requests answer 429 with <code>Retry-After</code>, <code>RateLimit</code> and <code>RateLimit-Policy</code>.</li>
<li>A chat that is not yours answers exactly like one that does not exist.</li>
</ul>`

const GROUPS: Record<string, string> = {
  users: 'Users',
  chats: 'Chats and messages',
  unread: 'Chats and messages',
}

function groupOf(path: string): string {
  if (path.startsWith('/users/me/') || path === '/users/login') return 'Log-in and blocks'
  return GROUPS[path.split('/')[1] ?? ''] ?? 'The server'
}

function idOf(group: string): string {
  return `group-${group.toLowerCase().replaceAll(' ', '-')}`
}

function contents(title: string, links: [id: string, text: string][]): Html {
  return html`<h4>${title}</h4><ul>${links.map(([id, text]) => html`<li><a href="#${id}">${link(text)}</a>`)}</ul>`
}

/** `GET /chats/:chatId` with its method set apart. */
function link(text: string): Html {
  const [method = '', path] = text.split(' ')
  return path?.startsWith('/') ? html`${toMethod(method)} ${path}` : html`${text}`
}

function toMethod(method: string): Html {
  return html`<b class="method ${method.toLowerCase()}">${method}</b>`
}

function toCall(route: Route): Html {
  const { name, method, path, summary, access, params, query, body, idempotent } = route
  const note =
    idempotent === true ? html`<p class="note">Takes an <code>Idempotency-Key</code>.</p>` : NONE
  return html`<section class="card" id="${name}">
<h3>${toMethod(method)} <code>${path}</code> ${toAccess(access)}</h3>
<p>${prose(summary)}.</p>${note}
${part('Path', params as Schema | undefined)}${part('Query', query as Schema | undefined)}${part('Body', body as Schema | undefined)}
<h4>Answers</h4>
<ul class="answers">${Object.entries(route.answers).map(([status, schema]) => html`<li><b class="status">${status}</b> ${schema === null ? 'nothing' : toType(schema as Schema)}`)}</ul>
<details><summary>Errors</summary><p class="codes">${errorsOf(route).map((code) => html`<a href="#error-${code}"><code>${code}</code></a> `)}</p></details>
</section>`
}

function toAccess(access: Route['access']): Html {
  const words = { public: 'everyone', user: 'users', admin: 'admins' }
  return html`<span class="access ${access}">${words[access]}</span>`
}

function toSocket(name: string, kind: string, parts: [string, Schema][]): Html {
  return html`<section class="card" id="${kind}-${name}"><h3><b class="method ${kind}">${kind}</b> <code>${name}</code></h3>${parts.map(([title, schema]) => part(title, schema))}</section>`
}

function part(title: string, schema: Schema | undefined): Html {
  if (!schema) return NONE
  const name = nameOf(schema)
  const isListed = name !== undefined && !/Body$|Query$/.test(name)
  return html`<h4>${title}</h4>${isListed ? html`<p>${toType(schema)}</p>` : toFields(schema)}`
}

function described({ description }: Schema): Html {
  return description === undefined ? NONE : html`<p>${prose(description)}</p>`
}

function toFields({ properties = {}, required = [] }: Schema): Html {
  const rows = Object.entries(properties)
  if (rows.length === 0) return html`<p class="note">No fields.</p>`
  return html`<div class="fields"><table><thead><tr><th>Field<th>Type<th>Meaning</thead><tbody>${rows.map(
    ([name, schema]) =>
      html`<tr><td><code>${name}</code>${required.includes(name) ? NONE : html` <i>optional</i>`}<td>${toType(schema)}<td>${toMeaning(schema)}`,
  )}</tbody></table></div>`
}

function toMeaning(schema: Schema): Html {
  const branch = schema.anyOf?.find(({ type, maxLength }) => type === 'string' && maxLength) ?? {}
  const bounds = boundsOf({ ...branch, ...schema })
  const description = schema.description ?? branch.description ?? schema.items?.description ?? ''
  return html`${prose(description)}${bounds === '' ? NONE : html` <span class="bounds">${bounds}</span>`}`
}

function toType(schema: Schema): Html {
  const name = nameOf(schema)
  if (name !== undefined) return html`<a href="#object-${name}">${name}</a>`
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (schema.anyOf)
    return html`${schema.anyOf.map((one, i) => html`${i > 0 ? ' or ' : ''}${toType(one)}`)}`
  if (schema.items) return html`list of ${toType(schema.items)}`
  if (schema.properties) return toInline(schema.properties)
  return html`${schema.type ?? 'any'}`
}

function toInline(properties: Record<string, Schema>): Html {
  const fields = Object.entries(properties)
  if (fields.length === 0) return html`object`
  return html`{ ${fields.map(([name, one], i) => html`${i > 0 ? ', ' : ''}<code>${name}</code>: ${toType(one)}`)} }`
}

function toCatalogue(): Html {
  return html`<div class="fields"><table><thead><tr><th>Code<th>Status<th>Meaning</thead><tbody>${Object.entries(
    ERRORS,
  ).map(
    ([code, { status, title }]) =>
      html`<tr id="error-${code}"><td><code>${code}</code><td>${status}<td>${title}`,
  )}</tbody></table></div>`
}
