/** A PostgreSQL for a bench: the one that is named, or a private one that is gone at the end. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'

export interface Postgres {
  version: string
  /** What decides how durable a commit is, and how dear. */
  settings: Record<string, string>
  /** Its first process, the parent of all others; undefined where it runs elsewhere. */
  pid: number | undefined
  /** An empty database for one run of a server. */
  create: () => Promise<{ url: string; drop: () => Promise<void> }>
  stop: () => Promise<void>
}

const SETTINGS = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers']

interface Scripts {
  findPostgres: () => string | undefined
  startPostgres: (programs: string) => Promise<{ url: string; stop: () => Promise<void> }>
}

/** undefined: there is none on this machine. */
export async function openPostgres(): Promise<Postgres | undefined> {
  const named = process.env.MICROCHATTER_TEST_DATABASE_URL || process.env.DATABASE_URL
  const server = named ? { url: named, stop: async () => {} } : await startPrivate()
  if (!server) return undefined
  const { url, stop } = server
  const version = await show(url, 'server_version')
  const settings: Record<string, string> = {}
  for (const name of SETTINGS) settings[name] = await show(url, name)
  return { version, settings, pid: await firstPid(url), create: () => createDatabase(url), stop }
}

async function startPrivate() {
  const load = (name: string) => import(new URL(`../scripts/${name}`, import.meta.url).href)
  const { findPostgres } = (await load('parts.mjs')) as Pick<Scripts, 'findPostgres'>
  const { startPostgres } = (await load('postgres.mjs')) as Pick<Scripts, 'startPostgres'>
  const programs = findPostgres()
  return programs === undefined ? undefined : startPostgres(programs)
}

async function createDatabase(server: string) {
  const name = `microchatter_bench_${randomBytes(6).toString('hex')}`
  await query(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const drop = async () => {
    await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
  return { url: url.href, drop }
}

async function show(url: string, setting: string): Promise<string> {
  const [row] = await query(url, `SHOW ${setting}`)
  return row?.[setting] ?? ''
}

/** The parent of the process that answers; on another host, its number means nothing here. */
async function firstPid(url: string): Promise<number | undefined> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const status = readFileSync(`/proc/${rows[0]?.pid}/status`, 'latin1')
    if (!/^Name:\s+postgres$/m.test(status)) return undefined
    return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1])
  } catch {
    return undefined
  } finally {
    await client.end()
  }
}

async function query(connectionString: string, text: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<Record<string, string>>(text)).rows
  } finally {
    await client.end()
  }
}
