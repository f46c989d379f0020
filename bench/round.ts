/** One measurement of a bench: its servers, each a process of its own, and an end for all of it. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Round, Running, ServerCommand } from './bench.ts'
import { startServer } from './children.ts'

type Outside = Omit<Round, 'start' | 'defer'>

export interface OpenRound {
  round: Round
  /** Rejects as soon as a server ends that nobody has stopped. */
  death: Promise<never>
  close(): Promise<void>
}

export function openRound(outside: Outside): OpenRound {
  const closers: (() => Promise<void> | void)[] = []
  let isOver = false
  const defer = (close: () => Promise<void> | void) => void closers.push(close)
  let onDeath: (error: Error) => void = () => undefined
  const death = new Promise<never>((_, reject) => {
    onDeath = reject
  })
  // It may come when nobody waits for it any more.
  death.catch(() => undefined)
  const start = async (command: ServerCommand): Promise<Running> => {
    // A bench that failed by a death or by time may not know it yet.
    if (isOver) throw new Error('The round is over')
    const settings = await settingsOf(command, { ...outside, defer })
    const script = command.kind === 'script' ? command.script : undefined
    const server = await startServer({ script, settings, onDeath: (error) => onDeath(error) })
    defer(server.stop)
    if (isOver) await close()
    const { MICROCHATTER_JWT_SECRET: secret = '', DATABASE_URL: databaseUrl } = settings
    return { ...server, secret, databaseUrl }
  }
  const close = async () => {
    isOver = true
    for (let next = closers.pop(); next; next = closers.pop()) await next()
  }
  return { round: { ...outside, start, defer }, death, close }
}

async function settingsOf(
  command: ServerCommand,
  { postgres, defer }: Pick<Round, 'postgres' | 'defer'>,
): Promise<Record<string, string>> {
  if (command.kind === 'script') return command.settings ?? {}
  const folder = mkdtempSync(join(tmpdir(), 'microchatter-bench-'))
  defer(() => rmSync(folder, { recursive: true, force: true }))
  const settings = {
    PORT: '0',
    MICROCHATTER_LIMITS: 'off',
    MICROCHATTER_JWT_SECRET: randomBytes(32).toString('hex'),
    MICROCHATTER_DATA_DIR: folder,
    ...command.settings,
  }
  if (command.database === 'embedded' || 'DATABASE_URL' in settings || !postgres) return settings
  const database = await postgres.create()
  defer(database.drop)
  return { ...settings, DATABASE_URL: database.url }
}
