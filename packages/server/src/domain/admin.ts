import { randomBytes } from 'node:crypto'
import { insertUser, selectUser, updateUser } from '../store/users.ts'
import type { Core } from './core.ts'

/**
 * The user `admin` can log in: with the password of the settings, or with one that it has, or, where
 * there is neither and `generate` says so, with a new one, which is returned, to be shown once.
 */
export async function ensureAdmin(
  { db, identity }: Pick<Core, 'db' | 'identity'>,
  { password, generate }: { password: string; generate: boolean },
): Promise<string | undefined> {
  const row = await selectUser(db, 'admin')
  if (password === '' && (!generate || typeof row?.password === 'string')) return undefined
  const chosen = password === '' ? randomBytes(12).toString('base64url') : password
  const { passwords } = identity
  if (row && (await passwords.verify(chosen, row.password)).ok) return undefined
  const hash = await passwords.hash(chosen)
  if (row) await updateUser(db, row.id, { password: hash, role: 'admin' })
  else await insertUser(db, { username: 'admin', password: hash, role: 'admin' })
  return password === '' ? chosen : undefined
}
