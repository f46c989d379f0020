/** What production refuses or warns of, as far as settings alone can tell. */
import { naming } from './check.ts'
import type { Loaded } from './schema.ts'
import { databaseTarget, isPrivate, parseUrl, redisTarget } from './urls.ts'

type Row = readonly [wrong: boolean, text: string]

const NEW_SECRET = 'make one with: openssl rand -hex 32'
/** What stands for the password in the examples of deploy/. */
const PLACEHOLDER = 'PASSWORD'

/** What stops a start in production, one line each with its cure. In development: nothing. */
export function refusals(loaded: Loaded): string[] {
  if (!loaded.production) return []
  return told([...secretRows(loaded), ...addressRows(loaded), ...backendRows(loaded)])
}

function told(rows: Row[]): string[] {
  return rows.flatMap(([wrong, text]) => (wrong ? [text] : []))
}

function secretRows({ config, sources }: Loaded): Row[] {
  const { jwt, admin, basic, webhook } = config
  const name = naming(sources)
  const shared = [jwt.secret, jwt.previousSecret].some((secret) => secret !== '')
  const published = jwt.publicKey !== '' || jwt.jwksUrl !== ''
  const secrets = (['secret', 'previousSecret'] as const).map(
    (key): Row => [
      jwt[key] !== '' && isGuessable(jwt[key], 32, 10),
      `${name(`jwt.${key}`)} is an example, or has too little chance in it; ${NEW_SECRET}`,
    ],
  )
  return [
    ...secrets,
    [
      webhook.secret !== '' && isGuessable(webhook.secret.replace(/^whsec_/, ''), 32, 10),
      `${name('webhook.secret')} is an example, or has too little chance in it; make one with: echo "whsec_$(openssl rand -base64 32)"`,
    ],
    [
      !shared && !published && basic === 'off',
      'Nobody could log in: there is no key for JWT and basic is off. Set MICROCHATTER_JWT_SECRET, MICROCHATTER_JWT_PUBLIC_KEY or MICROCHATTER_JWT_JWKS_URL, or MICROCHATTER_BASIC=on',
    ],
    [
      shared && published,
      `${name(jwt.secret === '' ? 'jwt.previousSecret' : 'jwt.secret')} is set beside a public key, so whoever has the secret could sign as the holder of the private key; keep one of the two (MICROCHATTER_JWT_SECRET and …_PREVIOUS_SECRET, or …_PUBLIC_KEY and …_JWKS_URL)`,
    ],
    [
      isGuessable(admin.password, 12, 5),
      `${name('admin.password')} is not set, has under 12 characters, or is an example or easy to guess; choose one of at least 12, such as: openssl rand -base64 18`,
    ],
  ]
}

function addressRows({ config, sources }: Loaded): Row[] {
  const { publicUrl, tls, jwt, insecure, basic, webhook } = config
  const name = naming(sources)
  const jwks = parseUrl(jwt.jwksUrl, ['http:', 'https:'])
  const hook = parseUrl(webhook.url, ['http:', 'https:'])
  const https = publicUrl.startsWith('https:')
  return [
    [
      publicUrl === '',
      `${name('publicUrl')} is not set; set it to the address that browsers reach, such as https://chat.example.org`,
    ],
    [
      publicUrl.startsWith('http:') && !insecure.http,
      `${name('publicUrl')} is http, so anyone on the way reads passwords and messages; use https, or set MICROCHATTER_INSECURE_HTTP=true where the network is yours alone`,
    ],
    [
      basic === 'on' && !https && tls.keyFile === '' && !insecure.http,
      `${name('basic')} is on, but passwords would travel without TLS; give MICROCHATTER_PUBLIC_URL an https address, set MICROCHATTER_TLS_KEY_FILE and …_CERT_FILE, or set MICROCHATTER_BASIC=off`,
    ],
    [
      jwks !== undefined &&
        !insecure.jwks &&
        (jwks.protocol === 'http:' || isPrivate(jwks.hostname)),
      `${name('jwt.jwksUrl')} is http, or on this host or in a private network, where others may answer; use the public https address of the site, or set MICROCHATTER_INSECURE_JWKS=true`,
    ],
    [
      hook !== undefined &&
        !insecure.webhook &&
        (hook.protocol === 'http:' || isPrivate(hook.hostname)),
      `${name('webhook.url')} is http, or on this host or in a private network, where others may listen; use the public https address of the site, or set MICROCHATTER_INSECURE_WEBHOOK=true`,
    ],
  ]
}

function backendRows({ config, sources, tlsUnchecked }: Loaded): Row[] {
  const { insecure, limits } = config
  const name = naming(sources)
  const database = databaseTarget(config.databaseUrl)
  const redis = redisTarget(config.redisUrl)
  return [
    [
      database?.local === false && !database.verified && !insecure.noTls,
      `${name('databaseUrl')} is on another host without TLS or without a check of its certificate; end it with ?sslmode=verify-full, or set MICROCHATTER_INSECURE_NO_TLS=true where nobody else is on that network`,
    ],
    [
      database?.password === PLACEHOLDER,
      `${name('databaseUrl')} still has the password of the example; put the real one in its place`,
    ],
    [
      redis?.local === false && redis.password === '',
      `${name('redisUrl')} is on another host without a password; set requirepass there, and write rediss://:password@host:6379`,
    ],
    [
      redis?.password === PLACEHOLDER,
      `${name('redisUrl')} still has the password of the example; put the real one in its place`,
    ],
    [limits === 'off', `${name('limits')} is off, which is for measuring only; remove it`],
    [
      tlsUnchecked,
      'NODE_TLS_REJECT_UNAUTHORIZED is 0, so no certificate is checked; unset it, and name an own authority with NODE_EXTRA_CA_CERTS',
    ],
  ]
}

const WELL_KNOWN =
  /change|replace|secret|password|passwort|example|sample|default|placeholder|microchatter|insecure|admin|qwerty|letmein|welcome|0?123456789?0?|abcdef/gi

/** Without well-known words too little is left, or a few characters repeat. */
function isGuessable(text: string, length: number, different: number): boolean {
  const rest = text.replace(WELL_KNOWN, '')
  return Array.from(rest).length < length || new Set(rest).size < different
}

/** What does not stop a start, one line each. `node`: the version, e.g. `22.1.0`. */
export function warnings(loaded: Loaded, node: string = process.versions.node): string[] {
  const rows: Row[] = [
    [
      Number.parseInt(node, 10) < 22,
      `Node ${node} gets no security fixes any more; install Node 22 or newer`,
    ],
    [
      !['production', 'development', 'test'].includes(loaded.nodeEnv),
      `NODE_ENV is ${loaded.nodeEnv}: only production has the checks of production`,
    ],
  ]
  return told(loaded.production ? [...rows, ...productionRows(loaded)] : rows)
}

function productionRows({ config }: Loaded): Row[] {
  const { publicUrl, origins, trustProxy, tls, databaseUrl, insecure, files, s3 } = config
  const redis = redisTarget(config.redisUrl)
  return [
    [
      databaseUrl === '',
      'The embedded database is in use: a power cut may cost the newest messages, and there can be one process only; for more, set DATABASE_URL',
    ],
    [
      origins.length === 0,
      'MICROCHATTER_ORIGINS is empty, so no page of a site may connect; servers and apps, which send no Origin, may with a bearer token. List the sites, such as https://example.org',
    ],
    [
      publicUrl.startsWith('https:') && tls.keyFile === '' && trustProxy.length === 0,
      'MICROCHATTER_TRUST_PROXY is empty though a proxy ends TLS, so all visitors share the address of the proxy and its limits; set it to that address, such as 127.0.0.1',
    ],
    [
      files.uploads === 'on' && files.publicUrl === '',
      'MICROCHATTER_FILES_PUBLIC_URL is empty, so files of people come from the origin of the API; give them another one that leads here, such as https://chat-files.example.net',
    ],
    [
      files.uploads === 'on' && s3.url === '' && config.redisUrl !== '',
      'Files are in a folder, which all nodes must share; where they do not, set MICROCHATTER_S3_URL',
    ],
    [
      s3.url.startsWith('http:') && !isPrivate(new URL(s3.url).hostname) && !insecure.noTls,
      'MICROCHATTER_S3_URL is http, so others on the way can read files; use https',
    ],
    [
      redis?.local === false && !redis.tls && !insecure.noTls,
      'REDIS_URL is on another host without TLS, so others on the way can read messages; use rediss://',
    ],
  ]
}
