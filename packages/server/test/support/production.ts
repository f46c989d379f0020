import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createDatabase } from './postgres.ts'

export const ADMIN_PASSWORD = `${randomBytes(9).toString('base64url')}-Aa1`

/** A database whose role has no special rights, and settings that production takes. */
export async function productionDatabase() {
  const database = await createDatabase()
  const role = `role_${randomBytes(6).toString('hex')}`
  const url = new URL(database.url)
  await execute(`CREATE ROLE ${role} LOGIN`)
  await execute(`ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${role}`)
  url.username = role
  const env: Record<string, string> = {
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: url.href,
    MICROCHATTER_PUBLIC_URL: 'https://chat.example.org',
    MICROCHATTER_ORIGINS: 'https://example.org',
    MICROCHATTER_TRUST_PROXY: '127.0.0.1',
    MICROCHATTER_JWT_SECRET: randomBytes(32).toString('hex'),
    MICROCHATTER_ADMIN_PASSWORD: ADMIN_PASSWORD,
  }
  return {
    env,
    async drop() {
      await database.drop()
      await execute(`DROP ROLE ${role}`)
    },
  }
}

async function execute(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.MICROCHATTER_TEST_DATABASE_URL })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
