/**
 * ejabberd as Debian packages it, a node of its own: users and the archive of all messages (mod_mam)
 * in PostgreSQL, XMPP over TCP on loopback. Each message is stored twice, for both of its ends,
 * before it is delivered.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../port.ts'
import { PASSWORD } from '../talk-xmpp.ts'

const COMMAND = '/usr/sbin/ejabberdctl'
const TABLES = '/usr/share/ejabberd/sql/pg.sql'
const USERS = 1_000
const START_MS = 60_000
/** It ends with this process, however that ends: its standard input is closed then. */
const END_WITH_US = 'spawn(fun() -> io:get_line(""), erlang:halt(0) end).'

const database = new URL(process.env.DATABASE_URL ?? '')
const folder = mkdtempSync(join(tmpdir(), 'microchatter-ejabberd-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

await makeTables()
const port = await freePort()
const config = join(folder, 'ejabberd.yml')
writeFileSync(config, configOf(port))
const child = spawn('erl', argumentsOf(folder), {
  cwd: folder,
  env: {
    PATH: process.env.PATH,
    HOME: folder,
    ERL_LIBS: /^ERL_LIBS='(.+)'$/m.exec(readFileSync(COMMAND, 'utf8'))?.[1],
    ERL_CRASH_DUMP_BYTES: '0',
    EJABBERD_CONFIG_PATH: config,
    EJABBERD_LOG_PATH: join(folder, 'ejabberd.log'),
  },
  stdio: ['pipe', 'inherit', 'inherit'],
})
child.once('exit', (code) => process.exit(code ?? 1))
process.once('SIGTERM', () => child.kill('SIGKILL'))
await listening(port)
const url = `xmpp://127.0.0.1:${port}`
process.stdout.write(`${JSON.stringify({ url, serverPid: child.pid })}\n`)

async function makeTables(): Promise<void> {
  const client = new pg.Client({ connectionString: database.href })
  await client.connect()
  await client.query(readFileSync(TABLES, 'utf8'))
  await client.query(
    `INSERT INTO users (username, password)
     SELECT 'user' || n, $2 FROM generate_series(0, $1::int - 1) n`,
    [USERS, PASSWORD],
  )
  await client.end()
}

function configOf(c2sPort: number): string {
  return `
hosts: [localhost]
loglevel: error
listen:
  -
    port: ${c2sPort}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    backlog: 1024
auth_method: [sql]
auth_password_format: plain
default_db: sql
sql_type: pgsql
sql_server: "${database.hostname}"
sql_port: ${database.port || 5432}
sql_database: "${database.pathname.slice(1)}"
sql_username: "${decodeURIComponent(database.username)}"
sql_password: "${decodeURIComponent(database.password)}"
sql_prepared_statements: true
modules:
  mod_mam:
    db_type: sql
    default: always
`
}

function argumentsOf(spool: string): string[] {
  const limits = ['+K', 'true', '+P', '250000', '+Q', '65536']
  return [
    ...limits,
    '-noshell',
    '-mnesia',
    'dir',
    `"${spool}"`,
    '-s',
    'ejabberd',
    '-eval',
    END_WITH_US,
  ]
}

async function listening(to: number): Promise<void> {
  const until = Date.now() + START_MS
  while (!(await isOpen(to))) {
    if (Date.now() > until) throw new Error(readFileSync(join(folder, 'ejabberd.log'), 'utf8'))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function isOpen(to: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(to, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
