/** How a connection is made, and what is set on it. */

/** What PG… variables of the environment would say otherwise. */
export const EMBEDDED = {
  user: 'postgres',
  database: 'postgres',
  password: '',
  ssl: false,
} as const

/** An idle connection that a firewall has forgotten is found, and replaced, before it is used. */
const KEEP_ALIVE_MS = 10_000

export function addressOf(url: string) {
  return { connectionString: url, keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MS }
}

/**
 * No statement, lock or forgotten transaction lasts: SYNC-3's overlap of 30 s is longer than all of
 * them. Plans: every statement finds its rows by index, one after the other, and is planned once, for
 * any values. By its own estimates PostgreSQL plans a new table for the few rows that it has, keeps
 * that plan while the table grows, and plans statements with arrays anew each time (measured: a send
 * cost 560 µs of the database's time instead of 225).
 */
export function sessionSettings({
  schema,
  queryTimeoutMs,
}: {
  schema: string
  queryTimeoutMs: number
}): string {
  return [
    `SET search_path TO "${schema}"`,
    `SET statement_timeout TO ${queryTimeoutMs}`,
    'SET lock_timeout TO 2000',
    'SET idle_in_transaction_session_timeout TO 10000',
    "SET timezone TO 'UTC'",
    'SET plan_cache_mode TO force_generic_plan',
    'SET enable_seqscan TO off',
    'SET enable_hashjoin TO off',
    'SET enable_mergejoin TO off',
    'SET jit TO off',
  ].join('; ')
}
