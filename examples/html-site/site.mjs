/** A site with members, on Node's own HTTP server. The chat is in chat.mjs, `/chat-token`, and three lines of pages/. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { logIn, logOut, users, whoIs } from './accounts.mjs'
import { CHAT_POLICY, chatToken, CHAT_URL, introduce } from './chat.mjs'

const FORM_BYTES = 10_000
const POLICY = {
  'default-src': "'none'",
  'style-src': "'self'",
  'form-action': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
  ...CHAT_POLICY,
}
const HEADERS = {
  'content-security-policy': Object.entries(POLICY)
    .map((rule) => rule.join(' '))
    .join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
}

const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8')
const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** A file of pages/, with its {{names}} replaced by escaped values. */
function fill(name, values = {}) {
  return read(`pages/${name}`).replace(/\{\{(\w+)\}\}/g, (_, key) => escape(values[key] ?? ''))
}

/** What members see: the layout has the menu, and the script of the chat. */
function memberPage(user, title, main) {
  const layout = fill('layout.html', { title, name: user.name, chat: CHAT_URL })
  return layout.replace('<!-- main -->', () => main)
}

function memberList(me) {
  const others = users.filter(({ username }) => username !== me.username)
  const items = others.map((user) => fill('list-item.html', user)).join('')
  return fill('members.html').replace('<!-- members -->', () => items)
}

function send(response, status, type, body, headers = {}) {
  response.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8`, ...headers })
  response.end(body)
}

function goTo(response, location, headers = {}) {
  send(response, 303, 'text/plain', '', { location, ...headers })
}

async function readForm(request) {
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > FORM_BYTES) throw new Error('The form is too large')
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

/** Forms of other sites are refused: a browser says where a POST comes from. */
function isOwnForm({ headers: { origin = '', host } }) {
  return URL.canParse(origin) && new URL(origin).host === host
}

async function onLogIn(request, response) {
  const form = await readForm(request)
  const cookie = await logIn(form.get('username') ?? '', form.get('password') ?? '')
  if (cookie) goTo(response, '/', { 'set-cookie': cookie })
  else
    send(response, 403, 'text/html', fill('login.html', { error: 'That is not right. Try again.' }))
}

async function onChatToken(user, response) {
  const [status, body] = user
    ? [200, { token: await chatToken(user) }]
    : [401, { error: 'Nobody is logged in' }]
  send(response, status, 'application/json', JSON.stringify(body))
}

function onMemberPage(user, path, response) {
  const member = users.find(({ username }) => path === `/members/${username}`)
  if (path === '/') send(response, 200, 'text/html', memberPage(user, 'Members', memberList(user)))
  else if (path === '/inbox')
    send(response, 200, 'text/html', memberPage(user, 'Messages', fill('inbox.html')))
  else if (member)
    send(response, 200, 'text/html', memberPage(user, member.name, fill('member.html', member)))
  else send(response, 404, 'text/plain', 'There is no such page.')
}

async function answer(request, response) {
  const path = request.url.split('?')[0]
  const user = whoIs(request)
  if (request.method === 'POST') {
    if (!isOwnForm(request)) return send(response, 403, 'text/plain', 'Not a form of this site.')
    if (path === '/login') return onLogIn(request, response)
    if (path === '/logout') return goTo(response, '/login', { 'set-cookie': logOut(request) })
  }
  if (request.method !== 'GET') return send(response, 405, 'text/plain', 'Not that way.')
  if (path === '/style.css') return send(response, 200, 'text/css', read('style.css'))
  if (path === '/chat-token') return onChatToken(user, response)
  if (path === '/login') return send(response, 200, 'text/html', fill('login.html'))
  if (!user) return goTo(response, '/login')
  return onMemberPage(user, path, response)
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error)
    if (response.headersSent) response.destroy()
    else send(response, 500, 'text/plain', 'Something went wrong.', { connection: 'close' })
  })
})

server.listen(Number(process.env.PORT || 8080), '127.0.0.1', () => {
  console.log(`The site: http://127.0.0.1:${server.address().port} (the chat: ${CHAT_URL})`)
})
await introduce(users)
