/** A marketplace on Express. The chat is in chat.mjs, `/chat-token`, and the lines of pages.mjs with micro-chatter. */
import express from 'express'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findUser, logIn, logOut, users, whoIs } from './accounts.mjs'
import { CHAT_POLICY, CHAT_URL, chatToken, introduce } from './chat.mjs'
import { loginPage, offerPage, offersPage } from './pages.mjs'

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
const offers = JSON.parse(readFileSync(new URL('offers.json', import.meta.url), 'utf8'))

const site = express()
site.disable('x-powered-by')
site.use((request, response, next) => {
  response.set(HEADERS)
  request.user = whoIs(request)
  next()
})
site.use(express.static(fileURLToPath(new URL('public', import.meta.url))))

/** Forms of other sites are refused: a browser says where a POST comes from. */
site.use((request, response, next) => {
  const { origin = '', host } = request.headers
  const isOwn = URL.canParse(origin) && new URL(origin).host === host
  if (request.method === 'POST' && !isOwn) response.status(403).send('Not a form of this site.')
  else next()
})

site.get('/', ({ user }, response) => {
  response.send(offersPage(user, offers))
})

site.get('/offers/:id', ({ user, params }, response, next) => {
  const offer = offers.find(({ id }) => String(id) === params.id)
  if (offer) response.send(offerPage(user, offer, findUser(offer.seller)))
  else next()
})

site.get('/login', (_, response) => {
  response.send(loginPage())
})

site.post(
  '/login',
  express.urlencoded({ extended: false, limit: '10kb' }),
  async (request, response) => {
    const { username = '', password = '' } = request.body ?? {}
    const cookie = await logIn(String(username), String(password))
    if (cookie) response.set('set-cookie', cookie).redirect(303, '/')
    else response.status(403).send(loginPage('That is not right. Try again.'))
  },
)

site.post('/logout', (request, response) => {
  response.set('set-cookie', logOut(request)).redirect(303, '/')
})

site.get('/chat-token', async ({ user }, response) => {
  if (user) response.json({ token: await chatToken(user) })
  else response.status(401).json({ error: 'Nobody is logged in' })
})

site.use((_, response) => {
  response.status(404).send('There is no such page.')
})

const server = site.listen(Number(process.env.PORT || 8081), '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`The site: http://127.0.0.1:${server.address().port} (the chat: ${CHAT_URL})`)
})
await introduce(users)
