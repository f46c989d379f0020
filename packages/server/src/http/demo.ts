/**
 * /demo: two people side by side, so that the first minute shows everything. It is no part of the API:
 * these routes are there only where the settings have it, and else answer like an address that is not there.
 */
import { isIP } from 'node:net'
import { closed } from '@microchatter/protocol'
import { Type } from 'typebox'
import { ChatError } from '../domain/errors.ts'
import { DEMO_PAGE } from './demo-page.ts'
import { DEMO_SCRIPT } from './demo-script.ts'
import { DEMO_STYLE } from './demo-style.ts'
import { type Answer, ok, type PublicCall, publicRoute, type Route } from './route.ts'

const DemoParams = closed({ name: Type.String({ description: '`anna` or `ben`.' }) })
const Token = closed({ token: Type.String() })
const Text = Type.String()

/** Its own style and scripts, the widget, and what that asks of this server. */
const DEMO_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self' ws: wss:",
  "font-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const DEMO_ROUTES: readonly Route[] = [
  publicRoute('getDemo', 'GET /demo', {
    summary: 'Two people of the demo, in one page',
    answers: { 200: Text },
    on: async () => ({
      status: 200,
      body: DEMO_PAGE,
      type: 'text/html; charset=utf-8',
      headers: { 'Content-Security-Policy': DEMO_POLICY },
    }),
  }),
  publicRoute('getDemoStyle', 'GET /demo/demo.css', {
    summary: 'The style of that page',
    answers: { 200: Text },
    on: async () => ({ status: 200, body: DEMO_STYLE, type: 'text/css; charset=utf-8' }),
  }),
  publicRoute('getDemoScript', 'GET /demo/demo.js', {
    summary: 'The script of that page',
    answers: { 200: Text },
    on: async () => ({ status: 200, body: DEMO_SCRIPT, type: 'text/javascript; charset=utf-8' }),
  }),
  publicRoute('getDemoToken', 'GET /demo/tokens/:name', {
    summary: 'A token of one of the two',
    params: DemoParams,
    answers: { 200: Token },
    errors: ['forbidden', 'not_found'],
    on: onGetDemoToken,
  }),
]

async function onGetDemoToken({
  site,
  params,
  request,
}: PublicCall<{ name: string }>): Promise<Answer> {
  const { demo, sign } = site
  if (!demo) throw new ChatError('not_found')
  checkSameOrigin(request)
  const { headers, ip } = request
  const token = await demo.token(params.name, {
    sign,
    userAgent: headers['user-agent'],
    address: ip,
  })
  return ok({ token })
}

/** Pages of others get none: a browser says from where it asks. */
function checkSameOrigin({ headers }: PublicCall['request']): void {
  const { 'sec-fetch-site': site, origin, host } = headers
  const isOther = origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)
  if (isOther || (site !== undefined && site !== 'same-origin'))
    throw new ChatError('forbidden', { detail: 'Only the page /demo of this server gets tokens' })
  // A name that anyone can have lead here would make any page one of this server.
  if (!isOurs(host ?? ''))
    throw new ChatError('forbidden', {
      detail: 'Open /demo at localhost, or at the address of this machine in digits',
    })
}

function isOurs(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false
  const { hostname } = new URL(`http://${host}`)
  const isName = isIP(hostname.replace(/^\[|\]$/g, '')) === 0
  return !isName || hostname === 'localhost' || hostname.endsWith('.localhost')
}
