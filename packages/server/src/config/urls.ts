/** What can be told of an address without connecting to it. */
import { BlockList, isIP } from 'node:net'

/** undefined where it is no address with a host. */
export function parseUrl(text: string, protocols: readonly string[]): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && protocols.includes(url.protocol) ? url : undefined
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/i.test(host)
}

const privateRanges = new BlockList()
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
]) {
  const [address = '', bits] = range.split('/')
  privateRanges.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** By its name or number alone: this host, a private network, or a name that has no meaning outside. */
export function isPrivate(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const version = isIP(host)
  if (version !== 0) return privateRanges.check(host, version === 6 ? 'ipv6' : 'ipv4')
  return !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa)$/i.test(host)
}

/** How the driver reads a postgres:// address; undefined where it names no host. */
export function databaseTarget(text: string) {
  const url = parseUrl(text, ['postgres:', 'postgresql:'])
  if (!url) return undefined
  // The last one of two, as the driver takes it.
  const query: Record<string, string | undefined> = Object.fromEntries(url.searchParams)
  const host = query.host || decode(url.hostname)
  if (!host) return undefined
  return {
    local: host.startsWith('/') || isLoopback(host),
    verified: isVerified(query),
    password: query.password || url.password,
  }
}

/** pg 8: every mode but `disable` and `no-verify` checks the certificate, unless it is to act like libpq. */
function isVerified(query: Record<string, string | undefined>): boolean {
  const { sslmode, ssl, sslrootcert, uselibpqcompat } = query
  if (uselibpqcompat === 'true') return sslmode === 'verify-full'
  if (sslmode) return ['prefer', 'require', 'verify-ca', 'verify-full'].includes(sslmode)
  return ssl === 'true' || ssl === '1' || Boolean(sslrootcert)
}

export function redisTarget(text: string) {
  const url = parseUrl(text, ['redis:', 'rediss:'])
  if (!url?.hostname) return undefined
  return {
    local: isLoopback(url.hostname),
    tls: url.protocol === 'rediss:',
    password: url.password || url.searchParams.get('password') || '',
  }
}

/** A password with a raw @ / # or ? ends up in another part of the address, where nobody hides it. */
export function isWhole(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && url.hash === '' && !`${url.pathname}${url.search}`.includes('@')
}

/** With *** for the password; a user without one may be a password in the wrong place. */
export function maskUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) return '(set)'
  if (url.password !== '') url.password = '***'
  else if (url.username !== '') url.username = '***'
  for (const key of new Set(url.searchParams.keys())) {
    if (/pass/i.test(key)) url.searchParams.set(key, '***')
  }
  return url.href
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
