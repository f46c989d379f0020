/** Reads the layers of settings and finds names that are none. What the values mean is not judged here. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigSchema, type Setting, type SettingSchema, SETTINGS } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Layers {
  /** Path → the value in force, and the variable or file it is from. */
  values: Map<string, { value: unknown; source: string }>
  configDir: string
  nodeEnv: string
  problems: string[]
}

const CONFIG_DIR = 'MICROCHATTER_CONFIG_DIR'
const VARIABLES = SETTINGS.map(({ variables }) => variables[0])
const PATHS = new Set(SETTINGS.flatMap(({ path }) => [path, path.split('.')[0] ?? path]))

/**
 * No settings though they begin like ours: what Kubernetes adds for services whose names begin with
 * microchatter, and what the tests of this project are told.
 */
const FOREIGN =
  /^MICROCHATTER_((\w+_)?(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))|TEST_)|^MICROCHATTER_(\w+_)?PORT=(tcp|udp):/

/** `packaged`: the default.json of the package, which has every setting. */
export function readLayers(env: Environment, cwd: string, packaged: string): Layers {
  const layers: Layers = {
    values: new Map(),
    configDir: resolve(cwd, env[CONFIG_DIR] || 'config'),
    nodeEnv: env.NODE_ENV || 'development',
    problems: [],
  }
  readFile(layers, packaged, 'default')
  const found = ownFiles(layers).filter((file) => file === packaged || readFile(layers, file, file))
  if (env[CONFIG_DIR] && found.length === 0) {
    const files = `default.json nor ${layers.nodeEnv}.json`
    layers.problems.push(
      `${CONFIG_DIR} is ${layers.configDir}, which has neither ${files}; put one there, or unset it`,
    )
  }
  readVariables(layers, env)
  return layers
}

function ownFiles({ configDir, nodeEnv, problems }: Layers): string[] {
  if (/^[\w-]+$/.test(nodeEnv)) {
    return [...new Set([join(configDir, 'default.json'), join(configDir, `${nodeEnv}.json`)])]
  }
  problems.push('NODE_ENV must be one word of letters, digits, - and _, such as production')
  return []
}

/** @returns whether the file is there. */
function readFile(layers: Layers, file: string, source: string): boolean {
  const { values, problems } = layers
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''))
  } catch (error) {
    // Without the package's own file the installation is broken.
    if (source === 'default') throw error
    if (codeOf(error) === 'ENOENT') return false
    problems.push(`${file} ${whyUnread(error)}`)
    return true
  }
  flatten(content, ConfigSchema as SettingSchema, '')
  return true

  function flatten(value: unknown, schema: SettingSchema, path: string): void {
    if (!schema.properties) {
      values.set(path, { value, source })
    } else if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(`${path || 'The content'} in ${file} must be an object of settings: { … }`)
    } else {
      for (const [key, child] of Object.entries(value)) {
        const below = path === '' ? key : `${path}.${key}`
        const known = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
        if (known) flatten(child, known, below)
        else problems.push(`${below} in ${file} is no setting; ${suggest(below, PATHS)}`)
      }
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** Without the excerpt of the text that the parser's message has: it could hold a secret. */
function whyUnread(error: unknown): string {
  if (!(error instanceof SyntaxError)) {
    return `cannot be read (${String(codeOf(error))}); let this user read it, or remove it`
  }
  const position = /at position \d+( \(line \d+ column \d+\))?/.exec(error.message)?.[0]
  const token = /^Unexpected token '.'/u.exec(error.message)?.[0]
  const where = position ?? token
  return `is not JSON${where ? ` (${where})` : ''}; JSON has neither comments nor trailing commas`
}

function readVariables({ values, problems }: Layers, env: Environment): void {
  for (const setting of SETTINGS) {
    const variable = setting.variables.find((name) => env[name]?.trim() && !isForeign(name, env))
    const text = variable === undefined ? undefined : env[variable]
    if (variable === undefined || text === undefined) continue
    values.set(setting.path, { value: coerce(text, setting), source: variable })
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith('MICROCHATTER_') || env[name] === undefined || isForeign(name, env))
      continue
    if (name === CONFIG_DIR || VARIABLES.includes(name)) continue
    problems.push(`${name} is no setting; ${suggest(name, [...VARIABLES, CONFIG_DIR])}`)
  }
}

function isForeign(name: string, env: Environment): boolean {
  return FOREIGN.test(`${name}=${env[name]}`)
}

/** What does not fit its type stays text, for the schema to refuse. */
function coerce(text: string, { path, schema }: Setting): unknown {
  if (path === 'jwt.publicKey') return text.replaceAll('\\n', '\n')
  if (schema.secret === 'all') return text
  const trimmed = text.trim()
  if (schema.type === 'integer' && /^\d+$/.test(trimmed)) return Number(trimmed)
  if (schema.type === 'boolean' && /^(true|false)$/.test(trimmed)) return trimmed === 'true'
  if (schema.type !== 'array') return trimmed
  return trimmed
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Near: at most a third of the letters differ; case, dots and underscores do not count. */
function suggest(name: string, known: Iterable<string>): string {
  const plain = (text: string) => text.replace(/^MICROCHATTER_|[^a-z0-9]/gi, '').toLowerCase()
  const ranked = Array.from(known, (candidate) => ({
    candidate,
    steps: distance(plain(name), plain(candidate)),
  })).sort((a, b) => a.steps - b.steps)
  const [best] = ranked
  const near = best && best.steps <= Math.max(2, plain(best.candidate).length / 3)
  return near ? `did you mean ${best.candidate}?` : 'remove it, or look its name up in the docs'
}

/** Levenshtein's: how many letters to put in, take out or change. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [done, letter] of Array.from(from).entries()) {
    const next = [done + 1]
    for (const [index, other] of Array.from(to).entries()) {
      const change = (row[index] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(change, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
