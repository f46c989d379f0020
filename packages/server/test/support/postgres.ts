/** Databases for tests, on the server that MICROCHATTER_TEST_DATABASE_URL names; `npm test` sets it. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'

const SERVER = process.env.MICROCHATTER_TEST_DATABASE_URL ?? ''

export interface TestDatabase {
  url: string
  /** Ends the connections that are open to it, too. */
  drop(): Promise<void>
}

/** For the `skip` of tests that need a PostgreSQL. */
export function hasPostgres(): boolean {
  return SERVER !== ''
}

/** An empty database of its own for one test, so that tests can run side by side. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `microchatter_test_${randomBytes(8).toString('hex')}`
  await execute(`CREATE DATABASE ${name}`)
  const url = new URL(SERVER)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

/** One that belongs to a role without special rights, as in production. The role goes with it. */
export async function createOwnedDatabase(): Promise<TestDatabase> {
  const database = await createDatabase()
  const role = `microchatter_test_${randomBytes(8).toString('hex')}`
  const owned = new URL(database.url)
  owned.username = role
  await execute(`CREATE ROLE ${role} LOGIN`)
  await execute(`ALTER DATABASE ${owned.pathname.slice(1)} OWNER TO ${role}`)
  return {
    url: owned.href,
    async drop() {
      await database.drop()
      await execute(`DROP ROLE ${role}`)
    },
  }
}

async function execute(statement: string): Promise<void> {
  if (SERVER === '') {
    throw new Error('MICROCHATTER_TEST_DATABASE_URL is not set. Run the tests with npm test.')
  }
  const client = new pg.Client({ connectionString: SERVER })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
