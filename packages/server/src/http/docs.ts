/** /docs: the table of routes, and the calls and events of the socket, as a page to read. */
import {
  type CallName,
  CALLS,
  ERRORS,
  type EventName,
  EVENTS,
  LIMITS,
} from '@microchatter/protocol'
import { type Html, html, NONE, prose } from './html.ts'
import { errorsOf, type Route } from './route.ts'
import { boundsOf, nameOf, OBJECTS, type Schema } from './schemas.ts'
import { CALL_WORDS, EVENT_WORDS } from './socket-words.ts'
import { byTopic } from './topics.ts'

/** The whole page; its style is docs-style.ts, and it has no script. */
export function toDocs(routes: readonly Route[], version: string): string {
  const groups = byTopic(routes)
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Microchatter API</title>
<link rel="stylesheet" href="/docs/style.css">
<div class="page">
${toContents(groups, version)}
<main id="top">
<h1>Microchatter API</h1>
${INTRO}
${groups.map(([group, list]) => html`<h2 id="${idOf(group)}">${group}</h2>${list.map(toCall)}`)}
${toSockets()}
<h2 id="objects">Objects</h2>
${[...OBJECTS].filter(([name]) => isListed(name)).map(toObject)}
<h2 id="errors">Errors</h2>
<p>RFC 9457 problem JSON over REST, the same codes over the socket. A <code>code</code> never
changes its meaning; the words beside it may.</p>
${toCatalogue()}
</main>
</div>
</html>
`.text
}

const INTRO = html`<p class="lead">REST and Socket.IO, described by the same schemas that check every
request. For tools: <a href="/openapi.json">OpenAPI 3.1</a>.</p>
<h2 id="credentials">Credentials</h2>
<p>Send <code>Authorization: Bearer …</code> with a session token of
<a href="#logIn">POST /users/login</a> or a JWT that your site has signed, or HTTP Basic with username
and password (in production over HTTPS only). Over Socket.IO, connect with
<code>auth: { token }</code>. Credentials in an address are refused, because addresses end up in
logs.</p>
<h2 id="conventions">Conventions</h2>
<ul class="rules">
<li>Bodies are JSON in UTF-8 with <code>Content-Type: application/json</code>, at most
${LIMITS.frame / 1_024} KB. A field that is not described here is an error. What is empty is left out
of answers.</li>
<li>Times are ISO 8601 in UTC. Ids and cursors are opaque.</li>
<li>Lists answer <code>{ items, nextCursor }</code>; send <code>nextCursor</code> back as
<code>cursor</code> for the next page.</li>
<li>Sending twice is safe: give every message a <code>clientId</code>, and the other calls that create
something an <code>Idempotency-Key</code> header.</li>
<li>Too many requests answer 429 with <code>Retry-After</code>, <code>RateLimit</code> and
<code>RateLimit-Policy</code>.</li>
<li>A chat that is not yours answers exactly like one that does not exist.</li>
<li>SEND-3 and the like are rules of the protocol, in <code>docs/protocol.md</code> of the source.</li>
</ul>
<h2 id="example">An example</h2>
<p>Log in, send to a user, and be told what comes:</p>
<pre>curl -X POST https://chat.example.org/users/login -u 'ann:her password'
curl https://chat.example.org/chats/users/bob/messages -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -d '{"body":"Hello!"}'</pre>
<pre>const socket = io('https://chat.example.org', { transports: ['websocket'], auth: { token } })
socket.on('message.created', (message) => show(message))
const clientId = crypto.randomUUID()
const answer = await socket.emitWithAck('message.send', { chatId, body: 'Hello!', clientId })</pre>`

function toContents(groups: [string, Route[]][], version: string): Html {
  const calls = groups.map(([group, list]) =>
    contents(
      group,
      list.map(({ name, path, method }) => [name, html`${toMethod(method)} ${shown(path)}`]),
    ),
  )
  return html`<nav aria-label="Contents">
<a class="brand" href="#top">Microchatter</a>
<p class="version">API ${version}</p>
${contents('', [
  ['credentials', 'Credentials'],
  ['conventions', 'Conventions'],
  ['example', 'An example'],
])}
${calls}
${contents('Socket calls', linksTo('call', CALLS))}
${contents('Events', linksTo('event', EVENTS))}
${contents('Reference', [
  ['objects', 'Objects'],
  ['errors', 'Errors'],
])}
</nav>`
}

function linksTo(kind: SocketKind, table: object): [id: string, text: string][] {
  return Object.keys(table).map((name) => [`${kind}-${name}`, name])
}

function contents(title: string, links: [id: string, text: string | Html][]): Html {
  const items = links.map(([id, text]) => html`<li><a href="#${id}">${text}</a>`)
  return html`${title === '' ? NONE : html`<h4>${title}</h4>`}<ul>${items}</ul>`
}

function idOf(group: string): string {
  return `group-${group.toLowerCase().replaceAll(' ', '-')}`
}

/** As OpenAPI writes it. */
function shown(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}')
}

function toMethod(method: string): Html {
  return html`<b class="method ${method.toLowerCase()}">${method}</b>`
}

function toCall(route: Route): Html {
  const { name, method, path, summary, access, params, query, body, idempotent } = route
  const parts = Object.entries({ Query: query, Body: body })
  const answers = Object.entries(route.answers).map(
    ([status, schema]) =>
      html`<li><b class="status">${status}</b> ${schema === null ? 'nothing' : toType(schema)}`,
  )
  const errors = errorsOf(route).map(
    (code) => html`<a href="#error-${code}"><code>${code}</code></a> `,
  )
  return html`<section class="card" id="${name}">
<h3>${toMethod(method)} <code>${shown(path)}</code> ${toAccess(access)}</h3>
<p>${prose(summary)}.</p>
${idempotent === true ? html`<p class="note">Takes an <code>Idempotency-Key</code>.</p>` : NONE}
${params ? toPath(params) : NONE}
${parts.map(([title, schema]) => (schema ? part(title, schema) : NONE))}
<h4>Answers</h4>
<ul class="answers">${answers}</ul>
<details><summary>Errors</summary><p class="codes">${errors}</p></details>
</section>`
}

/** Short, for most calls have it. */
function toPath({ properties = {} }: Schema): Html {
  const items = Object.entries(properties).map(
    ([name, schema]) => html`<li><code>${name}</code> ${toMeaning(schema)}`,
  )
  return html`<h4>Path</h4><ul class="answers">${items}</ul>`
}

function toAccess(access: Route['access']): Html {
  const words = { public: 'everyone', link: 'who has a link', user: 'users', admin: 'admins' }
  return html`<span class="access ${access}">${words[access]}</span>`
}

function toSockets(): Html {
  const calls = Object.entries(CALLS).map(([name, { request, answer }]) =>
    toSocket('call', name, CALL_WORDS[name as CallName], [
      part('Send', request),
      part('Answer', answer),
    ]),
  )
  const events = Object.entries(EVENTS).map(([name, schema]) =>
    toSocket('event', name, EVENT_WORDS[name as EventName], [part('Carries', schema)]),
  )
  return html`<h2 id="calls">Socket calls</h2>
<p>Each is answered by its acknowledgement: <code>{ ok: true, … }</code> with the fields below, or
<code>{ ok: false, error: { code, detail } }</code> with a code of the
<a href="#errors">catalogue</a>.</p>
${calls}
<h2 id="events">Events</h2>
<p>What the server tells, to every socket of those whom it concerns.</p>
${events}`
}

type SocketKind = 'call' | 'event'

function toSocket(kind: SocketKind, name: string, words: string, parts: Html[]): Html {
  return html`<section class="card" id="${kind}-${name}">
<h3><b class="method ${kind}">${kind}</b> <code>${name}</code></h3>
<p>${prose(upper(words))}.</p>
${parts}
</section>`
}

function upper(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function toObject([name, schema]: [string, Schema]): Html {
  const { description } = schema
  return html`<section class="card" id="object-${name}">
<h3>${name}</h3>
${description === undefined ? NONE : html`<p>${prose(description)}</p>`}
${toFields(schema)}
</section>`
}

/** What is sent is described where it is sent; other objects are referred to. */
function isListed(name: string | undefined): boolean {
  return name !== undefined && !/(Body|Query)$/.test(name)
}

function part(title: string, schema: Schema): Html {
  const content = isListed(nameOf(schema)) ? html`<p>${toType(schema)}</p>` : toFields(schema)
  return html`<h4>${title}</h4>${content}`
}

function toFields({ properties = {}, required = [] }: Schema): Html {
  const rows = Object.entries(properties)
  if (rows.length === 0) return html`<p class="note">No fields.</p>`
  const optional = (name: string) => (required.includes(name) ? NONE : html` <i>optional</i>`)
  return toTable(
    ['Field', 'Type', 'Meaning'],
    rows.map(
      ([name, schema]) =>
        html`<tr><td><code>${name}</code>${optional(name)}<td>${toType(schema)}<td>${toMeaning(schema)}`,
    ),
  )
}

function toTable(heads: string[], rows: Html[]): Html {
  return html`<div class="fields"><table>
<thead><tr>${heads.map((head) => html`<th>${head}`)}</thead>
<tbody>${rows}</tbody>
</table></div>`
}

function toMeaning(schema: Schema): Html {
  const branch = schema.anyOf?.find(({ type, maxLength }) => type === 'string' && maxLength) ?? {}
  const bounds = boundsOf({ ...branch, ...schema })
  const said = schema.anyOf?.find((one) => one.description !== undefined)?.description
  const description = schema.description ?? said ?? schema.items?.description ?? ''
  return html`${prose(description)} <span class="bounds">${bounds}</span>`
}

function toType(schema: Schema): Html {
  const name = nameOf(schema)
  if (name !== undefined) return html`<a href="#object-${name}">${name}</a>`
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (schema.anyOf) return join(schema.anyOf.map(toType), ' or ')
  if (schema.items) return html`list of ${toType(schema.items)}`
  return schema.properties ? toInline(schema) : html`${schema.type ?? 'any'}`
}

function toInline({ properties = {}, required = [] }: Schema): Html {
  const fields = Object.entries(properties).map(
    ([name, schema]) =>
      html`<code>${name}${required.includes(name) ? '' : '?'}</code>: ${toType(schema)}`,
  )
  return fields.length === 0 ? html`object` : html`{ ${join(fields, ', ')} }`
}

function join(parts: Html[], between: string): Html {
  return html`${parts.map((part, index) => (index > 0 ? html`${between}${part}` : part))}`
}

function toCatalogue(): Html {
  return toTable(
    ['Code', 'Status', 'Meaning'],
    Object.entries(ERRORS).map(
      ([code, { status, title }]) =>
        html`<tr id="error-${code}"><td><code>${code}</code><td>${status}<td>${title}`,
    ),
  )
}
