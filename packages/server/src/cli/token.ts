import { ConfigError, loadConfig } from '../config.ts'
import { signJwt } from '../domain/jwt.ts'
import { readOrMakeSecret } from '../secret.ts'

export async function printToken(
  username: string,
  { role, name, minutes }: { role?: string; name?: string; minutes: string },
): Promise<void> {
  const { config, production } = loadConfig()
  const { issuer, audience } = config.jwt
  const secret = production ? config.jwt.secret : await readOrMakeSecret(config)
  if (secret === '')
    throw new ConfigError([
      'There is no secret to sign with: MICROCHATTER_JWT_SECRET is not set, and tokens come from the site',
    ])
  const lifetime = Number(minutes)
  if (!Number.isFinite(lifetime) || lifetime <= 0 || lifetime > config.jwt.maxAgeHours * 60)
    throw new Error(`--minutes must be a number up to ${config.jwt.maxAgeHours * 60}`)
  if (role !== undefined && role !== 'user' && role !== 'admin')
    throw new Error('--role must be user or admin')
  const token = await signJwt(
    secret,
    {
      username,
      ...(role === undefined ? {} : { role }),
      ...(name === undefined ? {} : { displayName: name }),
    },
    { expiresInSeconds: Math.round(lifetime * 60), issuer, audience },
  )
  process.stdout.write(`${token}\n`)
}
