import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { type Logger, pino } from 'pino'
import { type Config, isDemoOn, type Loaded, loadConfig } from '../config.ts'
import { createMicrochatter, type Microchatter } from '../server.ts'

/** After SIGTERM; what has not ended by then is cut. */
const STOP_WITHIN_MS = 10_000

/** Runs until a signal comes. */
export async function start(version: string): Promise<void> {
  const loaded = loadConfig()
  const log = await createLog(loaded.config)
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'stopped by an error that nobody caught')
    process.exit(1)
  })
  const server = await createMicrochatter(loaded, { log, version })
  stopOnSignal(server, log)
  if (process.stdout.isTTY || !loaded.production) process.stdout.write(welcome(loaded, server))
  log.info({ url: server.url, version, host: hostname() }, 'Microchatter is ready')
}

async function createLog({ log }: Config): Promise<Logger> {
  const isPretty = log.pretty === 'on' || (log.pretty === 'auto' && process.stdout.isTTY)
  const options = {
    level: log.level,
    redact: ['password', 'token', 'authorization', '*.password', '*.token', '*.authorization'],
  }
  if (!isPretty) return pino(options)
  const { default: pretty } = await import('pino-pretty')
  return pino(
    options,
    pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', sync: true }),
  )
}

function stopOnSignal(server: Microchatter, log: Logger): void {
  let stopping = false
  const stop = (signal: string) => {
    // npm passes on a Ctrl-C that the terminal has sent here too: the second one says nothing new.
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref()
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'did not stop cleanly')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/**
 * A password is shown once; after that the line asks the command for a token. With a secret of the
 * site's own there is no telling where another shell would find it: then the password has to be known.
 */
function loginOf({ jwt, admin, dataDir }: Config, { adminPassword }: Microchatter): string {
  if (adminPassword !== undefined) return `-u 'admin:${adminPassword}'`
  if (jwt.secret !== '' || admin.password !== '') return `-u 'admin:THE PASSWORD'`
  const command = `MICROCHATTER_DATA_DIR=${quote(resolve(dataDir))} node ${quote(resolve(process.argv[1] ?? ''))}`
  return `-H "Authorization: Bearer $(${command} token admin)"`
}

/** What a developer needs in the first minute. The curl lines work as they are printed. */
function welcome(loaded: Loaded, server: Microchatter): string {
  const { config } = loaded
  const { url, adminPassword } = server
  const login = loginOf(config, server)
  const data =
    config.databaseUrl === ''
      ? `${resolve(config.dataDir)} (embedded: survives a crash, not a power cut; for production set DATABASE_URL)`
      : `PostgreSQL, schema ${config.schema}`
  const demo = isDemoOn(loaded)
    ? `  Demo           ${url}/demo        (two people, one page)\n`
    : ''
  return `
${demo}  Microchatter   ${url}        docs ${url}/docs
  Data           ${data}
${adminPassword === undefined ? '' : `  Admin          admin / ${adminPassword}        (made now, shown this once)\n`}
  Log in, send, list:

TOKEN=$(curl -s -X POST ${url}/users/login ${login} | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
curl -s ${url}/chats/users/admin/messages -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"body":"Hello!"}'
curl -s ${url}/chats -H "Authorization: Bearer $TOKEN"

`
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
