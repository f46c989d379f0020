import { randomBytes } from 'node:crypto'
import { createOwnedDatabase } from './postgres.ts'

export const ADMIN_PASSWORD = `${randomBytes(9).toString('base64url')}-Aa1`

/** A database whose role has no special rights, and settings that production takes. */
export async function productionDatabase() {
  const { url, drop } = await createOwnedDatabase()
  const env: Record<string, string> = {
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: url,
    MICROCHATTER_PUBLIC_URL: 'https://chat.example.org',
    MICROCHATTER_ORIGINS: 'https://example.org',
    MICROCHATTER_TRUST_PROXY: '127.0.0.1',
    MICROCHATTER_JWT_SECRET: randomBytes(32).toString('hex'),
    MICROCHATTER_ADMIN_PASSWORD: ADMIN_PASSWORD,
  }
  return { env, drop }
}
