#!/usr/bin/env node
/** The process: arguments, signals, exit code. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { printConfigCheck } from './cli/config-check.ts'
import { migrateOnly } from './cli/migrate.ts'
import { moveToPostgres } from './cli/move-to-postgres.ts'
import { start } from './cli/start.ts'
import { printToken } from './cli/token.ts'
import { importUsers } from './cli/import-users.ts'
import { ConfigError, StartRefused } from './server.ts'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

/** sysexits: the configuration is wrong; starting again does not help. */
const EXIT_CONFIG = 78

const program = new Command('microchatter')
  .description('A mailbox and real-time chat for the users a website already has.')
  .version(version)
  .showHelpAfterError()

program
  .command('start', { isDefault: true })
  .description('start the server (what happens without a command, too)')
  .action(() => start(version))

program
  .command('migrate')
  .description('bring the schema of the database up to date, and end')
  .action(migrateOnly)

const users = program.command('users').description('work on many users at once')
users
  .command('import')
  .description('add users from a CSV or NDJSON file; running it again changes nothing')
  .argument('<file>', 'username, password (a hash), displayName, picture, role; - is stdin')
  .option('--format <format>', 'csv or ndjson; without it, by the ending of the file')
  .option('--dry-run', 'check the file and write nothing', false)
  .action(importUsers)

program
  .command('token')
  .description('print a JWT for a user, signed with the secret of this server')
  .argument('<username>')
  .option('--role <role>', 'user or admin')
  .option('--name <name>', 'display name')
  .option('--minutes <minutes>', 'how long it is valid', '60')
  .action(printToken)

program
  .command('move')
  .description('copy the embedded database to an empty PostgreSQL, verified by counts')
  .argument('<url>', 'postgres://role:password@host:5432/database')
  .action(moveToPostgres)

program
  .command('config')
  .description('look at the settings')
  .command('check')
  .description('print what is in force, and what is wrong with it')
  .action(printConfigCheck)

program.parseAsync().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${message}\n`)
  process.exit(error instanceof ConfigError || error instanceof StartRefused ? EXIT_CONFIG : 1)
})
