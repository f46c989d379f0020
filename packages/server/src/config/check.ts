/** Judges the values: each alone by the schema, then those that must fit together. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import { FORMATS } from './formats.ts'
import { type Config, ConfigSchema, nameOf, SETTINGS, type SettingSchema } from './schema.ts'

type Sources = Readonly<Record<string, string>>

const formats = Object.fromEntries(
  Object.entries(FORMATS).map(([name, { passes }]) => [name, passes]),
)
const validate = new Ajv({ allErrors: true, keywords: ['secret'], formats }).compile(ConfigSchema)

/** One line per setting whose value does not pass; `config` has every setting. */
export function invalidValues(config: unknown, sources: Sources): string[] {
  if (validate(config)) return []
  const places = new Set(validate.errors?.map(({ instancePath }) => instancePath))
  return SETTINGS.flatMap((setting) => {
    const pointer = `/${setting.path.replaceAll('.', '/')}`
    const place = [...places].find((path) => path === pointer || path.startsWith(`${pointer}/`))
    if (place === undefined) return []
    const name = nameOf(setting, sources[setting.path])
    const must = `must be ${mustBe(setting.schema)}`
    if (setting.schema.secret) return [`${name} ${must}`]
    return [`${name} is ${show(at(config, place.slice(1).split('/')))}; it ${must}`]
  })
}

function mustBe(schema: SettingSchema): string {
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.items) return `a list, each ${mustBe(schema.items)}`
  if (schema.format) return FORMATS[schema.format].must
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`
  if (schema.type === 'boolean') return 'true or false'
  return `text of ${schema.minLength} to ${schema.maxLength} characters`
}

/** A user and a password in an address stay hidden, and so does the private half of a key. */
function show(value: unknown): string {
  const text = JSON.stringify(value).replace(/\/\/.*@/, '//***@')
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function at(value: unknown, keys: string[]): unknown {
  return keys.reduce(
    (inner: unknown, key) => (inner as Record<string, unknown> | undefined)?.[key],
    value,
  )
}

/** What a start needs in development and in production alike. */
export function contradictions(config: Config, sources: Sources): string[] {
  const { tls, jwt, login, webhook, s3 } = config
  const name = naming(sources)
  const rows: [boolean, string][] = [
    [
      (tls.keyFile === '') !== (tls.certFile === ''),
      `${name('tls.keyFile')} and ${name('tls.certFile')} must both be set, or neither`,
    ],
    [
      (webhook.url === '') !== (webhook.secret === ''),
      `${name('webhook.url')} and ${name('webhook.secret')} must both be set, or neither`,
    ],
    [
      s3.url !== '' && (s3.accessKeyId === '' || s3.secretAccessKey === ''),
      `${name('s3.url')} needs ${name('s3.accessKeyId')} and ${name('s3.secretAccessKey')}`,
    ],
    [
      jwt.publicKey !== '' && jwt.publicKeyFile !== '',
      `${name('jwt.publicKey')} and ${name('jwt.publicKeyFile')} are both set; keep one of the two`,
    ],
    [
      login.token === 'jwt' && jwt.secret === '',
      `${name('login.token')} is jwt, which needs MICROCHATTER_JWT_SECRET to sign with; set it, or choose session`,
    ],
    [
      login.token === 'jwt' && login.jwtHours > jwt.maxAgeHours,
      `${name('login.jwtHours')} is ${login.jwtHours}, longer than the ${jwt.maxAgeHours} of ${name('jwt.maxAgeHours')}, so these tokens would not be accepted; lower the first or raise the second`,
    ],
    [
      login.idleDays > login.absoluteDays,
      `${name('login.idleDays')} is ${login.idleDays}, longer than the ${login.absoluteDays} of ${name('login.absoluteDays')}; lower the first or raise the second`,
    ],
  ]
  return rows.flatMap(([wrong, text]) => (wrong ? [text] : []))
}

/** @returns the text of the files that settings name, and what is wrong with those that cannot be read. */
export function readNamedFiles({ tls, jwt }: Config, sources: Sources, cwd: string) {
  const problems: string[] = []
  const name = naming(sources)
  const read = (path: string, file: string): string => {
    try {
      return file === '' ? '' : readFileSync(resolve(cwd, file), 'utf8')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      problems.push(
        `${name(path)} is ${show(file)}, which cannot be read (${code}); mend the path or its rights`,
      )
      return ''
    }
  }
  read('tls.keyFile', tls.keyFile)
  read('tls.certFile', tls.certFile)
  const publicKey = read('jwt.publicKeyFile', jwt.publicKeyFile)
  if (!FORMATS.publicKey.passes(publicKey)) {
    problems.push(
      `${name('jwt.publicKeyFile')} is ${show(jwt.publicKeyFile)}; its content must be ${FORMATS.publicKey.must}`,
    )
  }
  return { publicKey, problems }
}

/** Path of a setting → as the person wrote it. */
export function naming(sources: Sources): (path: string) => string {
  return (path) => {
    const setting = SETTINGS.find((known) => known.path === path)
    return setting ? nameOf(setting, sources[path]) : path
  }
}
