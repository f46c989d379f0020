import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'

/**
 * The secret that JWTs are signed with. Where the settings have no key at all, one is made and kept in
 * the data folder, so that `microchatter token` works beside a server while developing. '' where the
 * site signs with other keys.
 */
export async function readOrMakeSecret({ jwt, dataDir }: Config): Promise<string> {
  if (jwt.secret !== '' || jwt.publicKey !== '' || jwt.jwksUrl !== '') return jwt.secret
  const file = join(dataDir, 'jwt-secret')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const made = randomBytes(32).toString('hex')
  // Of two that start at once, one makes it.
  await writeFile(file, made, { mode: 0o600, flag: 'wx' }).catch((error: { code?: string }) => {
    if (error.code !== 'EEXIST') throw error
  })
  return (await readFile(file, 'utf8')).trim()
}
