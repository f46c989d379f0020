#!/usr/bin/env node
/** The process: arguments, signals, exit code. */
import { readFileSync } from 'node:fs'
import module from 'node:module'
import { Command } from 'commander'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

// Node 22 and newer keep what they have compiled, so that a later start is faster.
;(module as { enableCompileCache?: () => void }).enableCompileCache?.()

/** sysexits: the configuration is wrong; starting again does not help. */
const EXIT_CONFIG = 78
const OF_CONFIG = ['ConfigError', 'StartRefused']

// Each command loads what it needs, and no more: that is most of its start.

const program = new Command('microchatter')
  .description('A mailbox and real-time chat for the users a website already has.')
  .version(version)
  .showHelpAfterError()

program
  .command('start', { isDefault: true })
  .description('start the server (what happens without a command, too)')
  .action(async () => (await import('./cli/start.ts')).start(version))

program
  .command('migrate')
  .description('bring the schema of the database up to date, and end')
  .action(async () => (await import('./cli/migrate.ts')).migrateOnly())

program
  .command('check')
  .description('compare the rows of the database with each other; changes nothing')
  .option('--json', 'one JSON object', false)
  .action(async (options) => (await import('./cli/check.ts')).printCheck(options))

const users = program.command('users').description('work on many users at once')
users
  .command('import')
  .description('add users from a CSV or NDJSON file; running it again changes nothing')
  .argument('<file>', 'username, password (a hash), displayName, picture, role; - is stdin')
  .option('--format <format>', 'csv or ndjson; without it, by the ending of the file')
  .option('--dry-run', 'check the file and write nothing', false)
  .action(async (file, options) =>
    (await import('./cli/import-users.ts')).importUsers(file, options),
  )

program
  .command('token')
  .description('print a JWT for a user, signed with the secret of this server')
  .argument('<username>')
  .option('--role <role>', 'user or admin')
  .option('--name <name>', 'display name')
  .option('--minutes <minutes>', 'how long it is valid', '60')
  .action(async (name, options) => (await import('./cli/token.ts')).printToken(name, options))

program
  .command('move')
  .description('copy the embedded database to an empty PostgreSQL, verified by counts')
  .argument('<url>', 'postgres://role:password@host:5432/database')
  .action(async (url) => (await import('./cli/move-to-postgres.ts')).moveToPostgres(url))

program
  .command('config')
  .description('look at the settings')
  .command('check')
  .description('print what is in force, and what is wrong with it')
  .action(async () => (await import('./cli/config-check.ts')).printConfigCheck())

program.parseAsync().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${message}\n`)
  process.exit(error instanceof Error && OF_CONFIG.includes(error.name) ? EXIT_CONFIG : 1)
})
