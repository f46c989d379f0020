/** The only reader of the environment and of the settings' files. */
import { fileURLToPath } from 'node:url'
import { contradictions, invalidValues, readNamedFiles } from './config/check.ts'
import { type Environment, type Layers, readLayers } from './config/layers.ts'
import type { Config, Loaded } from './config/schema.ts'

export { printConfig } from './config/print.ts'
export { refusals, warnings } from './config/refusals.ts'
export type { Config, Loaded } from './config/schema.ts'

/** All that is wrong, one line each: the setting as it was written, what is wrong, the cure. */
export class ConfigError extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

// One folder up both from src/ and from dist/, which is flat.
const PACKAGED = fileURLToPath(new URL('../config/default.json', import.meta.url))

/**
 * The settings in force. Later wins: the package's default.json, then default.json and
 * <NODE_ENV>.json in MICROCHATTER_CONFIG_DIR or <cwd>/config, then the environment.
 * What `jwt.publicKeyFile` names is read into `jwt.publicKey`.
 *
 * @throws ConfigError
 */
export function loadConfig(options: { env?: Environment; cwd?: string } = {}): Loaded {
  const { env = process.env, cwd = process.cwd() } = options
  const layers = readLayers(env, cwd, PACKAGED)
  const sources: Record<string, string> = Object.fromEntries(
    Array.from(layers.values, ([path, { source }]) => [path, source]),
  )
  const config = toConfig(layers, sources, cwd)
  if (config.jwt.publicKeyFile !== '') sources['jwt.publicKey'] = 'jwt.publicKeyFile'
  return {
    config,
    production: layers.nodeEnv === 'production',
    nodeEnv: layers.nodeEnv,
    sources,
    configDir: layers.configDir,
    tlsUnchecked: env.NODE_TLS_REJECT_UNAUTHORIZED === '0',
  }
}

function toConfig({ values, problems }: Layers, sources: Loaded['sources'], cwd: string): Config {
  const tree = nest(values)
  const invalid = invalidValues(tree, sources)
  // Values that are wrong by themselves cannot be compared.
  if (invalid.length > 0) throw new ConfigError([...problems, ...invalid])
  const config = tree as Config
  const { publicKey, problems: unread } = readNamedFiles(config, sources, cwd)
  const all = [...problems, ...contradictions(config, sources), ...unread]
  if (all.length > 0) throw new ConfigError(all)
  return publicKey === '' ? config : { ...config, jwt: { ...config.jwt, publicKey } }
}

/** `jwt.secret` → `{ jwt: { secret } }`. */
function nest(values: Layers['values']): unknown {
  const tree: Record<string, unknown> = {}
  for (const [path, { value }] of values) {
    const [first = '', second] = path.split('.')
    if (second === undefined) tree[first] = value
    else tree[first] = { ...(tree[first] as object | undefined), [second]: value }
  }
  return tree
}

/** Whoever reaches the demo is one of its people, so production never has it. */
export function isDemoOn({ config, production }: Loaded): boolean {
  return config.demo === 'auto' && !production
}

/** In production it takes a decision: files need room, and an origin of their own. */
export function areFilesOn({ config, production }: Loaded): boolean {
  return config.files.uploads === 'on' || (config.files.uploads === 'auto' && !production)
}

/** What opens the database of the settings, or the one at another `url`. */
export function databaseOptions(
  { database, databaseUrl, dataDir, schema }: Config,
  url: string = databaseUrl,
) {
  return { ...database, url, dataDir, schema }
}
