/** Every setting: its type, its bounds, what it means. The defaults are in config/default.json. */
import { LIMITS, VISIBLE_TO, WRITE_FROM } from '@microchatter/protocol'
import { type Static, type TProperties, Type } from 'typebox'
import type { FormatName } from './formats.ts'

function section<T extends TProperties>(properties: T, description?: string) {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  })
}

const text = (description: string, minLength = 0) =>
  Type.String({ minLength, maxLength: 4_096, description })
const format = (format: FormatName, description: string) => Type.String({ format, description })
/** `all`: never shown. `password`: shown without the password inside. */
const secret = (format: FormatName, secret: 'all' | 'password', description: string) =>
  Type.String({ format, secret, description })
const list = (format: FormatName, description: string) =>
  Type.Array(Type.String({ format }), { description, maxItems: 1_000 })
const whole = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, description })
const flag = (description: string) => Type.Boolean({ description })
const rate = (description: string) => whole(1, 1_000_000, description)
function choice<const T extends string[]>(values: readonly [...T], description: string) {
  return Type.Enum([...values] as [...T], { description })
}

/** PostgreSQL's text search configurations. */
const LANGUAGES: [string, ...string[]] = [
  'simple',
  'arabic',
  'armenian',
  'basque',
  'catalan',
  'danish',
  'dutch',
  'english',
  'finnish',
  'french',
  'german',
  'greek',
  'hindi',
  'hungarian',
  'indonesian',
  'irish',
  'italian',
  'lithuanian',
  'nepali',
  'norwegian',
  'portuguese',
  'romanian',
  'russian',
  'serbian',
  'spanish',
  'swedish',
  'tamil',
  'turkish',
  'yiddish',
]

export const ConfigSchema = section({
  host: format('host', 'The address it listens on. 0.0.0.0 or ::: all.'),
  port: whole(0, 65_535, 'The port of HTTP and Socket.IO. 0: any that is free.'),
  publicUrl: format('publicUrl', 'How browsers reach it, e.g. https://chat.example.org.'),
  origins: list('origin', 'The sites whose pages may use it: exact origins.'),
  trustProxy: list('proxy', 'Addresses or CIDRs of the proxies whose X-Forwarded-… are believed.'),
  tls: section({
    keyFile: text('PEM file of the private key, where no proxy ends TLS.'),
    certFile: text('PEM file of the certificate and its chain.'),
  }),
  databaseUrl: secret(
    'databaseUrl',
    'password',
    'postgres://role:password@host:5432/database. Empty: the embedded database.',
  ),
  schema: format('schema', 'The schema of its tables.'),
  dataDir: text('The folder of the embedded database.', 1),
  redisUrl: secret('redisUrl', 'password', 'redis:// or rediss://, for several nodes.'),
  database: section({
    poolSize: whole(1, 1_000, 'Connections to PostgreSQL, at most.'),
    // Bounded by the overlap of a sync (SYNC-3): a statement must end well within its 30 s.
    queryTimeoutMs: whole(100, 10_000, 'A statement that takes longer is ended.'),
    connectTimeoutMs: whole(100, 30_000, 'How long a request waits for a connection.'),
  }),
  admin: section({
    password: secret('password', 'all', 'The password of the user `admin`. Empty: no such login.'),
    readChats: flag('Whether admins may read chats that they are not in.'),
  }),
  jwt: section({
    secret: secret('secret', 'all', 'For HS256; the site that signs tokens has the same.'),
    previousSecret: secret('secret', 'all', 'Still accepted while the secret is changed.'),
    publicKey: secret('publicKey', 'all', 'PEM, for RS256, ES256 or EdDSA; \\n for line ends.'),
    publicKeyFile: text('The same, as a file.'),
    jwksUrl: format('jwksUrl', 'The https address of the key set of the site.'),
    issuer: text('What `iss` must be. Empty: not checked.'),
    audience: text('What `aud` must have. Empty: not checked.'),
    leewaySeconds: whole(0, 300, 'How far the clocks of the two servers may differ.'),
    maxAgeHours: whole(1, 87_600, 'The longest lifetime of a token that is accepted.'),
    allowNoExpiry: flag('Whether tokens without `exp` are accepted.'),
    usernameClaim: text('The claim with the username. Empty: `sub`, then `username`.'),
    nameClaim: text('The claim with the display name. Empty in a file: none.'),
    pictureClaim: text('The claim with the address of the picture. Empty in a file: none.'),
    roleClaim: text('The claim that makes admins, by the value `admin`. Empty in a file: none.'),
    createUsers: flag('Whether the first valid token of an unknown user creates it.'),
  }),
  login: section({
    token: choice(['session', 'jwt'], 'What a login gives. A `session` can be revoked at once.'),
    idleDays: whole(1, 3_650, 'A session ends when it was not used for so long.'),
    absoluteDays: whole(1, 3_650, 'A session ends after so long in any case.'),
    jwtHours: whole(1, 87_600, 'The lifetime of a JWT that a login gives.'),
  }),
  basic: choice(['on', 'off'], 'Whether HTTP Basic is accepted.'),
  users: section({
    search: choice(['admins', 'everyone'], 'Who may search and list users.'),
    editSelf: flag('Whether users may change their own display name and picture.'),
  }),
  privacy: section({
    writeFrom: choice(WRITE_FROM, 'Who may begin a chat with a user who has not set it.'),
  }),
  presence: section({
    visibleTo: choice(VISIBLE_TO, 'Who sees when a user was last there who has not set it.'),
  }),
  messages: section({
    maxLength: whole(1, LIMITS.body, "Characters of a message's text, at most."),
    editMinutes: whole(0, 5_256_000, 'How long its sender may edit a message; 0: not at all.'),
    deleteMinutes: whole(
      0,
      5_256_000,
      'How long its sender may delete a message for all; 0: not at all.',
    ),
  }),
  search: section({
    language: choice(
      LANGUAGES,
      'By whose rules words are taken as the same; simple: as they stand.',
    ),
  }),
  files: section({
    uploads: choice(
      ['auto', 'on', 'off'],
      'Whether people may send files. auto: unless in production.',
    ),
    dir: text('The folder of the files. Empty: `files` in the data folder.'),
    publicUrl: format(
      'publicUrl',
      'Another origin of this server, for files alone, e.g. https://files.example.net.',
    ),
    maxMegabytes: whole(1, 102_400, 'Megabytes of one file, at most.'),
    megabytesPerUser: whole(1, 100_000_000, 'Megabytes of all files of one user, at most.'),
    types: list('mediaType', 'The media types that are taken, by their bytes.'),
  }),
  s3: section({
    url: format('bucketUrl', 'The address of a bucket; empty: files are in the folder.'),
    region: text('The region of the bucket.', 1),
    accessKeyId: text('Who signs the calls to it.'),
    secretAccessKey: secret('password', 'all', 'What they are signed with.'),
  }),
  linkPreviews: choice(['on', 'off'], 'Whether the server fetches pages that are linked to.'),
  groups: section({
    maxMembers: whole(2, 100_000, 'Members of one group, at most.'),
  }),
  webhook: section({
    url: format('webhookUrl', "The site's address that is told of presses on cards. Empty: none."),
    secret: secret('webhookSecret', 'all', 'What the calls to it are signed with.'),
  }),
  demo: choice(['auto', 'off'], 'Whether /demo is there. auto: unless in production.'),
  limits: choice(['on', 'off'], 'Whether the rates below hold. `off` is for measuring.'),
  rates: section({
    sendsBurst: rate('Messages of one user at once.'),
    sendsPerMinute: rate('Messages of one user, sustained.'),
    chatsBurst: rate('New chats of one user at once.'),
    chatsPerHour: rate('New chats of one user, sustained.'),
    loginFailuresPerAccount: rate('Failed logins to one account from one address per window.'),
    loginFailuresPerAddress: rate('Failed logins from one address per window.'),
    loginWindowMinutes: whole(1, 1_440, 'The window of the two above.'),
    socketsPerUser: rate('Open sockets of one user.'),
    socketsPerAddress: rate('Open sockets from one address.'),
    connectsPerMinute: rate('New sockets from one address.'),
    uploadsBurst: rate('Uploads of one user at once.'),
    uploadsPerHour: rate('Uploads of one user, sustained.'),
    callsPerSecond: rate('Calls of one user, over REST and sockets.'),
  }),
  log: section({
    level: choice(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'The lowest level that is logged.',
    ),
    pretty: choice(['auto', 'on', 'off'], 'Lines for people, not JSON. auto: on a terminal.'),
  }),
  insecure: section(
    {
      http: flag('Allows a public URL with http, and Basic over it, in production.'),
      jwks: flag('Allows a key set on this host or in a private network.'),
      webhook: flag('Allows a webhook by http, on this host or in a private network.'),
      previews: flag('Allows link previews of pages on this host or in a private network.'),
      noTls: flag('Allows a database or a Redis on another host without TLS.'),
    },
    'What production refuses unless told.',
  ),
})

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Item[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T
export type Config = Frozen<Static<typeof ConfigSchema>>

/** What `loadConfig` gives: the settings in force, and what judging them needs. */
export interface Loaded {
  readonly config: Config
  /** NODE_ENV is `production`. */
  readonly production: boolean
  /** NODE_ENV, `development` where it is not set. */
  readonly nodeEnv: string
  /** Path of a setting, e.g. `jwt.secret` → the variable or file it is from, or `default`. */
  readonly sources: Readonly<Record<string, string>>
  readonly configDir: string
  /** NODE_TLS_REJECT_UNAUTHORIZED is 0: Node checks no certificate at all. */
  readonly tlsUnchecked: boolean
}

/** What the code here reads of a setting's schema. */
export interface SettingSchema {
  type?: 'string' | 'integer' | 'boolean' | 'array' | 'object'
  enum?: readonly string[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  format?: FormatName
  items?: SettingSchema
  properties?: Record<string, SettingSchema>
  description?: string
  secret?: 'all' | 'password'
}

export interface Setting {
  /** E.g. `jwt.jwksUrl`. */
  path: string
  /** Names in the environment; the first wins. */
  variables: readonly [string, ...string[]]
  schema: SettingSchema
}

/** Names that hosting platforms set by themselves. */
const PLATFORM: Record<string, string> = {
  host: 'HOST',
  port: 'PORT',
  databaseUrl: 'DATABASE_URL',
  redisUrl: 'REDIS_URL',
}

function settingsOf(schema: SettingSchema, prefix = ''): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const path = prefix + key
    if (child.properties) return settingsOf(child, `${path}.`)
    const platform = PLATFORM[path]
    const variable = variableOf(path)
    return { path, variables: platform ? [variable, platform] : [variable], schema: child }
  })
}

function variableOf(path: string): string {
  return `MICROCHATTER_${path.replace(/\.|(?=[A-Z])/g, '_').toUpperCase()}`
}

export const SETTINGS: readonly Setting[] = settingsOf(ConfigSchema as SettingSchema)

/** The setting as the person wrote it: a variable, or a path and its file. */
export function nameOf(setting: Setting, source: string | undefined): string {
  if (source === undefined || source === 'default') return setting.variables[0]
  return setting.variables.includes(source) ? source : `${setting.path} in ${source}`
}
