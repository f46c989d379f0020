import { parseArgs } from 'node:util'

export const USAGE = `Shows every feature of Microchatter live, and checks what it sees.

  npm run tour                     with a server of its own, on the embedded database
  DATABASE_URL=postgres://… npm run tour
                                   with a server of its own, in a new schema of this PostgreSQL
  npm run tour -- --url http://127.0.0.1:3000 --admin admin:password --secret <its JWT secret>
                  [--database-url postgres://… [--schema microchatter]]
                                   on a server that runs; its users of the tour are deleted again
`

export interface Options {
  /** undefined: the tour starts a server. */
  given: { url: string; secret: string; admin: [username: string, password: string] } | undefined
  databaseUrl: string | undefined
  schema: string | undefined
}

/** @throws Error that says what is missing */
export function readOptions(): Options | 'help' {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      url: text,
      admin: text,
      secret: text,
      'database-url': text,
      schema: text,
      help: { type: 'boolean' },
    },
  })
  if (values.help) return 'help'
  const { url, admin, secret, schema, 'database-url': databaseUrl } = values
  if (url === undefined) {
    if (admin !== undefined || secret !== undefined || schema !== undefined)
      throw new Error(
        '--admin, --secret and --schema belong to a server that runs: give --url, too',
      )
    return { given: undefined, databaseUrl: databaseUrl ?? fromEnvironment(), schema }
  }
  const [username, ...password] = admin?.split(':') ?? []
  if (!username || password.length === 0 || !secret)
    throw new Error('With --url, give --admin user:password and --secret <the JWT secret> as well')
  return {
    given: { url: url.replace(/\/$/, ''), secret, admin: [username, password.join(':')] },
    databaseUrl,
    schema: schema ?? 'microchatter',
  }
}

function fromEnvironment(): string | undefined {
  return process.env.DATABASE_URL || undefined
}
